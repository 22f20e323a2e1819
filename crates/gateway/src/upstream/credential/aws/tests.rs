use super::*;
use crate::upstream::scene::{self, post, provider};
use tollgate_core::{provider::Credential, secret::Secret};
use tollgate_testkit::{
    Answer, Upstream,
    demand::{Demand, Signer},
};

fn keys(session_token: Option<&str>) -> SigningKeys {
    SigningKeys {
        access_key_id: "AKIDEXAMPLE".to_owned(),
        secret_access_key: Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
        session_token: session_token.map(Secret::new),
    }
}

fn signer(keys: &SigningKeys, service: &str) -> Signer {
    Signer {
        access_key_id: keys.access_key_id.clone(),
        secret_access_key: keys.secret_access_key.expose().to_owned(),
        session_token: keys
            .session_token
            .as_ref()
            .map(|token| token.expose().to_owned()),
        region: "us-east-1".to_owned(),
        service: service.to_owned(),
    }
}

/// The upstream computes every signature again from the bytes that reached it.
#[tokio::test]
async fn signatures_hold_for_paths_queries_and_bodies_of_every_kind() {
    for (kind, service, token) in [
        (ProviderKind::Bedrock, "bedrock", None),
        (
            ProviderKind::Bedrock,
            "bedrock",
            Some("FwoGZXIvYXdzEXAMPLE//token=="),
        ),
        (ProviderKind::BedrockMantle, "bedrock-mantle", None),
    ] {
        let keys = keys(token);
        let upstream = Upstream::start().await;
        upstream.demand("/", Demand::Signature(signer(&keys, service)));
        upstream.always(Answer::new(200, "text/plain", "signed"));
        let provider = provider(kind, Some(Credential::Aws(keys)));
        let client = scene::client(&scene::settings());
        for path in [
            "/model/anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse",
            "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fus.x%3A0/invoke",
            "/model/us.meta.llama3:0/converse-stream",
            "/openai/v1/chat/completions?b=2&a=1&c=%2F%20x&d",
            "/anthropic/v1/messages?beta=true",
        ] {
            let mut request = post(&format!("{}{path}", upstream.url()), "{\"é\": 1}");
            let headers = request.headers_mut();
            headers.insert("content-type", "application/json".parse().unwrap());
            headers.insert(
                "x-amzn-bedrock-guardrailidentifier",
                "abc  d".parse().unwrap(),
            );
            headers.insert("user-agent", "Boto3/1.42".parse().unwrap());
            let answer = client.send(&provider, request).await.unwrap();
            assert_eq!(answer.status, StatusCode::OK, "{service} {path}");
        }
        assert!(
            upstream
                .requests()
                .iter()
                .all(|request| request.verified == Some(true))
        );
    }
}

#[test]
fn a_body_in_segments_is_signed_like_the_same_body_in_one() {
    let now = "2026-11-21T12:00:00Z".parse().unwrap();
    let provider = provider(ProviderKind::Bedrock, None);
    let signature = |segments: &[&'static str]| {
        let segments: Vec<_> = segments.iter().map(|text| (*text).into()).collect();
        let mut request = post("https://bedrock.test/model/m/invoke", "");
        *request.body_mut() = RequestBody::from(segments);
        sign(&provider, &keys(None), now, &mut request).unwrap();
        request.headers()["authorization"].clone()
    };
    assert_eq!(signature(&["{\"a\"", ":1}"]), signature(&["{\"a\":1}"]));
    assert_ne!(signature(&["{\"a\":2}"]), signature(&["{\"a\":1}"]));
    assert!(signature(&[]).is_sensitive());
}

#[test]
fn what_cannot_be_signed_is_not_sent() {
    let now = "2026-11-21T12:00:00Z".parse().unwrap();
    let somewhere = provider(ProviderKind::Bedrock, None);
    let mut nowhere = somewhere.clone();
    nowhere.site.region = None;
    let mut passing = post("https://bedrock.test/model/m/invoke", "");
    *passing.body_mut() = RequestBody::Passing(Box::pin(RequestBody::default()));
    let broken = keys(Some("line\nbreak"));
    for (provider, keys, mut request) in [
        (&nowhere, keys(None), post("https://bedrock.test/", "{}")),
        (&somewhere, keys(None), passing),
        (&somewhere, broken, post("https://bedrock.test/", "{}")),
    ] {
        let failure = sign(provider, &keys, now, &mut request).unwrap_err();
        assert_eq!(failure.class, FailureClass::Credential);
        assert!(!failure.may_have_arrived);
        assert!(!format!("{failure:?}").contains("break"), "{failure:?}");
    }
}

#[test]
fn keys_have_expired_when_aws_says_so() {
    let told = |status: u16, error: &'static str| {
        let mut headers = HeaderMap::new();
        headers.insert(ERROR_TYPE, HeaderValue::from_static(error));
        is_expired(StatusCode::from_u16(status).unwrap(), &headers)
    };
    assert!(told(403, "ExpiredTokenException"));
    assert!(told(
        403,
        "UnrecognizedClientException:http://internal.amazon.com/"
    ));
    assert!(!told(403, "AccessDeniedException"));
    assert!(!told(400, "ExpiredTokenException"));
    assert!(!is_expired(StatusCode::FORBIDDEN, &HeaderMap::new()));
}
