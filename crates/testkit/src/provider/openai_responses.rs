//! `POST /responses`. The terminal event repeats the whole response and alone carries usage; every
//! event is named, typed and numbered.

use super::{
    ask::{Ask, Reply},
    stream::{Framing, Stream},
};
use crate::answer::Answer;
use serde_json::{Value, json};

pub(super) fn answer(ask: &Ask) -> Answer {
    if ask.stream {
        return stream(ask).answer(ask);
    }
    let body = if ask.body.get("background") == Some(&json!(true)) {
        response(ask, "queued", &json!([]), &Value::Null)
    } else {
        whole(ask)
    };
    ask.bill(Answer::json(200, &body), ask.output_tokens())
}

/// The response when it is done.
pub(super) fn whole(ask: &Ask) -> Value {
    response(ask, final_status(ask), &json!([item(ask)]), &usage(ask))
}

/// What it is called.
pub(super) fn id(ask: &Ask) -> String {
    format!("resp_{}", ask.serial)
}

fn stream(ask: &Ask) -> Stream {
    let done = item(ask);
    let started = response(ask, "in_progress", &json!([]), &Value::Null);
    let whole = whole(ask);
    let mut opening = vec![
        json!({ "type": "response.created", "response": started }),
        json!({ "type": "response.in_progress", "response": started }),
    ];
    let (pieces, mut closing) = match &ask.reply {
        Reply::Text(words) => text_events(words, &mut opening),
        Reply::Tool { name, arguments } => tool_events(name, &arguments.to_string(), &mut opening),
    };
    closing.push(json!({
        "type": "response.output_item.done", "output_index": 0, "item": done,
    }));
    let last = format!("response.{}", final_status(ask));
    closing.push(json!({ "type": last, "response": whole }));
    let mut stream = Stream {
        framing: Framing::Named,
        opening,
        pieces,
        closing,
        error: json!({
            "type": "error",
            "code": "server_error",
            "message": "the prompt asked for this failure",
            "param": null,
        }),
    };
    let events = stream.opening.iter_mut().chain(&mut stream.pieces);
    let events = events.chain(&mut stream.closing).chain([&mut stream.error]);
    for (number, event) in events.enumerate() {
        if let Some(fields) = event.as_object_mut() {
            fields.insert("sequence_number".to_owned(), json!(number));
        }
    }
    stream
}

fn text_events(words: &[String], opening: &mut Vec<Value>) -> (Vec<Value>, Vec<Value>) {
    let empty = json!({ "type": "output_text", "text": "", "annotations": [], "logprobs": [] });
    let full = json!({
        "type": "output_text", "text": words.concat(), "annotations": [], "logprobs": [],
    });
    let item = json!({
        "id": "msg_1", "type": "message", "status": "in_progress", "role": "assistant",
        "content": [],
    });
    opening.push(json!({
        "type": "response.output_item.added", "output_index": 0, "item": item,
    }));
    opening.push(json!({
        "type": "response.content_part.added", "item_id": "msg_1", "output_index": 0,
        "content_index": 0, "part": empty,
    }));
    let delta = |word: &String| {
        json!({
            "type": "response.output_text.delta", "item_id": "msg_1", "output_index": 0,
            "content_index": 0, "delta": word, "logprobs": [],
        })
    };
    let closing = vec![
        json!({
            "type": "response.output_text.done", "item_id": "msg_1", "output_index": 0,
            "content_index": 0, "text": words.concat(), "logprobs": [],
        }),
        json!({
            "type": "response.content_part.done", "item_id": "msg_1", "output_index": 0,
            "content_index": 0, "part": full,
        }),
    ];
    (words.iter().map(delta).collect(), closing)
}

fn tool_events(name: &str, arguments: &str, opening: &mut Vec<Value>) -> (Vec<Value>, Vec<Value>) {
    let item = json!({
        "id": "fc_1", "type": "function_call", "status": "in_progress", "call_id": "call_1",
        "name": name, "arguments": "",
    });
    opening.push(json!({
        "type": "response.output_item.added", "output_index": 0, "item": item,
    }));
    let delta = |piece: &str| {
        json!({
            "type": "response.function_call_arguments.delta", "item_id": "fc_1",
            "output_index": 0, "delta": piece,
        })
    };
    let (start, rest) = arguments.split_at(1);
    let closing = vec![json!({
        "type": "response.function_call_arguments.done", "item_id": "fc_1", "output_index": 0,
        "name": name, "arguments": arguments,
    })];
    (vec![delta(start), delta(rest)], closing)
}

/// The one item of the output, complete.
fn item(ask: &Ask) -> Value {
    match &ask.reply {
        Reply::Text(_) => {
            let text = ask.reply.text();
            let part = json!({
                "type": "output_text", "text": text, "annotations": [], "logprobs": [],
            });
            json!({
                "id": "msg_1", "type": "message", "status": "completed", "role": "assistant",
                "content": [part],
            })
        }
        Reply::Tool { name, arguments } => json!({
            "id": "fc_1", "type": "function_call", "status": "completed", "call_id": "call_1",
            "name": name, "arguments": arguments.to_string(),
        }),
    }
}

fn response(ask: &Ask, status: &str, output: &Value, usage: &Value) -> Value {
    let incomplete = (status == "incomplete").then(|| json!({ "reason": "max_output_tokens" }));
    json!({
        "id": id(ask),
        "object": "response",
        "created_at": 1_795_000_000,
        "status": status,
        "background": ask.body.get("background") == Some(&json!(true)),
        "error": null,
        "incomplete_details": incomplete,
        "instructions": null,
        "max_output_tokens": ask.body.get("max_output_tokens"),
        "model": ask.model,
        "output": output,
        "parallel_tool_calls": true,
        "previous_response_id": ask.body.get("previous_response_id"),
        "reasoning": { "effort": null, "summary": null },
        "service_tier": "default",
        "store": ask.body.get("store") != Some(&json!(false)),
        "temperature": 1.0,
        "text": { "format": { "type": "text" } },
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": usage,
        "metadata": {},
    })
}

fn final_status(ask: &Ask) -> &'static str {
    if ask.truncated {
        "incomplete"
    } else {
        "completed"
    }
}

fn usage(ask: &Ask) -> Value {
    json!({
        "input_tokens": ask.input_tokens,
        "input_tokens_details": { "cached_tokens": ask.cached_tokens },
        "output_tokens": ask.output_tokens(),
        "output_tokens_details": { "reasoning_tokens": ask.reasoning_tokens },
        "total_tokens": ask.input_tokens + ask.output_tokens(),
    })
}
