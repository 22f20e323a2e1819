//! Tool calls, in every dialect: asked for, forced, answered.

use super::{Speaks, ask};
use serde_json::{Value, json};

const SCHEMA: &str = r#"{"type":"object","properties":{"city":{"type":"string"},
    "days":{"type":"integer","minimum":2}},"required":["city","days"]}"#;
const ARGUMENTS: &str = r#"{"city":"simulated","days":2}"#;

/// The request with two tools on offer.
fn offer(speaks: Speaks, prompt: &str, stream: bool) -> Value {
    let mut body = speaks.body(prompt, stream, 300_000);
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let tool = |name: &str| match speaks {
        Speaks::Chat => {
            json!({"type": "function", "function": {"name": name, "parameters": schema}})
        }
        Speaks::Responses => json!({"type": "function", "name": name, "parameters": schema}),
        Speaks::Messages => json!({"name": name, "input_schema": schema}),
        Speaks::Gemini | Speaks::GeminiArray => json!({"name": name, "parameters": schema}),
    };
    let tools = json!([tool("get_time"), tool("get_weather")]);
    body["tools"] = match speaks {
        Speaks::Gemini | Speaks::GeminiArray => json!([{"functionDeclarations": tools}]),
        Speaks::Chat | Speaks::Responses | Speaks::Messages => tools,
    };
    body
}

/// Name and arguments of the call in a whole answer, and why the model stopped.
fn call_in(speaks: Speaks, answer: &Value) -> Option<(String, String, String)> {
    let (at, name, arguments) = match speaks {
        Speaks::Chat => (
            "/choices/0/message/tool_calls/0",
            "/function/name",
            "/function/arguments",
        ),
        Speaks::Responses => ("/output/0", "/name", "/arguments"),
        Speaks::Messages => ("/content/0", "/name", "/input"),
        Speaks::Gemini | Speaks::GeminiArray => (
            "/candidates/0/content/parts/0/functionCall",
            "/name",
            "/args",
        ),
    };
    let call = answer.pointer(at)?;
    let arguments = call.pointer(arguments)?;
    Some((
        call.pointer(name)?.as_str()?.to_owned(),
        arguments
            .as_str()
            .map_or_else(|| arguments.to_string(), str::to_owned),
        speaks.stop_in(answer)?.to_owned(),
    ))
}

/// The same, put together from a stream.
fn call_in_stream(speaks: Speaks, events: &[Value]) -> Option<(String, String, String)> {
    let first = |pointer: &str| {
        events
            .iter()
            .find_map(|event| event.pointer(pointer)?.as_str())
            .map(str::to_owned)
    };
    let all = |pointer: &str| -> String {
        events
            .iter()
            .filter_map(|event| event.pointer(pointer)?.as_str())
            .collect()
    };
    let stop = events
        .iter()
        .rev()
        .find_map(|event| speaks.stop_in(event))?
        .to_owned();
    match speaks {
        Speaks::Chat => {
            let call = "/choices/0/delta/tool_calls/0/function";
            Some((
                first(&format!("{call}/name"))?,
                all(&format!("{call}/arguments")),
                stop,
            ))
        }
        Speaks::Responses => Some((first("/item/name")?, all("/delta"), stop)),
        Speaks::Messages => Some((
            first("/content_block/name")?,
            all("/delta/partial_json"),
            stop,
        )),
        Speaks::Gemini | Speaks::GeminiArray => call_in(speaks, events.last()?),
    }
}

fn reason(speaks: Speaks) -> &'static str {
    match speaks {
        Speaks::Chat => "tool_calls",
        Speaks::Responses => "completed",
        Speaks::Messages => "tool_use",
        Speaks::Gemini | Speaks::GeminiArray => "STOP",
    }
}

#[test]
fn a_tool_named_in_the_prompt_is_called_with_what_its_schema_requires() {
    for speaks in Speaks::ALL {
        let expected = Some((
            "get_weather".to_owned(),
            ARGUMENTS.to_owned(),
            reason(speaks).to_owned(),
        ));
        for prompt in ["please call tool get_weather.", "call tool get_weather"] {
            let whole = ask(speaks.target(false), &offer(speaks, prompt, false)).json();
            assert_eq!(call_in(speaks, &whole), expected, "{speaks:?}");
            let events = ask(speaks.target(true), &offer(speaks, prompt, true)).events();
            assert_eq!(call_in_stream(speaks, &events), expected, "{speaks:?}");
            let usage = events.iter().rev().find_map(|event| speaks.usage_in(event));
            assert_eq!(usage.unwrap()[1], speaks.usage_in(&whole).unwrap()[1]);
        }
    }
}

