//! Upstreams that refuse, break off, stall, lie or mumble: what the client sees of it, that the
//! upstream is let go of, and that one figure is posted, said to be an estimate where it is one.

mod streams;

use crate::support::{
    Books, CHAT, GEMINI, MESSAGES, USAGE_EVENT, assert_estimated, assert_refused, chat,
    chat_stream, chat_stream_with_usage, contents, flags, message, message_stream, read, stage,
};
use serde_json::json;
use tollgate_testkit::{Answer, End, Ended, Length, Upstream};

/// Hardly any patience with an upstream.
const HASTY: &str = "[upstream]\nhead_timeout = \"200ms\"\nidle_timeout = \"200ms\"";

/// So many requests were counted, and none cost anything.
fn assert_free(books: &Books, requests: usize) {
    let amounts = books.entries.iter().map(|entry| entry.amount);
    let amounts = amounts.map(|amount| (amount.requests, amount.cost.as_nano()));
    assert!(
        amounts.eq(std::iter::repeat_n((1, 0), requests)),
        "{books:#?}"
    );
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
    let lost = ("upstream_unreachable", &["estimated"][..]);
    let garbled = ("upstream_broken", &["estimated", "broken"][..]);
    let broken = [
        (Answer::hang_up(), lost),
        (Answer::raw("").then(End::Reset), lost),
        (Answer::raw("HTTP/1.1 200 OK\r\ncontent-le"), lost),
        (Answer::raw("this is not HTTP\r\n\r\n"), garbled),
    ];
    for (answer, (word, flags)) in broken {
        let upstream = Upstream::start().await;
        upstream.answer(answer);
        let stage = stage(&upstream.url(), "").await;
        let answered = stage.client.post(CHAT, &chat("hi")).await;
        assert_refused(answered, 502, word).await;
        let _sent_once = upstream.only_request();
        assert_estimated(stage.books().await.only(), flags);
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
    let stream = [USAGE_EVENT, "data: [DONE]\n\n"];
    for (answer, body, text) in [
        (Answer::json(200, &usage), chat("hi"), usage.to_string()),
        (
            Answer::sse(stream),
            chat_stream_with_usage(),
            stream.concat(),
        ),
    ] {
        let upstream = Upstream::start().await;
        upstream.answer(answer.gzipped());
        let stage = stage(&upstream.url(), "").await;
        let answered = stage.client.post(CHAT, &body).await;
        assert_eq!(answered.header("content-encoding"), None);
        assert_eq!(read(answered).await, (text, true));
        let asked = upstream.only_request();
        assert_eq!(asked.header("accept-encoding"), Some("identity"));
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
    let echo = json!({ "error": "sk-canary is wrong" });
    let as_google_says_it = json!({ "error": { "details": [{ "reason": "API_KEY_INVALID" }] } });
    for (path, body, status, said, word) in [
        (CHAT, chat("hi"), 401, &echo, "upstream_unreachable"),
        (CHAT, chat_stream("hi"), 402, &echo, "upstream_unreachable"),
        (MESSAGES, message_stream("hi"), 403, &echo, "api_error"),
        (
            GEMINI,
            contents("hi"),
            400,
            &as_google_says_it,
            "UNAVAILABLE",
        ),
    ] {
        upstream.answer(Answer::json(status, said));
        let answered = stage.client.post(path, &body).await;
        let text = assert_refused(answered, 502, word).await;
        assert!(!text.contains("canary"), "{text}");
    }
    assert_free(&stage.books().await, 4);
}

#[tokio::test]
async fn any_other_error_passes_byte_for_byte_and_costs_nothing() {
    let upstream = Upstream::start().await;
    let stage = stage(&upstream.url(), "").await;
    let statuses = [400, 404, 408, 413, 422, 429, 451, 500, 502, 503, 504, 529];
    let headers = [
        ("content-type", "application/json; x=y"),
        ("retry-after", "7"),
        ("x-request-id", "req_theirs"),
    ];
    for status in statuses {
        let body = format!("{{ \"error\" : \"exactly {status}\" }}\n");
        let answer = Answer::new(status, headers[0].1, body.clone());
        upstream.answer(
            answer
                .header("retry-after", "7")
                .header("x-request-id", "req_theirs"),
        );
        let answered = stage.client.post(CHAT, &chat_stream("hi")).await;
        assert_eq!(answered.status, status);
        for (name, value) in headers {
            assert_eq!(answered.header(name), Some(value));
        }
        assert_eq!(answered.text().await, body);
    }
    assert_free(&stage.books().await, statuses.len());
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
    assert_free(&stage.books().await, 4);
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
