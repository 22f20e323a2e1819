//! Requests that are refused, in the caller's dialect, with nothing sent upstream and nothing
//! posted; and odd ones that are not.

use crate::support::{
    CHAT, CREDENTIAL, GEMINI, KEY, MESSAGES, RESPONSES, Stage, assert_refused, chat, command,
    contents, flags, message, provider, stage, start,
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
    let stage = stage(
        &upstream.url(),
        &other_key("expires_at = \"2020-01-01T00:00:00Z\""),
    )
    .await;
    let client = Client::new(stage.gateway.url()).bearer(OTHER_KEY);
    let answered = client.post(CHAT, &chat("hi")).await;
    let text = assert_refused(answered, 401, "invalid_api_key").await;
    assert!(text.contains("expired"), "{text}");
    stage.books().await.assert_nothing_posted();
}

#[tokio::test]
async fn a_revoked_key_is_401_and_a_disabled_one_403() {
    let upstream = Upstream::start().await;
    let Stage {
        launch, gateway, ..
    } = stage(&upstream.url(), "").await;
    gateway.stop().await;
    let make = |name| command(&launch, &["keys", "create", name, "--project", "stage"]);
    let (revoked, disabled) = (make("gone"), make("off"));
    command(&launch, &["keys", "revoke", "gone"]);
    command(&launch, &["keys", "disable", "off"]);
    let stage = start(launch).await;
    for (key, status, word, text) in [
        (revoked, 401, "invalid_api_key", "not known"),
        (disabled, 403, "forbidden", "is disabled"),
    ] {
        let client = Client::new(stage.gateway.url()).bearer(key.trim());
        let answered = client.post(CHAT, &chat("hi")).await;
        let told = assert_refused(answered, status, word).await;
        assert!(told.contains(text), "{told}");
    }
    stage.books().await.assert_nothing_posted();
}

#[tokio::test]
async fn two_different_keys_of_ours_are_401() {
    let upstream = Upstream::start().await;
    let stage = stage(&upstream.url(), &other_key("")).await;
    let torn = stage.client.clone().header("x-api-key", OTHER_KEY);
    assert_refused(torn.post(CHAT, &chat("hi")).await, 401, "invalid_api_key").await;
    stage.books().await.assert_nothing_posted();
}

#[tokio::test]
async fn a_key_twice_or_beside_a_placeholder_is_good() {
    let upstream = Upstream::provider().await;
    let stage = stage(&upstream.url(), "").await;
    let client = stage.client.clone().header("x-goog-api-key", "unset");
    let client = client.header("x-api-key", KEY);
    assert_eq!(client.post(CHAT, &chat("hi")).await.status, 200);
    let request = upstream.only_request();
    assert_eq!(request.credential(), CREDENTIAL);
    assert_eq!(request.header("x-goog-api-key"), None);
    assert!(stage.books().await.only().cost.as_nano() > 0);
}

