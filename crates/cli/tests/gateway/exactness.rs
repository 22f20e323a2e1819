//! Cases in which a figure is easily got wrong: answers too large to be read before they are passed
//! on, thinking that nobody sees, counts that are all zero.

use crate::{
    priced::{Api, Rules},
    support::{
        CHAT, USAGE_EVENT, assert_estimated, assert_refused, chat, chat_stream, flags, read, stage,
    },
};
use bytes::Bytes;
use serde_json::json;
use std::time::Duration;
use tollgate_testkit::{Answer, Ended, Length, Upstream};

/// A completion of more than a megabyte that says it used 7 and 3 tokens.
fn large() -> Bytes {
    let text = "a".repeat(3 << 20);
    let message = json!({"role": "assistant", "content": text});
    Bytes::from(
        json!({
            "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-5.2",
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
        })
        .to_string(),
    )
}

#[tokio::test]
async fn a_large_answer_is_posted_at_its_usage_whether_its_length_is_known_or_not() {
    for length in [Length::Stated, Length::Chunked, Length::UntilClose] {
        let upstream = Upstream::start().await;
        let body = large();
        upstream.answer(Answer::new(200, "application/json", body.clone()).length(length));
        let stage = stage(&upstream.url(), "").await;
        let answered = stage.client.post(CHAT, &chat("hi")).await;
        assert_eq!(answered.status, 200);
        assert_eq!(answered.bytes().await, body);
        let books = stage.books().await;
        let row = books.only();
        assert_eq!(flags(row), Vec::<&str>::new(), "{row:?}");
        // 7 at $1.75 and 3 at $14 per million.
        assert_eq!(row.cost.as_nano(), 54_250);
    }
}

#[tokio::test]
async fn an_answer_that_counts_nothing_is_posted_at_its_estimate() {
    let upstream = Upstream::start().await;
    upstream.answer(Answer::json(
        200,
        &json!({
            "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-5.2",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"},
                         "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
        }),
    ));
    let stage = stage(&upstream.url(), "").await;
    assert_eq!(stage.client.post(CHAT, &chat("hi")).await.status, 200);
    let books = stage.books().await;
    assert_estimated(books.only(), &["estimated"]);
}

#[tokio::test]
async fn thinking_before_the_first_byte_is_cut_by_the_clock_when_a_limit_is_reached() {
    let upstream = Upstream::start().await;
    upstream.answer(Answer::silence());
    // 1,200 tokens of output: 200 a second are assumed, and two seconds of them kept for the tail.
    let stage = Rules::of_key("daily = \"0.012\"").stage(&upstream).await;
    let ask = Api::Chat.ask(5_000, None).streamed(true);
    let answered = tokio::time::timeout(Duration::from_secs(30), ask.send(&stage)).await;
    assert_refused(answered.unwrap(), 402, "limit_reached").await;
    let request = upstream.wait_until_over(0).await;
    assert_eq!(
        request.ended,
        Ended::ClientGone,
        "the upstream is cancelled"
    );
}

#[tokio::test]
async fn a_stream_under_a_wrong_name_is_read_all_the_same() {
    let upstream = Upstream::start().await;
    let events = [
        "data: {\"choices\":[{\"delta\":{\"content\":\"hi\"},\"index\":0}]}\n\n",
        USAGE_EVENT,
    ];
    let mut answer = Answer::sse(events.into_iter().chain(["data: [DONE]\n\n"]));
    let head = answer.head.as_mut().unwrap();
    head.headers = vec![("content-type".to_owned(), "TEXT/Plain".to_owned())];
    upstream.answer(answer);
    let stage = stage(&upstream.url(), "").await;
    let answered = stage.client.post(CHAT, &chat_stream("hi")).await;
    let (text, whole) = read(answered).await;
    assert!(
        whole && !text.contains("usage"),
        "the chunk only we asked for: {text}"
    );
    let books = stage.books().await;
    assert_eq!(
        (flags(books.only()), books.only().cost.as_nano()),
        (vec![], 157_500)
    );
}
