//! `POST /embeddings`: the same vector for every input, in both encodings.

use super::ask::Ask;
use crate::answer::Answer;
use serde_json::{Value, json};

/// What every vector is; all of it can be written exactly in 32 bits.
pub(super) const VECTOR: [f32; 4] = [0.5, -0.25, 0.125, 0.0];
/// The same, as OpenAI encodes it on request.
const BASE64: &str = "AAAAPwAAgL4AAAA+AAAAAA==";

pub(super) fn answer(ask: &Ask) -> Answer {
    let vector = if ask.body.get("encoding_format") == Some(&json!("base64")) {
        json!(BASE64)
    } else {
        json!(VECTOR)
    };
    let count = match ask.body.get("input") {
        Some(Value::Array(inputs)) => inputs.len(),
        _ => 1,
    };
    let data: Vec<_> = (0..count)
        .map(|index| json!({ "object": "embedding", "index": index, "embedding": vector }))
        .collect();
    let usage = json!({ "prompt_tokens": ask.input_tokens, "total_tokens": ask.input_tokens });
    // Mistral's clients insist on an id.
    let body = json!({
        "id": "embd-scripted", "object": "list", "data": data, "model": ask.model, "usage": usage,
    });
    ask.bill(Answer::json(200, &body), 0)
}
