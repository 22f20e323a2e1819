use super::*;
use crate::{settings::GatewaySettings, upstream::GoogleDefaults};
use serde_json::json;
use std::sync::Arc;
use tollgate_core::{
    clock::ManualClock,
    id::ProviderId,
    provider::{
        Connection, Credential, CredentialPlacement, OnClientGone, ReportCost, SigningKeys, Site,
        UnpricedPolicy,
    },
    secret::Secret,
};
use tollgate_testkit::{Answer, Upstream};

const SECRET: &str = "sk-proj-hunter2hunter2";

fn provider(kind: ProviderKind, base_url: String) -> Provider {
    Provider {
        id: ProviderId::from_bytes([1; 16]),
        slug: "one".to_owned(),
        kind,
        base_url,
        site: Site {
            region: Some("us-east-1".to_owned()),
            project: Some("my-project".to_owned()),
            location: Some("global".to_owned()),
            api_version: None,
        },
        credential: Some(Credential::Placed {
            placement: CredentialPlacement::default_for(kind),
            secret: Secret::new(SECRET),
        }),
        connection: Connection::default(),
        unpriced: UnpricedPolicy::Refuse,
        report_cost: ReportCost::Header,
        on_client_gone: OnClientGone::Cancel,
        prices: Vec::new(),
        cancel_stops_billing: true,
        allow_deferred: false,
        forward_trace: false,
    }
}

async fn tried(provider: &Provider) -> Probe {
    let settings = GatewaySettings {
        google_defaults: GoogleDefaults::default(),
        ..GatewaySettings::default()
    };
    let now = "2026-11-21T12:00:00Z".parse().unwrap();
    let client = Client::new(&settings, Arc::new(ManualClock::new(now))).unwrap();
    let probe = probe(provider, &client).await;
    assert!(!format!("{probe:?}").contains("hunter2"), "{probe:?}");
    probe
}

/// What came of trying a provider of this kind, which gives these answers.
async fn found(kind: ProviderKind, answers: Vec<Answer>) -> (Result<Good, Bad>, Vec<String>) {
    let upstream = Upstream::start().await;
    for answer in answers {
        upstream.answer(answer);
    }
    let probe = tried(&provider(kind, upstream.url())).await;
    let asked = upstream
        .requests()
        .into_iter()
        .map(|request| request.target);
    (probe.finding, asked.collect())
}

fn good(proven: bool, models: Option<&[&str]>) -> Good {
    let owned = |models: &[&str]| models.iter().map(|&name| name.to_owned()).collect();
    Good {
        proven,
        models: models.map(owned),
    }
}

fn list() -> Answer {
    Answer::json(200, &json!({ "data": [{ "id": "a" }] }))
}

fn fault(finding: &Result<Good, Bad>) -> Option<Fault> {
    finding.as_ref().err().map(|bad| bad.fault)
}

#[tokio::test]
async fn vertex_counts_tokens_in_the_project_and_lists_the_publisher_s_models() {
    let counted = Answer::json(200, &json!({ "totalTokens": 1 }));
    let listed = json!({ "publisherModels": [{ "name": "publishers/google/models/gemini" }] });
    let answers = vec![counted, Answer::json(200, &listed)];
    let (finding, asked) = found(ProviderKind::GoogleVertex, answers).await;
    assert_eq!(finding, Ok(good(true, Some(&["gemini"]))));
    assert_eq!(
        asked,
        [
            "/v1beta1/projects/my-project/locations/global/publishers/google/models/\
             gemini-2.5-flash:countTokens",
            "/v1beta1/publishers/google/models",
        ]
    );
    let forbidden =
        json!({ "error": { "code": 403, "message": "Vertex AI API has not been used" } });
    let answers = vec![Answer::json(403, &forbidden)];
    let (finding, asked) = found(ProviderKind::GoogleVertex, answers).await;
    assert_eq!(fault(&finding), Some(Fault::Forbidden));
    assert_eq!(asked.len(), 1, "a list would prove nothing");
}

