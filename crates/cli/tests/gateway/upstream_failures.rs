//! Upstreams that refuse, break off, stall, lie or mumble: what the client sees of it, that the
//! upstream is let go of, and that one figure is posted, said to be an estimate where it is one.

use crate::support::{
    CHAT, GEMINI, MESSAGES, RESPONSES, assert_refused, chat, chat_stream, contents, flags, message,
    message_stream, provider, read, stage,
};
use serde_json::{Value, json};
use tollgate_store::UsageLine;
use tollgate_testkit::{Answer, Chunk, End, Ended, Length, Upstream};

const HASTY: &str = "[upstream]\nhead_timeout = \"200ms\"\nidle_timeout = \"200ms\"";

/// The same with the usage asked for, so that nothing is asked in the client's name and every byte
/// passes as it comes.
fn chat_stream_with_usage() -> Value {
    let mut body = chat_stream("hi");
    body["stream_options"] = json!({ "include_usage": true });
    body
}

/// The row has the estimate: something, and no more than was held.
fn assert_estimated(row: &UsageLine, expected: &[&str]) {
    assert_eq!(flags(row), expected);
    let (cost, held) = (row.cost.as_nano(), row.held_cost.as_nano());
    assert!(0 < cost && cost <= held, "{row:#?}");
}

#[tokio::test]
async fn a_refused_connection_is_502_and_posts_nothing() {
    let stage = stage(&Upstream::refusing().await, "").await;
    for (path, body, word) in [
        (CHAT, chat("hi"), "upstream_unreachable"),
        (MESSAGES, message_stream("hi"), "api_error"),
        (GEMINI, contents("hi"), "UNAVAILABLE"),
    ] {
        assert_refused(stage.client.post(path, &body).await, 502, word).await;
    }
    let books = stage.books().await;
    books.assert_nothing_posted();
    let statuses = books.rows.iter().map(|row| row.status);
    assert!(statuses.eq([502, 502, 502]), "{:#?}", books.rows);
}

#[tokio::test]
async fn a_connection_lost_before_the_head_is_502_and_posts_the_estimate() {
    let broken = [
        Answer::hang_up(),
        Answer::raw("").then(End::Reset),
        Answer::raw("HTTP/1.1 200 OK\r\ncontent-le"),
        Answer::raw("this is not HTTP\r\n\r\n"),
    ];
    for answer in broken {
        let upstream = Upstream::start().await;
        upstream.answer(answer);
        let stage = stage(&upstream.url(), "").await;
        let answered = stage.client.post(CHAT, &chat("hi")).await;
        assert_refused(answered, 502, "upstream_unreachable").await;
        let _sent_once = upstream.only_request();
        assert_estimated(stage.books().await.only(), &["estimated"]);
    }
}

#[tokio::test]
async fn a_request_that_may_have_arrived_is_never_sent_twice() {
    let upstream = Upstream::provider().await;
    let stage = stage(&upstream.url(), "").await;
    assert_eq!(stage.client.post(CHAT, &chat("hi")).await.status, 200);
    // On the same connection, kept alive, which makes some clients try again.
    upstream.answer(Answer::hang_up());
    let answered = stage.client.post(CHAT, &chat("hi")).await;
    assert_refused(answered, 502, "upstream_unreachable").await;
    assert_eq!(upstream.requests().len(), 2);
    assert_eq!(stage.books().await.entries.len(), 2);
}

#[tokio::test]
async fn silence_before_the_head_is_504_and_cancels_the_upstream() {
    let upstream = Upstream::start().await;
    upstream.answer(Answer::silence());
    let stage = stage(&upstream.url(), HASTY).await;
    let answered = stage.client.post(CHAT, &chat("hi")).await;
    assert_refused(answered, 504, "upstream_timeout").await;
    assert_eq!(upstream.wait_until_over(0).await.ended, Ended::ClientGone);
    assert_estimated(stage.books().await.only(), &["estimated"]);
}

