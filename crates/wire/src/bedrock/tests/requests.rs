use super::*;
use crate::facts::CacheWrite;
use tollgate_core::error::Kind;

const CLAUDE: &str = "us.anthropic.claude-sonnet-4-5-20250929-v1%3A0";

fn converse(body: &str) -> RequestFacts {
    converse::facts(&endpoint(CLAUDE, "converse"), body.as_bytes()).expect("the body is read")
}

fn invoke(model: &str, body: &str) -> RequestFacts {
    invoke::facts(&endpoint(model, "invoke"), body.as_bytes()).expect("the body is read")
}

#[test]
fn a_converse_request_is_bounded_by_its_config_and_measured_by_its_text() {
    let facts = converse(
        r#"{"messages":[{"role":"user","content":[{"text":"Hello"}]}],
            "system":[{"text":"Be brief"}],
            "inferenceConfig":{"maxTokens":300,"temperature":0.5},
            "serviceTier":{"type":"flex"},"performanceConfig":{"latency":"optimized"},
            "requestMetadata":{"team":"not read by the model"}}"#,
    );
    assert_eq!(facts.model, "us.anthropic.claude-sonnet-4-5-20250929-v1:0");
    assert_eq!((facts.model_span, facts.stream), (None, false));
    assert_eq!((facts.output_cap, facts.choices), (Some(300), 1));
    let text = "role user content text Hello text Be brief"
        .replace(' ', "")
        .len();
    assert_eq!(facts.text_bytes, u64::try_from(text).unwrap() + 1);
    assert!(!facts.unseen_input);
    let context = [("service_tier", "flex"), ("latency", "optimized")];
    assert_eq!(
        facts.context,
        context.map(|(what, word)| (what, word.to_owned()))
    );
}

#[test]
fn the_path_says_whether_to_stream_and_a_model_must_stand_in_it() {
    for (action, stream) in [("converse-stream", true), ("converse", false)] {
        let facts = converse::facts(&endpoint(CLAUDE, action), b"{}").unwrap();
        assert_eq!((facts.stream, facts.output_cap), (stream, None));
    }
    let facts = invoke::facts(&endpoint(CLAUDE, "invoke-with-response-stream"), b"{}").unwrap();
    assert!(facts.stream);
    let nameless = Endpoint {
        model: None,
        ..endpoint(CLAUDE, "converse")
    };
    let error = converse::facts(&nameless, b"{}").unwrap_err();
    assert_eq!(error.kind(), Kind::BadRequest);
}

#[test]
fn media_in_the_body_is_weighed_and_media_elsewhere_is_unseen() {
    let with = |source: &str| {
        let part = format!(r#"{{"image":{{"format":"png","source":{{{source}}}}}}}"#);
        converse(&format!(
            r#"{{"messages":[{{"role":"user","content":[{part}]}}]}}"#
        ))
    };
    let inline = with(r#""bytes":"iVBORw0KGgo=""#);
    assert_eq!((inline.media_tokens, inline.unseen_input), (5_000, false));
    let stored = with(r#""s3Location":{"uri":"s3://bucket/a.png","bucketOwner":"1"}"#);
    assert_eq!((stored.media_tokens, stored.unseen_input), (0, true));
}

#[test]
fn tools_are_text_whatever_their_words_and_those_of_the_provider_are_unseen() {
    let own = converse(
        r#"{"toolConfig":{"tools":[{"toolSpec":{"name":"f","inputSchema":{"json":
            {"properties":{"s3Location":{"type":"string"},"bytes":{"type":"string"}}}}}}]},
            "messages":[{"role":"assistant","content":[
            {"toolUse":{"toolUseId":"t","name":"f","input":{"s3Location":"s3://a"}}}]}]}"#,
    );
    assert_eq!((own.unseen_input, own.media_tokens), (false, 0));
    let grounding = r#"{"toolConfig":{"tools":[{"systemTool":{"name":"nova_grounding"}}]}}"#;
    assert!(converse(grounding).unseen_input);
}