#[test]
fn the_prompt_can_give_the_arguments() {
    let prompt = r#"call tool get_weather with {"city":"Paris"} now"#;
    for speaks in Speaks::ALL {
        let whole = ask(speaks.target(false), &offer(speaks, prompt, false)).json();
        assert_eq!(call_in(speaks, &whole).unwrap().1, r#"{"city":"Paris"}"#);
    }
}

#[test]
fn a_forced_tool_is_called_and_a_forbidden_one_is_not() {
    for speaks in Speaks::ALL {
        let with_choice = |prompt: &str, [forced, any, never]: [Value; 3], which: usize| {
            let mut body = offer(speaks, prompt, false);
            let key = match speaks {
                Speaks::Gemini | Speaks::GeminiArray => "toolConfig",
                Speaks::Chat | Speaks::Responses | Speaks::Messages => "tool_choice",
            };
            body[key] = [forced, any, never][which].clone();
            let answer = ask(speaks.target(false), &body).json();
            call_in(speaks, &answer).map(|(name, ..)| name)
        };
        let google = |config: Value| json!({"functionCallingConfig": config});
        let choices = match speaks {
            Speaks::Chat => [
                json!({"type": "function", "function": {"name": "get_weather"}}),
                json!("required"),
                json!("none"),
            ],
            Speaks::Responses => [
                json!({"type": "function", "name": "get_weather"}),
                json!("required"),
                json!("none"),
            ],
            Speaks::Messages => [
                json!({"type": "tool", "name": "get_weather"}),
                json!({"type": "any"}),
                json!({"type": "none"}),
            ],
            Speaks::Gemini | Speaks::GeminiArray => [
                google(json!({"mode": "ANY", "allowedFunctionNames": ["get_weather"]})),
                google(json!({"mode": "ANY"})),
                google(json!({"mode": "NONE"})),
            ],
        };
        let ask = |prompt: &str, which| with_choice(prompt, choices.clone(), which);
        assert_eq!(
            ask("hello", 0).as_deref(),
            Some("get_weather"),
            "{speaks:?}"
        );
        assert_eq!(ask("hello", 1).as_deref(), Some("get_time"), "{speaks:?}");
        assert_eq!(
            ask("call tool get_weather", 1).as_deref(),
            Some("get_weather")
        );
        assert_eq!(ask("call tool get_weather", 2), None, "{speaks:?}");
    }
}

#[test]
fn a_tool_that_is_not_on_offer_is_not_called() {
    for speaks in Speaks::ALL {
        for prompt in [
            "call tool rm",
            "call tool get_weather2",
            "call tool ",
            "hello",
        ] {
            let answer = ask(speaks.target(false), &offer(speaks, prompt, false)).json();
            assert_eq!(call_in(speaks, &answer), None, "{speaks:?} {prompt}");
            assert!(!speaks.text_in(&answer).is_empty());
        }
    }
}

#[test]
fn after_the_tools_result_the_answer_is_a_text() {
    for speaks in Speaks::ALL {
        let mut body = offer(speaks, "call tool get_weather", false);
        let more = match speaks {
            Speaks::Chat => json!([
                {"role": "assistant", "content": null, "tool_calls": [{"id": "c", "type":
                    "function", "function": {"name": "get_weather", "arguments": "{}"}}]},
                {"role": "tool", "tool_call_id": "c", "content": "sunny"},
            ]),
            Speaks::Responses => json!([
                {"type": "function_call", "call_id": "c", "name": "get_weather", "arguments": "{}"},
                {"type": "function_call_output", "call_id": "c", "output": "sunny"},
            ]),
            Speaks::Messages => json!([
                {"role": "assistant", "content": [
                    {"type": "tool_use", "id": "t", "name": "get_weather", "input": {}}]},
                {"role": "user", "content": [
                    {"type": "tool_result", "tool_use_id": "t", "content": "sunny"},
                    {"type": "text", "text": "<reminder>call tool get_time</reminder>"}]},
                {"role": "system", "content": "aside"},
            ]),
            Speaks::Gemini | Speaks::GeminiArray => json!([
                {"role": "model", "parts": [{"functionCall": {"name": "get_weather"}}]},
                {"role": "user", "parts": [{"functionResponse":
                    {"name": "get_weather", "response": {"sky": "sunny"}}}]},
            ]),
        };
        let first = json!({"role": "user", "content": "call tool get_weather"});
        let key = match speaks {
            Speaks::Chat | Speaks::Messages => "messages",
            Speaks::Responses => "input",
            Speaks::Gemini | Speaks::GeminiArray => "contents",
        };
        let mut turns = body[key].as_array().cloned().unwrap_or_else(|| vec![first]);
        turns.extend(more.as_array().unwrap().clone());
        body[key] = Value::Array(turns.clone());
        let answer = ask(speaks.target(false), &body).json();
        assert_eq!(call_in(speaks, &answer), None, "{speaks:?}");
        assert!(
            speaks.text_in(&answer).contains("the tool has answered"),
            "{speaks:?}"
        );

        // The user's next word counts again.
        turns.push(match speaks {
            Speaks::Gemini | Speaks::GeminiArray => {
                json!({"role": "user", "parts": [{"text": "call tool get_time"}]})
            }
            _ => json!({"role": "user", "content": "call tool get_time"}),
        });
        body[key] = Value::Array(turns);
        let answer = ask(speaks.target(false), &body).json();
        assert_eq!(
            call_in(speaks, &answer).unwrap().0,
            "get_time",
            "{speaks:?}"
        );
    }
}

#[test]
fn a_call_that_the_callers_limit_has_no_room_for_becomes_a_text() {
    for speaks in Speaks::ALL {
        let mut body = offer(speaks, "call tool get_weather", false);
        let small = speaks.body("", false, 2);
        for key in [
            "max_completion_tokens",
            "max_output_tokens",
            "max_tokens",
            "generationConfig",
        ] {
            if let Some(limit) = small.get(key) {
                body[key] = limit.clone();
            }
        }
        let answer = ask(speaks.target(false), &body).json();
        assert_eq!(call_in(speaks, &answer), None, "{speaks:?}");
        assert_eq!(speaks.usage_in(&answer).unwrap()[1], 2);
    }
}

#[test]
fn codex_offers_its_tools_among_the_input() {
    let body = json!({"model": "m-1", "input": [
        {"type": "additional_tools", "tools": [
            {"type": "function", "name": "shell", "parameters":
                {"type": "object", "properties": {}}},
            {"type": "web_search"},
        ]},
        {"type": "message", "role": "user", "content":
            [{"type": "input_text", "text": "call tool shell with {\"cmd\":\"ls\"}"}]},
    ]});
    let answer = ask("/v1/responses", &body).json();
    assert_eq!(
        call_in(Speaks::Responses, &answer).unwrap().1,
        r#"{"cmd":"ls"}"#
    );
}