#[tokio::test]
async fn bedrock_is_asked_for_a_model_that_does_not_exist() {
    let upstream = Upstream::start().await;
    let mut bedrock = provider(ProviderKind::Bedrock, upstream.url());
    bedrock.credential = Some(Credential::Aws(SigningKeys {
        access_key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
        secret_access_key: Secret::new(SECRET),
        session_token: None,
    }));
    let says = |status, kind: &str, message: &str| {
        Answer::json(status, &json!({ "message": message })).header("x-amzn-errortype", kind)
    };
    for (answer, expected) in [
        (
            says(
                400,
                "ValidationException",
                "The provided model identifier is invalid.",
            ),
            None,
        ),
        (
            says(
                403,
                "AccessDeniedException",
                "User: arn:aws:iam::1:user/x is not authorized to perform: bedrock:InvokeModel",
            ),
            None,
        ),
        (
            says(
                403,
                "UnrecognizedClientException",
                "The security token is invalid.",
            ),
            Some(Fault::Refused),
        ),
        (
            says(403, "AccessDeniedException", "Authentication failed"),
            Some(Fault::Forbidden),
        ),
        (
            Answer::new(400, "text/plain", "Bad Request"),
            Some(Fault::Rejected),
        ),
    ] {
        upstream.answer(answer);
        let probe = tried(&bedrock).await;
        assert_eq!(fault(&probe.finding), expected, "{probe:?}");
        assert!(expected.is_some() || probe.finding == Ok(good(true, None)));
    }
    let request = upstream.requests().pop().unwrap();
    assert_eq!(request.path(), "/model/tollgate.nobody-v1%3A0/converse");
    let signature = request.header("authorization").unwrap();
    assert!(signature.starts_with("AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/"));
}

#[tokio::test]
async fn a_list_that_everybody_gets_proves_no_key() {
    let (finding, _) = found(ProviderKind::HuggingFace, vec![list(), list()]).await;
    assert_eq!(finding, Ok(good(false, Some(&["a"]))));
    let stranger = Answer::json(401, &json!({ "error": "who are you?" }));
    let kind = ProviderKind::OpenAiCompatible;
    let (finding, _) = found(kind, vec![list(), stranger]).await;
    assert_eq!(finding, Ok(good(true, Some(&["a"]))));
    let refused = Answer::json(
        401,
        &json!({ "error": { "message": "No auth", "code": 401 } }),
    );
    let (finding, asked) = found(ProviderKind::OpenRouter, vec![refused]).await;
    assert_eq!(fault(&finding), Some(Fault::Refused));
    assert_eq!(asked, ["/key"]);
    let about = Answer::json(200, &json!({ "data": { "label": "sk-or-v1-abc...123" } }));
    let (finding, asked) = found(ProviderKind::OpenRouter, vec![about, list()]).await;
    assert_eq!(finding, Ok(good(true, Some(&["a"]))));
    assert_eq!(asked, ["/key", "/models"]);
}

#[tokio::test]
async fn where_there_is_no_list_tokens_are_counted() {
    let none = || Answer::new(404, "text/plain", "not found");
    let counted = Answer::json(200, &json!({ "input_tokens": 1 }));
    let kind = ProviderKind::AnthropicCompatible;
    let (finding, asked) = found(kind, vec![none(), counted]).await;
    assert_eq!(finding, Ok(good(true, None)));
    assert_eq!(
        asked,
        ["/v1/models?limit=1000", "/v1/messages/count_tokens"]
    );
    let refused = Answer::json(401, &json!({ "error": { "message": "invalid x-api-key" } }));
    let (finding, _) = found(kind, vec![none(), refused]).await;
    assert_eq!(fault(&finding), Some(Fault::Refused));
}

#[tokio::test]
async fn every_kind_of_failure_has_its_name() {
    let kind = ProviderKind::OpenAiCompatible;
    let moved = Answer::new(301, "text/html", "<a>").header("location", "https://elsewhere.test");
    for (answer, expected) in [
        (Answer::json(403, &json!({})), Fault::Forbidden),
        (Answer::json(429, &json!({})), Fault::Exhausted),
        (Answer::json(402, &json!({})), Fault::Exhausted),
        (Answer::json(503, &json!({})), Fault::Failing),
        (Answer::json(422, &json!({})), Fault::Rejected),
        (Answer::json(200, &json!({ "hello": 1 })), Fault::NotTheApi),
        (Answer::hang_up(), Fault::CutOff),
        (moved, Fault::NotTheApi),
    ] {
        let (finding, _) = found(kind, vec![answer]).await;
        assert_eq!(fault(&finding), Some(expected), "{finding:?}");
    }
    let upstream = Upstream::start().await;
    upstream.always(Answer::silence());
    let mut silent = provider(kind, upstream.url());
    silent.connection.head_timeout = Some(Duration::from_millis(50));
    let probe = tried(&silent).await;
    assert_eq!(fault(&probe.finding), Some(Fault::Silent));
    assert_eq!(probe.calls[0].status, None);
}

#[tokio::test]
async fn the_simulated_provider_is_not_asked() {
    let simulated = provider(
        ProviderKind::Simulated,
        "http://simulated.invalid".to_owned(),
    );
    let probe = tried(&simulated).await;
    assert!(probe.calls.is_empty());
    assert_eq!(probe.finding, Ok(good(true, None)));
}
