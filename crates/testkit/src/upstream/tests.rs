//! The upstream against both clients: what is scripted is what arrives.

use super::*;
use crate::{
    answer::{End, Length},
    client::{Client, raw::RawClient},
};
use bytes::Bytes;
use flate2::read::GzDecoder;
use http::Method;
use serde_json::json;
use std::io::Read as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

#[tokio::test]
async fn requests_are_kept_as_they_were_sent() {
    let upstream = Upstream::start().await;
    upstream.answer(Answer::json(200, &json!({ "fine": true })));
    let mut client = RawClient::connect(upstream.address()).await;
    client
        .request(
            "POST /v1/x?key=abc HTTP/1.1",
            &["X-Odd-Case: 1", "x-odd-case: 2"],
            "{}",
        )
        .await;
    client.read_until(r#"{"fine":true}"#).await.unwrap();
    let request = upstream.only_request();
    assert_eq!(request.path(), "/v1/x");
    assert_eq!(request.credential(), "abc");
    assert_eq!(&request.body[..], b"{}");
    let names: Vec<_> = request.headers.iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["content-length", "X-Odd-Case", "x-odd-case"]);
}

#[tokio::test]
async fn chunked_requests_and_expect_continue_are_understood() {
    let upstream = Upstream::start().await;
    upstream.always(Answer::new(204, "text/plain", ""));
    let mut client = RawClient::connect(upstream.address()).await;
    client
        .write("POST / HTTP/1.1\r\nexpect: 100-continue\r\ntransfer-encoding: chunked\r\n\r\n")
        .await;
    client
        .read_until("HTTP/1.1 100 Continue\r\n\r\n")
        .await
        .unwrap();
    client
        .write("3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n")
        .await;
    client.read_until("HTTP/1.1 204").await.unwrap();
    assert_eq!(&upstream.only_request().body[..], b"abc0123456789");
}

#[tokio::test]
async fn a_path_outranks_the_queue_and_the_queue_outranks_the_closure() {
    let upstream = Upstream::start().await;
    upstream.answer_with(|request| Answer::new(200, "text/plain", request.target.clone()));
    upstream.answer(Answer::new(200, "text/plain", "queue"));
    upstream.answer_at("/a", Answer::new(200, "text/plain", "path"));
    let client = Client::new(upstream.url());
    let mut said = Vec::new();
    for target in ["/a?b=1", "/a", "/a?c"] {
        said.push(client.get(target).await.text().await);
    }
    assert_eq!(said, ["path", "queue", "/a?c"]);
}

#[tokio::test]
async fn pieces_of_a_stream_arrive_one_by_one() {
    let upstream = Upstream::start().await;
    let gap = Duration::from_millis(20);
    upstream.answer(Answer::sse(["one", "two", "three"]).paced(gap));
    let mut answered = Client::new(upstream.url()).get("/").await;
    let mut pieces = Vec::new();
    while let Some(piece) = answered.chunk().await {
        pieces.push(piece.unwrap());
    }
    assert_eq!(pieces, ["one", "two", "three"]);
    let request = upstream.wait_until_over(0).await;
    assert_eq!((request.ended, request.written), (Ended::AsScripted, 11));
    assert!(request.ended_at.unwrap() >= request.at + 3 * gap);
}

#[tokio::test]
async fn a_stream_can_be_cut_reset_or_left_hanging() {
    let upstream = Upstream::start().await;
    let client = Client::new(upstream.url());
    for end in [End::Cut, End::Reset] {
        upstream.answer(Answer::sse(["half"]).then(end));
        let mut answered = client.get("/").await;
        let first = answered.chunk().await.unwrap();
        if end == End::Cut {
            assert_eq!(first.unwrap(), "half");
            assert!(answered.chunk().await.unwrap().is_err());
        } else if first.is_ok() {
            assert!(answered.chunk().await.unwrap().is_err());
        }
    }
    upstream.answer(Answer::sse(["half"]).then(End::Stall));
    let mut answered = client.get("/").await;
    assert_eq!(answered.chunk().await.unwrap().unwrap(), "half");
    drop(answered);
    drop(client);
    let request = upstream.wait_until_over(2).await;
    assert_eq!(request.ended, Ended::ClientGone);
}

#[tokio::test]
async fn the_bill_stops_where_the_client_left() {
    let upstream = Upstream::start().await;
    let mut answer = Answer::sse(["a", "b", "c"]).then(End::Stall);
    answer.input_tokens = 100;
    for chunk in &mut answer.chunks {
        chunk.output_tokens = 7;
    }
    answer.chunks[2].after = Duration::from_hours(1);
    upstream.answer(answer);
    let client = Client::new(upstream.url()).bearer("sk-1");
    let mut answered = client.get("/").await;
    while answered.chunk().await.unwrap().unwrap() != "b" {}
    drop((answered, client));
    upstream.wait_until_over(0).await;
    let bill = Bill {
        requests: 1,
        cancelled: 1,
        input_tokens: 100,
        output_tokens: 14,
    };
    assert_eq!(upstream.bill(), BTreeMap::from([("sk-1".to_owned(), bill)]));
}

