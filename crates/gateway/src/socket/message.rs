//! Messages as bytes.

use super::MESSAGE_BYTES_MAX;
use bytes::Bytes;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};
use tollgate_wire::edit::{self, Edit};

/// What a message says; nothing for the protocol's own.
pub(super) fn payload(message: &Message) -> &[u8] {
    match message {
        Message::Text(text) => text.as_bytes(),
        Message::Binary(bytes) => bytes,
        Message::Ping(_) | Message::Pong(_) | Message::Close(_) | Message::Frame(_) => b"",
    }
}

/// The same message with an edit made.
pub(super) fn edited(message: &Message, edit: Edit) -> Message {
    let bytes = Bytes::copy_from_slice(payload(message));
    debug_assert!(bytes.len() <= MESSAGE_BYTES_MAX);
    let bytes = Bytes::from(edit::apply(&bytes, vec![edit]).concat());
    match message {
        Message::Text(_) => Utf8Bytes::try_from(bytes).map_or(Message::Close(None), Message::Text),
        _ => Message::Binary(bytes),
    }
}
