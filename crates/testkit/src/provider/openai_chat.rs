//! `POST /chat/completions`. Usage in a stream comes only when `stream_options.include_usage` asks
//! for it, in one last chunk without choices; then every other chunk says `"usage": null`.

use super::{
    Dialect,
    ask::{Ask, Reply},
    error_body,
    stream::{Framing, Stream},
};
use crate::answer::Answer;
use serde_json::{Value, json};

pub(super) fn answer(ask: &Ask) -> Answer {
    if ask.stream {
        return stream(ask).answer(ask);
    }
    let message = match &ask.reply {
        Reply::Text(_) => json!({
            "role": "assistant", "content": ask.reply.text(), "refusal": null, "annotations": [],
        }),
        Reply::Tool { name, arguments } => json!({
            "role": "assistant",
            "content": null,
            "refusal": null,
            "tool_calls": [{
                "id": "call_1",
                "type": "function",
                "function": { "name": name, "arguments": arguments.to_string() },
            }],
        }),
    };
    let choice = json!({
        "index": 0, "message": message, "logprobs": null, "finish_reason": finish_reason(ask),
    });
    let body = json!({
        "id": "chatcmpl-scripted",
        "object": "chat.completion",
        "created": 1_795_000_000,
        "model": ask.model,
        "choices": [choice],
        "usage": usage(ask),
        "service_tier": "default",
        "system_fingerprint": null,
    });
    ask.bill(Answer::json(200, &body), ask.output_tokens())
}

fn stream(ask: &Ask) -> Stream {
    let include_usage = ask.body.pointer("/stream_options/include_usage") == Some(&json!(true));
    let chunk = |choices: Value, usage: Option<Value>| {
        let mut chunk = json!({
            "id": "chatcmpl-scripted",
            "object": "chat.completion.chunk",
            "created": 1_795_000_000,
            "model": ask.model,
            "service_tier": "default",
            "system_fingerprint": null,
            "choices": choices,
        });
        if let (true, Some(fields)) = (include_usage, chunk.as_object_mut()) {
            fields.insert("usage".to_owned(), usage.unwrap_or(Value::Null));
        }
        chunk
    };
    let delta = |delta: Value, finish: Value| {
        let choice = json!({
            "index": 0, "delta": delta, "logprobs": null, "finish_reason": finish,
        });
        chunk(json!([choice]), None)
    };
    let pieces = match &ask.reply {
        Reply::Text(words) => words
            .iter()
            .map(|word| delta(json!({ "content": word }), Value::Null))
            .collect(),
        Reply::Tool { name, arguments } => {
            let call = |function: Value, first: bool| {
                let mut call = json!({ "index": 0, "function": function });
                if let (true, Some(fields)) = (first, call.as_object_mut()) {
                    fields.insert("id".to_owned(), json!("call_1"));
                    fields.insert("type".to_owned(), json!("function"));
                }
                delta(json!({ "tool_calls": [call] }), Value::Null)
            };
            let written = arguments.to_string();
            let (start, rest) = written.split_at(1);
            vec![
                call(json!({ "name": name, "arguments": "" }), true),
                call(json!({ "arguments": start }), false),
                call(json!({ "arguments": rest }), false),
            ]
        }
    };
    let role = json!({ "role": "assistant", "content": "", "refusal": null });
    let mut closing = vec![delta(json!({}), json!(finish_reason(ask)))];
    if include_usage {
        closing.push(chunk(json!([]), Some(usage(ask))));
    }
    Stream {
        framing: Framing::DataThenDone,
        opening: vec![delta(role, Value::Null)],
        pieces,
        closing,
        error: error_body(Dialect::OpenAi, 500, "the prompt asked for this failure"),
    }
}

fn finish_reason(ask: &Ask) -> &'static str {
    match ask.reply {
        Reply::Tool { .. } => "tool_calls",
        Reply::Text(_) if ask.truncated => "length",
        Reply::Text(_) => "stop",
    }
}

fn usage(ask: &Ask) -> Value {
    json!({
        "prompt_tokens": ask.input_tokens,
        "completion_tokens": ask.output_tokens(),
        "total_tokens": ask.input_tokens + ask.output_tokens(),
        "prompt_tokens_details": { "cached_tokens": ask.cached_tokens, "audio_tokens": 0 },
        "completion_tokens_details": {
            "reasoning_tokens": ask.reasoning_tokens,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    })
}
