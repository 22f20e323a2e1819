//! Directives: pace, failures, and that a wrong one is never overlooked.

use super::{Read, Speaks, ask, ask_with};
use crate::simulated::{End, KEYS, MARK};
use serde_json::{Value, json};
use std::time::Duration;

fn stream(speaks: Speaks, control: &'static str) -> Read {
    ask_with(
        speaks.target(true),
        &speaks.body("hello", true, 300_000),
        control,
    )
}

#[test]
fn a_failure_looks_like_the_providers_own() {
    for (status, openai, anthropic, google) in [
        (
            401,
            "invalid_request_error",
            "authentication_error",
            "UNAUTHENTICATED",
        ),
        (
            429,
            "rate_limit_error",
            "rate_limit_error",
            "RESOURCE_EXHAUSTED",
        ),
        (500, "server_error", "api_error", "INTERNAL"),
        (529, "server_error", "overloaded_error", "UNAVAILABLE"),
    ] {
        for speaks in Speaks::ALL {
            let read = speaks.ask(&format!("[[simulate: fail={status}]]"), true);
            assert_eq!((read.status, read.end), (status, End::Clean));
            assert_eq!(read.header(MARK), Some("true"));
            assert_eq!(read.header("retry-after").is_some(), status == 429);
            let (at, expected) = match speaks {
                Speaks::Chat | Speaks::Responses => ("/error/type", openai),
                Speaks::Messages => ("/error/type", anthropic),
                Speaks::Gemini => ("/error/status", google),
                Speaks::GeminiArray => ("/0/error/status", google),
            };
            assert_eq!(
                read.json().pointer(at).unwrap(),
                expected,
                "{speaks:?} {status}"
            );
        }
    }
}

#[test]
fn a_wrong_directive_is_a_bad_request_in_the_dialect_with_the_keys() {
    for speaks in Speaks::ALL {
        let message = |read: Read| {
            assert_eq!(read.status, 400);
            let json = read.json();
            let found = ["/error/message", "/0/error/message"].map(|at| json.pointer(at).cloned());
            found.into_iter().flatten().next().unwrap()
        };
        let by_prompt = message(speaks.ask("[[simulate: speed=3]]", true));
        let by_header = message(stream(speaks, "speed=3"));
        assert_eq!(by_prompt, by_header);
        for key in KEYS {
            assert!(by_prompt.as_str().unwrap().contains(key), "{key}");
        }
    }
}

#[test]
fn a_delay_comes_before_every_chunk() {
    for speaks in Speaks::ALL {
        for stream in [false, true] {
            let body = speaks.body("hello", stream, 300_000);
            let read = ask_with(speaks.target(stream), &body, "delay_ms=20");
            assert!(
                read.chunks
                    .iter()
                    .all(|chunk| chunk.after == Duration::from_millis(20))
            );
            assert!(read.chunks.len() > 1, "{speaks:?}");
        }
        let read = stream(speaks, "");
        assert!(read.chunks.iter().all(|chunk| chunk.after.is_zero()));
    }
}

#[test]
fn a_stream_breaks_off_after_the_chunks_that_were_asked_for() {
    for speaks in Speaks::ALL {
        let whole = stream(speaks, "");
        for (control, after, end) in [
            ("cut_after=0", 0, End::Cut),
            ("cut_after=3", 3, End::Cut),
            ("stall_after=2", 2, End::Stall),
        ] {
            let read = stream(speaks, control);
            assert_eq!((read.status, read.end), (200, end), "{speaks:?} {control}");
            assert_eq!(read.chunks[..], whole.chunks[..after]);
        }
        let read = stream(speaks, "cut_after=1000000");
        assert_eq!((read.end, read.chunks), (End::Clean, whole.chunks));
    }
}

#[test]
fn an_error_on_the_way_takes_the_place_of_the_rest() {
    for speaks in Speaks::ALL {
        let whole = stream(speaks, "");
        for (control, after) in [("error_midway=0", 0), ("error_midway=3", 3)] {
            let read = stream(speaks, control);
            assert_eq!((read.status, read.end), (200, End::Clean));
            assert_eq!(read.chunks[..after], whole.chunks[..after]);
            assert_eq!(read.chunks.len(), after + 1);
            let events = read.events();
            let last = events.last().unwrap();
            let error = last.get("error").or(last.pointer("/response/error"));
            assert!(error.is_some_and(Value::is_object), "{speaks:?}: {last}");
        }
    }
}

#[test]
fn a_document_is_cut_too_but_an_error_on_the_way_fails_it_as_a_whole() {
    for (speaks, status) in [
        (Speaks::Chat, 500),
        (Speaks::Responses, 500),
        (Speaks::Messages, 529),
        (Speaks::Gemini, 503),
    ] {
        let body = speaks.body("hello", false, 300_000);
        let read = ask_with(speaks.target(false), &body, "chunk_bytes=100 cut_after=2");
        assert_eq!((read.end, read.body().len()), (End::Cut, 200));
        let read = ask_with(speaks.target(false), &body, "error_midway=2");
        assert_eq!((read.status, read.end), (status, End::Clean), "{speaks:?}");
        assert!(read.json()["error"].is_object());
    }
}

#[test]
fn the_header_reaches_what_has_no_prompt() {
    let body = json!({"model": "m-1", "input": ["[[simulate: fail=500]]"]});
    assert_eq!(ask("/v1/embeddings", &body).status, 200);
    assert_eq!(ask_with("/v1/embeddings", &body, "fail=503").status, 503);
    assert_eq!(
        ask_with("/v1/embeddings", &body, "error_midway=1").status,
        500
    );
    assert_eq!(
        ask_with("/v1/embeddings", &body, "cut_after=1").end,
        End::Cut
    );
    let body = json!({"model": "m-1", "messages": [{"role": "user", "content": "hi"}]});
    assert_eq!(
        ask_with("/v1/messages/count_tokens", &body, "fail=529").status,
        529
    );
}
