use crate::{
    settings::GatewaySettings,
    upstream::{
        GoogleDefaults,
        client::Client,
        failure::{FailureClass, SendError},
        scene::{client, client_at, clock, post, provider, settings},
    },
};
use futures_util::future::join_all;
use serde_json::json;
use std::time::Duration;
use tollgate_core::{
    provider::{
        Credential, CredentialPlacement, Entra, NetworkReach, Provider, ProviderKind,
        ServiceAccount,
    },
    secret::Secret,
};
use tollgate_testkit::{
    Answer, Received, Upstream,
    demand::{Accounts, Demand, TokenMaker},
};

const HOUR: Duration = Duration::from_hours(1);

fn hello() -> Answer {
    Answer::new(200, "text/plain", "hello")
}

async fn status(client: &Client, provider: &Provider, url: &str) -> Result<u16, SendError> {
    let answer = client.send(provider, post(url, "{}")).await?;
    Ok(answer.status.as_u16())
}

fn vertex(credential: Credential) -> Provider {
    provider(ProviderKind::GoogleVertex, Some(credential))
}

fn service_account(key_json: &str) -> Credential {
    Credential::GoogleServiceAccount(ServiceAccount {
        key_json: Secret::new(key_json),
    })
}

fn entra(accounts: &Accounts, authority: &str) -> Credential {
    let application = accounts.entra.clone();
    Credential::Entra(Entra {
        tenant_id: application.tenant_id,
        client_id: application.client_id,
        client_secret: Secret::new(application.client_secret),
        authority: authority.to_owned(),
    })
}

fn token_requests(upstream: &Upstream) -> Vec<Received> {
    let mut requests = upstream.requests();
    requests.retain(|request| request.path().contains("token"));
    requests
}

#[tokio::test]
async fn a_secret_stands_where_the_provider_wants_it() {
    let upstream = Upstream::start().await;
    upstream.always(hello());
    let secret = || Secret::new("s3cret/+&");
    for placement in [
        CredentialPlacement::Bearer,
        CredentialPlacement::Header("x-api-key".to_owned()),
        CredentialPlacement::Query("key".to_owned()),
    ] {
        let credential = Credential::Placed {
            placement,
            secret: secret(),
        };
        let provider = provider(ProviderKind::OpenAiCompatible, Some(credential));
        for path in ["/v1/chat", "/v1/chat?alt=sse"] {
            let url = format!("{}{path}", upstream.url());
            status(&client(&settings()), &provider, &url).await.unwrap();
        }
    }
    let requests = upstream.requests();
    assert_eq!(
        requests[0].header("authorization"),
        Some("Bearer s3cret/+&")
    );
    assert_eq!(requests[2].header("x-api-key"), Some("s3cret/+&"));
    assert_eq!(requests[2].header("authorization"), None);
    assert_eq!(requests[4].target, "/v1/chat?key=s3cret%2F%2B%26");
    assert_eq!(requests[5].target, "/v1/chat?alt=sse&key=s3cret%2F%2B%26");
}

#[tokio::test]
async fn a_secret_in_the_query_stands_there_alone() {
    let upstream = Upstream::start().await;
    upstream.always(hello());
    let credential = Credential::Placed {
        placement: CredentialPlacement::Query("code".to_owned()),
        secret: Secret::new("s3cret"),
    };
    let provider = provider(ProviderKind::OpenAiCompatible, Some(credential));
    for (query, sent) in [
        ("?code=theirs", "?code=s3cret"),
        (
            "?a=1&code=theirs&b=%2F&c%6Fde=x&code",
            "?a=1&b=%2F&code=s3cret",
        ),
        ("?codes=1", "?codes=1&code=s3cret"),
    ] {
        let url = format!("{}/v1/chat{query}", upstream.url());
        status(&client(&settings()), &provider, &url).await.unwrap();
        let target = upstream.requests().pop().unwrap().target;
        assert_eq!(target, format!("/v1/chat{sent}"));
    }
}

#[tokio::test]
async fn a_secret_that_cannot_stand_on_a_request_is_not_sent_and_not_told() {
    let credential = Credential::Placed {
        placement: CredentialPlacement::Bearer,
        secret: Secret::new("hunter2\n"),
    };
    let provider = provider(ProviderKind::OpenAi, Some(credential));
    let failure = status(&client(&settings()), &provider, "http://unused.test").await;
    let failure = failure.unwrap_err();
    assert_eq!(failure.class, FailureClass::Credential);
    assert!(!format!("{failure:?}").contains("hunter2"));
}

