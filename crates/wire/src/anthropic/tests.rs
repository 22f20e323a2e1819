use super::*;
use crate::{
    facts::{CacheWrite, RequestFacts},
    tap::Progress,
};
use serde_json::{Value, json};
use tollgate_core::{error::Kind, unit::Unit, usage::UsageReport};

fn read(body: &Value) -> RequestFacts {
    facts(body.to_string().as_bytes()).unwrap()
}

/// Adds `members` to the smallest request.
fn with(members: Value) -> RequestFacts {
    let mut body = json!({ "model": "claude-sonnet-5-5", "max_tokens": 8, "messages": [] });
    let Value::Object(members) = members else {
        panic!("not an object")
    };
    body.as_object_mut().unwrap().extend(members);
    read(&body)
}

#[test]
fn the_model_is_found_where_it_stands() {
    let body = br#"{ "max_tokens": 8, "model" : "claude\u002dx" , "stream": true }"#;
    let facts = facts(body).unwrap();
    assert_eq!(facts.model, "claude-x");
    assert_eq!(&body[facts.model_span.unwrap()], br#""claude\u002dx""#);
    assert!(facts.stream);
    assert_eq!((facts.output_cap, facts.choices), (Some(8), 1));
}

#[test]
fn a_request_without_a_model_or_with_two_is_refused() {
    for body in [
        "{}",
        r#"{"model":""}"#,
        r#"{"model":7}"#,
        r#"{"model":"a","model":"b"}"#,
        r#"{"model":"a","MODEL":"b"}"#,
        r#"{"model":"a"} {}"#,
        "[]",
    ] {
        assert_eq!(
            facts(body.as_bytes()).unwrap_err().kind(),
            Kind::BadRequest,
            "{body}"
        );
    }
}

#[test]
fn without_max_tokens_the_bound_is_unknown() {
    assert_eq!(read(&json!({ "model": "m" })).output_cap, None);
    assert_eq!(with(json!({ "max_tokens": 0 })).output_cap, Some(0));
}

#[test]
fn system_messages_and_tools_are_text_and_settings_are_not() {
    let settings = json!({
        "metadata": { "user_id": "x" }, "temperature": 1.0, "stop_sequences": ["x"],
        "thinking": { "type": "enabled", "budget_tokens": 1024 },
    });
    assert_eq!(with(settings).text_bytes, 0);
    let facts = with(json!({
        "system": "1234567890",
        "messages": [{ "role": "user", "content": [{ "type": "text", "text": "1234567890" }] }],
        "tools": [{ "name": "f", "input_schema": { "url": "https://example.com" } }],
    }));
    assert!(facts.text_bytes >= 20 + 19);
    assert!(!facts.unseen_input);
}

#[test]
fn inline_media_counts_by_table_and_references_are_unseen() {
    let content = |source: Value| {
        let block = json!({ "type": "image", "source": source });
        with(json!({ "messages": [{ "role": "user", "content": [block] }] }))
    };
    let inline = json!({ "type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo=" });
    assert_eq!(
        (
            content(inline.clone()).media_tokens,
            content(inline).unseen_input
        ),
        (5_000, false)
    );
    assert!(content(json!({ "type": "url", "url": "https://example.com/a.png" })).unseen_input);
    assert!(content(json!({ "type": "file", "file_id": "file_1" })).unseen_input);
}

#[test]
fn what_brings_in_more_than_the_body_shows_is_unseen_input() {
    for members in [
        json!({ "mcp_servers": [{ "type": "url", "url": "https://example.com" }] }),
        json!({ "container": "container_1" }),
        json!({ "thread": { "type": "continue" } }),
        json!({ "tools": [{ "type": "web_search_20250305", "name": "web_search" }] }),
        json!({ "tools": [{ "type": "advisor_20260301", "model": "claude-opus-5-5" }] }),
        json!({ "context_management": { "edits": [{ "type": "compact_20260112" }] } }),
    ] {
        assert!(with(members.clone()).unseen_input, "{members}");
    }
    for members in [
        json!({ "mcp_servers": [], "container": null, "fallbacks": null }),
        json!({ "tools": [{ "type": "bash_20250124", "name": "bash" }] }),
        json!({ "context_management": { "edits": [{ "type": "clear_tool_uses_20250919" }] } }),
        json!({ "messages": [{ "role": "assistant", "content": [
            { "type": "tool_use", "input": { "url": "https://example.com", "file_id": "x" } },
            { "type": "web_search_tool_result", "content": [] },
        ] }] }),
    ] {
        assert!(!with(members.clone()).unseen_input, "{members}");
    }
}

#[test]
fn a_request_that_leaves_the_choice_of_the_model_is_refused() {
    for field in ["fallbacks", "models", "preset", "plugins"] {
        let mut body = json!({ "model": "m" });
        body[field] = json!([{ "model": "claude-opus-5-5" }]);
        let error = facts(body.to_string().as_bytes()).unwrap_err();
        assert_eq!(error.kind(), Kind::BadRequest);
        let named = error.message().contains(&format!("`{field}` leaves"));
        assert!(named, "{}", error.message());
    }
}

#[test]
fn the_bill_and_the_scope_of_the_operator_are_not_the_callers_to_choose() {
    for member in ["user_profile_id", "workspace_id", "billing_policy"] {
        let body = json!({ "model": "m", "messages": [], member: { "id": "x" } });
        let error = facts(body.to_string().as_bytes()).unwrap_err();
        assert_eq!(error.kind(), Kind::BadRequest);
        assert!(
            error.message().contains(&format!("`{member}`")),
            "{error:?}"
        );
        assert_eq!(with(json!({ member: null })).output_cap, Some(8));
    }
}

#[test]
fn models_that_tools_name_are_listed() {
    let advisor = json!({ "type": "advisor_20260301", "model": "claude-opus-5-5" });
    let own = json!({ "name": "f", "input_schema": { "model": "not-one" } });
    let facts = with(json!({ "tools": [advisor, own] }));
    assert_eq!(facts.other_models, ["claude-opus-5-5"]);
    let called = json!({ "type": "tool_use", "input": { "model": "not-one" } });
    let facts = with(json!({ "messages": [{ "role": "assistant", "content": [called] }] }));
    assert!(facts.other_models.is_empty());
}

#[test]
fn cache_control_says_how_long_the_write_is_for_wherever_it_stands() {
    let short = json!({ "type": "ephemeral" });
    let long = json!({ "type": "ephemeral", "ttl": "1h" });
    assert_eq!(with(json!({})).cache_write, CacheWrite::No);
    assert_eq!(
        with(json!({ "cache_control": short })).cache_write,
        CacheWrite::Short
    );
    let tools = json!([{ "name": "f", "cache_control": long }]);
    let system = json!([{ "type": "text", "text": "x", "cache_control": short }]);
    let facts = with(json!({ "tools": tools, "system": system }));
    assert_eq!(facts.cache_write, CacheWrite::Long);
}

#[test]
fn what_selects_rates_is_in_the_context() {
    let facts = with(json!({ "service_tier": "auto", "speed": "fast", "inference_geo": null }));
    let mut context = facts.context;
    context.sort_unstable();
    assert_eq!(
        context,
        [
            ("service_tier", "auto".to_owned()),
            ("speed", "fast".to_owned())
        ]
    );
}

fn streamed(events: &[Value]) -> (Progress, UsageReport) {
    let mut reader = reader();
    for event in events {
        reader.event(b"", event.to_string().as_bytes());
    }
    (reader.progress(), reader.report())
}

fn start(usage: &Value) -> Value {
    json!({ "type": "message_start", "message": { "model": "m", "usage": usage } })
}

fn delta(usage: &Value) -> Value {
    json!({ "type": "message_delta", "delta": { "stop_reason": "end_turn" }, "usage": usage })
}

#[test]
fn a_zero_or_null_at_the_end_keeps_the_count_of_the_start() {
    let (_, report) = streamed(&[
        start(&json!({ "input_tokens": 20, "cache_read_input_tokens": 7, "output_tokens": 4 })),
        delta(&json!({ "input_tokens": 0, "cache_read_input_tokens": null, "output_tokens": 0 })),
        json!({ "type": "message_stop" }),
    ]);
    let usage = report.usage.unwrap();
    assert_eq!(
        (usage.get(Unit::InputTokens), usage.get(Unit::OutputTokens)),
        (27, 4)
    );
    assert!(report.complete);
}

#[test]
fn of_several_deltas_the_last_counts_and_none_are_added() {
    let (_, report) = streamed(&[
        start(&json!({ "input_tokens": 20, "output_tokens": 1 })),
        delta(&json!({ "output_tokens": 30 })),
        delta(&json!({ "input_tokens": 90, "output_tokens": 50 })),
        json!({ "type": "message_stop" }),
    ]);
    let usage = report.usage.unwrap();
    assert_eq!(
        (usage.get(Unit::InputTokens), usage.get(Unit::OutputTokens)),
        (90, 50)
    );
}

#[test]
fn only_the_end_marker_after_counted_output_makes_a_stream_complete() {
    let begun = start(&json!({ "input_tokens": 20, "output_tokens": 1 }));
    let counted = delta(&json!({ "output_tokens": 30 }));
    let stop = json!({ "type": "message_stop" });
    let error = json!({ "type": "error", "error": { "type": "overloaded_error" } });
    assert!(!streamed(&[begun.clone(), counted.clone()]).1.complete);
    assert!(!streamed(&[begun.clone(), stop.clone()]).1.complete);
    let (progress, report) = streamed(&[begun, counted, error, stop]);
    assert!(progress.failed && !report.complete);
}

#[test]
fn a_block_that_begins_empty_is_no_content_yet_and_a_tool_call_is() {
    let begins = |block: Value| {
        let event = json!({ "type": "content_block_start", "index": 0, "content_block": block });
        streamed(&[start(&json!({ "input_tokens": 20 })), event])
            .0
            .started
    };
    assert!(!begins(json!({ "type": "text", "text": "" })));
    assert!(!begins(
        json!({ "type": "thinking", "thinking": "", "signature": "" })
    ));
    assert!(begins(json!({ "type": "text", "text": "a" })));
    assert!(begins(
        json!({ "type": "tool_use", "id": "t", "name": "f", "input": {} })
    ));
    assert!(begins(json!({ "type": "redacted_thinking", "data": "x" })));
    assert!(begins(json!(null)), "what it is nobody can say");
}

#[test]
fn text_and_tool_arguments_are_content_and_thinking_is_not() {
    let block = |delta: Value| json!({ "type": "content_block_delta", "index": 0, "delta": delta });
    let events = [
        start(&json!({ "input_tokens": 20 })),
        json!({ "type": "ping" }),
        block(json!({ "type": "thinking_delta", "thinking": "12345" })),
        block(json!({ "type": "signature_delta", "signature": "12345" })),
        block(json!({ "type": "text_delta", "text": "a\u{e9}" })),
        block(json!({ "type": "input_json_delta", "partial_json": "{\"a\"" })),
    ];
    assert!(!streamed(&events[..2]).0.started);
    let (progress, _) = streamed(&events);
    assert!(progress.started);
    assert_eq!(
        (progress.content_bytes, progress.input_tokens),
        (7, Some(20))
    );
}

#[test]
fn compaction_and_advisors_come_on_top_and_messages_do_not() {
    let body = json!({ "model": "m", "usage": {
        "input_tokens": 10, "output_tokens": 20, "iterations": [
            { "type": "compaction", "input_tokens": 1_000, "output_tokens": 50 },
            { "type": "advisor_message", "model": "dear", "input_tokens": 700, "output_tokens": 9,
              "cache_read_input_tokens": 300 },
            { "type": "message", "input_tokens": 10, "output_tokens": 20 },
            { "type": "of_tomorrow", "input_tokens": 1, "output_tokens": 1 },
            { "type": "of_tomorrow", "model": "other", "input_tokens": 2, "output_tokens": 2 },
        ],
    } });
    let report = usage(body.to_string().as_bytes());
    assert_eq!(report.usage.unwrap().get(Unit::InputTokens), 10);
    let extra: Vec<_> = report
        .extra
        .iter()
        .map(|extra| (extra.model.as_deref(), extra.usage.get(Unit::InputTokens)))
        .collect();
    assert_eq!(
        extra,
        [(None, 1_000), (Some("dear"), 1_000), (Some("other"), 2)]
    );
}

#[test]
fn a_batch_answer_is_priced_as_one() {
    let body = br#"{"model":"m","usage":{"input_tokens":1,"service_tier":"batch"}}"#;
    assert!(
        usage(body)
            .context
            .contains(&("processing", "batch".to_owned()))
    );
}

#[test]
fn a_cache_split_larger_than_its_total_lifts_the_total() {
    let body = br#"{"model":"m","usage":{"input_tokens":1,"cache_creation":
        {"ephemeral_5m_input_tokens":30,"ephemeral_1h_input_tokens":12}}}"#;
    let usage = usage(body).usage.unwrap();
    assert_eq!(usage.get(Unit::CacheWriteTokens), 42);
    assert_eq!(usage.get(Unit::InputTokens), 43);
}

#[test]
fn what_is_no_message_reports_nothing() {
    for body in [
        "",
        "null",
        "[]",
        "{}",
        r#"{"usage":null}"#,
        r#"{"usage":{}}"#,
        "<html>",
    ] {
        let report = usage(body.as_bytes());
        assert!(report.usage.is_none() && !report.complete, "{body}");
    }
}

#[test]
fn the_cost_is_written_into_the_usage_of_a_body_and_of_a_delta() {
    let body = br#"{"model":"m","usage":{"input_tokens":1}}"#;
    let edit = cost_edit(body, "0.0123").unwrap();
    let segments = crate::edit::apply(&bytes::Bytes::from_static(body), vec![edit]);
    let value: Value = serde_json::from_slice(&segments.concat()).unwrap();
    assert_eq!(value["usage"]["logfire_ai_gateway"]["cost"], "0.0123");
    assert_eq!(value["usage"]["input_tokens"], 1);
    let data = delta(&json!({ "output_tokens": 1 })).to_string();
    assert!(reader().cost_edit(data.as_bytes(), "0").is_some());
    assert!(cost_edit(br#"{"usage":null}"#, "0").is_none());
}
