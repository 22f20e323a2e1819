//! Anthropic's events out of Bedrock's frames: what a client of Messages gets when its request went
//! to InvokeModel.
//!
//! Each frame carries one of Anthropic's own events in base64. It is let out as the server-sent
//! event it stands for, its JSON unchanged (Bedrock's metrics on the last one included: SDKs take
//! members they do not know). An exception becomes the error event that Anthropic would send.

use super::invoke::native_event;
use crate::{
    event_stream::{Frame, Message, Splitter},
    json::{self, Text},
};
use bytes::Bytes;
use memchr::memchr2_iter;
use serde::{Deserialize, Serialize};

/// Takes frames, gives server-sent events.
#[derive(Debug, Default)]
pub(crate) struct Unframer {
    splitter: Splitter,
    /// A frame made no sense.
    broken: bool,
}

impl Unframer {
    /// Takes the next chunk of frames; gives the events that are now whole. Behind what cannot be
    /// read nothing comes any more, and so the stream ends without its last event.
    pub(crate) fn feed(&mut self, chunk: &[u8]) -> Option<Bytes> {
        let mut events = Vec::new();
        let Self { splitter, broken } = self;
        splitter.feed(chunk, |frame| {
            *broken = *broken || write(frame, &mut events).is_none();
        });
        (!events.is_empty()).then(|| Bytes::from(events))
    }
}

/// Writes the event of a frame; `None` when the frame makes no sense.
fn write(frame: Frame<'_>, out: &mut Vec<u8>) -> Option<()> {
    match frame.message() {
        Message::Event(b"chunk") => write_event(&native_event(frame.payload())?, out),
        Message::Event(_) => {}
        Message::Exception(name) => {
            let said: Option<Said<'_>> = json::parse(frame.payload());
            let said = said.map(
                |Said {
                     message: Text(text),
                 }| text,
            );
            let name = String::from_utf8_lossy(name);
            write_error(error_type(&name), said.as_deref().unwrap_or(&name), out);
        }
        Message::Error { code, message } => {
            let text = if message.is_empty() { code } else { message };
            write_error("api_error", &String::from_utf8_lossy(text), out);
        }
    }
    Some(())
}

#[derive(Deserialize)]
struct Said<'a> {
    #[serde(borrow)]
    message: Text<'a>,
}

#[derive(Deserialize)]
struct Typed<'a> {
    #[serde(borrow)]
    r#type: Text<'a>,
}

fn write_event(event: &[u8], out: &mut Vec<u8>) {
    if let Some(Typed { r#type: Text(kind) }) = json::parse(event)
        && !kind.contains(['\n', '\r'])
    {
        out.extend_from_slice(b"event: ");
        out.extend_from_slice(kind.as_bytes());
        out.push(b'\n');
    }
    // A line break can only be white space between tokens: it is one again when lines are joined.
    let mut start = 0;
    for end in memchr2_iter(b'\n', b'\r', event).chain([event.len()]) {
        out.extend_from_slice(b"data: ");
        out.extend_from_slice(event.get(start..end).unwrap_or_default());
        out.push(b'\n');
        start = end + 1;
    }
    out.push(b'\n');
}

#[derive(Serialize)]
struct ErrorEvent<'a> {
    r#type: &'static str,
    error: ErrorBody<'a>,
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    r#type: &'static str,
    message: &'a str,
}

fn write_error(kind: &'static str, message: &str, out: &mut Vec<u8>) {
    let event = ErrorEvent {
        r#type: "error",
        error: ErrorBody {
            r#type: kind,
            message,
        },
    };
    write_event(&serde_json::to_vec(&event).unwrap_or_default(), out);
}

/// Anthropic's word for an exception.
fn error_type(exception: &str) -> &'static str {
    match exception {
        "validationException" => "invalid_request_error",
        "accessDeniedException" => "permission_error",
        "resourceNotFoundException" => "not_found_error",
        "throttlingException" | "serviceQuotaExceededException" => "rate_limit_error",
        "modelTimeoutException" => "timeout_error",
        "serviceUnavailableException" | "modelNotReadyException" => "overloaded_error",
        _ => "api_error",
    }
}