#[test]
fn a_cache_point_asks_for_a_cache_write_of_its_term() {
    let with = |point: &str| {
        let body = format!(r#"{{"system":[{{"text":"a"}},{{"cachePoint":{point}}}]}}"#);
        converse(&body).cache_write
    };
    assert_eq!(with(r#"{"type":"default"}"#), CacheWrite::Short);
    assert_eq!(with(r#"{"type":"default","ttl":"5m"}"#), CacheWrite::Short);
    assert_eq!(with(r#"{"type":"default","ttl":"1h"}"#), CacheWrite::Long);
}

#[test]
fn prompts_that_are_stored_at_the_provider_are_unseen() {
    let variables = r#"{"promptVariables":{"topic":{"text":"snails"}}}"#;
    assert!(converse(variables).unseen_input);
    assert!(!converse(r#"{"promptVariables":{}}"#).unseen_input);
    let prompt = "arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Aprompt%2FABC";
    let facts = converse::facts(&endpoint(prompt, "converse"), b"{}").unwrap();
    assert!(facts.unseen_input);
    assert_eq!(facts.model, "arn:aws:bedrock:us-east-1:1:prompt/ABC");
}

#[test]
fn a_makers_own_bound_can_only_widen_the_common_one() {
    let with = |config: &str, own: &str| {
        let body =
            format!(r#"{{"inferenceConfig":{config},"additionalModelRequestFields":{own}}}"#);
        converse(&body).output_cap
    };
    assert_eq!(with(r#"{"maxTokens":10}"#, "null"), Some(10));
    assert_eq!(
        with(r#"{"maxTokens":10}"#, r#"{"max_tokens":20}"#),
        Some(20)
    );
    assert_eq!(
        with(r#"{"maxTokens":10}"#, r#"{"max_gen_len":5}"#),
        Some(10)
    );
    let nova = r#"{"inferenceConfig":{"max_new_tokens":30}}"#;
    assert_eq!(with(r#"{"maxTokens":10}"#, nova), Some(30));
    assert_eq!(with("{}", r#"{"max_tokens":20}"#), None);
}

#[test]
fn a_makers_own_fields_are_text_and_may_not_leave_the_model_open() {
    let fields = r#"{"thinking":{"type":"enabled","budget_tokens":2000}}"#;
    let facts = converse(&format!(r#"{{"additionalModelRequestFields":{fields}}}"#));
    assert!(facts.text_bytes > 20);
    let body = br#"{"additionalModelRequestFields":{"fallbacks":[{"model":"a"}]}}"#;
    let error = converse::facts(&endpoint(CLAUDE, "converse"), body).unwrap_err();
    assert!(
        error.message().contains("`fallbacks`"),
        "{}",
        error.message()
    );
    let twice = br#"{"inferenceConfig":{},"inferenceConfig":{"maxTokens":9}}"#;
    assert!(converse::facts(&endpoint(CLAUDE, "converse"), twice).is_err());
}

#[test]
fn a_count_of_tokens_asks_for_nothing_but_its_model() {
    let body = br#"{"input":{"converse":{"messages":[]}}}"#;
    let facts = converse::facts(&endpoint(CLAUDE, "count-tokens"), body).unwrap();
    assert_eq!(facts.model, "us.anthropic.claude-sonnet-4-5-20250929-v1:0");
    assert!(converse::facts(&endpoint(CLAUDE, "count-tokens"), b"[]").is_err());
}

#[test]
fn anthropics_bodies_are_read_as_messages_with_the_model_of_the_path() {
    let facts = invoke(
        CLAUDE,
        r#"{"anthropic_version":"bedrock-2023-05-31","max_tokens":50,"messages":[
            {"role":"user","content":[{"type":"text","text":"a",
            "cache_control":{"type":"ephemeral","ttl":"1h"}}]}]}"#,
    );
    assert_eq!(facts.model, "us.anthropic.claude-sonnet-4-5-20250929-v1:0");
    assert_eq!(facts.model_span, None);
    assert_eq!((facts.output_cap, facts.choices), (Some(50), 1));
    assert_eq!(facts.cache_write, CacheWrite::Long);
}

#[test]
fn the_word_of_anthropic_in_a_body_for_anybody_can_only_widen_its_bounds() {
    let body = r#"{"anthropic_version":"bedrock-2023-05-31","max_tokens":1,"max_gen_len":2048,
        "prompt":"hi","inputImage":"iVBORw0KGgo="}"#;
    let profile = "arn:aws:bedrock:us-east-1:1:application-inference-profile/abc";
    for model in ["meta.llama3-8b-instruct-v1:0", profile] {
        let facts = invoke(model, body);
        assert_eq!(
            (facts.output_cap, facts.media_tokens),
            (Some(2048), 5_000),
            "{model}"
        );
    }
    assert_eq!(invoke(CLAUDE, body).output_cap, Some(1));
}

#[test]
fn every_makers_bound_is_known_and_an_unknown_body_has_none() {
    let table = [
        (
            "amazon.nova-lite-v1:0",
            r#"{"inferenceConfig":{"maxTokens":7}}"#,
        ),
        (
            "amazon.nova-lite-v1:0",
            r#"{"inferenceConfig":{"max_new_tokens":7}}"#,
        ),
        (
            "meta.llama3-8b-instruct-v1:0",
            r#"{"prompt":"a","max_gen_len":7}"#,
        ),
        (
            "amazon.titan-text-lite-v1",
            r#"{"textGenerationConfig":{"maxTokenCount":7}}"#,
        ),
        (
            "mistral.mistral-large-2402-v1:0",
            r#"{"prompt":"a","max_tokens":7}"#,
        ),
        ("cohere.command-r-v1:0", r#"{"message":"a","max_tokens":7}"#),
        (
            "openai.gpt-oss-20b-1:0",
            r#"{"messages":[],"max_completion_tokens":7}"#,
        ),
        (
            "anthropic.claude-v2",
            r#"{"prompt":"a","max_tokens_to_sample":7}"#,
        ),
    ];
    for (model, body) in table {
        assert_eq!(invoke(model, body).output_cap, Some(7), "{body}");
    }
    let unknown = invoke("someone.else", r#"{"question":"why?","depth":[1,22]}"#);
    assert_eq!(unknown.output_cap, None);
    assert_eq!(unknown.text_bytes, 4 + 3);
    assert_eq!(
        invoke("cohere.command", r#"{"num_generations":3}"#).choices,
        3
    );
}

#[test]
fn media_of_every_maker_is_weighed_or_unseen() {
    const PNG: &str = "iVBORw0KGgo=";
    for body in [
        format!(r#"{{"messages":[{{"content":[{{"image":{{"source":{{"bytes":"{PNG}"}}}}}}]}}]}}"#),
        format!(r#"{{"inputText":"","inputImage":"{PNG}"}}"#),
        format!(r#"{{"prompt":"","images":["{PNG}"]}}"#),
        format!(r#"{{"input_type":"image","images":["data:image/png;base64,{PNG}"]}}"#),
        format!(r#"{{"a":[{{"image_url":{{"url":"data:image/png;base64,{PNG}"}}}}]}}"#),
    ] {
        let facts = invoke("some.model", &body);
        assert_eq!(
            (facts.media_tokens, facts.unseen_input),
            (5_000, false),
            "{body}"
        );
    }
    for body in [
        r#"{"a":{"s3Location":{"uri":"s3://a/b"}}}"#,
        r#"{"a":[{"image_url":{"url":"https://example.com/a.png"}}]}"#,
    ] {
        assert!(invoke("some.model", body).unseen_input, "{body}");
    }
}
