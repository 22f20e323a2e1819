//! `POST /api/chat`, `/api/generate` and `/api/embed`: a stream unless refused, one document per
//! line, and the counts on the last. Counts of zero are left out, as Ollama does.

use super::{
    Dialect,
    ask::{Ask, Reply},
    failure::error_body,
    openai_embeddings::VECTOR,
    stream::{Framing, Stream},
};
use crate::answer::Answer;
use serde_json::{Value, json};

pub(super) fn answer(ask: &Ask) -> Answer {
    if !ask.stream {
        let calls = match &ask.reply {
            Reply::Text(_) => Value::Null,
            Reply::Tool { .. } => tool_calls(&ask.reply),
        };
        let body = last(ask, &ask.reply.text(), &calls);
        return ask.bill(Answer::json(200, &body), ask.output_tokens());
    }
    let pieces = match &ask.reply {
        Reply::Text(words) => words
            .iter()
            .map(|word| line(ask, word, &Value::Null))
            .collect(),
        Reply::Tool { .. } => vec![line(ask, "", &tool_calls(&ask.reply))],
    };
    let stream = Stream {
        framing: Framing::Lines,
        opening: Vec::new(),
        pieces,
        closing: vec![last(ask, "", &Value::Null)],
        error: error_body(Dialect::Ollama, 500, "the prompt asked for this failure"),
    };
    stream.answer(ask)
}

/// `/api/embed`.
pub(super) fn embed(ask: &Ask) -> Answer {
    let count = match ask.body.get("input") {
        Some(Value::Array(inputs)) => inputs.len(),
        _ => 1,
    };
    let body = json!({
        "model": ask.model,
        "embeddings": vec![VECTOR; count],
        "total_duration": 1,
        "load_duration": 1,
        "prompt_eval_count": ask.input_tokens,
    });
    ask.bill(Answer::json(200, &body), 0)
}

fn line(ask: &Ask, text: &str, tool_calls: &Value) -> Value {
    let mut line = json!({
        "model": ask.model, "created_at": "2026-10-17T23:14:07Z", "done": false,
    });
    let Some(fields) = line.as_object_mut() else {
        return line;
    };
    if ask.body.get("messages").is_none() {
        fields.insert("response".to_owned(), json!(text));
        return line;
    }
    let mut message = json!({ "role": "assistant", "content": text });
    if let (false, Some(message)) = (tool_calls.is_null(), message.as_object_mut()) {
        message.insert("tool_calls".to_owned(), tool_calls.clone());
    }
    fields.insert("message".to_owned(), message);
    line
}

fn last(ask: &Ask, text: &str, tool_calls: &Value) -> Value {
    let mut line = line(ask, text, tool_calls);
    let told = [
        ("done", json!(true)),
        (
            "done_reason",
            json!(if ask.truncated { "length" } else { "stop" }),
        ),
        ("total_duration", json!(174_560_334)),
        ("load_duration", json!(101_397_084)),
        ("prompt_eval_count", json!(ask.input_tokens)),
        ("prompt_eval_duration", json!(13_074_791)),
        ("eval_count", json!(ask.output_tokens())),
        ("eval_duration", json!(52_479_709)),
    ];
    if let Some(fields) = line.as_object_mut() {
        let told = told.into_iter().filter(|(_, value)| *value != json!(0));
        fields.extend(told.map(|(name, value)| (name.to_owned(), value)));
    }
    line
}

fn tool_calls(reply: &Reply) -> Value {
    match reply {
        Reply::Tool { name, arguments } => {
            json!([{ "function": { "name": name, "arguments": arguments } }])
        }
        Reply::Text(_) => json!([]),
    }
}
