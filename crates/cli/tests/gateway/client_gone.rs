//! Clients that hang up: the upstream is cancelled, or read to its usage where it bills on, and what
//! was used is posted.

use crate::support::{
    CHAT, USAGE_EVENT, assert_estimated, chat, chat_stream, chat_stream_with_usage, flags,
    provider, request_id, stage,
};
use tollgate_testkit::{Answer, End, Ended, Upstream};

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
    // The end marker has come, the end of the body has not.
    upstream.answer(Answer::sse([USAGE_EVENT, "data: [DONE]\n\n"]).then(End::Stall));
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
    let id = request_id(&answered);
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