#[tokio::test]
async fn silence_inside_a_whole_answer_is_504() {
    let upstream = Upstream::start().await;
    upstream.answer(
        Answer::new(200, "application/json", "{")
            .length(Length::Wrong(9))
            .then(End::Stall),
    );
    let stage = stage(&upstream.url(), HASTY).await;
    let answered = stage.client.post(MESSAGES, &message("hi")).await;
    assert_refused(answered, 504, "timeout_error").await;
    assert_eq!(upstream.wait_until_over(0).await.ended, Ended::ClientGone);
    assert_estimated(stage.books().await.only(), &["estimated"]);
}

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
    let event = "data: {\"choices\":[{\"delta\":{\"content\":\"hel\"}}]}\n\n";
    upstream.answer(Answer::sse([event]));
    let stage = stage(&upstream.url(), "").await;
    let (text, clean) = read(stage.client.post(CHAT, &chat_stream("hi")).await).await;
    assert!(clean && text.starts_with(event), "{text}");
    assert_ends_with_error(&text, "data: {\"error\":{");
    assert_estimated(stage.books().await.only(), &["estimated", "broken"]);
}

#[tokio::test]
async fn a_stream_that_is_cut_inside_an_event_breaks_the_connection() {
    let upstream = Upstream::start().await;
    let event = "data: {\"choices\":[{\"delta\":{\"content\":\"hel\"}}]}\n\n";
    upstream.answer(Answer::sse([event, "data: {\"choi"]).then(End::Cut));
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
    let usage =
        "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":10}}\n\n";
    for (pieces, words) in [
        (
            vec![
                ": hello\n\n",
                "data: {nonsense\n\n",
                usage,
                "data: [DONE]\n\n",
            ],
            vec![],
        ),
        (
            vec!["data: mumble\n\n", "data: [DONE]\n\n"],
            vec!["estimated"],
        ),
    ] {
        let upstream = Upstream::start().await;
        upstream.answer(Answer::sse(pieces.clone()));
        let stage = stage(&upstream.url(), "").await;
        let body = chat_stream_with_usage();
        let (text, clean) = read(stage.client.post(CHAT, &body).await).await;
        assert!(clean);
        assert_eq!(text, pieces.concat());
        let books = stage.books().await;
        assert_eq!(flags(books.only()), words);
        assert!(books.only().cost.as_nano() > 0);
    }
}

#[tokio::test]
async fn a_200_without_usage_passes_and_the_estimate_is_posted() {
    for (answer, body) in [
        (Answer::json(200, &json!({ "choices": [] })), chat("hi")),
        (Answer::new(200, "text/html", "<p>not JSON"), chat("hi")),
        (Answer::new(200, "application/json", ""), chat("hi")),
        // A stream was asked for, and something else came.
        (
            Answer::json(200, &json!({ "choices": [] })),
            chat_stream("hi"),
        ),
    ] {
        let upstream = Upstream::start().await;
        upstream.answer(answer.clone());
        let stage = stage(&upstream.url(), "").await;
        let (text, clean) = read(stage.client.post(CHAT, &body).await).await;
        assert!(clean);
        assert_eq!(text, String::from_utf8_lossy(&answer.chunks[0].bytes));
        assert_estimated(stage.books().await.only(), &["estimated"]);
    }
}

#[tokio::test]
async fn a_whole_answer_shorter_than_its_length_is_502() {
    let upstream = Upstream::start().await;
    let short = Answer::new(200, "application/json", "{\"choices\":[]");
    upstream.answer(short.length(Length::Wrong(100)).then(End::Cut));
    let stage = stage(&upstream.url(), "").await;
    let answered = stage.client.post(CHAT, &chat("hi")).await;
    assert_refused(answered, 502, "upstream_broken").await;
    assert_estimated(stage.books().await.only(), &["estimated", "broken"]);
}

#[tokio::test]
async fn an_answer_that_is_cut_after_its_head_went_out_breaks_the_connection() {
    let upstream = Upstream::start().await;
    let large = Answer::new(200, "application/json", vec![b' '; 3 << 20]);
    upstream.answer(large.length(Length::Wrong(4 << 20)).then(End::Cut));
    let stage = stage(&upstream.url(), "").await;
    let answered = stage.client.post(CHAT, &chat("hi")).await;
    assert_eq!(answered.header("content-length"), Some("4194304"));
    let (text, clean) = read(answered).await;
    assert!(!clean && text.len() <= 3 << 20, "{} bytes", text.len());
    assert_estimated(stage.books().await.only(), &["estimated", "broken"]);
}

