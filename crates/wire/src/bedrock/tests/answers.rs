use super::*;
use crate::tap::{read_body, read_head};
use http::HeaderMap;
use tollgate_core::{format::Operation, unit::Unit};

fn read(format: Format, body: &str) -> UsageReport {
    read_body(format, Operation::Generate, body.as_bytes())
}

fn counts(report: &UsageReport) -> Option<(u64, u64)> {
    let usage = report.usage.as_ref()?;
    Some((usage.get(Unit::InputTokens), usage.get(Unit::OutputTokens)))
}

#[test]
fn every_makers_answer_gives_its_counts() {
    let table = [
        (
            r#"{"usage":{"inputTokens":9,"outputTokens":3,"totalTokens":12}}"#,
            Some((9, 3)),
        ),
        (
            r#"{"usage":{"inputTokens":9,"outputTokens":3,"cacheReadInputTokenCount":4,
                "cacheWriteInputTokenCount":2}}"#,
            Some((15, 3)),
        ),
        (
            r#"{"type":"message","usage":{"input_tokens":9,"output_tokens":3,
                "cache_read_input_tokens":4}}"#,
            Some((13, 3)),
        ),
        (
            r#"{"generation":"a","prompt_token_count":9,"generation_token_count":3}"#,
            Some((9, 3)),
        ),
        (
            r#"{"inputTextTokenCount":9,"results":[{"tokenCount":2},{"tokenCount":1}]}"#,
            Some((9, 3)),
        ),
        (
            r#"{"embedding":[0.1],"inputTextTokenCount":9}"#,
            Some((9, 0)),
        ),
        (
            r#"{"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":3,
                "total_tokens":12}}"#,
            Some((9, 3)),
        ),
        (r#"{"embeddings":[[0.1]],"texts":["a"]}"#, None),
        (r#"{"outputs":[{"text":"a"}]}"#, None),
        ("not JSON", None),
    ];
    for (body, expected) in table {
        let report = read(Format::BedrockInvoke, body);
        assert_eq!(counts(&report), expected, "{body}");
        assert_eq!(report.complete, expected.is_some(), "{body}");
    }
}

#[test]
fn the_head_tells_what_a_body_leaves_out() {
    let mut headers = HeaderMap::new();
    let count = |headers: &HeaderMap| counts(&read_head(Format::BedrockInvoke, headers));
    assert_eq!(count(&headers), None);
    for (name, value) in [
        ("x-amzn-bedrock-input-token-count", "9"),
        ("x-amzn-bedrock-output-token-count", "3"),
        ("x-amzn-bedrock-cache-read-input-token-count", "4"),
        ("x-amzn-bedrock-cache-write-input-token-count", "nonsense"),
    ] {
        headers.insert(name, value.parse().unwrap());
    }
    assert_eq!(count(&headers), Some((13, 3)));
    let elsewhere = read_head(Format::AnthropicMessages, &headers);
    assert_eq!(elsewhere, UsageReport::default());
}

#[test]
fn the_model_a_prompt_router_chose_is_the_one_to_price() {
    let report = read(
        Format::BedrockConverse,
        r#"{"usage":{"inputTokens":1,"outputTokens":1},"performanceConfig":{"latency":"optimized"},
            "trace":{"promptRouter":{"invokedModelId":
            "arn:aws:bedrock:us-east-1:1:inference-profile/us.amazon.nova-lite-v1:0"}}}"#,
    );
    assert_eq!(report.model.as_deref(), Some("us.amazon.nova-lite-v1:0"));
    assert_eq!(report.context, [("latency", "optimized".to_owned())]);
    let bare = r#"{"usage":{"inputTokens":1},"trace":{"guardrail":{}},"serviceTier":"odd"}"#;
    let report = read(Format::BedrockConverse, bare);
    assert_eq!((report.model, report.complete), (None, true));
}

#[test]
fn terms_of_cache_writes_lift_their_sum_and_two_names_count_once() {
    let report = read(
        Format::BedrockConverse,
        r#"{"usage":{"inputTokens":1,"outputTokens":1,"cacheReadInputTokens":4,
            "cacheReadInputTokenCount":4,"cacheDetails":[{"ttl":"5m","inputTokens":2},
            {"ttl":"1h","inputTokens":3},{"ttl":"1h","inputTokens":5}]}}"#,
    );
    let usage = report.usage.unwrap();
    assert_eq!(usage.get(Unit::InputTokens), 1 + 4 + 10);
    assert_eq!(usage.get(Unit::CacheReadTokens), 4);
    assert_eq!(usage.get(Unit::CacheWriteTokens), 10);
    assert_eq!(usage.get(Unit::CacheWrite5mTokens), 2);
    assert_eq!(usage.get(Unit::CacheWrite1hTokens), 8);
}

#[test]
fn an_answer_without_usage_is_not_complete() {
    for body in [
        r#"{"output":{}}"#,
        r#"{"usage":null}"#,
        r#"{"usage":{}}"#,
        "[]",
    ] {
        assert_eq!(
            read(Format::BedrockConverse, body),
            UsageReport::default(),
            "{body}"
        );
    }
}
