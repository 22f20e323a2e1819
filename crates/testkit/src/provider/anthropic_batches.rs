//! `/v1/messages/batches`: the work is done at once, and seen to be done at the first look after
//! the creation, which carries the whole bill. Results lie at an absolute URL, as they do at
//! Anthropic.

use super::{
    anthropic,
    ask::{Ask, Streams},
    shelf::{Shelf, list},
};
use crate::{answer::Answer, upstream::Received};
use serde_json::{Value, json};
use std::{fmt::Write as _, time::Duration};

/// Create, list, read, results, cancel, delete.
pub(super) fn answer(shelf: &mut Shelf, request: &Received) -> Option<Answer> {
    let (_, below) = request.path().rsplit_once("/batches")?;
    let mut segments = below.split('/').skip(1);
    match (request.method.as_str(), segments.next(), segments.next()) {
        ("POST", None, None) => create(shelf, request),
        ("GET", None, None) => {
            let batches: Vec<_> = shelf.batches.values().collect();
            Some(Answer::json(200, &list(&batches)))
        }
        ("GET", Some(id), None) | ("POST", Some(id), Some("cancel")) => {
            Some(Answer::json(200, shelf.batches.get(id)?))
        }
        ("GET", Some(id), Some("results")) => {
            let lines = shelf.results.get(id)?.clone();
            Some(Answer::new(200, "application/x-jsonl", lines))
        }
        ("DELETE", Some(id), None) => {
            shelf.batches.remove(id)?;
            let told = json!({ "id": id, "type": "message_batch_deleted" });
            Some(Answer::json(200, &told))
        }
        _ => None,
    }
}

fn create(shelf: &mut Shelf, request: &Received) -> Option<Answer> {
    let order: Value = serde_json::from_slice(&request.body).ok()?;
    let id = format!("msgbatch_{}", shelf.next());
    let (mut lines, mut input_tokens, mut output_tokens) = (String::new(), 0, 0);
    let requests = order.get("requests")?.as_array()?;
    for item in requests {
        let params = item.get("params")?;
        let ask = Ask::of(params, "/v1/messages", Streams::Never, Duration::ZERO)?;
        let mut message = anthropic::whole(&ask);
        if let Some(usage) = message.get_mut("usage").and_then(Value::as_object_mut) {
            usage.insert("service_tier".to_owned(), json!("batch"));
        }
        let result = json!({ "type": "succeeded", "message": message });
        let line = json!({ "custom_id": item.get("custom_id"), "result": result });
        writeln!(lines, "{line}").expect("a string takes all");
        input_tokens += ask.input_tokens;
        output_tokens += ask.output_tokens();
    }
    let host = request.header("host").unwrap_or_default();
    let results = format!("http://{host}{}/{id}/results", request.path());
    let count = requests.len();
    let batch = |status: &str, processing: usize, results: Value| {
        json!({
            "id": id, "type": "message_batch", "processing_status": status,
            "request_counts": {
                "processing": processing, "succeeded": count - processing, "errored": 0,
                "canceled": 0, "expired": 0,
            },
            "created_at": "2026-11-21T00:00:00Z", "expires_at": "2026-11-22T00:00:00Z",
            "ended_at": null, "archived_at": null, "cancel_initiated_at": null,
            "results_url": results,
        })
    };
    shelf
        .batches
        .insert(id.clone(), batch("ended", 0, json!(results)));
    shelf.results.insert(id.clone(), lines.into());
    let mut answer = Answer::json(200, &batch("in_progress", count, Value::Null));
    answer.input_tokens = input_tokens;
    if let Some(chunk) = answer.chunks.first_mut() {
        chunk.output_tokens = output_tokens;
    }
    Some(answer)
}
