//! `POST /chat/completions`, and Mistral's `/fim/completions`. Usage in a stream comes only when
//! `stream_options.include_usage` asks for it, in one last chunk without choices; then every other
//! chunk says `"usage": null`. Some houses have it elsewhere, asked or not: see [`House`].

use super::{
    Dialect,
    ask::{Ask, Reply},
    failure::{error_body, failure},
    house::House,
    stream::{Framing, Stream},
};
use crate::answer::Answer;
use serde_json::{Value, json};

/// Mistral's clients insist on nine letters and digits.
const CALL_ID: &str = "call00001";
const GROQ_ID: &str = "req_scripted";

pub(super) fn answer(ask: &Ask) -> Answer {
    if ask.house == House::Mistral && ask.body.get("stream_options").is_some() {
        return failure(
            Dialect::Mistral,
            422,
            "stream_options: extra inputs are not permitted",
        );
    }
    let answer = if ask.stream {
        stream(ask).answer(ask)
    } else {
        whole(ask)
    };
    match ask.house {
        House::HuggingFace => answer.header("x-inference-provider", "groq"),
        House::Maker | House::Azure | House::Vertex | House::Groq | House::Mistral => answer,
    }
}

fn whole(ask: &Ask) -> Answer {
    ask.bill(Answer::json(200, &body(ask)), ask.output_tokens())
}

/// A whole answer's body.
pub(super) fn body(ask: &Ask) -> Value {
    let mut message = json!({ "role": "assistant", "content": null, "refusal": null });
    match &ask.reply {
        Reply::Text(_) => set(&mut message, "content", json!(ask.reply.text())),
        Reply::Tool { name, arguments } => {
            let function = json!({ "name": name, "arguments": arguments.to_string() });
            let call = json!({ "id": CALL_ID, "type": "function", "function": function });
            set(&mut message, "tool_calls", json!([call]));
        }
    }
    let choice = json!({
        "index": 0, "message": message, "logprobs": null, "finish_reason": finish_reason(ask),
    });
    let mut body = document(ask, "chat.completion", &json!([choice]));
    set(&mut body, "usage", usage(ask));
    if ask.house == House::Groq {
        set(&mut body, "x_groq", json!({ "id": GROQ_ID }));
    }
    body
}

fn stream(ask: &Ask) -> Stream {
    let include_usage = ask.body.pointer("/stream_options/include_usage") == Some(&json!(true));
    let chunk = |choices: Value| {
        let mut chunk = document(ask, "chat.completion.chunk", &choices);
        if include_usage {
            set(&mut chunk, "usage", Value::Null);
        }
        chunk
    };
    let delta = |delta: Value, finish: Value| {
        let choice = json!({
            "index": 0, "delta": delta, "logprobs": null, "finish_reason": finish,
        });
        chunk(json!([choice]))
    };
    let pieces = deltas(ask.house, &ask.reply)
        .into_iter()
        .map(|piece| delta(piece, Value::Null));
    let role = json!({ "role": "assistant", "content": "" });
    let mut opening = vec![delta(role, Value::Null)];
    let mut last = delta(json!({}), json!(finish_reason(ask)));
    match ask.house {
        House::Azure => opening.insert(0, prompt_filter()),
        House::Groq => set(
            &mut last,
            "x_groq",
            json!({ "id": GROQ_ID, "usage": usage(ask) }),
        ),
        House::Mistral => set(&mut last, "usage", usage(ask)),
        House::Maker | House::Vertex | House::HuggingFace => {}
    }
    let mut closing = vec![last];
    if include_usage {
        let mut told = chunk(json!([]));
        set(&mut told, "usage", usage(ask));
        closing.push(told);
    }
    Stream {
        framing: Framing::DataThenDone,
        opening,
        pieces: pieces.collect(),
        closing,
        error: error_body(Dialect::OpenAi, 500, "the prompt asked for this failure"),
    }
}

fn deltas(house: House, reply: &Reply) -> Vec<Value> {
    let (name, arguments) = match reply {
        Reply::Text(words) => {
            return words
                .iter()
                .map(|word| json!({ "content": word }))
                .collect();
        }
        Reply::Tool { name, arguments } => (name, arguments.to_string()),
    };
    let call = |arguments: &str| {
        json!({
            "index": 0, "id": CALL_ID, "type": "function",
            "function": { "name": name, "arguments": arguments },
        })
    };
    let more = |text: &str| json!({ "index": 0, "function": { "arguments": text } });
    let (start, rest) = arguments.split_at(1);
    let calls = match house {
        // It sends calls whole.
        House::Mistral => vec![call(&arguments)],
        House::Maker | House::Azure | House::Vertex | House::Groq | House::HuggingFace => {
            vec![call(""), more(start), more(rest)]
        }
    };
    let delta = |call: Value| json!({ "tool_calls": [call] });
    calls.into_iter().map(delta).collect()
}

/// What Azure's content filter says of the prompt, before anything else: no choices, no usage.
fn prompt_filter() -> Value {
    json!({
        "id": "", "object": "", "created": 0, "model": "", "choices": [],
        "prompt_filter_results": [{ "prompt_index": 0, "content_filter_results": {} }],
    })
}

fn document(ask: &Ask, object: &str, choices: &Value) -> Value {
    // Hugging Face's suffix says how to choose a server, and is not part of the name.
    let model = match ask.house {
        House::HuggingFace => ask.model.split(':').next(),
        House::Maker | House::Azure | House::Vertex | House::Groq | House::Mistral => None,
    };
    json!({
        "id": "chatcmpl-scripted",
        "object": object,
        "created": 1_795_000_000,
        "model": model.unwrap_or(&ask.model),
        "choices": choices,
        "service_tier": "default",
        "system_fingerprint": null,
    })
}

fn set(object: &mut Value, key: &str, value: Value) {
    if let Some(fields) = object.as_object_mut() {
        fields.insert(key.to_owned(), value);
    }
}

fn finish_reason(ask: &Ask) -> &'static str {
    match ask.reply {
        Reply::Tool { .. } => "tool_calls",
        Reply::Text(_) if ask.truncated => "length",
        Reply::Text(_) => "stop",
    }
}

/// Also of the older text form.
pub(super) fn usage(ask: &Ask) -> Value {
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
