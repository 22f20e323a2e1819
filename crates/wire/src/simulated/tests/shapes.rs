//! The shapes of answers, compared key by key with recorded answers of the real providers. What
//! differs is listed, so that a key lost or invented is seen.

use super::{Speaks, ask, ask_with};
use serde_json::{Value, json};

/// Paths that only one of two values has: `-` in the fixture alone, `+` in ours alone. Of arrays
/// the first elements are compared.
fn differences(ours: &Value, theirs: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare(ours, theirs, "", &mut found);
    found.sort();
    found
}

fn compare(ours: &Value, theirs: &Value, at: &str, found: &mut Vec<String>) {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => {
            for key in theirs.keys().filter(|key| !ours.contains_key(*key)) {
                found.push(format!("-{at}.{key}"));
            }
            for (key, value) in ours {
                match theirs.get(key) {
                    Some(other) => compare(value, other, &format!("{at}.{key}"), found),
                    None => found.push(format!("+{at}.{key}")),
                }
            }
        }
        (Value::Array(ours), Value::Array(theirs)) => {
            if let (Some(ours), Some(theirs)) = (ours.first(), theirs.first()) {
                compare(ours, theirs, &format!("{at}[]"), found);
            }
        }
        _ => {}
    }
}

fn json(fixture: &str) -> Value {
    serde_json::from_str(fixture).unwrap()
}

fn events(fixture: &str) -> Vec<Value> {
    let lines = fixture
        .lines()
        .filter_map(|line| line.strip_prefix("data: "));
    lines.filter(|data| *data != "[DONE]").map(json).collect()
}

/// The differences of each kind of event in a fixture to our first event of that kind.
fn differences_of_events(ours: &[Value], theirs: &[Value]) -> Vec<String> {
    let mut seen = Vec::new();
    let mut found = Vec::new();
    for event in theirs {
        let kind = event["type"].as_str().unwrap();
        if !seen.contains(&kind) {
            seen.push(kind);
            let own = ours.iter().find(|own| own["type"] == kind);
            compare(own.expect(kind), event, kind, &mut found);
        }
    }
    found
}

#[test]
fn a_chat_completion_has_the_keys_of_openai() {
    let ours = Speaks::Chat.ask("hello", false).json();
    let theirs = json(include_str!("../../../fixtures/openai/chat_nonstream.json"));
    assert_eq!(
        differences(&ours, &theirs),
        [
            "-.usage.completion_tokens_details.text_tokens",
            "-.usage.prompt_tokens_details.cache_write_tokens",
            "-.usage.prompt_tokens_details.image_tokens",
            "-.usage.prompt_tokens_details.text_tokens",
        ]
    );
}

#[test]
fn chat_chunks_have_the_keys_of_openai() {
    let ours = Speaks::Chat.ask("hello", true).events();
    let theirs = events(include_str!(
        "../../../fixtures/openai/chat_stream_include_usage.sse"
    ));
    let ends = |events: &[Value]| {
        let last = events.len() - 1;
        [0, 1, last - 1, last].map(|at| events[at].clone())
    };
    for (ours, theirs) in ends(&ours).iter().zip(&ends(&theirs)) {
        let mut found = differences(ours, theirs);
        found.retain(|path| path != "-.obfuscation" && !path.ends_with("_tokens"));
        assert_eq!(found, [""; 0], "{ours}");
    }
}

#[test]
fn chat_chunks_speak_of_usage_only_when_asked() {
    let mut body = Speaks::Chat.body("hello", true, 99);
    let events = Speaks::Chat.ask("hello", true).events();
    let (last, others) = events.split_last().unwrap();
    assert_eq!(last["choices"], json!([]));
    assert!(last["usage"].is_object());
    assert!(
        others
            .iter()
            .all(|event| event.get("usage") == Some(&Value::Null))
    );
    for options in [Value::Null, json!({}), json!({"include_usage": false})] {
        body["stream_options"] = options;
        let events = ask("/v1/chat/completions", &body).events();
        assert!(events.iter().all(|event| event.get("usage").is_none()));
        assert_ne!(events.last().unwrap()["choices"], json!([]));
    }
}

#[test]
fn a_response_has_the_keys_of_openai() {
    let ours = Speaks::Responses.ask("hello", false).json();
    let theirs = json(include_str!(
        "../../../fixtures/openai/responses_nonstream.json"
    ));
    assert_eq!(
        differences(&ours, &theirs),
        [
            "-.tool_usage",
            "-.usage.input_tokens_details.cache_write_tokens_details"
        ]
    );
}

#[test]
fn events_of_a_response_have_the_keys_of_openai_and_count_up() {
    let ours = Speaks::Responses.ask_up_to("hello", true, 1).events();
    let theirs = events(include_str!(
        "../../../fixtures/openai/responses_stream_incomplete.sse"
    ));
    let mut found = differences_of_events(&ours, &theirs);
    // Recorded before the API gave `completed_at`.
    found.retain(|path| !path.ends_with(".completed_at"));
    assert_eq!(found, ["-response.output_text.delta.obfuscation"]);
    for (number, event) in ours.iter().enumerate() {
        assert_eq!(event["sequence_number"], json!(number));
    }
}

