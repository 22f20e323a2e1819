//! Gemini `generateContent`, `streamGenerateContent` and `countTokens`, at AI Studio and Vertex;
//! beside them [`embed`] and [`interactions`].
//!
//! The model is in the path, and so is whether to stream; a stream is server-sent events with
//! `alt=sse`, else one JSON array that grows (`array.rs`). There is no end marker: an answer
//! is whole when every candidate has given its reason for finishing. Thinking is counted beside the
//! output, not inside it.

mod array;
mod cost;
pub(crate) mod embed;
pub(crate) mod interactions;
mod request;
mod stream;
mod usage;

pub(crate) use array::ArraySplitter;
pub(crate) use request::facts;
pub(crate) use stream::reader;
pub(crate) use usage::{live_usage, usage};

use crate::edit::Edit;

/// The insertion of the cost into a whole answer: there is none, Gemini's is told in a header.
pub(crate) fn cost_edit(_body: &[u8], _cost: &str) -> Option<Edit> {
    None
}

#[cfg(test)]
mod tests;
