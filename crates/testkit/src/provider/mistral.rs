//! `POST /v1/ocr`: billed by pages, not by tokens.

use super::ask::Ask;
use crate::answer::Answer;
use serde_json::json;

/// How many pages every document has.
const PAGES: u64 = 3;

pub(super) fn ocr(ask: &Ask) -> Answer {
    let pages: Vec<_> = (0..PAGES)
        .map(|index| {
            json!({
                "index": index, "markdown": format!("# Page {index}"), "images": [],
                "dimensions": null,
            })
        })
        .collect();
    let body = json!({
        "pages": pages,
        "model": ask.model,
        "document_annotation": null,
        "usage_info": { "pages_processed": PAGES, "doc_size_bytes": 1024 },
    });
    Answer::json(200, &body)
}