/// An object with arrays in arrays, `levels` in all.
fn nested(levels: usize) -> String {
    let (open, close) = ("[".repeat(levels - 1), "]".repeat(levels - 1));
    format!(r#"{{"model":"gpt-5.2","messages":{open}{close}}}"#)
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_400_in_every_dialect() {
    let upstream = Upstream::start().await;
    let stage = stage(&upstream.url(), "").await;
    let twice = r#"{"model":"gpt-5.2","model":"o3"}"#;
    let deep = nested(129);
    let bodies = ["", "{", "[]", "{} {}", "\u{0}", twice, deep.as_str()];
    for (path, word) in [
        (CHAT, "bad_request"),
        (RESPONSES, "bad_request"),
        (MESSAGES, "invalid_request_error"),
        (GEMINI, "INVALID_ARGUMENT"),
    ] {
        for body in bodies {
            let body = Bytes::copy_from_slice(body.as_bytes());
            let answered = stage.client.send(Method::POST, path, body).await;
            assert_refused(answered, 400, word).await;
        }
    }
    stage.books().await.assert_nothing_posted();
}

#[tokio::test]
async fn a_request_without_a_model_or_for_background_work_or_compressed_is_400() {
    let upstream = Upstream::start().await;
    let stage = stage(&upstream.url(), "").await;
    let background = json!({ "model": "gpt-5.2", "input": "hi", "background": true });
    let plain = &stage.client;
    let gzip = plain.clone().header("content-encoding", "gzip");
    for (client, path, body, told) in [
        (plain, CHAT, json!({ "messages": [] }), "model"),
        (plain, CHAT, json!({ "model": "" }), "model"),
        (plain, RESPONSES, background, "background"),
        (&gzip, CHAT, chat("hi"), "uncompressed"),
    ] {
        let text = assert_refused(client.post(path, &body).await, 400, "bad_request").await;
        assert!(text.contains(told), "{text}");
    }
    stage.books().await.assert_nothing_posted();
}

#[tokio::test]
async fn thirty_levels_of_nesting_pass() {
    let upstream = Upstream::provider().await;
    let stage = stage(&upstream.url(), "").await;
    let body = Bytes::from(nested(30));
    let answered = stage.client.send(Method::POST, CHAT, body.clone()).await;
    assert_eq!(answered.status, 200);
    assert_eq!(upstream.only_request().body, body);
    stage.books().await.only();
}

const HUGE: usize = 64 << 20;
const SMALL_LIMIT: &str = "[server]\nbody_limit = \"64KiB\"";

#[tokio::test]
async fn an_announced_body_over_the_limit_is_413_before_it_is_sent() {
    let upstream = Upstream::start().await;
    let stage = stage(&upstream.url(), SMALL_LIMIT).await;
    let mut client = stage.raw().await;
    let head = format!(
        "POST {CHAT} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\n\
         content-length: {HUGE}\r\n\r\n"
    );
    client.write(head).await;
    let answer = client.read_until("server.body_limit").await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(answer.contains("request_too_large"), "{answer}");
    drop(client);
    stage.books().await.assert_nothing_posted();
}

#[tokio::test]
async fn a_chunked_body_over_the_limit_is_413() {
    let upstream = Upstream::start().await;
    let stage = stage(&upstream.url(), SMALL_LIMIT).await;
    let mut client = stage.raw().await;
    let head = format!(
        "POST {MESSAGES} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\n\
         transfer-encoding: chunked\r\n\r\n"
    );
    client.write(head).await;
    let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
    for _ in 0..HUGE / 0x10000 {
        assert!(client.write(&chunk).await, "it is read, and thrown away");
    }
    let answer = client.read_until("server.body_limit").await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    drop(client);
    stage.books().await.assert_nothing_posted();
}

#[tokio::test]
async fn a_client_that_sends_a_huge_body_without_looking_still_reads_the_413() {
    let upstream = Upstream::start().await;
    let stage = stage(&upstream.url(), SMALL_LIMIT).await;
    let body = Bytes::from(vec![b' '; HUGE]);
    let answered = stage.client.send(Method::POST, CHAT, body).await;
    assert_refused(answered, 413, "request_too_large").await;
    stage.books().await.assert_nothing_posted();
}

#[tokio::test]
async fn a_stranger_that_sends_a_large_body_without_looking_still_reads_the_401() {
    let upstream = Upstream::start().await;
    let stage = stage(&upstream.url(), "").await;
    let stranger = Client::new(stage.gateway.url());
    let body = Bytes::from(vec![b' '; 16 << 20]);
    let answered = stranger.send(Method::POST, CHAT, body).await;
    assert_refused(answered, 401, "invalid_api_key").await;
    stage.books().await.assert_nothing_posted();
}

#[tokio::test]
async fn a_client_that_falls_silent_in_its_body_is_408() {
    let upstream = Upstream::start().await;
    let stage = stage(&upstream.url(), "[server]\nbody_idle_timeout = \"200ms\"").await;
    let mut client = stage.raw().await;
    let head = format!(
        "POST {CHAT} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\n\
         content-length: 100\r\n\r\n{{"
    );
    client.write(head).await;
    let (answer, _) = client.read_to_end().await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("request_timeout"), "{answer}");
    stage.books().await.assert_nothing_posted();
}

#[tokio::test]
async fn a_model_without_a_price_is_400_in_every_dialect() {
    let upstream = Upstream::start().await;
    let stage = stage(&upstream.url(), "").await;
    let unpriced = |mut body: Value| {
        body["model"] = json!("house-blend-1");
        body
    };
    let gemini = GEMINI.replace("gemini-2.5-flash", "house-blend-1");
    for (path, body, word) in [
        (CHAT, unpriced(chat("hi")), "unpriced_model"),
        (MESSAGES, unpriced(message("hi")), "invalid_request_error"),
        (&gemini, contents("hi"), "INVALID_ARGUMENT"),
    ] {
        let text = assert_refused(stage.client.post(path, &body).await, 400, word).await;
        assert!(text.contains("`house-blend-1` has no price"), "{text}");
    }
    let books = stage.books().await;
    books.assert_nothing_posted();
    assert_eq!(books.rows.len(), 3, "each has its row");
}

#[tokio::test]
async fn a_model_without_a_price_passes_at_no_cost_where_the_policy_says_so() {
    let upstream = Upstream::provider().await;
    let lenient = provider(
        "lenient",
        "openai-compatible",
        &format!("{}/v1", upstream.url()),
        "unpriced = \"allow\"",
    );
    let stage = stage(&upstream.url(), &lenient).await;
    let body = json!({ "model": "house-blend-1", "messages": [] });
    let answered = stage
        .client
        .post("/proxy/lenient/chat/completions", &body)
        .await;
    assert_eq!(answered.status, 200);
    let books = stage.books().await;
    let row = books.only();
    assert_eq!((row.cost.as_nano(), flags(row)), (0, vec!["unpriced"]));
}

#[tokio::test]
async fn a_key_is_blocked_that_asks_for_a_model_without_a_price_where_the_policy_says_so() {
    let upstream = Upstream::start().await;
    let strict = provider(
        "strict",
        "openai",
        &upstream.url(),
        "unpriced = \"block_key\"",
    );
    let stage = stage(&upstream.url(), &strict).await;
    let body = json!({ "model": "house-blend-1", "messages": [] });
    let ask = || stage.client.post("/proxy/strict/chat/completions", &body);
    assert_refused(ask().await, 400, "unpriced_model").await;
    stage.gateway.wait_for_line("the settings changed").await;
    let text = assert_refused(ask().await, 403, "forbidden").await;
    assert!(text.contains("blocked"), "{text}");
    stage.books().await.assert_nothing_posted();
}

/// Paths that lead nowhere, and how their dialect says so.
const NOT_HERE: [(&str, &str); 10] = [
    ("/proxy/nowhere/v1/chat/completions", "unknown_route"),
    ("/proxy/nowhere/v1/messages", "not_found_error"),
    (
        "/proxy/nowhere/v1beta/models/gemini-2.5-flash:generateContent",
        "NOT_FOUND",
    ),
    // A provider that does not speak the format.
    ("/proxy/openai/v1/messages", "not_found_error"),
    ("/proxy/openai/v1/uploads", "unknown_endpoint"),
    (
        "/proxy/openai/v1/chat/completions/../../admin",
        "unknown_endpoint",
    ),
    ("/proxy/anthropic/v1/messages/drafts", "not_found_error"),
    (
        "/proxy/google/v1beta/models/gemini-2.5-flash:predict",
        "NOT_FOUND",
    ),
    ("/proxy/openai", "unknown_endpoint"),
    ("/metrics", "unknown_endpoint"),
];

#[tokio::test]
async fn an_unknown_route_or_endpoint_is_404_in_the_dialect_it_looks_like() {
    let upstream = Upstream::start().await;
    let stage = stage(&upstream.url(), "").await;
    for (path, word) in NOT_HERE {
        let answered = stage.client.post(path, &message("hi")).await;
        assert_refused(answered, 404, word).await;
    }
    stage.books().await.assert_nothing_posted();
}

/// Models as they stand in the path, and as they must stand in it upstream; none, where the name
/// is no name.
const HOSTILE_NAMES: [(&str, &str); 6] = [
    ("..%2F..%2Fadmin", ""),
    ("%2e%2e%2fadmin", ""),
    ("%252e%252e", "%252e%252e"),
    ("@evil.example", "%40evil.example"),
    ("a%3Fkey=stolen%23", "a%3Fkey%3Dstolen%23"),
    ("x%0d%0aHost:%20evil", ""),
];

#[tokio::test]
async fn a_model_name_never_reaches_another_path_or_host() {
    let upstream = Upstream::provider().await;
    let open = provider(
        "open",
        "google-gemini",
        &upstream.url(),
        "unpriced = \"allow\"",
    );
    let stage = stage(&upstream.url(), &open).await;
    for (asked, sent) in HOSTILE_NAMES {
        let path = format!("/proxy/open/v1beta/models/{asked}:generateContent");
        let answered = stage.client.post(&path, &contents("hi")).await;
        if sent.is_empty() {
            assert_refused(answered, 404, "NOT_FOUND").await;
            continue;
        }
        assert_eq!(answered.status, 200);
        let request = upstream.requests().pop().unwrap();
        assert_eq!(
            request.target,
            format!("/v1beta/models/{sent}:generateContent")
        );
    }
}
