use super::*;
use crate::{
    address::tests::{endpoint, provider},
    edit::apply,
    facts::{ModelPlace, RequestFacts, read},
    offer::{Offer, offer},
};
use http::Method;
use tollgate_core::format::Operation;

mod messages;

/// A request met by a provider.
struct Sent {
    envelope: Envelope,
    body: String,
}

impl Sent {
    /// The value that the provider gets in this header; empty when it is not set.
    fn set(&self, name: &HeaderName) -> &str {
        let mut set = self.envelope.set.iter();
        let found = set.find(|(own, _)| own == name);
        found.map_or("", |(_, value)| value.to_str().unwrap())
    }

    fn rules(&self) -> Vec<&'static str> {
        self.envelope.edits.iter().map(|edit| edit.rule).collect()
    }
}

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    let pair = |(name, value)| {
        (
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        )
    };
    pairs.iter().copied().map(pair).collect()
}

fn send_as(
    provider: &Provider,
    model: &str,
    (target, headers): (&str, &HeaderMap),
    body: &str,
) -> Result<Sent, Error> {
    let endpoint = endpoint(&Method::POST, target);
    let content_type = headers
        .get("content-type")
        .map(|kind| kind.to_str().unwrap());
    let letter = Letter {
        endpoint: &endpoint,
        facts: &read(&endpoint, content_type, body.as_bytes())?,
        headers,
        body: &Bytes::from(body.to_owned()),
    };
    let envelope = envelope(provider, model, letter)?;
    let body = apply(letter.body, envelope.edits.clone()).concat();
    let body = String::from_utf8(body).unwrap();
    // Nothing is edited by a rule that the table does not list for this provider.
    let listed = match offer(provider.kind, endpoint.format, endpoint.operation) {
        Offer::Edited(rules) => rules,
        Offer::Native => &[],
        Offer::NotOffered => panic!("{target} is not offered"),
    };
    for edit in &envelope.edits {
        let anywhere = [rule::MODEL, rule::MODEL_FROM_PATH].contains(&edit.rule);
        assert!(
            anywhere || listed.contains(&edit.rule),
            "{} is not listed",
            edit.rule
        );
    }
    Ok(Sent { envelope, body })
}

fn send(kind: ProviderKind, model: &str, target: &str, body: &str) -> Sent {
    send_as(&provider(kind), model, (target, &HeaderMap::new()), body).unwrap()
}

#[test]
fn a_body_passes_unchanged_unless_the_target_maps_its_model() {
    let body = r#"{ "model" : "a", "input" : "hi" }"#;
    let same = send(ProviderKind::OpenAi, "a", "/v1/responses", body);
    assert_eq!((same.body.as_str(), same.rules()), (body, Vec::new()));
    let mapped = send(ProviderKind::OpenAi, "b\"c", "/v1/responses", body);
    assert_eq!(mapped.body, r#"{ "model" : "b\"c", "input" : "hi" }"#);
    assert_eq!(mapped.rules(), [rule::MODEL]);
    let escaped = r#"{"model":"\u0061","input":"hi"}"#;
    assert_eq!(
        send(ProviderKind::OpenAi, "a", "/v1/responses", escaped).body,
        escaped
    );
}

#[test]
fn a_model_in_the_path_is_mapped_there() {
    let sent = send(
        ProviderKind::GoogleGemini,
        "b",
        "/v1/models/a:countTokens",
        "{}",
    );
    assert!(sent.envelope.url.ends_with("/v1beta/models/b:countTokens"));
    assert_eq!((sent.body.as_str(), sent.rules()), ("{}", Vec::new()));
    let invoked = r#"{"max_tokens":1,"anthropic_version":"bedrock-2023-05-31","messages":[]}"#;
    let sent = send(ProviderKind::Bedrock, "b:0", "/model/a/invoke", invoked);
    assert!(sent.envelope.url.ends_with("/model/b%3A0/invoke"));
    assert_eq!((sent.body.as_str(), sent.rules()), (invoked, Vec::new()));
}

#[test]
fn usage_is_asked_for_where_it_comes_only_on_request() {
    let body = r#"{"model":"a","stream":true,"messages":[]}"#;
    let asked = send(ProviderKind::OpenAi, "a", "/v1/chat/completions", body);
    assert_eq!(asked.rules(), [rule::ASK_FOR_USAGE]);
    assert!(asked.envelope.withholds_usage);
    let not = send(ProviderKind::Groq, "a", "/v1/chat/completions", body);
    assert_eq!(
        (not.body.as_str(), not.envelope.withholds_usage),
        (body, false)
    );
}

#[test]
fn the_deployment_of_azure_s_client_becomes_the_model_of_the_body() {
    let target = "/openai/deployments/d/chat/completions?api-version=1";
    let sent = send(
        ProviderKind::Groq,
        "d",
        target,
        r#"{"model":"other","messages":[]}"#,
    );
    assert_eq!(
        sent.envelope.url,
        "https://api.groq.com/openai/v1/chat/completions"
    );
    assert_eq!(sent.body, r#"{"model":"d","messages":[]}"#);
    assert_eq!(sent.rules(), [rule::MODEL]);
}

#[test]
fn a_body_without_a_model_gets_that_of_its_path() {
    let path = endpoint(&Method::POST, "/openai/deployments/d/chat/completions");
    let headers = HeaderMap::new();
    let edited = |place, body: &'static str, azure: &Provider| {
        let letter = Letter {
            endpoint: &path,
            facts: &RequestFacts {
                model: "d".to_owned(),
                model_place: place,
                ..RequestFacts::default()
            },
            headers: &headers,
            body: &Bytes::from_static(body.as_bytes()),
        };
        let envelope = envelope(azure, "e", letter);
        envelope.map(|envelope| {
            let whole = apply(letter.body, envelope.edits).concat();
            String::from_utf8(whole).unwrap()
        })
    };
    let azure = provider(ProviderKind::Azure);
    let json = ModelPlace::JsonString;
    let form = ModelPlace::FormField;
    assert_eq!(
        edited(json, r#"{"n":1}"#, &azure).unwrap(),
        r#"{"model":"e","n":1}"#
    );
    assert_eq!(
        edited(json, r#"{"model":null}"#, &azure).unwrap(),
        r#"{"model":"e"}"#
    );
    let part = "content-disposition: form-data; name=\"n\"\r\n\r\n1\r\n--b--\r\n";
    let body: &str = Box::leak(format!("--b\r\n{part}").into_boxed_str());
    assert_eq!(
        edited(form, body, &azure).unwrap(),
        format!("--b\r\ncontent-disposition: form-data; name=\"model\"\r\n\r\ne\r\n--b\r\n{part}")
    );
    assert_eq!(
        edited(form, "nothing", &azure).unwrap_err().kind(),
        Kind::BadRequest
    );
    // The older paths are those of the client.
    let mut older = azure;
    older.site.api_version = Some("2025-04-01-preview".to_owned());
    assert_eq!(edited(json, r#"{"n":1}"#, &older).unwrap(), r#"{"n":1}"#);
}

#[test]
fn ai_studio_does_not_embed_in_vertex_s_older_way() {
    let letter = |target| {
        send_as(
            &provider(ProviderKind::GoogleGemini),
            "m",
            (target, &HeaderMap::new()),
            r#"{"instances":[{"content":"hi"}]}"#,
        )
    };
    let error = letter("/v1/publishers/google/models/m:predict")
        .err()
        .unwrap();
    assert_eq!(error.kind(), Kind::UnknownEndpoint);
}