/// The upstream checks the assertion, its signature and the token.
#[tokio::test]
async fn a_service_account_gets_a_token_once_for_many() {
    let upstream = Upstream::start().await;
    let accounts = upstream.issue_tokens(HOUR);
    upstream.demand("/v1", Demand::Token(TokenMaker::Google));
    upstream.always(hello());
    let provider = vertex(service_account(&accounts.service_account));
    let client = client(&settings());
    let url = format!("{}/v1/projects/p:generateContent", upstream.url());
    let all = join_all((0..50).map(|_| status(&client, &provider, &url))).await;
    assert!(all.into_iter().all(|answered| answered.unwrap() == 200));
    assert_eq!(token_requests(&upstream).len(), 1);

    // The same provider with another key: a rotation.
    let rotated = Upstream::start().await;
    let accounts = rotated.issue_tokens(HOUR);
    let provider = vertex(service_account(&accounts.service_account));
    status(&client, &provider, &url).await.unwrap();
    assert_eq!(token_requests(&rotated).len(), 1);
}

#[tokio::test]
async fn a_token_that_is_blamed_is_replaced_at_the_next_attempt() {
    let upstream = Upstream::start().await;
    let key = upstream.issue_tokens(HOUR).service_account;
    upstream.always(hello());
    let client = client(&settings());
    let url = format!("{}/v1/x", upstream.url());
    let provider = vertex(service_account(&key));
    status(&client, &provider, &url).await.unwrap();
    upstream.answer_at("/v1/x", Answer::new(403, "text/plain", "not yours"));
    assert_eq!(status(&client, &provider, &url).await.unwrap(), 403);
    assert_eq!(
        token_requests(&upstream).len(),
        1,
        "403 is not about the token"
    );
    upstream.answer_at("/v1/x", Answer::new(401, "text/plain", "who are you"));
    assert_eq!(status(&client, &provider, &url).await.unwrap(), 401);
    assert_eq!(status(&client, &provider, &url).await.unwrap(), 200);
    assert_eq!(token_requests(&upstream).len(), 2);
}

#[tokio::test]
async fn a_token_is_renewed_before_it_expires() {
    let upstream = Upstream::start().await;
    let key = upstream.issue_tokens(HOUR).service_account;
    upstream.always(hello());
    let clock = clock();
    let client = client_at(&settings(), clock.clone());
    let url = format!("{}/v1/x", upstream.url());
    let provider = vertex(service_account(&key));
    for n in 0..3 {
        let granted = json!({ "access_token": format!("token-{n}"), "expires_in": 3600 });
        upstream.answer_at("/token", Answer::json(200, &granted));
        status(&client, &provider, &url).await.unwrap();
        clock.advance(Duration::from_mins(50));
        status(&client, &provider, &url).await.unwrap();
        clock.advance(Duration::from_mins(8));
    }
    let tokens: Vec<_> = upstream
        .requests()
        .iter()
        .filter(|request| request.path() == "/v1/x")
        .map(|request| request.header("authorization").unwrap().to_owned())
        .collect();
    let expected = [0, 0, 1, 1, 2, 2].map(|n| format!("Bearer token-{n}"));
    assert_eq!(tokens, expected);
}

#[tokio::test]
async fn this_machine_s_google_identity_comes_from_a_file_or_the_metadata_server() {
    let upstream = Upstream::start().await;
    let accounts = upstream.issue_tokens(HOUR);
    upstream.demand("/v1", Demand::Token(TokenMaker::Google));
    upstream.always(hello());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key.json");
    let host = upstream.address().to_string();
    let url = format!("{}/v1/x", upstream.url());
    for text in [
        Some(&accounts.service_account),
        Some(&accounts.authorized_user),
        None,
    ] {
        let variable = |name: &str| match (name, text) {
            ("GOOGLE_APPLICATION_CREDENTIALS", Some(_)) => Some(file.display().to_string()),
            ("GCE_METADATA_HOST", None) => Some(host.clone()),
            _ => None,
        };
        if let Some(text) = text {
            std::fs::write(&file, text).unwrap();
        }
        let settings = GatewaySettings {
            google_defaults: GoogleDefaults::new(variable),
            ..settings()
        };
        let client = client(&settings);
        let answered = status(&client, &vertex(Credential::GoogleDefault), &url).await;
        assert_eq!(answered.unwrap(), 200);
    }
    assert_eq!(token_requests(&upstream).len(), 3);
}

