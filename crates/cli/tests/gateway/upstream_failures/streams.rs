//! Streams that do not end as they should.

use super::HASTY;
use crate::support::{
    CHAT, MESSAGES, RESPONSES, USAGE_EVENT, assert_estimated, chat_stream, chat_stream_with_usage,
    contents, flags, message_stream, read, stage,
};
use serde_json::{Value, json};
use tollgate_testkit::{Answer, Chunk, End, Ended, Length, Upstream};

/// A content event of a chat stream.
const EVENT: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"hel\"}}]}\n\n";

const GEMINI_SSE: &str =
    "/proxy/google/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse";
const GEMINI_ARRAY: &str = "/proxy/google/v1beta/models/gemini-2.5-flash:streamGenerateContent";

/// A streaming request in each dialect, and the start of its error event.
fn streams(prompt: &str) -> [(&'static str, Value, &'static str); 4] {
    let response = json!({
        "model": "gpt-5.2", "input": prompt, "stream": true, "max_output_tokens": 100
    });
    [
        (CHAT, chat_stream(prompt), "data: {\"error\":{"),
        (RESPONSES, response, "event: response.failed\ndata: {"),
        (
            MESSAGES,
            message_stream(prompt),
            "event: error\ndata: {\"type\":\"error\"",
        ),
        (
            GEMINI_SSE,
            contents(prompt),
            "data: {\"error\":{\"code\":50",
        ),
    ]
}

/// The last event begins like this, and nothing says that the answer is whole.
fn assert_ends_with_error(text: &str, start: &str) {
    let at = text.rfind(start);
    let last = at.map(|at| text.split_at(at).1);
    let last = last.unwrap_or_else(|| unreachable!("no error event in {text}"));
    assert_eq!(last.trim_end().matches("\n\n").count(), 0, "{text}");
    for mark in [
        "[DONE]",
        "message_stop",
        "response.completed",
        "finishReason",
    ] {
        assert!(!text.contains(mark), "{mark} in {text}");
    }
}

#[tokio::test]
async fn a_stream_that_stalls_ends_with_the_dialects_error_event() {
    for (path, body, event) in streams("[stall=2]") {
        let upstream = Upstream::provider().await;
        let stage = stage(&upstream.url(), HASTY).await;
        let (text, clean) = read(stage.client.post(path, &body).await).await;
        assert!(clean && text.contains("fell silent"), "{text}");
        assert_ends_with_error(&text, event);
        assert_eq!(upstream.wait_until_over(0).await.ended, Ended::ClientGone);
        let books = stage.books().await;
        assert_eq!(books.only().error.as_deref(), Some("upstream_timeout"));
        assert_estimated(books.only(), &["estimated"]);
    }
}

#[tokio::test]
async fn a_stream_that_is_cut_or_reset_between_events_ends_with_the_dialects_error_event() {
    for prompt in ["[cut=2]", "[reset=2]"] {
        for (path, body, event) in streams(prompt) {
            let upstream = Upstream::provider().await;
            let stage = stage(&upstream.url(), "").await;
            let (text, clean) = read(stage.client.post(path, &body).await).await;
            assert!(clean && text.contains("broke off"), "{text}");
            assert_ends_with_error(&text, event);
            let books = stage.books().await;
            assert_eq!(books.only().error.as_deref(), Some("upstream_broken"));
            assert_estimated(books.only(), &["estimated", "broken"]);
        }
    }
}

#[tokio::test]
async fn a_stream_that_ends_without_its_end_marker_is_not_passed_off_as_whole() {
    let upstream = Upstream::start().await;
    upstream.answer(Answer::sse([EVENT]));
    let stage = stage(&upstream.url(), "").await;
    let (text, clean) = read(stage.client.post(CHAT, &chat_stream("hi")).await).await;
    assert!(clean && text.starts_with(EVENT), "{text}");
    assert_ends_with_error(&text, "data: {\"error\":{");
    assert_estimated(stage.books().await.only(), &["estimated", "broken"]);
}

#[tokio::test]
async fn a_stream_that_is_cut_inside_an_event_breaks_the_connection() {
    let upstream = Upstream::start().await;
    upstream.answer(Answer::sse([EVENT, "data: {\"choi"]).then(End::Cut));
    let stage = stage(&upstream.url(), "").await;
    let body = chat_stream_with_usage();
    let (text, clean) = read(stage.client.post(CHAT, &body).await).await;
    assert!(!clean && !text.contains("[DONE]"), "{text}");
    assert_estimated(stage.books().await.only(), &["estimated", "broken"]);
}

#[tokio::test]
async fn an_array_stream_that_is_cut_ends_with_an_error_element() {
    let upstream = Upstream::start().await;
    let element = json!({ "candidates": [{ "content": { "parts": [{ "text": "hel" }] } }] });
    let mut answer = Answer::new(200, "application/json", format!("[{element}"));
    answer.chunks.push(Chunk::now(format!(",\r\n{element}")));
    upstream.answer(answer.length(Length::Chunked).then(End::Cut));
    let stage = stage(&upstream.url(), "").await;
    let (text, clean) = read(stage.client.post(GEMINI_ARRAY, &contents("hi")).await).await;
    assert!(clean, "{text}");
    let elements: Vec<Value> = serde_json::from_str(&text).unwrap();
    assert_eq!(elements.len(), 3);
    assert_eq!(elements.last().unwrap()["error"]["code"], 502);
    assert_estimated(stage.books().await.only(), &["estimated", "broken"]);
}

#[tokio::test]
async fn an_error_event_of_the_provider_passes_as_it_came() {
    for (path, body, _) in streams("[error=2]") {
        let upstream = Upstream::provider().await;
        let stage = stage(&upstream.url(), "").await;
        let (text, clean) = read(stage.client.post(path, &body).await).await;
        let ours = text.contains("broke off");
        assert!(
            clean && !ours && text.contains("asked for this failure"),
            "{text}"
        );
        assert_estimated(stage.books().await.only(), &["estimated", "broken"]);
    }
}

#[tokio::test]
async fn events_that_are_not_json_pass_and_the_usage_counts_if_any_came() {
    const DONE: &str = "data: [DONE]\n\n";
    let nonsense = ": hello\n\ndata: {nonsense\n\nevent: x\ndata: \n\n";
    for (pieces, words) in [
        (vec![nonsense, USAGE_EVENT, DONE], vec![]),
        (vec![nonsense, DONE], vec!["estimated"]),
    ] {
        let upstream = Upstream::start().await;
        upstream.answer(Answer::sse(pieces.clone()));
        let stage = stage(&upstream.url(), "").await;
        let body = chat_stream_with_usage();
        let passed = read(stage.client.post(CHAT, &body).await).await;
        assert_eq!(passed, (pieces.concat(), true));
        let books = stage.books().await;
        assert_eq!(flags(books.only()), words);
        assert!(books.only().cost.as_nano() > 0);
    }
}
