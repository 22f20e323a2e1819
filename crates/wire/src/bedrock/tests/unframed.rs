use super::*;
use crate::{anthropic, sse};
use serde_json::Value;
use std::fmt::Write;

const FRAMED: (Format, Framing) = (Format::AnthropicMessages, Framing::FramedEvents);

/// The native events of the fixture, as they stand in their frames.
fn natives(stream: &[u8]) -> Vec<Vec<u8>> {
    let mut natives = Vec::new();
    event_stream::Splitter::default().feed(stream, |frame| {
        natives.push(invoke::native_event(frame.payload()).expect("a native event"));
    });
    natives
}

fn events(stream: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut events = Vec::new();
    sse::Splitter::default().feed(stream, |event| {
        let name = String::from_utf8(event.name.to_vec()).unwrap();
        events.push((name, event.data.into_owned()));
    });
    events
}

#[test]
fn each_frame_becomes_the_event_it_stands_for_with_its_bytes_unchanged() {
    let stream = fixture("invoke_anthropic_stream.bin");
    let natives = natives(&stream);
    for size in [1, 17, stream.len()] {
        let passed = pass(FRAMED, StreamEdits::default(), &stream, size);
        let mut expected = String::new();
        for native in &natives {
            let value: Value = serde_json::from_slice(native).unwrap();
            let kind = value["type"].as_str().unwrap();
            let native = std::str::from_utf8(native).unwrap();
            write!(expected, "event: {kind}\ndata: {native}\n\n").unwrap();
        }
        assert_eq!(String::from_utf8(passed.bytes).unwrap(), expected);
        assert!(passed.progress.terminal && passed.report.complete);
        assert!(passed.between_events);
    }
}

#[test]
fn the_usage_is_that_of_the_events_without_their_frames() {
    let stream = fixture("invoke_anthropic_stream.bin");
    let framed = pass(FRAMED, StreamEdits::default(), &stream, 100);
    let mut bare = anthropic::reader();
    for native in natives(&stream) {
        bare.event(b"", &native);
    }
    assert_eq!(framed.report, bare.report());
    assert_eq!(framed.progress, bare.progress());
}

#[test]
fn the_cost_is_written_as_into_any_stream_of_messages() {
    let stream = fixture("invoke_anthropic_stream.bin");
    let edits = StreamEdits {
        insert_cost: true,
        ..StreamEdits::default()
    };
    let with = String::from_utf8(pass(FRAMED, edits, &stream, 100).bytes).unwrap();
    let without = pass(FRAMED, StreamEdits::default(), &stream, 100).bytes;
    let insertion = r#""logfire_ai_gateway":{"cost":"0.0123"},"#;
    assert!(with.contains(insertion));
    assert_eq!(
        with.replace(insertion, ""),
        String::from_utf8(without).unwrap()
    );
}

#[test]
fn exceptions_become_the_error_event_of_messages() {
    let table = [
        ("throttlingException", "rate_limit_error"),
        ("serviceUnavailableException", "overloaded_error"),
        ("validationException", "invalid_request_error"),
        ("modelTimeoutException", "timeout_error"),
        ("modelStreamErrorException", "api_error"),
        ("somethingNewException", "api_error"),
    ];
    for (exception, kind) in table {
        let frame = event_stream::exception(exception, br#"{"message":"too \"much\""}"#);
        let passed = pass(FRAMED, StreamEdits::default(), &frame, 9);
        assert!(passed.progress.failed && !passed.report.complete);
        let events = events(&passed.bytes);
        assert_eq!(events.len(), 1);
        assert_eq!(events[0].0, "error");
        let value: Value = serde_json::from_slice(&events[0].1).unwrap();
        assert_eq!(value["error"]["type"], kind, "{exception}");
        assert_eq!(value["error"]["message"], "too \"much\"");
    }
    let silent = event_stream::exception("throttlingException", b"");
    let passed = pass(FRAMED, StreamEdits::default(), &silent, 9);
    assert!(
        String::from_utf8(passed.bytes)
            .unwrap()
            .contains("throttlingException")
    );
}

#[test]
fn an_event_of_several_lines_is_one_event() {
    let native = "{\"type\":\"ping\",\n \"more\":\r\n1}";
    let passed = pass(FRAMED, StreamEdits::default(), &chunk(native), 50);
    let events = events(&passed.bytes);
    assert_eq!(events.len(), 1);
    let value: Value = serde_json::from_slice(&events[0].1).unwrap();
    assert_eq!(value["more"], 1);
    let odd = chunk(r#"{"type":"a\nevent: b"}"#);
    let passed = pass(FRAMED, StreamEdits::default(), &odd, 50);
    assert!(passed.bytes.starts_with(b"data: "));
}

#[test]
fn behind_what_cannot_be_read_nothing_comes_so_that_no_answer_lacks_its_middle() {
    let (start, stop) = (
        chunk(r#"{"type":"message_start","message":{}}"#),
        chunk(r#"{"type":"message_stop"}"#),
    );
    let mut damaged = start.to_vec();
    damaged[40] ^= 1;
    let odd = event_stream::event("chunk", br#"{"bytes":"!"}"#).to_vec();
    for middle in [damaged, odd] {
        let stream = [&start[..], &middle, &stop].concat();
        for size in [1, stream.len()] {
            let passed = pass(FRAMED, StreamEdits::default(), &stream, size);
            assert_eq!(events(&passed.bytes).len(), 1);
            assert!(!passed.progress.terminal && passed.between_events);
        }
    }
}