#[tokio::test]
async fn an_entra_application_gets_a_token_for_each_of_azure_s_services() {
    let upstream = Upstream::start().await;
    let accounts = upstream.issue_tokens(HOUR);
    upstream.demand("/openai", Demand::Token(TokenMaker::Entra));
    upstream.demand("/anthropic", Demand::Token(TokenMaker::Entra));
    upstream.always(hello());
    let authority = upstream.url();
    let provider = provider(ProviderKind::Azure, Some(entra(&accounts, &authority)));
    let client = client(&settings());
    for path in [
        "/openai/v1/responses",
        "/anthropic/v1/messages",
        "/openai/v1/chat/completions",
    ] {
        let url = format!("{}{path}", upstream.url());
        assert_eq!(
            status(&client, &provider, &url).await.unwrap(),
            200,
            "{path}"
        );
    }
    let scopes: Vec<_> = token_requests(&upstream)
        .iter()
        .map(|request| String::from_utf8(request.body.to_vec()).unwrap())
        .map(|form| {
            form.split('&')
                .find(|field| field.starts_with("scope="))
                .unwrap()
                .to_owned()
        })
        .collect();
    let expected = ["cognitiveservices", "ai"]
        .map(|name| format!("scope=https%3A%2F%2F{name}.azure.com%2F.default"));
    assert_eq!(scopes, expected);
}

#[tokio::test]
async fn a_token_endpoint_that_fails_is_told_without_what_it_says() {
    let upstream = Upstream::start().await;
    let key = upstream.issue_tokens(HOUR).service_account;
    let provider = vertex(service_account(&key));
    let client = client(&settings());
    for (answer, told) in [
        (
            Answer::json(
                400,
                &json!({ "error": "invalid_grant", "error_description": "hunter2" }),
            ),
            "answered 400 Bad Request: invalid_grant",
        ),
        (
            Answer::json(400, &json!({ "error": "HUNTER2 hunter2" })),
            "no readable reason",
        ),
        (
            Answer::new(500, "text/html", "<p>hunter2"),
            "no readable reason",
        ),
        (
            Answer::new(200, "text/plain", "hunter2"),
            "answered without a token",
        ),
        (
            Answer::json(
                200,
                &json!({ "access_token": "hunter2\n", "expires_in": 9 }),
            ),
            "cannot stand",
        ),
    ] {
        upstream.answer_at("/token", answer);
        let failure = status(&client, &provider, "http://unused.test")
            .await
            .unwrap_err();
        assert_eq!(failure.class, FailureClass::Credential);
        assert!(!failure.may_have_arrived);
        let text = format!("{failure:?}");
        assert!(text.contains(told), "{text}");
        assert!(!text.to_lowercase().contains("hunter2"), "{text}");
    }
}

/// A key file names its own token endpoint.
#[tokio::test]
async fn a_credential_set_through_an_api_reaches_no_further_than_its_provider() {
    let upstream = Upstream::start().await;
    let accounts = upstream.issue_tokens(HOUR);
    let client = client(&settings());
    for credential in [
        service_account(&accounts.service_account),
        entra(&accounts, &upstream.url()),
        Credential::GoogleDefault,
        Credential::AwsChain,
    ] {
        let mut provider = vertex(credential);
        provider.connection.reach = NetworkReach::PublicOnly;
        let failure = status(&client, &provider, "https://8.8.8.8/v1")
            .await
            .unwrap_err();
        assert_eq!(failure.class, FailureClass::Credential, "{failure:?}");
    }
    assert!(upstream.requests().is_empty());
}

/// Whoever sets a provider through an API would have this machine's tokens sent where they like.
#[tokio::test]
async fn open_networks_do_not_open_this_machines_identity_to_providers_of_an_api() {
    let upstream = Upstream::start().await;
    let mut settings = settings();
    settings.allow_private_networks = true;
    let client = client(&settings);
    for credential in [Credential::GoogleDefault, Credential::AwsChain] {
        let mut provider = vertex(credential);
        provider.connection.reach = NetworkReach::PublicOnly;
        let failure = status(&client, &provider, &upstream.url()).await;
        let text = format!("{:?}", failure.unwrap_err());
        assert!(text.contains("providers of the settings file"), "{text}");
    }
    assert!(upstream.requests().is_empty());
}
