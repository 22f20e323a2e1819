//! Ollama's native errors: one text.

use super::json;
use serde::Serialize;
use tollgate_core::error::Error;

#[derive(Serialize)]
struct Body<'a> {
    error: &'a str,
}

/// `{"error":"text"}`, the body of an error and a line of a stream.
pub(super) fn body(error: &Error) -> Vec<u8> {
    json(&Body {
        error: error.message(),
    })
}
