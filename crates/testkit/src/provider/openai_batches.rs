//! `/batches`: the work is done at once, and seen to be done at the first look after the creation.
//! The creation carries the whole bill.

use super::{
    ask::{Ask, Streams},
    openai_chat,
    shelf::{Shelf, list},
};
use crate::{answer::Answer, upstream::Received};
use bytes::Bytes;
use serde_json::{Value, json};
use std::time::Duration;

/// Create, list, read, cancel.
pub(super) fn answer(shelf: &mut Shelf, request: &Received) -> Option<Answer> {
    let (_, below) = request.path().rsplit_once("/batches")?;
    let mut segments = below.split('/').skip(1);
    match (request.method.as_str(), segments.next(), segments.next()) {
        ("POST", None, None) => create(shelf, request),
        ("GET", None, None) => {
            let batches: Vec<_> = shelf.batches.values().collect();
            Some(Answer::json(200, &list(&batches)))
        }
        ("GET", Some(id), None) => Some(Answer::json(200, shelf.batches.get(id)?)),
        ("POST", Some(id), Some("cancel")) => {
            let batch = shelf.batches.get_mut(id)?;
            batch
                .as_object_mut()?
                .insert("status".to_owned(), json!("cancelled"));
            Some(Answer::json(200, batch))
        }
        _ => None,
    }
}

fn create(shelf: &mut Shelf, request: &Received) -> Option<Answer> {
    let order: Value = serde_json::from_slice(&request.body).ok()?;
    let input = order.get("input_file_id")?.as_str()?;
    let work = Work::done(shelf.bytes(input)?)?;
    let count = work.lines.len();
    let output = shelf.keep("output.jsonl", "batch_output", work.lines.concat().into());
    let id = format!("batch_{}", shelf.next());
    let batch = |status: &str, output: Value, usage: Value| {
        json!({
            "id": id, "object": "batch", "endpoint": order.get("endpoint"),
            "completion_window": "24h", "created_at": 1_795_000_000, "status": status,
            "input_file_id": input, "output_file_id": output, "error_file_id": null,
            "request_counts": { "total": count, "completed": count, "failed": 0 },
            "model": work.model, "usage": usage, "metadata": order.get("metadata"),
        })
    };
    let done = batch("completed", json!(output), work.usage());
    shelf.batches.insert(id.clone(), done);
    let mut answer = Answer::json(200, &batch("validating", Value::Null, Value::Null));
    answer.input_tokens = work.input_tokens;
    if let Some(chunk) = answer.chunks.first_mut() {
        chunk.output_tokens = work.output_tokens;
    }
    Some(answer)
}

/// What came of a file of requests.
struct Work {
    lines: Vec<String>,
    model: String,
    input_tokens: u64,
    output_tokens: u64,
}

impl Work {
    fn done(file: &Bytes) -> Option<Self> {
        let mut work = Self {
            lines: Vec::new(),
            model: String::new(),
            input_tokens: 0,
            output_tokens: 0,
        };
        for line in file
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
        {
            let item: Value = serde_json::from_slice(line).ok()?;
            let path = item.get("url")?.as_str()?;
            let ask = Ask::of(item.get("body")?, path, Streams::Never, Duration::ZERO)?;
            let response = json!({
                "status_code": 200, "request_id": "req_scripted",
                "body": openai_chat::body(&ask),
            });
            let line = json!({
                "id": "batch_req_1", "custom_id": item.get("custom_id"), "response": response,
                "error": null,
            });
            work.lines.push(format!("{line}\n"));
            work.input_tokens += ask.input_tokens;
            work.output_tokens += ask.output_tokens();
            work.model = ask.model;
        }
        Some(work)
    }

    fn usage(&self) -> Value {
        json!({
            "input_tokens": self.input_tokens,
            "input_tokens_details": { "cached_tokens": 0 },
            "output_tokens": self.output_tokens,
            "output_tokens_details": { "reasoning_tokens": 0 },
            "total_tokens": self.input_tokens + self.output_tokens,
        })
    }
}
