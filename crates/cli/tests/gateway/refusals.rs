//! Requests that are refused, in the caller's dialect, with nothing sent upstream and nothing
//! posted; and odd ones that are not.

use crate::support::{
    CHAT, CREDENTIAL, GEMINI, KEY, MESSAGES, RESPONSES, assert_refused, chat, contents, flags,
    message, provider, stage, start,
};
use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};
use tollgate_testkit::{Client, Upstream};

const OTHER_KEY: &str = "key-of-somebody-else-77aa01";

/// A key besides the client's, with further lines.
fn other_key(more: &str) -> String {
    format!(
        "[[api_key]]\nname = \"other\"\nproject = \"stage\"\n\
         key = {{ value = \"{OTHER_KEY}\" }}\n{more}\n"
    )
}

#[tokio::test]
async fn an_unknown_key_is_401_in_every_dialect() {
    let upstream = Upstream::start().await;
    let stage = stage(&upstream.url(), "").await;
    let stranger = Client::new(stage.gateway.url()).bearer("key-that-nobody-has-made");
    let nobody = Client::new(stage.gateway.url());
    for (path, body, word) in [
        (CHAT, chat("hi"), "invalid_api_key"),
        (RESPONSES, json!({}), "invalid_api_key"),
        (MESSAGES, message("hi"), "authentication_error"),
        (GEMINI, contents("hi"), "UNAUTHENTICATED"),
    ] {
        assert_refused(stranger.post(path, &body).await, 401, word).await;
        assert_refused(nobody.post(path, &body).await, 401, word).await;
    }
    let books = stage.books().await;
    books.assert_nothing_posted();
    assert!(books.rows.is_empty(), "nobody to attribute them to");
}

#[tokio::test]
async fn an_expired_key_is_401() {
    let upstream = Upstream::start().await;
    let stage = stage(&upstream.url(), &other_key("expires_at = \"2020-01-01T00:00:00Z\"")).await;
    let client = Client::new(stage.gateway.url()).bearer(OTHER_KEY);
    let answered = client.post(CHAT, &chat("hi")).await;
    let text = assert_refused(answered, 401, "invalid_api_key").await;
    assert!(text.contains("expired"), "{text}");
    stage.books().await.assert_nothing_posted();
}

#[tokio::test]
async fn a_revoked_key_is_401_and_a_disabled_one_403() {
    let upstream = Upstream::start().await;
    let stage = stage(&upstream.url(), "").await;
    for (verb, status, word) in [("revoke", 401, "invalid_api_key"), ("disable", 403, "forbidden")] {
        let key = stage.command(&["keys", "create", verb, "--project", "stage", "--quiet"]);
        stage.command(&["keys", verb, verb]);
        // The gateway looks for changes twice a second; a new one sees them from the start.
        let again = start(stage.launch.beside()).await;
        let client = Client::new(again.gateway.url()).bearer(key.trim());
        let answered = client.post(CHAT, &chat("hi")).await;
        assert_refused(answered, status, word).await;
    }
    stage.books().await.assert_nothing_posted();
}