#[tokio::test]
async fn gzip_that_nobody_asked_for_is_undone() {
    let usage = json!({ "usage": { "prompt_tokens": 10, "completion_tokens": 10 } });
    let event = format!("data: {usage}\n\n");
    let whole = Answer::json(200, &usage).gzipped();
    let stream = Answer::sse([event.clone(), "data: [DONE]\n\n".to_owned()]).gzipped();
    let plain = usage.to_string();
    for (answer, body, text) in [
        (whole, chat("hi"), plain),
        (
            stream,
            chat_stream_with_usage(),
            format!("{event}data: [DONE]\n\n"),
        ),
    ] {
        let upstream = Upstream::start().await;
        upstream.answer(answer);
        let stage = stage(&upstream.url(), "").await;
        let answered = stage.client.post(CHAT, &body).await;
        assert_eq!(answered.header("content-encoding"), None);
        assert_eq!(read(answered).await, (text, true));
        assert_eq!(
            upstream.only_request().header("accept-encoding"),
            Some("identity")
        );
        // 10 at $1.75 and 10 at $14 per million.
        assert_eq!(stage.books().await.only().cost.as_nano(), 157_500);
    }
}

#[tokio::test]
async fn an_encoding_that_cannot_be_undone_is_502() {
    let upstream = Upstream::start().await;
    upstream.answer(Answer::json(200, &json!({})).header("content-encoding", "br"));
    let stage = stage(&upstream.url(), "").await;
    let answered = stage.client.post(CHAT, &chat("hi")).await;
    assert_refused(answered, 502, "upstream_broken").await;
    assert_estimated(stage.books().await.only(), &["estimated", "broken"]);
}

#[tokio::test]
async fn a_refusal_of_our_credential_is_502_without_the_providers_words() {
    let upstream = Upstream::start().await;
    let stage = stage(&upstream.url(), "").await;
    for status in [401, 402, 403] {
        for (path, body, word) in [
            (CHAT, chat("hi"), "upstream_unreachable"),
            (MESSAGES, message_stream("hi"), "api_error"),
            (GEMINI, contents("hi"), "UNAVAILABLE"),
        ] {
            upstream.answer(Answer::json(
                status,
                &json!({ "error": "sk-canary is wrong" }),
            ));
            let answered = stage.client.post(path, &body).await;
            let text = assert_refused(answered, 502, word).await;
            assert!(!text.contains("canary"), "{text}");
        }
    }
    // As Google says it.
    let invalid = json!({ "error": { "details": [{ "reason": "API_KEY_INVALID" }] } });
    upstream.answer(Answer::json(400, &invalid));
    let answered = stage.client.post(GEMINI, &contents("hi")).await;
    assert_refused(answered, 502, "UNAVAILABLE").await;
    let books = stage.books().await;
    assert_eq!(books.entries.len(), 10);
    let (cost, requests) = (0, 1);
    let free = |amount: tollgate_core::amount::Amount| {
        (amount.cost.as_nano(), amount.requests) == (cost, requests)
    };
    assert!(books.entries.iter().all(|entry| free(entry.amount)));
}

#[tokio::test]
async fn any_other_error_passes_byte_for_byte_and_costs_nothing() {
    let upstream = Upstream::start().await;
    let stage = stage(&upstream.url(), "").await;
    let statuses = [
        400, 404, 408, 409, 413, 422, 429, 451, 500, 502, 503, 504, 529,
    ];
    for status in statuses {
        let body = format!("{{ \"error\" : \"exactly {status}\" }}\n");
        let answer = Answer::new(status, "application/json; x=y", body.clone());
        let answer = answer
            .header("retry-after", "7")
            .header("x-request-id", "req_theirs");
        upstream.answer(answer);
        let answered = stage.client.post(CHAT, &chat_stream("hi")).await;
        assert_eq!(answered.status, status);
        assert_eq!(answered.header("retry-after"), Some("7"));
        assert_eq!(answered.header("x-request-id"), Some("req_theirs"));
        assert_eq!(
            answered.header("content-type"),
            Some("application/json; x=y")
        );
        assert_eq!(answered.text().await, body);
    }
    let books = stage.books().await;
    assert_eq!(books.entries.len(), statuses.len());
    let amounts = books.entries.iter().map(|entry| entry.amount);
    assert!(
        amounts
            .clone()
            .all(|amount| amount.cost.as_nano() == 0 && amount.requests == 1)
    );
}

