use super::*;
use crate::receive::endpoint;
use bytes::Bytes;
use http_body::{Body, Frame};
use http_body_util::{BodyExt, StreamBody};
use std::convert::Infallible;
use tokio::sync::mpsc;
use tollgate_core::error::Kind;

const PATH: &str = "/v1/files";

/// A body that comes as the test sends it.
fn coming() -> (mpsc::UnboundedSender<Bytes>, ClientBody) {
    let (sender, receiver) = mpsc::unbounded_channel::<Bytes>();
    let frames = futures_util::stream::unfold(receiver, |mut receiver| async {
        let data = receiver.recv().await?;
        Some((Ok::<_, Infallible>(Frame::data(data)), receiver))
    });
    (sender, ClientBody::new(StreamBody::new(frames)))
}

fn post(path: &str, content_type: &str, body: ClientBody) -> (Request<ClientBody>, Endpoint) {
    let mut request = Request::post(path)
        .header("content-type", content_type)
        .body(body)
        .unwrap();
    *request.method_mut() = http::Method::POST;
    let endpoint = endpoint(&request, path).map_err(|error| error.message().to_owned());
    (request, endpoint.unwrap())
}

fn settings() -> GatewaySettings {
    GatewaySettings {
        body_limit: 8 << 20,
        upload_limit: 4 << 20,
        ..GatewaySettings::default()
    }
}

const FORM: &str = "multipart/form-data; boundary=b";

fn piece(kib: usize) -> Bytes {
    Bytes::from(vec![b'x'; kib << 10])
}

#[tokio::test]
async fn a_form_that_fits_is_whole_and_a_longer_one_is_read_to_its_prefix() {
    let (sender, body) = coming();
    sender.send(piece(512)).unwrap();
    sender.send(piece(100)).unwrap();
    drop(sender);
    let (mut request, endpoint) = post(PATH, FORM, body);
    let short = super::body(&mut request, &endpoint, &settings()).await;
    let short = short.map_err(|error| error.message().to_owned()).unwrap();
    assert_eq!(short.here.len(), 612 << 10);
    assert!(short.rest.is_none());

    let (sender, body) = coming();
    for _ in 0..5 {
        sender.send(piece(512)).unwrap();
    }
    drop(sender);
    let (mut request, endpoint) = post(PATH, FORM, body);
    let long = super::body(&mut request, &endpoint, &settings()).await;
    let long = long.map_err(|error| error.message().to_owned()).unwrap();
    assert_eq!(long.here.len(), 1 << 20);
    let rest = long.rest.unwrap();
    assert!(!rest.is_touched(), "another attempt may still have it");
    let passed = rest.behind(vec![long.here]).collect().await.unwrap();
    assert!(rest.is_touched());
    assert_eq!(passed.to_bytes().len(), 5 * (512 << 10));
    assert!(rest.failure().is_none());
}

#[tokio::test]
async fn only_forms_are_passed_on_while_they_come() {
    let (sender, body) = coming();
    for _ in 0..5 {
        sender.send(piece(512)).unwrap();
    }
    drop(sender);
    let (mut request, endpoint) = post("/v1/chat/completions", "application/json", body);
    let whole = super::body(&mut request, &endpoint, &settings()).await;
    let whole = whole.map_err(|error| error.message().to_owned()).unwrap();
    assert_eq!(whole.here.len(), 5 * (512 << 10));
    assert!(whole.rest.is_none());
}

const TRANSCRIBE: &str = "/v1/audio/transcriptions";
const FILE: &[u8] = b"--b\r\nContent-Disposition: form-data; name=file; filename=f\r\n\r\n";
const MODEL: &[u8] = b"--b\r\nContent-Disposition: form-data; name=model\r\n\r\nwhisper-1\r\n";

/// A recording of so many KiB, in the form as these pieces.
async fn recording(pieces: Vec<Bytes>) -> Received {
    let (sender, body) = coming();
    for piece in pieces {
        sender.send(piece).unwrap();
    }
    drop(sender);
    let (mut request, endpoint) = post(TRANSCRIBE, FORM, body);
    let received = super::body(&mut request, &endpoint, &settings()).await;
    received
        .map_err(|error| error.message().to_owned())
        .unwrap()
}

#[tokio::test]
async fn a_model_behind_the_file_is_read_up_to() {
    let after = Bytes::from([b"\r\n", MODEL, FILE].concat());
    let mut pieces = vec![Bytes::from_static(FILE), piece(3 << 10), after];
    pieces.extend([piece(2 << 10), piece(1)]);
    let received = recording(pieces).await;
    let whole = (6 << 20) + 1024;
    assert!(received.here.windows(9).any(|text| text == b"whisper-1"));
    assert!(received.here.len() < whole, "not all is waited for");
    let rest = received.rest.unwrap();
    assert!(rest.behind(Vec::new()).collect().await.is_ok());
}

