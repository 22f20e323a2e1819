//! From values to bytes: JSON documents and server-sent events.

use bytes::Bytes;
use serde::Serialize;

/// A JSON document.
pub(super) fn json(value: &impl Serialize) -> Bytes {
    // Cannot fail: only our own structs come here, with string keys and no fallible `Serialize`.
    Bytes::from(serde_json::to_vec(value).unwrap_or_default())
}

/// An event without a name, as OpenAI chat streams have them.
pub(super) fn data(value: &impl Serialize) -> Bytes {
    framed("data: ", value, "\n\n")
}

/// An event with a name.
pub(super) fn event(name: &str, value: &impl Serialize) -> Bytes {
    framed(&format!("event: {name}\ndata: "), value, "\n\n")
}

/// A value between two pieces of text.
pub(super) fn framed(before: &str, value: &impl Serialize, after: &str) -> Bytes {
    between(before, &json(value), after)
}

/// Bytes between two pieces of text.
pub(super) fn between(before: &str, bytes: &[u8], after: &str) -> Bytes {
    Bytes::from([before.as_bytes(), bytes, after.as_bytes()].concat())
}