#[tokio::test]
async fn a_redirect_is_502_and_nobody_follows_it() {
    let upstream = Upstream::start().await;
    let elsewhere = Upstream::start().await;
    let stage = stage(&upstream.url(), "").await;
    for status in [301, 302, 307, 308] {
        let answer = Answer::new(status, "text/plain", "").header("location", &elsewhere.url());
        upstream.answer(answer);
        let answered = stage.client.post(CHAT, &chat("hi")).await;
        assert_refused(answered, 502, "upstream_broken").await;
    }
    assert_eq!(elsewhere.requests().len(), 0);
    assert_eq!(stage.books().await.entries.len(), 4);
}

#[tokio::test]
async fn interim_answers_before_the_head_are_passed_over() {
    let upstream = Upstream::start().await;
    let usage = json!({ "usage": { "prompt_tokens": 10, "completion_tokens": 10 } });
    let hints = "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n";
    upstream.answer(Answer::json(200, &usage).prelude(hints));
    let stage = stage(&upstream.url(), "").await;
    let answered = stage.client.post(CHAT, &chat("hi")).await;
    assert_eq!(answered.json().await, usage);
    assert_eq!(flags(stage.books().await.only()), [""; 0]);
}

#[tokio::test]
async fn a_client_that_leaves_before_the_head_cancels_the_upstream() {
    let upstream = Upstream::start().await;
    upstream.answer(Answer::silence());
    let stage = stage(&upstream.url(), "").await;
    let (client, body) = (stage.client.clone(), chat("hi"));
    let asking = tokio::spawn(async move { client.post(CHAT, &body).await.status });
    upstream.wait_for_requests(1).await;
    asking.abort();
    assert_eq!(upstream.wait_until_over(0).await.ended, Ended::ClientGone);
    assert_estimated(stage.books().await.only(), &["estimated", "client_gone"]);
}

#[tokio::test]
async fn a_client_that_leaves_in_mid_stream_cancels_the_upstream() {
    let upstream = Upstream::provider().await;
    let stage = stage(&upstream.url(), "").await;
    let body = chat_stream("[words=1000] [pace=20]");
    let mut answered = stage.client.post(CHAT, &body).await;
    answered.chunk().await.unwrap().unwrap();
    drop(answered);
    let request = upstream.wait_until_over(0).await;
    assert_eq!(request.ended, Ended::ClientGone);
    assert!(request.output_tokens < 500, "{request:#?}");
    assert_estimated(stage.books().await.only(), &["estimated", "client_gone"]);
}

#[tokio::test]
async fn a_client_that_leaves_after_the_end_marker_took_the_whole_answer() {
    let upstream = Upstream::start().await;
    let usage =
        "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":10}}\n\n";
    // The end marker has come, the end of the body has not.
    upstream.answer(Answer::sse([usage, "data: [DONE]\n\n"]).then(End::Stall));
    let stage = stage(&upstream.url(), "").await;
    let body = chat_stream_with_usage();
    let mut answered = stage.client.post(CHAT, &body).await;
    let mut text = Vec::new();
    while !text.ends_with(b"[DONE]\n\n") {
        text.extend_from_slice(&answered.chunk().await.unwrap().unwrap());
    }
    drop(answered);
    upstream.wait_until_over(0).await;
    let books = stage.books().await;
    assert_eq!(flags(books.only()), [""; 0]);
    assert_eq!(books.only().cost.as_nano(), 157_500);
}

#[tokio::test]
async fn where_the_provider_bills_on_a_stream_is_read_to_its_usage_without_its_client() {
    let upstream = Upstream::provider().await;
    let base = format!("{}/v1", upstream.url());
    let drains = provider("drains", "openai", &base, "on_client_gone = \"drain\"");
    let stage = stage(&upstream.url(), &drains).await;
    let body = chat_stream("[words=50] [pace=4]");
    let mut answered = stage
        .client
        .post("/proxy/drains/chat/completions", &body)
        .await;
    let id = crate::support::request_id(&answered);
    answered.chunk().await.unwrap().unwrap();
    drop(answered);
    assert_eq!(upstream.wait_until_over(0).await.output_tokens, 50);
    let row = stage.row(id).await;
    assert_eq!(flags(&row), ["client_gone"]);
    let books = stage.books().await;
    assert_eq!(
        books.only().usage.total_tokens(),
        50 + upstream.only_request().input_tokens
    );
}