#[tokio::test]
async fn lies_about_the_length_are_told_as_scripted() {
    let upstream = Upstream::start().await;
    upstream.answer(
        Answer::json(200, &json!({}))
            .length(Length::Wrong(99))
            .then(End::Cut),
    );
    let client = Client::new(upstream.url());
    assert!(client.get("/").await.try_bytes().await.is_err());
    let two = Answer::new(200, "text/plain", "abc")
        .length(Length::Unstated)
        .header("content-length", "3")
        .header("Content-Length", "5");
    upstream.answer(two);
    let refused = client.try_send(Method::GET, "/", Bytes::new()).await;
    assert!(refused.is_err(), "hyper refuses two lengths");
}

#[tokio::test]
async fn garbage_silence_and_hanging_up_are_possible() {
    let upstream = Upstream::start().await;
    upstream.answer(Answer::raw("this is not HTTP\r\n\r\n"));
    upstream.answer(Answer::hang_up());
    let client = Client::new(upstream.url());
    for _ in 0..2 {
        let outcome = client.try_send(Method::POST, "/", Bytes::from("{}")).await;
        assert!(outcome.is_err());
    }
    upstream.answer(Answer::silence());
    let mut raw = RawClient::connect(upstream.address()).await;
    raw.write("GET / HTTP/1.1\r\n\r\n").await;
    upstream.wait_for_requests(3).await;
    raw.reset();
    let request = upstream.wait_until_over(2).await;
    assert_eq!((request.ended, request.written), (Ended::ClientGone, 0));
}

#[tokio::test]
async fn gzip_pieces_decode_as_one_stream() {
    let upstream = Upstream::start().await;
    upstream.answer(Answer::sse(["data: a\n\n", "data: b\n\n"]).gzipped());
    let answered = Client::new(upstream.url()).get("/").await;
    assert_eq!(answered.header("content-encoding"), Some("gzip"));
    let mut text = String::new();
    GzDecoder::new(&answered.bytes().await[..])
        .read_to_string(&mut text)
        .unwrap();
    assert_eq!(text, "data: a\n\ndata: b\n\n");
}

#[tokio::test]
async fn a_stopped_upstream_refuses_and_can_come_back() {
    let upstream = Upstream::start().await;
    let client = Client::new(upstream.url());
    let address = upstream.stop().await;
    let refused = client.try_send(Method::GET, "/", Bytes::new()).await;
    assert!(refused.is_err());
    let upstream = Upstream::start_at(address).await;
    upstream.always(Answer::new(200, "text/plain", "back"));
    assert_eq!(client.get("/").await.text().await, "back");
    let nowhere = Client::new(Upstream::refusing().await);
    assert!(
        nowhere
            .try_send(Method::GET, "/", Bytes::new())
            .await
            .is_err()
    );
}

#[tokio::test]
async fn scripts_in_other_languages_steer_it_over_http() {
    let upstream = Upstream::provider().await;
    let client = Client::new(upstream.url());
    let script = json!({
        "path": "/v1/messages", "status": 529, "headers": { "retry-after": "3" },
        "body": { "type": "error" },
    });
    assert_eq!(client.post("/_script", &script).await.status, 200);
    let answered = client.post("/v1/messages", &json!({})).await;
    assert_eq!(
        (answered.status.as_u16(), answered.header("retry-after")),
        (529, Some("3"))
    );
    assert_eq!(answered.text().await, r#"{"type":"error"}"#);
    let requests = client.get("/_requests").await.json().await;
    assert_eq!(requests[0]["target"], "/v1/messages");
    assert_eq!(requests[0]["ended"], "as_scripted");
    let wrong = client.post("/_script", &json!({ "stauts": 1 })).await;
    assert_eq!(wrong.status, 400);
    assert_eq!(upstream.requests().len(), 1, "this door is not in the log");
}

#[tokio::test]
#[should_panic(expected = "nobody scripted an answer to GET /surprise")]
async fn a_request_nobody_scripted_fails_the_test() {
    let upstream = Upstream::start().await;
    let answered = Client::new(upstream.url()).get("/surprise").await;
    assert_eq!(answered.status, 500);
}

#[tokio::test]
async fn both_doors_lead_to_the_same_upstream() {
    let certificates = Certificates::for_loopback();
    let mut upstream = Upstream::start().await;
    let secure = upstream.listen_tls_too(&certificates).await;
    upstream.always(Answer::new(200, "text/plain", "fine").then(End::Cut));
    let answered = Client::new(upstream.url()).get("/clear").await;
    assert_eq!(answered.text().await, "fine");
    let address: SocketAddr = secure.strip_prefix("https://").unwrap().parse().unwrap();
    let stream = TcpStream::connect(address).await.unwrap();
    let mut stream = certificates.connect("localhost", stream).await.unwrap();
    stream
        .write_all(b"GET /secret HTTP/1.1\r\n\r\n")
        .await
        .unwrap();
    let mut text = Vec::new();
    // The connection is cut, without the goodbye that TLS wants.
    stream.read_to_end(&mut text).await.unwrap_err();
    assert!(text.ends_with(b"fine"));
    let paths: Vec<_> = upstream
        .requests()
        .iter()
        .map(|request| request.target.clone())
        .collect();
    assert_eq!(paths, ["/clear", "/secret"]);
    let stranger = Certificates::for_loopback();
    let stream = TcpStream::connect(address).await.unwrap();
    assert!(
        stranger.connect("localhost", stream).await.is_err(),
        "not its authority"
    );
    assert!(
        upstream
            .issue_tokens(Duration::ZERO)
            .service_account
            .contains(&secure)
    );
}
