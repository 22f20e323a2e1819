//! HTTP itself: versions, connections that are kept, lengths that lie, and when bytes are sent.

use crate::support::{CHAT, KEY, chat, chat_stream, read, stage};
use serde_json::Value;
use std::time::Duration;
use tollgate_testkit::{Answer, Client, Upstream, client::raw::RawClient};

/// Header lines of a chat request.
fn headers() -> [String; 2] {
    ["host: x".to_owned(), format!("authorization: Bearer {KEY}")]
}

/// Writes a request for [`CHAT`] with a true length.
async fn ask(client: &mut RawClient, version: &str, body: &Value) {
    let line = format!("POST {CHAT} {version}");
    let [host, key] = headers();
    assert!(
        client
            .request(&line, &[&host, &key], &body.to_string())
            .await
    );
}

#[tokio::test]
async fn http_1_0_is_answered_and_the_end_is_the_connections() {
    let upstream = Upstream::provider().await;
    let stage = stage(&upstream.url(), "").await;
    for (body, end) in [(chat("hi"), "}"), (chat_stream("hi"), "data: [DONE]\n\n")] {
        let mut client = stage.raw().await;
        ask(&mut client, "HTTP/1.0", &body).await;
        let (answer, orderly) = client.read_to_end().await;
        assert!(answer.starts_with("HTTP/1.0 200 "), "{answer}");
        assert!(!answer.contains("transfer-encoding"), "{answer}");
        assert!(orderly && answer.ends_with(end), "{answer}");
    }
    assert_eq!(stage.books().await.entries.len(), 2);
}

#[tokio::test]
async fn http_2_without_tls_carries_streams_beside_each_other() {
    let upstream = Upstream::provider().await;
    let stage = stage(&upstream.url(), "").await;
    let client = Client::http2(stage.gateway.url()).bearer(KEY);
    let mut slow = client
        .post(CHAT, &chat_stream("[words=200] [pace=20]"))
        .await;
    slow.chunk().await.unwrap().unwrap();
    let whole = client.post(CHAT, &chat("hi")).await;
    assert_eq!(
        (whole.status.as_u16(), whole.version),
        (200, http::Version::HTTP_2)
    );
    let (text, clean) = read(client.post(CHAT, &chat_stream("hi")).await).await;
    assert!(clean && text.ends_with("data: [DONE]\n\n"), "{text}");
    let unknown = Client::http2(stage.gateway.url())
        .post(CHAT, &chat("hi"))
        .await;
    assert_eq!(unknown.status, 401);
    // One stream is reset; the connection stays.
    drop(slow);
    assert_eq!(client.post(CHAT, &chat("hi")).await.status, 200);
    upstream.wait_until_over(0).await;
    assert_eq!(stage.books().await.entries.len(), 4);
}

#[tokio::test]
async fn a_connection_is_kept_after_a_refusal_and_after_a_stream() {
    let upstream = Upstream::provider().await;
    let stage = stage(&upstream.url(), "").await;
    let mut client = stage.raw().await;
    for (body, end) in [
        (Value::Null, "bad_request"),
        (chat_stream("hi"), "[DONE]\n\n\r\n0\r\n\r\n"),
        (chat("[fail=500]"), "asked for this failure"),
        (chat_stream("[fail=429]"), "rate_limit_exceeded"),
        (chat("[words=3]"), "\"completion_tokens\":3"),
    ] {
        ask(&mut client, "HTTP/1.1", &body).await;
        client.read_until(end).await.unwrap();
        client.forget();
    }
    assert_eq!(stage.books().await.entries.len(), 4);
}

#[tokio::test]
async fn two_different_lengths_are_400_and_the_connection_is_closed() {
    let upstream = Upstream::start().await;
    let stage = stage(&upstream.url(), "").await;
    let mut client = stage.raw().await;
    let [host, key] = headers();
    let lengths = "content-length: 3\r\ncontent-length: 4";
    client
        .write(format!(
            "POST {CHAT} HTTP/1.1\r\n{host}\r\n{key}\r\n{lengths}\r\n\r\n{{}} "
        ))
        .await;
    let (answer, _) = client.read_to_end().await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    stage.books().await.assert_nothing_posted();
}

#[tokio::test]
async fn a_length_beside_chunks_does_not_travel() {
    let upstream = Upstream::provider().await;
    let stage = stage(&upstream.url(), "").await;
    let mut client = stage.raw().await;
    let [host, key] = headers();
    let body = chat("hi").to_string();
    let lengths = "content-length: 7\r\ntransfer-encoding: chunked";
    let head = format!("POST {CHAT} HTTP/1.1\r\n{host}\r\n{key}\r\n{lengths}\r\n\r\n");
    let chunks = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    client.write(head + &chunks).await;
    client.read_until("HTTP/1.1 200 OK").await.unwrap();
    let request = upstream.only_request();
    assert_eq!(request.body, body);
    let length = body.len().to_string();
    assert_eq!(request.header("content-length"), Some(&*length));
    assert_eq!(request.header("transfer-encoding"), None);
}

