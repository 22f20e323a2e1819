//! What demands accept and refuse, over real sockets. That signatures and assertions are judged
//! rightly is shown here by published or independent examples, and by boto3 in `conformance/`.

use super::*;
use crate::{Answer, Client, Upstream, client::Answered};
use serde_json::{Value, json};
use std::time::Duration;

fn signer() -> Signer {
    Signer {
        access_key_id: "AKIDEXAMPLE".to_owned(),
        secret_access_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned(),
        session_token: None,
        region: "us-east-1".to_owned(),
        service: "service".to_owned(),
    }
}

async fn demanding(demand: Demand) -> Upstream {
    let upstream = Upstream::start().await;
    upstream.always(Answer::new(200, "text/plain", "fine"));
    upstream.demand("/", demand);
    upstream
}

async fn status(client: &Client, path: &str) -> u16 {
    client.post(path, &json!({})).await.status.as_u16()
}

#[tokio::test]
async fn a_secret_is_wanted_in_its_place_and_none_beside_it() {
    let upstream = demanding(Demand::Header("api-key".to_owned(), "ours".to_owned())).await;
    let client = || Client::new(upstream.url());
    assert_eq!(status(&client().header("api-key", "ours"), "/a").await, 200);
    assert_eq!(
        status(&client().header("api-key", "theirs"), "/a").await,
        401
    );
    assert_eq!(status(&client().bearer("ours"), "/a").await, 403);
    let both = client().header("api-key", "ours").bearer("theirs");
    assert_eq!(status(&both, "/a").await, 403);
    let keyed = client().header("api-key", "ours");
    assert_eq!(status(&keyed, "/a?key=theirs").await, 403);
    let verified: Vec<_> = upstream
        .requests()
        .iter()
        .map(|request| request.verified)
        .collect();
    assert_eq!(verified, [true, false, false, false, false].map(Some));
}

#[tokio::test]
async fn the_longest_path_decides_and_refusals_wear_its_dialect() {
    let upstream = demanding(Demand::Bearer("general".to_owned())).await;
    upstream.demand("/bedrock/", Demand::Bearer("special".to_owned()));
    let client = Client::new(upstream.url()).bearer("general");
    assert_eq!(status(&client, "/v1/chat/completions").await, 200);
    let refused = client.post("/bedrock/model/m/converse", &json!({})).await;
    assert_eq!(refused.status, 401);
    assert_eq!(
        refused.header("x-amzn-errortype"),
        Some("UnrecognizedClientException")
    );
    upstream.demand("/messages", Demand::Bearer("special".to_owned()));
    let refused = client
        .post("/messages/v1/messages", &json!({}))
        .await
        .json()
        .await;
    assert_eq!(refused["error"]["type"], "authentication_error");
}

/// A request as it was received, signed at a time and over a path of our choice.
fn signed(date: &str, path: &str, authorization: &str) -> Received {
    let headers = [
        ("host", "example.amazonaws.com"),
        ("x-amz-date", date),
        ("authorization", authorization),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Received::new("GET".to_owned(), path.to_owned(), headers.into())
}

/// The example "get-vanilla" of AWS's own test suite for version 4.
#[test]
fn the_signature_of_the_published_example_is_computed() {
    let authorization = "AWS4-HMAC-SHA256 \
        Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
        SignedHeaders=host;x-amz-date, \
        Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
    let request = signed("20150830T123600Z", "/", authorization);
    signer().check_at(&request, 1_440_938_160).unwrap();
    let late = signer()
        .check_at(&request, 1_440_938_160 + 301)
        .unwrap_err();
    assert!(late.message.contains("20150830T123600Z"), "{late:?}");
    let elsewhere = signed("20150830T123600Z", "/x", authorization);
    let refusal = signer().check_at(&elsewhere, 1_440_938_160).unwrap_err();
    assert!(refusal.message.contains("does not match"), "{refusal:?}");
    let other = Signer {
        region: "eu-west-1".to_owned(),
        ..signer()
    };
    assert_eq!(
        other.check_at(&request, 1_440_938_160).unwrap_err().status,
        403
    );
}

async fn token(upstream: &Upstream, path: &str, form: &str) -> Answered {
    let client = Client::new(upstream.url());
    client
        .send(http::Method::POST, path, form.to_owned().into())
        .await
}

#[tokio::test]
async fn a_user_s_refresh_token_and_a_machine_get_tokens_that_hold_for_their_time() {
    let upstream = demanding(Demand::Token(TokenMaker::Google)).await;
    let accounts = upstream.issue_tokens(Duration::from_hours(1));
    let user: Value = serde_json::from_str(&accounts.authorized_user).unwrap();
    let field = |name: &str| user[name].as_str().unwrap().to_owned();
    let form = format!(
        "grant_type=refresh_token&client_id={}&client_secret={}&refresh_token={}",
        field("client_id"),
        field("client_secret"),
        field("refresh_token"),
    );
    let issued = token(&upstream, "/token", &form).await.json().await;
    let bearer = issued["access_token"].as_str().unwrap();
    assert_eq!(
        status(&Client::new(upstream.url()).bearer(bearer), "/v1/x").await,
        200
    );
    assert_eq!(
        status(&Client::new(upstream.url()).bearer("ya29.made-up"), "/v1/x").await,
        401
    );
    let other = form.replace("refresh_token=u", "refresh_token=x");
    let wrong = token(&upstream, "/token", &other).await;
    assert_eq!(wrong.status, 400);
    assert_eq!(wrong.json().await["error"], "invalid_grant");
    let machine = "/computeMetadata/v1/instance/service-accounts/default/token";
    let client = Client::new(upstream.url());
    assert_eq!(client.get(machine).await.status, 403);
    let issued = client
        .header("metadata-flavor", "Google")
        .get(machine)
        .await
        .json()
        .await;
    assert_eq!(issued["expires_in"], 3600);
}

#[tokio::test]
async fn entra_checks_tenant_scope_and_secret_and_a_token_ends() {
    let upstream = demanding(Demand::Token(TokenMaker::Entra)).await;
    let EntraApplication {
        tenant_id,
        client_id,
        client_secret,
    } = upstream.issue_tokens(Duration::ZERO).entra;
    let path = format!("/{tenant_id}/oauth2/v2.0/token");
    let scope = "https%3A%2F%2Fcognitiveservices.azure.com%2F.default";
    let secret = &client_secret;
    let form = format!(
        "grant_type=client_credentials&client_id={client_id}&client_secret={secret}&scope={scope}"
    );
    let issued = token(&upstream, &path, &form).await.json().await;
    let bearer = issued["access_token"].as_str().unwrap();
    let client = Client::new(upstream.url()).bearer(bearer);
    assert_eq!(
        status(&client, "/v1/x").await,
        401,
        "it held for no time at all"
    );
    for (from, to, error) in [
        (client_secret.as_str(), "wrong", "invalid_client"),
        (scope, "everything", "invalid_scope"),
        ("client_credentials", "password", "unsupported_grant_type"),
    ] {
        let refused = token(&upstream, &path, &form.replace(from, to)).await;
        assert_eq!(refused.json().await["error"], error);
    }
}
