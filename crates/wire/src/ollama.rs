//! Ollama's native API: `/api/chat`, `/api/generate`, `/api/embed`, `/api/embeddings`.
//!
//! Two things differ from the other formats. A stream is lines of JSON, not server-sent events, and
//! an answer is streamed unless the request says `"stream": false`. Counts that are zero are left
//! out of the last line, so an absent one is a zero.

mod request;
mod usage;

pub(crate) use request::facts;
pub(crate) use usage::{reader, usage};

#[cfg(test)]
mod tests;
