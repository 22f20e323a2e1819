//! Bodies in `multipart/form-data`, read plainly: the boundary, the names, the bytes.

use crate::upstream::Received;
use serde_json::{Map, Value, json};

/// One field or file.
pub(super) struct Part<'a> {
    pub(super) name: String,
    /// Of a file.
    pub(super) filename: Option<String>,
    pub(super) bytes: &'a [u8],
}

/// The boundary, when the body is a form.
pub(super) fn boundary(request: &Received) -> Option<&str> {
    let (kind, parameters) = request.header("content-type")?.split_once(';')?;
    let boundary = parameters.trim().strip_prefix("boundary=")?;
    kind.eq_ignore_ascii_case("multipart/form-data")
        .then(|| boundary.trim_matches('"'))
}

/// The form as an object: fields as texts, files as their size in `bytes`.
pub(super) fn read(body: &[u8], boundary: &str) -> Option<Value> {
    let mut fields = Map::new();
    for part in parts(body, boundary)? {
        let value = match part.filename {
            Some(filename) => json!({ "filename": filename, "bytes": part.bytes.len() }),
            None => json!(String::from_utf8_lossy(part.bytes)),
        };
        fields.insert(part.name, value);
    }
    Some(Value::Object(fields))
}

/// Every part, in order; `None` when the body is not what its boundary promises.
pub(super) fn parts<'a>(body: &'a [u8], boundary: &str) -> Option<Vec<Part<'a>>> {
    let mark = format!("--{boundary}");
    let (_, mut rest) = split(body, mark.as_bytes())?;
    let mark = format!("\r\n{mark}");
    let mut parts = Vec::new();
    while !rest.starts_with(b"--") {
        let (part, after) = split(rest, mark.as_bytes())?;
        let (head, bytes) = split(part, b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(head);
        parts.push(Part {
            name: parameter(&head, "name")?,
            filename: parameter(&head, "filename"),
            bytes,
        });
        rest = after;
    }
    Some(parts)
}

fn split<'a>(bytes: &'a [u8], at: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let start = bytes.windows(at.len()).position(|window| window == at)?;
    let (before, rest) = bytes.split_at_checked(start)?;
    Some((before, rest.get(at.len()..)?))
}

fn parameter(head: &str, name: &str) -> Option<String> {
    let (_, rest) = head.split_once(&format!("; {name}=\""))?;
    rest.split_once('"').map(|(value, _)| value.to_owned())
}
