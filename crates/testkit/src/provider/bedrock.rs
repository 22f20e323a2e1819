//! Amazon Bedrock's runtime: `/model/{id}/converse`, `/converse-stream`, `/invoke` and
//! `/invoke-with-response-stream`. Streams are binary frames; every event is padded to a length
//! that tells nothing; usage comes in the last one, after the stop.
//!
//! Invoked, a model answers in its maker's own words: Anthropic's, or Amazon's for the rest.

pub(super) mod frame;

use super::{
    anthropic,
    ask::{Ask, Reply},
    stream::{Framing, Stream},
};
use crate::answer::Answer;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Map, Value, json};

const FAILURE: &str = "the prompt asked for this failure";

/// `/converse` and `/converse-stream`.
pub(super) fn converse(ask: &Ask) -> Answer {
    if ask.stream {
        return converse_stream(ask).answer(ask);
    }
    ask.bill(Answer::json(200, &converse_body(ask)), ask.output_tokens())
}

/// `/invoke` and `/invoke-with-response-stream`.
pub(super) fn invoke(ask: &Ask) -> Answer {
    let from_anthropic = ask.model.contains("anthropic.");
    if from_anthropic && ask.body.get("anthropic_version").is_none() {
        return super::failure(
            super::Dialect::Bedrock,
            400,
            "#: required key [anthropic_version] not found",
        );
    }
    let ask = &Ask {
        model: makers_name(&ask.model),
        ..ask.clone()
    };
    if ask.stream {
        let native = if from_anthropic {
            anthropic::stream(ask)
        } else {
            converse_stream(ask)
        };
        return invoked_stream(ask, native).answer(ask);
    }
    let body = if from_anthropic {
        anthropic::whole(ask)
    } else {
        converse_body(ask)
    };
    let count = |count: u64| count.to_string();
    ask.bill(Answer::json(200, &body), ask.output_tokens())
        .header(
            "x-amzn-bedrock-input-token-count",
            &count(ask.input_tokens - ask.cached_tokens),
        )
        .header(
            "x-amzn-bedrock-output-token-count",
            &count(ask.output_tokens()),
        )
}

/// `us.anthropic.claude-sonnet-4-5-20250929-v1:0` is `claude-sonnet-4-5-20250929` to its maker.
fn makers_name(id: &str) -> String {
    let Some((_, name)) = id.split_once("anthropic.") else {
        return id.to_owned();
    };
    let name = name.split_once(':').map_or(name, |(name, _)| name);
    let plain = name
        .rsplit_once("-v")
        .filter(|(_, version)| version.parse::<u8>().is_ok());
    plain.map_or(name, |(name, _)| name).to_owned()
}

fn converse_body(ask: &Ask) -> Value {
    let content = match &ask.reply {
        Reply::Text(_) => json!({ "text": ask.reply.text() }),
        Reply::Tool { name, arguments } => json!({
            "toolUse": { "toolUseId": "tooluse_1", "name": name, "input": arguments },
        }),
    };
    json!({
        "output": { "message": { "role": "assistant", "content": [content] } },
        "stopReason": stop_reason(ask),
        "usage": usage(ask),
        "metrics": { "latencyMs": 12 },
    })
}

fn converse_stream(ask: &Ask) -> Stream {
    let delta =
        |delta: Value| json!({ "contentBlockDelta": { "contentBlockIndex": 0, "delta": delta } });
    let mut opening = vec![json!({ "messageStart": { "role": "assistant" } })];
    let pieces = match &ask.reply {
        Reply::Text(words) => words
            .iter()
            .map(|word| delta(json!({ "text": word })))
            .collect(),
        Reply::Tool { name, arguments } => {
            let start = json!({ "toolUse": { "toolUseId": "tooluse_1", "name": name } });
            opening.push(json!({
                "contentBlockStart": { "contentBlockIndex": 0, "start": start },
            }));
            let written = arguments.to_string();
            let (start, rest) = written.split_at(1);
            [start, rest]
                .map(|text| delta(json!({ "toolUse": { "input": text } })))
                .into()
        }
    };
    Stream {
        framing: Framing::Frames,
        opening,
        pieces,
        closing: vec![
            json!({ "contentBlockStop": { "contentBlockIndex": 0 } }),
            json!({ "messageStop": { "stopReason": stop_reason(ask) } }),
            json!({ "metadata": { "usage": usage(ask), "metrics": { "latencyMs": 12 } } }),
        ],
        error: json!({ "modelStreamErrorException": { "message": FAILURE } }),
    }
}

/// The maker's events, each whole inside a frame; the last one carries Bedrock's own counts.
fn invoked_stream(ask: &Ask, native: Stream) -> Stream {
    let wrap =
        |event: &Value| json!({ "chunk": { "bytes": BASE64_STANDARD.encode(event.to_string()) } });
    let mut closing = native.closing;
    if let Some(last) = closing.last_mut().and_then(Value::as_object_mut) {
        last.insert("amazon-bedrock-invocationMetrics".to_owned(), metrics(ask));
    }
    let is_ping = |event: &&Value| event.get("type") == Some(&json!("ping"));
    Stream {
        framing: Framing::Frames,
        opening: native
            .opening
            .iter()
            .filter(|event| !is_ping(event))
            .map(wrap)
            .collect(),
        pieces: native.pieces.iter().map(wrap).collect(),
        closing: closing.iter().map(wrap).collect(),
        error: json!({ "modelStreamErrorException": { "message": FAILURE } }),
    }
}

fn metrics(ask: &Ask) -> Value {
    let mut metrics = Map::from_iter([
        (
            "inputTokenCount".to_owned(),
            json!(ask.input_tokens - ask.cached_tokens),
        ),
        ("outputTokenCount".to_owned(), json!(ask.output_tokens())),
        ("invocationLatency".to_owned(), json!(12)),
        ("firstByteLatency".to_owned(), json!(3)),
    ]);
    if ask.cached_tokens > 0 {
        metrics.insert(
            "cacheReadInputTokenCount".to_owned(),
            json!(ask.cached_tokens),
        );
    }
    Value::Object(metrics)
}

fn stop_reason(ask: &Ask) -> &'static str {
    match ask.reply {
        Reply::Tool { .. } => "tool_use",
        Reply::Text(_) if ask.truncated => "max_tokens",
        Reply::Text(_) => "end_turn",
    }
}

/// Cached input stands beside `inputTokens`, not inside.
fn usage(ask: &Ask) -> Value {
    json!({
        "inputTokens": ask.input_tokens - ask.cached_tokens,
        "outputTokens": ask.output_tokens(),
        "totalTokens": ask.input_tokens + ask.output_tokens(),
        "cacheReadInputTokens": ask.cached_tokens,
        "cacheWriteInputTokens": 0,
    })
}
