use super::*;
use crate::{
    event_stream,
    tap::{Framing, Progress, StreamEdits, Tap},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, Method};
use tollgate_core::{format::Format, usage::UsageReport};

mod answers;
mod cost;
mod requests;
mod streams;
mod unframed;

/// `POST /model/{model}/{action}`.
fn endpoint(model: &str, action: &str) -> Endpoint {
    let path = format!("/model/{model}/{action}");
    Endpoint::of(&Method::POST, &path, None, &HeaderMap::new()).expect("the path is Bedrock's")
}

fn fixture(name: &str) -> Bytes {
    let path = format!("{}/fixtures/bedrock/{name}", env!("CARGO_MANIFEST_DIR"));
    Bytes::from(std::fs::read(&path).expect(&path))
}

/// A `chunk` with this native event.
fn chunk(native: &str) -> Bytes {
    let payload = format!(r#"{{"bytes":"{}","p":"abc"}}"#, STANDARD.encode(native));
    event_stream::event("chunk", payload.as_bytes())
}

struct Passed {
    bytes: Vec<u8>,
    progress: Progress,
    report: UsageReport,
    between_events: bool,
}

/// Sends `stream` through a tap in chunks of this size; the price is always $0.0123.
fn pass(
    (format, framing): (Format, Framing),
    edits: StreamEdits,
    stream: &[u8],
    size: usize,
) -> Passed {
    let mut tap = Tap::new(format, framing, edits);
    let mut out = Vec::new();
    for chunk in stream.chunks(size) {
        let chunk = Bytes::copy_from_slice(chunk);
        tap.feed(chunk, &mut |_| Some("0.0123".to_owned()), &mut out);
    }
    let between_events = tap.is_between_events();
    tap.finish(&mut out);
    Passed {
        bytes: out.concat(),
        progress: tap.progress(),
        report: tap.report(),
        between_events,
    }
}
