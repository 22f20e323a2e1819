use super::*;
use crate::{
    endpoint::Endpoint,
    facts::RequestFacts,
    tap::{Carries, Progress},
};
use serde_json::{Value, json};
use tollgate_core::{
    error::{Error, Kind},
    format::{Format, Operation},
    unit::Unit,
    usage::UsageReport,
};

fn endpoint(model: Option<&str>) -> Endpoint {
    Endpoint {
        object: None,
        tail: String::new(),
        format: Format::GeminiGenerate,
        operation: Operation::Generate,
        model: model.map(str::to_owned),
        stream: true,
        query: String::new(),
    }
}

fn try_read(body: &str) -> Result<RequestFacts, Error> {
    facts(&endpoint(Some("gemini-3-flash")), body.as_bytes())
}

fn read(body: &Value) -> RequestFacts {
    try_read(&body.to_string()).unwrap()
}

#[test]
fn the_model_and_streaming_come_from_the_path() {
    let facts = read(&json!({ "model": "ignored", "contents": [] }));
    assert_eq!(
        (facts.model.as_str(), facts.model_span, facts.stream),
        ("gemini-3-flash", None, true)
    );
    let error = super::facts(&endpoint(None), b"{}").unwrap_err();
    assert_eq!(error.kind(), Kind::BadRequest);
}

#[test]
fn the_bounds_are_read_in_both_spellings_but_not_in_both_at_once() {
    for body in [
        json!({ "generationConfig": { "maxOutputTokens": 8, "candidateCount": 3 } }),
        json!({ "generation_config": { "max_output_tokens": 8, "candidate_count": 3.0 } }),
    ] {
        let facts = read(&body);
        assert_eq!((facts.output_cap, facts.choices), (Some(8), 3), "{body}");
    }
    for body in [
        json!({}),
        json!({ "generationConfig": null }),
        json!({ "generationConfig": {} }),
    ] {
        let facts = read(&body);
        assert_eq!((facts.output_cap, facts.choices), (None, 1), "{body}");
    }
    for body in [
        r#"{"generationConfig":{"maxOutputTokens":8},"generation_config":{}}"#,
        r#"{"generationConfig":{"maxOutputTokens":8,"max_output_tokens":9}}"#,
        r#"{"generationConfig":{"maxOutputTokens":8,"maxOutputTokens":9}}"#,
    ] {
        assert_eq!(
            try_read(body).unwrap_err().kind(),
            Kind::BadRequest,
            "{body}"
        );
    }
}

#[test]
fn text_media_and_references_are_told_apart() {
    let parts = |part: Value| read(&json!({ "contents": [{ "parts": [part] }] }));
    let text = parts(json!({ "text": "1234567890" }));
    assert!((10..40).contains(&text.text_bytes));
    let inline = json!({ "inlineData": { "mimeType": "image/png", "data": "iVBORw0KGgo=" } });
    assert_eq!(parts(inline).media_tokens, 5_000);
    let inline = json!({ "inline_data": { "mime_type": "image/png", "data": "iVBORw0KGgo=" } });
    assert_eq!(parts(inline).media_tokens, 5_000);
    assert!(parts(json!({ "fileData": { "fileUri": "https://example.com/f" } })).unseen_input);
    let call =
        json!({ "functionCall": { "name": "f", "args": { "fileUri": "gs://a", "data": "x" } } });
    let call = parts(call);
    assert!(!call.unseen_input && call.media_tokens == 0);
    assert!(
        read(&json!({ "systemInstruction": { "parts": [{ "text": "12345" }] } })).text_bytes >= 5
    );
    let schema = json!({ "generationConfig": { "responseSchema": { "title": "12345" } } });
    assert!(read(&schema).text_bytes >= 10);
}

#[test]
fn caches_continuations_and_googles_own_tools_are_unseen_input() {
    for body in [
        json!({ "cachedContent": "cachedContents/1" }),
        json!({ "continuationToken": "AAEC" }),
        json!({ "tools": [{ "functionDeclarations": [] }, { "googleSearch": {} }] }),
        json!({ "tools": [{ "google_search": {} }] }),
        json!({ "tools": [{ "urlContext": {} }] }),
    ] {
        assert!(read(&body).unseen_input, "{body}");
    }
    let own = json!({ "tools": [{ "functionDeclarations": [{ "name": "googleSearch" }] }] });
    assert!(!read(&own).unseen_input);
    assert!(!read(&json!({ "cachedContent": null, "tools": null })).unseen_input);
}

#[test]
fn the_service_tier_is_in_the_context() {
    let facts = read(&json!({ "serviceTier": "FLEX" }));
    assert_eq!(facts.context, [("service_tier", "flex".to_owned())]);
}

fn streamed(chunks: &[Value]) -> (Vec<Carries>, Progress, UsageReport) {
    let mut reader = reader();
    let carries = chunks
        .iter()
        .map(|chunk| reader.event(b"", chunk.to_string().as_bytes()))
        .collect();
    (carries, reader.progress(), reader.report())
}

fn piece(text: &str, finish: Option<&str>, usage: &Value) -> Value {
    json!({
        "candidates": [{ "content": { "parts": [{ "text": text }] }, "finishReason": finish }],
        "usageMetadata": usage,
        "modelVersion": "gemini-3-flash",
    })
}

#[test]
fn of_each_count_the_last_one_holds() {
    let (carries, progress, report) = streamed(&[
        piece(
            "ab",
            None,
            &json!({ "promptTokenCount": 10, "thoughtsTokenCount": 5 }),
        ),
        piece(
            "c",
            Some("STOP"),
            &json!({ "promptTokenCount": 12, "candidatesTokenCount": 3 }),
        ),
    ]);
    assert_eq!(carries, [Carries::Content, Carries::Usage]);
    assert_eq!(
        (progress.content_bytes, progress.input_tokens),
        (3, Some(12))
    );
    let usage = report.usage.unwrap();
    assert_eq!(
        (usage.get(Unit::InputTokens), usage.get(Unit::OutputTokens)),
        (12, 8)
    );
    assert!(report.complete);
}