#[tokio::test]
async fn a_second_model_in_what_is_passed_on_breaks_the_upload_off() {
    let start = Bytes::from([MODEL, FILE].concat());
    let late = Bytes::from([b"\r\n", MODEL].concat());
    let received = recording(vec![start, piece(2 << 10), late]).await;
    let rest = received.rest.unwrap();
    assert!(rest.behind(Vec::new()).collect().await.is_err());
    let failure = rest.failure().unwrap();
    assert_eq!(failure.kind(), Kind::BadRequest);
    assert!(
        failure.message().contains("`model`"),
        "{}",
        failure.message()
    );
}

/// The rest of an upload of which this much has come.
async fn rest_of(body: ClientBody, settings: &GatewaySettings) -> (Bytes, Rest) {
    let (mut request, endpoint) = post(PATH, FORM, body);
    let received = super::body(&mut request, &endpoint, settings).await;
    let received = received
        .map_err(|error| error.message().to_owned())
        .unwrap();
    (received.here, received.rest.unwrap())
}

#[tokio::test]
async fn what_turns_out_too_large_ends_with_the_reason() {
    let (sender, body) = coming();
    for _ in 0..5 {
        sender.send(piece(1024)).unwrap();
    }
    drop(sender);
    let (here, rest) = rest_of(body, &settings()).await;
    assert!(rest.behind(vec![here]).collect().await.is_err());
    let failure = rest.failure().unwrap();
    assert_eq!(failure.kind(), Kind::TooLarge);
    assert!(failure.message().contains("server.upload_limit"));
    assert!(rest.behind(Vec::new()).collect().await.is_err(), "for good");
}

#[tokio::test(start_paused = true)]
async fn a_client_is_waited_for_only_while_the_upstream_asks() {
    let (sender, body) = coming();
    for _ in 0..2 {
        sender.send(piece(1024)).unwrap();
    }
    let (here, rest) = rest_of(body, &settings()).await;
    let mut passing = rest.behind(vec![here]);
    for _ in 0..2 {
        // The upstream takes its time, longer than a client may be silent.
        tokio::time::advance(Duration::from_mins(5)).await;
        assert!(passing.frame().await.unwrap().is_ok());
    }
    tokio::time::advance(Duration::from_mins(5)).await;
    sender.send(piece(1)).unwrap();
    assert!(passing.frame().await.unwrap().is_ok());
    // Now it asks, and nothing comes.
    assert!(passing.frame().await.unwrap().is_err());
    assert_eq!(rest.failure().unwrap().kind(), Kind::RequestTimeout);
}

#[tokio::test]
async fn an_announced_length_is_passed_on() {
    struct Announced(Option<Bytes>);
    impl Body for Announced {
        type Data = Bytes;
        type Error = Infallible;
        fn poll_frame(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            let rest = self
                .0
                .as_mut()
                .map(|rest| rest.split_to(rest.len().min(1 << 20)));
            let piece = rest.filter(|piece| !piece.is_empty());
            std::task::Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
        }
        fn size_hint(&self) -> http_body::SizeHint {
            let left = self.0.as_ref().map_or(0, Bytes::len);
            http_body::SizeHint::with_exact(left.try_into().unwrap())
        }
    }
    let body = ClientBody::new(Announced(Some(piece(3 * 1024))));
    let (here, rest) = rest_of(body, &settings()).await;
    let edited = vec![Bytes::from_static(b"a few bytes more"), here];
    let passing = rest.behind(edited);
    assert_eq!(passing.size_hint().exact(), Some((3 << 20) + 16));
}

#[tokio::test]
async fn what_a_body_is_may_be_said_once() {
    for (name, values) in [
        ("content-type", ["application/json", FORM]),
        ("content-type", [FORM, "multipart/form-data; boundary=c"]),
        ("content-encoding", ["identity", "gzip"]),
    ] {
        let (_sender, body) = coming();
        let (mut request, endpoint) = post(TRANSCRIBE, FORM, body);
        request.headers_mut().remove(name);
        for value in values {
            let value = http::HeaderValue::from_static(value);
            request.headers_mut().append(name, value);
        }
        let refused = super::body(&mut request, &endpoint, &settings()).await;
        let refused = refused.unwrap_err();
        assert_eq!(refused.kind(), Kind::BadRequest);
        assert!(refused.message().contains(name), "{}", refused.message());
    }
}
