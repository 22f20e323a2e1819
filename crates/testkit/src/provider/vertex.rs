//! `…:predict`, Vertex's older form of embeddings: a vector and a count for each instance.

use super::{ask::Ask, openai_embeddings::VECTOR};
use crate::answer::Answer;
use serde_json::{Value, json};

/// The counts add up to the input tokens: the first instance carries what is left over.
pub(super) fn predict(ask: &Ask) -> Answer {
    let instances = ask.body.get("instances").and_then(Value::as_array);
    let count = instances.map_or(0, Vec::len);
    let divisor = u64::try_from(count.max(1)).unwrap_or(u64::MAX);
    let (share, left) = (ask.input_tokens / divisor, ask.input_tokens % divisor);
    let predictions: Vec<_> = (0..count)
        .map(|index| {
            let tokens = if index == 0 { share + left } else { share };
            let statistics = json!({ "truncated": false, "token_count": tokens });
            json!({ "embeddings": { "values": VECTOR, "statistics": statistics } })
        })
        .collect();
    let body = json!({
        "predictions": predictions,
        "metadata": { "billableCharacterCount": ask.input_tokens * 4 },
    });
    ask.bill(Answer::json(200, &body), 0)
}