#[test]
fn a_stream_is_whole_when_every_candidate_has_finished() {
    let candidate = |index: u64, finish: Option<&str>| {
        json!({ "candidates": [{ "index": index, "finishReason": finish }],
                "usageMetadata": { "promptTokenCount": 1 } })
    };
    let half = [
        candidate(0, None),
        candidate(1, None),
        candidate(0, Some("STOP")),
    ];
    assert!(!streamed(&half).1.terminal);
    let unspecified = [candidate(0, Some("FINISH_REASON_UNSPECIFIED"))];
    assert!(!streamed(&unspecified).1.terminal);
    let mut whole = half.to_vec();
    whole.push(candidate(1, Some("MAX_TOKENS")));
    let (_, progress, report) = streamed(&whole);
    assert!(progress.terminal && report.complete);
    assert!(!streamed(&[]).1.terminal);
}

#[test]
fn thinking_is_not_content_and_calls_are() {
    let parts = json!([
        { "text": "12345", "thought": true },
        { "text": "ab" },
        { "functionCall": { "n": 1 } },
        { "inlineData": { "data": "xxxx" } },
    ]);
    let (_, progress, _) =
        streamed(&[json!({ "candidates": [{ "content": { "parts": parts } }] })]);
    assert_eq!(progress.content_bytes, 2 + 7);
}

#[test]
fn an_error_in_the_stream_is_a_failure() {
    let (_, progress, report) = streamed(&[
        piece("a", Some("STOP"), &json!({ "promptTokenCount": 1 })),
        json!({ "error": { "code": 503, "message": "x", "status": "UNAVAILABLE" } }),
    ]);
    assert!(progress.failed && !report.complete);
}

fn searched(model: &str, queries: &[&[&str]]) -> u64 {
    let chunk = |queries: &&[&str]| {
        json!({ "candidates": [{ "groundingMetadata": { "webSearchQueries": queries } }],
                "usageMetadata": { "promptTokenCount": 1 }, "modelVersion": model })
    };
    let chunks: Vec<Value> = queries.iter().map(chunk).collect();
    streamed(&chunks).2.usage.unwrap().get(Unit::WebSearches)
}

#[test]
fn grounding_is_counted_by_answer_up_to_gemini_2_and_by_query_from_3() {
    assert_eq!(
        searched("gemini-2.5-flash", &[&["a", "b"], &["a", "b", "c"]]),
        1
    );
    assert_eq!(
        searched("gemini-3-flash-preview", &[&["a", "b"], &["a", "b", "c"]]),
        3
    );
    assert_eq!(searched("gemini-2.5-flash", &[&[]]), 0);
    assert_eq!(searched("gemini-2.5-flash", &[&[""]]), 0);
    assert_eq!(
        searched("gemini-3-flash-preview", &[&["", "a", "a"], &["b", ""]]),
        2
    );
}

#[test]
fn vertex_traffic_says_the_tier_and_provisioned_throughput_is_noted() {
    let context = |traffic: &str| {
        streamed(&[json!({ "usageMetadata": { "trafficType": traffic } })])
            .2
            .context
    };
    let word = |text: &str| text.to_owned();
    assert_eq!(context("ON_DEMAND"), [("traffic_type", word("ON_DEMAND"))]);
    assert_eq!(
        context("ON_DEMAND_FLEX"),
        [
            ("service_tier", word("flex")),
            ("traffic_type", word("ON_DEMAND_FLEX"))
        ]
    );
    let provisioned = "PROVISIONED_THROUGHPUT";
    assert_eq!(context(provisioned), [("traffic_type", word(provisioned))]);
}

#[test]
fn the_cost_is_an_empty_text_part_behind_the_others() {
    for candidate in [
        r#"{"content":{"parts":[{"text":"a"}],"role":"model"},"finishReason":"STOP"}"#,
        r#"{"content":{"parts":[ ]},"finishReason":"STOP"}"#,
        r#"{"content":{"role":"model"},"finishReason":"STOP"}"#,
        r#"{"finishReason":"STOP"}"#,
    ] {
        let data = format!(r#"{{"candidates": [ {candidate} , {{}}],"modelVersion":"m"}}"#);
        let edit = reader().cost_edit(data.as_bytes(), "0.0123").unwrap();
        let segments = crate::edit::apply(&data.clone().into(), vec![edit]);
        let value: Value = serde_json::from_slice(&segments.concat()).unwrap();
        let parts = value["candidates"][0]["content"]["parts"]
            .as_array()
            .unwrap();
        let cost =
            json!({ "text": "", "partMetadata": { "logfire_ai_gateway": { "cost": "0.0123" } } });
        assert_eq!(parts.last(), Some(&cost), "{candidate}");
        let before: Value = serde_json::from_str(&data).unwrap();
        assert_eq!(value["candidates"][1], before["candidates"][1]);
    }
    assert!(
        reader()
            .cost_edit(br#"{"promptFeedback":{"blockReason":"SAFETY"}}"#, "0")
            .is_none()
    );
}

#[test]
fn what_is_no_answer_reports_nothing() {
    for body in [
        "",
        "null",
        "[]",
        "{}",
        r#"{"usageMetadata":null}"#,
        r#"{"usageMetadata":{}}"#,
    ] {
        let report = usage(body.as_bytes());
        assert!(report.usage.is_none() && !report.complete, "{body}");
    }
}
