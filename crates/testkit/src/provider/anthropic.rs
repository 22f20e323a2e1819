//! `POST /v1/messages`. Cached input stands beside `input_tokens`, not inside; a stream tells the
//! input side in `message_start` with a placeholder output, and the truth in `message_delta`.

use super::{
    Dialect,
    ask::{Ask, Reply},
    failure::error_body,
    stream::{Framing, Stream},
};
use crate::answer::Answer;
use serde_json::{Value, json};

pub(super) fn answer(ask: &Ask) -> Answer {
    if ask.stream {
        return stream(ask).answer(ask);
    }
    ask.bill(Answer::json(200, &whole(ask)), ask.output_tokens())
}

/// A whole message.
pub(super) fn whole(ask: &Ask) -> Value {
    let content = match &ask.reply {
        Reply::Text(_) => json!({ "type": "text", "text": ask.reply.text() }),
        Reply::Tool { name, arguments } => {
            json!({ "type": "tool_use", "id": "toolu_1", "name": name, "input": arguments })
        }
    };
    message(
        ask,
        &json!([content]),
        &json!(stop_reason(ask)),
        &usage(ask, ask.output_tokens()),
    )
}

/// `…/count_tokens`.
pub(super) fn count(ask: &Ask) -> Answer {
    Answer::json(200, &json!({ "input_tokens": ask.input_tokens }))
}

/// The events of a streamed answer.
pub(super) fn stream(ask: &Ask) -> Stream {
    let delta = |delta: Value| json!({ "type": "content_block_delta", "index": 0, "delta": delta });
    let (block, pieces) = match &ask.reply {
        Reply::Text(words) => (
            json!({ "type": "text", "text": "" }),
            words
                .iter()
                .map(|word| delta(json!({ "type": "text_delta", "text": word })))
                .collect(),
        ),
        Reply::Tool { name, arguments } => {
            let written = arguments.to_string();
            let (start, rest) = written.split_at(1);
            let piece =
                |json: &str| delta(json!({ "type": "input_json_delta", "partial_json": json }));
            (
                json!({ "type": "tool_use", "id": "toolu_1", "name": name, "input": {} }),
                vec![piece(start), piece(rest)],
            )
        }
    };
    let start = message(ask, &json!([]), &Value::Null, &usage(ask, 1));
    let end = json!({
        "type": "message_delta",
        "delta": { "stop_reason": stop_reason(ask), "stop_sequence": null },
        "usage": { "output_tokens": ask.output_tokens() },
    });
    Stream {
        framing: Framing::Named,
        opening: vec![
            json!({ "type": "message_start", "message": start }),
            json!({ "type": "content_block_start", "index": 0, "content_block": block }),
            json!({ "type": "ping" }),
        ],
        pieces,
        closing: vec![
            json!({ "type": "content_block_stop", "index": 0 }),
            end,
            json!({ "type": "message_stop" }),
        ],
        error: error_body(Dialect::Anthropic, 529, "the prompt asked for this failure"),
    }
}

fn message(ask: &Ask, content: &Value, stop_reason: &Value, usage: &Value) -> Value {
    json!({
        "id": "msg_scripted",
        "type": "message",
        "role": "assistant",
        "model": ask.model,
        "content": content,
        "stop_reason": stop_reason,
        "stop_sequence": null,
        "usage": usage,
    })
}

fn stop_reason(ask: &Ask) -> &'static str {
    match ask.reply {
        Reply::Tool { .. } => "tool_use",
        Reply::Text(_) if ask.truncated => "max_tokens",
        Reply::Text(_) => "end_turn",
    }
}

fn usage(ask: &Ask, output_tokens: u64) -> Value {
    json!({
        "input_tokens": ask.input_tokens - ask.cached_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": ask.cached_tokens,
        "cache_creation": { "ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0 },
        "output_tokens": output_tokens,
        "service_tier": "standard",
    })
}
