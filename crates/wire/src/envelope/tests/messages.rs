//! Anthropic's messages at every kind of cloud.

use super::*;

const BODY: &str = r#"{"model":"claude-x","stream":true,"max_tokens":9,"messages":[]}"#;
const COUNTED: &str = r#"{"model":"claude-x","messages":[]}"#;

/// What Claude Code sends.
fn claude_code() -> HeaderMap {
    headers(&[
        ("anthropic-version", "2023-06-01"),
        (
            "anthropic-beta",
            "claude-code-20250219,interleaved-thinking-2025-05-14,context-management-2025-06-27,\
             per-turn-control-2026-07-01,mid-conversation-tool-changes-2026-07-01,\
             thinking-token-count-2026-05-13,advanced-tool-use-2025-11-20,effort-2025-11-24",
        ),
    ])
}

fn claude(kind: ProviderKind, body: &str, headers: &HeaderMap) -> Sent {
    let target = "/v1/messages?beta=true";
    send_as(&provider(kind), "claude-y", (target, headers), body).unwrap()
}

#[test]
fn bedrock_gets_an_invocation_and_answers_in_frames() {
    let sent = claude(ProviderKind::Bedrock, BODY, &claude_code());
    assert_eq!(
        sent.envelope.url,
        "https://bedrock-runtime.us-east-1.amazonaws.com/model/claude-y/invoke-with-response-stream"
    );
    assert_eq!(
        sent.body,
        r#"{"anthropic_version":"bedrock-2023-05-31","anthropic_beta":["interleaved-thinking-2025-05-14","context-management-2025-06-27","mid-conversation-tool-changes-2026-07-01","tool-search-tool-2025-10-19","effort-2025-11-24"],"max_tokens":9,"messages":[]}"#
    );
    assert_eq!(sent.envelope.answer, AnswerForm::FramedEvents);
    assert_eq!(sent.envelope.remove, [ANTHROPIC_VERSION, ANTHROPIC_BETA]);
    assert_eq!(sent.envelope.set.len(), 1);
    assert_eq!(sent.set(&http::header::ACCEPT), "application/json");

    let whole = r#"{"max_tokens":9,"messages":[],"stream":false,"model":"claude-x"}"#;
    let sent = claude(ProviderKind::Bedrock, whole, &HeaderMap::new());
    assert!(sent.envelope.url.ends_with("/model/claude-y/invoke"));
    assert_eq!(
        sent.body,
        r#"{"anthropic_version":"bedrock-2023-05-31","max_tokens":9,"messages":[]}"#
    );
    assert_eq!(sent.envelope.answer, AnswerForm::Native);
}

#[test]
fn vertex_gets_the_model_in_the_path_and_the_stream_in_both() {
    let sent = claude(ProviderKind::GoogleVertex, BODY, &claude_code());
    assert_eq!(
        sent.envelope.url,
        "https://us-east5-aiplatform.googleapis.com/v1/projects/acme/locations/us-east5\
         /publishers/anthropic/models/claude-y:streamRawPredict"
    );
    assert_eq!(
        sent.body,
        r#"{"anthropic_version":"vertex-2023-10-16","stream":true,"max_tokens":9,"messages":[]}"#
    );
    assert_eq!(sent.envelope.answer, AnswerForm::Native);
    assert_eq!(sent.envelope.remove, [ANTHROPIC_VERSION]);
    assert_eq!(
        sent.set(&ANTHROPIC_BETA),
        "interleaved-thinking-2025-05-14,context-management-2025-06-27,per-turn-control-2026-07-01,\
         mid-conversation-tool-changes-2026-07-01,tool-search-tool-2025-10-19"
    );
    let alone = headers(&[("anthropic-beta", "oauth-2025-04-20")]);
    let sent = claude(ProviderKind::GoogleVertex, BODY, &alone);
    assert_eq!(sent.envelope.remove, [ANTHROPIC_VERSION, ANTHROPIC_BETA]);
}

#[test]
fn vertex_counts_tokens_of_the_model_in_the_body() {
    let headers = HeaderMap::new();
    let target = ("/v1/messages/count_tokens?beta=true", &headers);
    let vertex = provider(ProviderKind::GoogleVertex);
    let sent = send_as(&vertex, "claude-y", target, COUNTED).unwrap();
    assert!(
        sent.envelope
            .url
            .ends_with("/publishers/anthropic/models/count-tokens:rawPredict")
    );
    assert_eq!(
        sent.body,
        r#"{"anthropic_version":"vertex-2023-10-16","model":"claude-y","messages":[]}"#
    );
}