#[test]
fn a_response_repeats_the_settings_it_was_asked_with() {
    let mut body = Speaks::Responses.body("hello", false, 99);
    body["instructions"] = json!("be brief");
    body["tools"] = json!([{"type": "function", "name": "f", "parameters": {"z": 1, "a": 2}}]);
    body["metadata"] = json!({"team": "blue"});
    let answer = ask("/v1/responses", &body).json();
    for key in ["instructions", "tools", "metadata", "max_output_tokens"] {
        assert_eq!(answer[key], body[key], "{key}");
    }
    assert_eq!(answer["tool_choice"], "auto");
}

#[test]
fn a_failed_response_has_the_keys_of_openai() {
    let body = Speaks::Responses.body("hello", true, 99);
    let ours = ask_with("/v1/responses", &body, "error_midway=2").events();
    let theirs = events(include_str!(
        "../../../fixtures/openai/responses_stream_failed.sse"
    ));
    let mut found = differences_of_events(&ours, &theirs);
    found.retain(|path| !path.ends_with(".completed_at"));
    assert_eq!(found, [""; 0]);
    assert_eq!(ours.last().unwrap()["sequence_number"], json!(2));
}

#[test]
fn a_message_has_the_keys_of_anthropic() {
    let ours = Speaks::Messages.ask("hello", false).json();
    let theirs = json(include_str!(
        "../../../fixtures/anthropic/messages_nonstream.json"
    ));
    assert_eq!(
        differences(&ours, &theirs),
        ["-.usage.server_tool_use", "-.usage.speed"]
    );
}

#[test]
fn events_of_a_message_have_the_keys_of_anthropic() {
    let ours = Speaks::Messages.ask("hello", true).events();
    let theirs = events(include_str!(
        "../../../fixtures/anthropic/messages_stream.sse"
    ));
    assert_eq!(
        differences_of_events(&ours, &theirs),
        [
            "+message_start.message.container",
            "+message_start.message.stop_details",
            "+message_start.message.usage.output_tokens_details",
        ]
    );
    let body = String::from_utf8(Speaks::Messages.ask("hello", true).body()).unwrap();
    let kinds: Vec<&str> = body
        .lines()
        .filter_map(|line| line.strip_prefix("event: "))
        .collect();
    let kinds_in_data: Vec<&str> = ours
        .iter()
        .map(|event| event["type"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, kinds_in_data);
    assert!(kinds.contains(&"ping"));
}

#[test]
fn gemini_answers_have_the_keys_of_google() {
    let theirs = events(include_str!("../../../fixtures/google/stream_aistudio.sse"));
    let whole = Speaks::Gemini.ask("hello", false).json();
    let streamed = Speaks::Gemini.ask("hello", true).events();
    // What only thinking, caches and tools report is left out, as Google leaves out zeros.
    let absent = [
        "-.usageMetadata.cacheTokensDetails",
        "-.usageMetadata.cachedContentTokenCount",
        "-.usageMetadata.serviceTier",
        "-.usageMetadata.thoughtsTokenCount",
        "-.usageMetadata.toolUsePromptTokenCount",
        "-.usageMetadata.toolUsePromptTokensDetails",
    ];
    assert_eq!(differences(&whole, &theirs[2]), absent);
    assert_eq!(differences(streamed.last().unwrap(), &theirs[2]), absent);
    let first = differences(&streamed[0], &theirs[0]);
    assert_eq!(first, ["-.usageMetadata.thoughtsTokenCount"]);
    let counted = ask(
        "/v1beta/models/m-1:countTokens",
        &json!({"contents": [{"role": "user", "parts": [{"text": "hello"}]}]}),
    );
    let theirs = json(include_str!("../../../fixtures/google/count_tokens.json"));
    assert_eq!(
        differences(&counted.json(), &theirs),
        ["-.cachedContentTokenCount"]
    );
}

#[test]
fn errors_have_the_keys_of_each_provider() {
    for (speaks, fixture) in [
        (
            Speaks::Chat,
            include_str!("../../../fixtures/errors/openai_502.json"),
        ),
        (
            Speaks::Responses,
            include_str!("../../../fixtures/errors/openai_502.json"),
        ),
        (
            Speaks::Messages,
            include_str!("../../../fixtures/errors/anthropic_529.json"),
        ),
        (
            Speaks::Gemini,
            include_str!("../../../fixtures/errors/google_401.json"),
        ),
    ] {
        let read = speaks.ask("[[simulate: fail=502]]", true);
        assert_eq!(read.status, 502);
        let mut found = differences(&read.json(), &json(fixture));
        found.retain(|path| path != "-.error.details");
        assert_eq!(found, [""; 0], "{speaks:?}");
    }
}