#[tokio::test]
async fn who_expects_to_be_told_to_continue_is_told_or_refused() {
    let upstream = Upstream::provider().await;
    let stage = stage(&upstream.url(), "").await;
    let body = chat("hi").to_string();
    let head = |key: &str| {
        format!(
            "POST {CHAT} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\n\
             expect: 100-continue\r\ncontent-length: {}\r\n\r\n",
            body.len()
        )
    };
    let mut client = stage.raw().await;
    client.write(head(KEY)).await;
    client
        .read_until("HTTP/1.1 100 Continue\r\n\r\n")
        .await
        .unwrap();
    client.write(&body).await;
    client.read_until("HTTP/1.1 200 OK").await.unwrap();
    assert_eq!(upstream.only_request().header("expect"), None);
    let mut stranger = stage.raw().await;
    stranger.write(head("key-that-nobody-has-made")).await;
    let answer = stranger.read_until("invalid_api_key").await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    stage.books().await.only();
}

#[tokio::test]
async fn a_body_in_pieces_goes_upstream_in_one_with_its_length() {
    let upstream = Upstream::provider().await;
    let stage = stage(&upstream.url(), "").await;
    let mut client = stage.raw().await;
    let body = chat("hi").to_string();
    let [host, key] = headers();
    let head =
        format!("POST {CHAT} HTTP/1.1\r\n{host}\r\n{key}\r\ntransfer-encoding: chunked\r\n\r\n");
    client.write(head).await;
    for byte in body.bytes() {
        client
            .write(["1\r\n".as_bytes(), &[byte], b"\r\n"].concat())
            .await;
    }
    client.write("0\r\n\r\n").await;
    client.read_until("HTTP/1.1 200 OK").await.unwrap();
    let request = upstream.only_request();
    assert_eq!(request.body, body);
    assert_eq!(
        request.header("content-length"),
        Some(&*body.len().to_string())
    );
    assert_eq!(request.header("transfer-encoding"), None);
}

#[tokio::test]
async fn what_is_not_http_or_goes_on_for_ever_ends_with_its_connection() {
    let upstream = Upstream::start().await;
    let stage = stage(&upstream.url(), "[server]\nhead_timeout = \"200ms\"").await;
    let endless = format!("GET / HTTP/1.1\r\nx: {}", "a".repeat(1 << 20));
    for bytes in [
        "",
        "PRI * HTTP/2.0\r\n\r\nSM",
        "\u{16}\u{3}\u{1}\u{2}",
        "GET / HTTP/1.1\r\nhos",
        "GET /\r\n\r\n",
        &endless,
    ] {
        let mut client = stage.raw().await;
        client.write(bytes).await;
        let (answer, _) = client.read_to_end().await;
        assert!(!answer.contains(" 200 "), "{answer}");
    }
    let answered = stage.client.get("/healthz").await;
    assert_eq!(answered.status, 200);
}

/// How many times something arrived of one more stream of ten paced pieces on this connection.
async fn arrivals(client: &mut RawClient) -> usize {
    ask(client, "HTTP/1.1", &chat_stream("[words=10] [pace=3]")).await;
    let (mut count, mut text) = (0, Vec::new());
    while !text.ends_with(b"\r\n0\r\n\r\n") {
        text.extend(client.read_once().await);
        count += 1;
    }
    count
}

#[tokio::test]
async fn each_piece_of_a_later_stream_on_a_connection_is_sent_at_once() {
    let upstream = Upstream::provider().await;
    let stage = stage(&upstream.url(), "").await;
    let mut client = stage.raw().await;
    // Nagle's algorithm waits for the acknowledgement of the head, which a client's system delays
    // by 40 ms: it joins most pieces of every stream but the first of a connection. A busy machine
    // may join some, now and then.
    arrivals(&mut client).await;
    let mut most = 0;
    for _ in 0..5 {
        most = most.max(arrivals(&mut client).await);
        if most >= 10 {
            return;
        }
    }
    unreachable!("ten pieces arrived in {most} parts at best");
}

#[tokio::test]
async fn the_first_piece_does_not_wait_for_the_second() {
    let upstream = Upstream::start().await;
    let event = "data: {\"choices\":[{\"delta\":{\"content\":\"hel\"}}]}\n\n";
    let late = Answer::sse([event, "data: [DONE]\n\n"]).paced(Duration::from_mins(1));
    let mut answer = late;
    answer.chunks.first_mut().unwrap().after = Duration::ZERO;
    upstream.answer(answer);
    let stage = stage(&upstream.url(), "").await;
    let mut answered = stage.client.post(CHAT, &chat_stream("hi")).await;
    assert_eq!(answered.chunk().await.unwrap().unwrap(), event);
}
