//! `…/models/{model}:generateContent`, `:streamGenerateContent`, `:countTokens`, embeddings.
//! Reasoning stands beside `candidatesTokenCount`; every chunk of a stream carries the usage so
//! far, except at Vertex, where only the last one does.

use super::{
    Dialect,
    ask::{Ask, Reply},
    failure::error_body,
    house::House,
    openai_embeddings::VECTOR,
    stream::{Framing, Stream},
};
use crate::answer::Answer;
use serde_json::{Map, Value, json};

pub(super) fn answer(ask: &Ask) -> Answer {
    let total = ask.output_tokens() - ask.reasoning_tokens;
    let parts: Vec<Value> = match &ask.reply {
        Reply::Text(words) => words.iter().map(|word| json!({ "text": word })).collect(),
        Reply::Tool { name, arguments } => {
            vec![json!({ "functionCall": { "name": name, "args": arguments } })]
        }
    };
    if !ask.stream {
        let part = match &ask.reply {
            Reply::Text(_) => json!({ "text": ask.reply.text() }),
            Reply::Tool { .. } => parts.first().cloned().unwrap_or_default(),
        };
        let body = response(ask, Some(&part), Some(finish_reason(ask)), total);
        return ask.bill(Answer::json(200, &body), ask.output_tokens());
    }
    let mut so_far = 0;
    let pieces = parts.iter().map(|part| {
        so_far += 1;
        let mut piece = response(ask, Some(part), None, so_far);
        if let (House::Vertex, Some(fields)) = (ask.house, piece.as_object_mut()) {
            let told = json!({ "trafficType": "ON_DEMAND" });
            fields.insert("usageMetadata".to_owned(), told);
        }
        piece
    });
    let stream = Stream {
        framing: Framing::Crlf,
        opening: Vec::new(),
        pieces: pieces.collect(),
        closing: vec![response(ask, None, Some(finish_reason(ask)), total)],
        error: error_body(Dialect::Google, 503, "the prompt asked for this failure"),
    };
    stream.answer(ask)
}

/// `:countTokens`.
pub(super) fn count(ask: &Ask) -> Answer {
    Answer::json(200, &json!({ "totalTokens": ask.input_tokens }))
}

/// `:embedContent`.
pub(super) fn embed(ask: &Ask) -> Answer {
    let body = json!({ "embedding": { "values": VECTOR }, "usageMetadata": embedded(ask) });
    ask.bill(Answer::json(200, &body), 0)
}

/// `:batchEmbedContents`.
pub(super) fn embed_batch(ask: &Ask) -> Answer {
    let requests = ask.body.get("requests").and_then(Value::as_array);
    let vectors = requests.into_iter().flatten();
    let vectors: Vec<_> = vectors.map(|_| json!({ "values": VECTOR })).collect();
    let body = json!({ "embeddings": vectors, "usageMetadata": embedded(ask) });
    ask.bill(Answer::json(200, &body), 0)
}

fn embedded(ask: &Ask) -> Value {
    json!({ "promptTokenCount": ask.input_tokens, "totalTokenCount": ask.input_tokens })
}

fn response(ask: &Ask, part: Option<&Value>, finish: Option<&str>, candidates: u64) -> Value {
    let parts: Vec<_> = part.into_iter().collect();
    let content = json!({ "parts": parts, "role": "model" });
    let mut candidate = json!({ "content": content, "index": 0 });
    if let (Some(finish), Some(fields)) = (finish, candidate.as_object_mut()) {
        fields.insert("finishReason".to_owned(), json!(finish));
    }
    json!({
        "candidates": [candidate],
        "usageMetadata": usage(ask, candidates),
        "modelVersion": ask.model,
        "responseId": "scripted",
    })
}

fn finish_reason(ask: &Ask) -> &'static str {
    if ask.truncated { "MAX_TOKENS" } else { "STOP" }
}

/// Zero counts are left out, as Google does.
fn usage(ask: &Ask, candidates: u64) -> Value {
    let counts = [
        ("promptTokenCount", ask.input_tokens),
        ("cachedContentTokenCount", ask.cached_tokens),
        ("candidatesTokenCount", candidates),
        ("thoughtsTokenCount", ask.reasoning_tokens),
        (
            "totalTokenCount",
            ask.input_tokens + candidates + ask.reasoning_tokens,
        ),
    ];
    let told = counts.into_iter().filter(|(_, count)| *count > 0);
    let fields: Map<_, _> = told
        .map(|(name, count)| (name.to_owned(), json!(count)))
        .collect();
    Value::Object(fields)
}
