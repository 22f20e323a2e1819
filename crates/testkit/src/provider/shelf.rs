//! What was uploaded, said or put to work here: files, responses and batches, kept in memory for as
//! long as the provider lives. `/files` in the words of OpenAI, or of Anthropic when the request
//! speaks its version.

use super::form;
use crate::{answer::Answer, upstream::Received};
use bytes::Bytes;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Everything kept, by id.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    files: BTreeMap<String, File>,
    /// How many objects were ever made: no id comes twice.
    made: u64,
    /// What was said, as it is told.
    pub(super) responses: BTreeMap<String, Value>,
    /// Batches of any maker, as they are told.
    pub(super) batches: BTreeMap<String, Value>,
    /// What came of them, one line per request.
    pub(super) results: BTreeMap<String, Bytes>,
}

#[derive(Debug)]
struct File {
    told: Value,
    bytes: Bytes,
}

/// Whose words an object is told in.
#[derive(Clone, Copy)]
enum Maker {
    OpenAi,
    Anthropic,
}

impl Shelf {
    /// The number of the next object.
    pub(super) fn next(&mut self) -> u64 {
        self.made += 1;
        self.made
    }

    /// The bytes of a file.
    pub(super) fn bytes(&self, id: &str) -> Option<&Bytes> {
        self.files.get(id).map(|file| &file.bytes)
    }

    /// Keeps a file in OpenAI's words, and gives its id.
    pub(super) fn keep(&mut self, filename: &str, purpose: &str, bytes: Bytes) -> String {
        let id = format!("file-{}", self.next());
        let told = json!({
            "id": id, "object": "file", "bytes": bytes.len(), "created_at": 1_795_000_000,
            "filename": filename, "purpose": purpose, "status": "processed",
        });
        self.files.insert(id.clone(), File { told, bytes });
        id
    }
}

/// Upload, list, read, content, delete.
pub(super) fn files(shelf: &mut Shelf, request: &Received) -> Option<Answer> {
    let maker = match request.header("anthropic-version") {
        Some(_) => Maker::Anthropic,
        None => Maker::OpenAi,
    };
    let (_, below) = request.path().rsplit_once("/files")?;
    let mut segments = below.split('/').skip(1);
    match (request.method.as_str(), segments.next(), segments.next()) {
        ("POST", None, None) => upload(shelf, request, maker),
        ("GET", None, None) => {
            let data: Vec<_> = shelf.files.values().map(|file| &file.told).collect();
            Some(Answer::json(200, &list(&data)))
        }
        ("GET", Some(id), None) => Some(Answer::json(200, &shelf.files.get(id)?.told)),
        ("GET", Some(id), Some("content")) => {
            let bytes = shelf.files.get(id)?.bytes.clone();
            Some(Answer::new(200, "application/octet-stream", bytes))
        }
        ("DELETE", Some(id), None) => {
            shelf.files.remove(id)?;
            let told = match maker {
                Maker::OpenAi => json!({ "id": id, "object": "file", "deleted": true }),
                Maker::Anthropic => json!({ "id": id, "type": "file_deleted" }),
            };
            Some(Answer::json(200, &told))
        }
        _ => None,
    }
}

/// A list in both makers' words.
pub(super) fn list<T: serde::Serialize>(data: &[T]) -> Value {
    json!({
        "object": "list", "data": data, "has_more": false, "first_id": null, "last_id": null,
    })
}

fn upload(shelf: &mut Shelf, request: &Received, maker: Maker) -> Option<Answer> {
    let parts = form::parts(&request.body, form::boundary(request)?)?;
    let file = parts.iter().find(|part| part.name == "file")?;
    let purpose = parts.iter().find(|part| part.name == "purpose");
    let purpose = purpose.map_or_else(String::new, |part| {
        String::from_utf8_lossy(part.bytes).into_owned()
    });
    let filename = file.filename.clone().unwrap_or_default();
    let bytes = Bytes::copy_from_slice(file.bytes);
    let id = shelf.keep(&filename, &purpose, bytes);
    let kept = shelf.files.get_mut(&id)?;
    if let Maker::Anthropic = maker {
        kept.told = json!({
            "id": id, "type": "file", "filename": filename, "mime_type": "text/plain",
            "size_bytes": kept.bytes.len(), "created_at": "2026-11-21T00:00:00Z",
            "downloadable": true,
        });
    }
    Some(Answer::json(200, &kept.told))
}
