//! The two sides of a WebSocket conversation: a provider that says what it is told to, and a client
//! with a key.

use crate::support::{KEY, Stage};
use futures_util::{SinkExt, StreamExt};
use http::{HeaderMap, Request, StatusCode};
use serde_json::Value;
use std::time::Duration;
use tokio::{
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream, accept_hdr_async, client_async,
    tungstenite::{
        self, Message,
        client::IntoClientRequest,
        handshake::server::{ErrorResponse, Response},
        protocol::CloseFrame,
    },
};

/// How long a frame is waited for; only a failing test waits that long.
const PATIENCE: Duration = Duration::from_secs(20);

/// A provider that waits for conversations.
pub(super) struct Provider(TcpListener);

/// One side of a conversation.
pub(super) struct Side(WebSocketStream<TcpStream>);

impl Provider {
    pub(super) async fn start() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.0.local_addr().unwrap())
    }

    /// Accepts the next conversation; gives the path and the headers it was asked with.
    pub(super) async fn accept(&self) -> (Side, String, HeaderMap) {
        let (stream, _) = self.0.accept().await.unwrap();
        let mut asked = None;
        #[expect(clippy::result_large_err, reason = "the library's own signature")]
        let note = |request: &Request<()>, response: Response| -> Result<Response, ErrorResponse> {
            asked = Some((request.uri().to_string(), request.headers().clone()));
            Ok(response)
        };
        let socket = accept_hdr_async(stream, note).await.unwrap();
        let (path, headers) = asked.unwrap();
        (Side(socket), path, headers)
    }

    /// Answers the next handshake with bytes of another protocol.
    pub(super) async fn refuse(&self, answer: &str) {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let (mut stream, _) = self.0.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        stream.write_all(answer.as_bytes()).await.unwrap();
    }
}

impl Side {
    /// A client's conversation at this path.
    pub(super) async fn connect(stage: &Stage, path: &str) -> Self {
        Self::try_connect(stage, path).await.unwrap()
    }

    /// The same, which may be refused: with a status and a text.
    pub(super) async fn try_connect(
        stage: &Stage,
        path: &str,
    ) -> Result<Self, (StatusCode, String)> {
        Self::connect_with(stage, path, &[]).await
    }

    /// The same with further headers.
    pub(super) async fn connect_with(
        stage: &Stage,
        path: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, (StatusCode, String)> {
        let url = format!("ws://{}{path}", stage.address());
        let mut request = url.into_client_request().unwrap();
        let bearer = format!("Bearer {KEY}").parse().unwrap();
        request.headers_mut().insert("authorization", bearer);
        for (name, value) in headers {
            let value = value.parse().unwrap();
            request.headers_mut().insert(*name, value);
        }
        let stream = TcpStream::connect(stage.address()).await.unwrap();
        match client_async(request, stream).await {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(tungstenite::Error::Http(answer)) => {
                let body = answer.body().clone().unwrap_or_default();
                Err((answer.status(), String::from_utf8(body).unwrap()))
            }
            Err(other) => unreachable!("{other}"),
        }
    }

    pub(super) async fn say(&mut self, frame: &Value) {
        self.say_text(&frame.to_string()).await;
    }

    pub(super) async fn say_text(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.unwrap();
    }

    /// The next frame, as text.
    pub(super) async fn hear_text(&mut self) -> String {
        match self.hear_message().await {
            Some(Message::Text(text)) => text.to_string(),
            other => unreachable!("expected a text, got {other:?}"),
        }
    }

    pub(super) async fn hear(&mut self) -> Value {
        serde_json::from_str(&self.hear_text().await).unwrap()
    }

    /// The words of the close that comes next; `None` when the connection just ends.
    pub(super) async fn hear_close(&mut self) -> Option<CloseFrame> {
        match self.hear_message().await {
            Some(Message::Close(words)) => words,
            None => None,
            other => unreachable!("expected a close, got {other:?}"),
        }
    }

    pub(super) async fn close(&mut self) {
        let _closed = self.0.close(None).await;
        while let Some(Ok(_)) = self.0.next().await {}
    }

    async fn hear_message(&mut self) -> Option<Message> {
        loop {
            let frame = timeout(PATIENCE, self.0.next()).await;
            match frame.expect("a frame comes") {
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(message)) => return Some(message),
                Some(Err(_)) | None => return None,
            }
        }
    }
}
