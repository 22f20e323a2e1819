//! The chain reads the process's own environment, so every case is a process of its own: the same
//! test once more, which finds the upstream's URL in the variable [`UPSTREAM`].

use crate::upstream::{
    failure::SendError,
    scene::{client, post, provider, settings},
};
use serde_json::json;
use std::process::{Command, Output};
use tollgate_core::provider::{Credential, ProviderKind};
use tollgate_testkit::{
    Answer, Upstream,
    demand::{Demand, Signer},
};

const UPSTREAM: &str = "TOLLGATE_TEST_UPSTREAM";

/// The upstream this process was started for.
fn given_upstream() -> Option<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "this test is about the real environment"
    )]
    std::env::var(UPSTREAM).ok()
}

/// Sends one request; gives what became of it in words.
async fn send_once(upstream: &str) -> String {
    let provider = provider(ProviderKind::Bedrock, Some(Credential::AwsChain));
    let request = post(&format!("{upstream}/model/m%3A0/converse"), "{}");
    let sent: Result<_, SendError> = client(&settings()).send(&provider, request).await;
    match sent {
        Ok(answer) => format!("answered {}", answer.status),
        Err(failure) => format!("{failure:?}"),
    }
}

/// Runs this test again with these variables alone.
async fn again_with(test: &'static str, upstream: &str, variables: &[(&str, String)]) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture"]);
    command.env_clear().env(UPSTREAM, upstream);
    command.env("AWS_EC2_METADATA_DISABLED", "true");
    command.envs(variables.iter().map(|(name, value)| (name, value)));
    let run = tokio::task::spawn_blocking(move || command.output().unwrap());
    let Output { stdout, .. } = run.await.unwrap();
    String::from_utf8(stdout).unwrap()
}

fn demand(session_token: Option<&str>) -> Demand {
    Demand::Signature(Signer {
        access_key_id: "AKIDOFCHAIN".to_owned(),
        secret_access_key: "secret-of-the-chain".to_owned(),
        session_token: session_token.map(str::to_owned),
        region: "us-east-1".to_owned(),
        service: "bedrock".to_owned(),
    })
}

async fn upstream(session_token: Option<&str>) -> Upstream {
    let upstream = Upstream::start().await;
    upstream.demand("/model", demand(session_token));
    upstream.always(Answer::new(200, "text/plain", "signed"));
    upstream
}

fn owned<const N: usize>(variables: [(&'static str, &str); N]) -> [(&'static str, String); N] {
    variables.map(|(name, value)| (name, value.to_owned()))
}

#[tokio::test]
async fn keys_stand_in_the_environment() {
    if let Some(upstream) = given_upstream() {
        return println!("{}", send_once(&upstream).await);
    }
    let upstream = upstream(Some("token-of-the-chain")).await;
    let variables = owned([
        ("AWS_ACCESS_KEY_ID", "AKIDOFCHAIN"),
        ("AWS_SECRET_ACCESS_KEY", "secret-of-the-chain"),
        ("AWS_SESSION_TOKEN", "token-of-the-chain"),
    ]);
    let test = concat!(module_path!(), "::keys_stand_in_the_environment");
    let said = again_with(name(test), &upstream.url(), &variables).await;
    assert!(said.contains("answered 200"), "{said}");
}

#[tokio::test]
async fn keys_stand_in_a_profile() {
    if let Some(upstream) = given_upstream() {
        return println!("{}", send_once(&upstream).await);
    }
    let upstream = upstream(None).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("credentials");
    let profile = "[work]\naws_access_key_id = AKIDOFCHAIN\n\
                   aws_secret_access_key = secret-of-the-chain\n";
    std::fs::write(&file, profile).unwrap();
    let file = file.display().to_string();
    let variables = owned([
        ("AWS_PROFILE", "work"),
        ("AWS_SHARED_CREDENTIALS_FILE", &file),
    ]);
    let test = concat!(module_path!(), "::keys_stand_in_a_profile");
    let said = again_with(name(test), &upstream.url(), &variables).await;
    assert!(said.contains("answered 200"), "{said}");
}

/// Over our own connections.
#[tokio::test]
async fn keys_are_asked_of_the_container() {
    if let Some(upstream) = given_upstream() {
        return println!("{}", send_once(&upstream).await);
    }
    let upstream = upstream(Some("token-of-the-container")).await;
    let keys = json!({
        "AccessKeyId": "AKIDOFCHAIN",
        "SecretAccessKey": "secret-of-the-chain",
        "Token": "token-of-the-container",
        "Expiration": "2036-01-01T00:00:00Z",
    });
    upstream.answer_at("/keys", Answer::json(200, &keys));
    let variables = [
        (
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            format!("{}/keys", upstream.url()),
        ),
        (
            "AWS_CONTAINER_AUTHORIZATION_TOKEN",
            "container-authorization".to_owned(),
        ),
    ];
    let test = concat!(module_path!(), "::keys_are_asked_of_the_container");
    let said = again_with(name(test), &upstream.url(), &variables).await;
    assert!(said.contains("answered 200"), "{said}");
    let asked = &upstream.requests()[0];
    assert_eq!(asked.path(), "/keys");
    assert_eq!(
        asked.header("authorization"),
        Some("container-authorization")
    );
}

#[tokio::test]
async fn where_there_are_no_keys_nothing_is_sent() {
    if let Some(upstream) = given_upstream() {
        return println!("{}", send_once(&upstream).await);
    }
    let upstream = upstream(None).await;
    let test = concat!(module_path!(), "::where_there_are_no_keys_nothing_is_sent");
    let said = again_with(name(test), &upstream.url(), &[]).await;
    assert!(said.contains("class: Credential"), "{said}");
    assert!(upstream.requests().is_empty());
}

/// A test's name as the test binary knows it: without the crate.
fn name(path: &'static str) -> &'static str {
    path.split_once("::").map_or(path, |(_crate, name)| name)
}
