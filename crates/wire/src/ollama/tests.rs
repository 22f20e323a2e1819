use super::*;
use crate::endpoint::Endpoint;
use tollgate_core::format::{Format, Operation};

fn endpoint(operation: Operation) -> Endpoint {
    Endpoint {
        format: Format::OllamaNative,
        operation,
        model: None,
        stream: false,
        object: None,
        tail: "/api/chat".to_owned(),
        query: String::new(),
    }
}

#[test]
fn an_answer_streams_unless_the_request_says_no() {
    let chat = endpoint(Operation::Generate);
    let read = |body: &str| facts(&chat, body.as_bytes()).unwrap();
    assert!(read(r#"{"model":"m","messages":[]}"#).stream);
    assert!(read(r#"{"model":"m","stream":null}"#).stream);
    assert!(!read(r#"{"model":"m","stream":false}"#).stream);
    let embed = endpoint(Operation::Embed);
    let facts = facts(&embed, br#"{"model":"m","input":["some text"]}"#).unwrap();
    assert!(!facts.stream);
    assert_eq!((facts.output_cap, facts.text_bytes), (Some(0), 9));
}

#[test]
fn the_output_bound_is_an_option_and_minus_one_is_none() {
    let chat = endpoint(Operation::Generate);
    let cap = |options: &str| {
        let body = format!(r#"{{"model":"m","prompt":"x","options":{options}}}"#);
        facts(&chat, body.as_bytes()).unwrap().output_cap
    };
    assert_eq!(cap(r#"{"num_predict":7,"num_ctx":4096}"#), Some(7));
    assert_eq!(cap(r#"{"num_predict":-1}"#), None);
    assert_eq!(cap("null"), None);
}

#[test]
fn images_are_media_and_everything_unknown_is_text() {
    let chat = endpoint(Operation::Generate);
    let body = br#"{"model":"m","messages":[{"role":"user","content":"look","images":["aGVsbG8="]}],"new":"abc"}"#;
    let facts = facts(&chat, body).unwrap();
    assert!(facts.media_tokens > 0);
    // role, user, content, look, images, new's value.
    assert!(facts.text_bytes >= 11);
    assert_eq!(&body[facts.model_span.unwrap()], br#""m""#);
}

#[test]
fn a_request_without_a_model_is_refused_by_name() {
    let error = facts(&endpoint(Operation::Generate), b"{}").unwrap_err();
    assert!(error.message().contains("`model`"), "{}", error.message());
}

#[test]
fn an_error_line_fails_the_stream_and_gives_no_usage() {
    let mut reader = reader();
    reader.event(
        b"",
        br#"{"model":"m","message":{"content":"He"},"done":false}"#,
    );
    reader.event(b"", br#"{"error":"out of memory"}"#);
    let progress = reader.progress();
    assert!(progress.started && progress.failed && !progress.terminal);
    assert_eq!(progress.content_bytes, 2);
    assert!(reader.report().usage.is_none());
}