#[test]
fn bedrock_does_not_count_messages() {
    let path = endpoint(&Method::POST, "/v1/messages/count_tokens");
    let letter = Letter {
        endpoint: &path,
        facts: &RequestFacts::default(),
        headers: &HeaderMap::new(),
        body: &Bytes::from_static(COUNTED.as_bytes()),
    };
    let error = envelope(&provider(ProviderKind::Bedrock), "m", letter).unwrap_err();
    assert_eq!(error.kind(), Kind::UnknownEndpoint);
    let offered = offer(
        ProviderKind::Bedrock,
        Format::AnthropicMessages,
        Operation::CountTokens,
    );
    assert_eq!(offered, Offer::NotOffered);
}

#[test]
fn a_version_is_forwarded_as_the_client_named_it_and_added_only_where_it_is_missing() {
    use ProviderKind::{Bedrock, GoogleVertex};
    let newer = headers(&[("anthropic-version", "2026-10-21")]);
    for kind in [Bedrock, GoogleVertex] {
        let sent = claude(kind, BODY, &newer);
        assert!(
            sent.body.contains(r#""anthropic_version":"2026-10-21""#),
            "{}",
            sent.body
        );
        let own = r#"{"model":"m","anthropic_version":"its-own","max_tokens":1,"messages":[]}"#;
        let sent = claude(kind, own, &newer);
        assert_eq!(
            sent.body,
            r#"{"anthropic_version":"its-own","max_tokens":1,"messages":[]}"#
        );
    }
    for kind in [
        ProviderKind::Anthropic,
        ProviderKind::Azure,
        ProviderKind::DeepSeek,
    ] {
        assert_eq!(
            claude(kind, BODY, &newer).set(&ANTHROPIC_VERSION),
            "",
            "{kind:?}"
        );
        let bare = claude(kind, BODY, &HeaderMap::new());
        assert_eq!(bare.set(&ANTHROPIC_VERSION), "2023-06-01", "{kind:?}");
    }
}

#[test]
fn where_messages_are_native_only_the_model_differs() {
    let expected = BODY.replace("claude-x", "claude-y");
    for kind in [
        ProviderKind::Anthropic,
        ProviderKind::AnthropicCompatible,
        ProviderKind::Azure,
        ProviderKind::OpenRouter,
    ] {
        let sent = claude(kind, BODY, &claude_code());
        assert_eq!(
            (sent.body.as_str(), sent.rules()),
            (expected.as_str(), vec![rule::MODEL])
        );
        assert!(
            sent.envelope.url.ends_with("/messages?beta=true"),
            "{kind:?}"
        );
        assert!(
            sent.envelope.set.is_empty() && sent.envelope.remove.is_empty(),
            "{kind:?}"
        );
    }
    let mantle = claude(ProviderKind::BedrockMantle, BODY, &claude_code());
    assert_eq!(mantle.body, expected);
    assert!(
        mantle
            .set(&ANTHROPIC_BETA)
            .contains("tool-search-tool-2025-10-19")
    );
}

#[test]
fn flags_of_repeated_headers_are_taken_together_and_once() {
    let mut twice = headers(&[("anthropic-beta", "new-flag-1, oauth-2025-04-20,")]);
    twice.append(
        ANTHROPIC_BETA,
        HeaderValue::from_static("new-flag-1,\"odd\""),
    );
    let sent = claude(ProviderKind::Bedrock, BODY, &twice);
    assert!(
        sent.body
            .contains(r#""anthropic_beta":["new-flag-1","\"odd\""],"#),
        "{}",
        sent.body
    );
    let own = r#"{"model":"m","anthropic_beta":["mine"],"max_tokens":1,"messages":[]}"#;
    let sent = claude(ProviderKind::Bedrock, own, &twice);
    assert!(
        sent.body.contains(r#""anthropic_beta":["mine"]"#),
        "{}",
        sent.body
    );
    assert_eq!(sent.body.matches("anthropic_beta").count(), 1);
}
