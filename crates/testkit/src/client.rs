//! The caller's side. [`Client`] sends well-formed requests on hyper and gives the answer as it
//! arrives; [`raw::RawClient`] writes whatever bytes a test wants.

pub mod raw;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, Version};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;
use std::time::Duration;
use tokio::time::timeout;

/// How long a test waits for a head or a piece; only a failing test waits that long.
const PATIENCE: Duration = Duration::from_secs(20);

/// A polite client that keeps its connections; it speaks HTTP/1.1 unless told otherwise.
#[derive(Clone, Debug)]
pub struct Client {
    http: legacy::Client<HttpConnector, Full<Bytes>>,
    base_url: String,
    headers: Vec<(String, String)>,
}

/// An answer whose body has not been read.
#[derive(Debug)]
pub struct Answered {
    /// Its status.
    pub status: StatusCode,
    /// Its version of HTTP.
    pub version: Version,
    /// Its headers.
    pub headers: HeaderMap,
    body: Incoming,
}

impl Client {
    /// A client for `base_url` (scheme, host, port and any path prefix, no trailing slash).
    pub fn new(base_url: impl Into<String>) -> Self {
        Self::build(base_url, false)
    }

    /// The same over HTTP/2 without TLS, which both sides must know beforehand.
    pub fn http2(base_url: impl Into<String>) -> Self {
        Self::build(base_url, true)
    }

    fn build(base_url: impl Into<String>, http2_only: bool) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Self {
            http: legacy::Client::builder(TokioExecutor::new())
                .http2_only(http2_only)
                .build(connector),
            base_url: base_url.into(),
            headers: Vec::new(),
        }
    }

    /// Sends this header with every request.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Presents this secret as `Authorization: Bearer`.
    #[must_use]
    pub fn bearer(self, secret: &str) -> Self {
        self.header("authorization", &format!("Bearer {secret}"))
    }

    /// Posts a JSON document.
    pub async fn post(&self, path: &str, body: &Value) -> Answered {
        let body = Bytes::from(body.to_string());
        self.send(Method::POST, path, body).await
    }

    /// Gets.
    pub async fn get(&self, path: &str) -> Answered {
        self.send(Method::GET, path, Bytes::new()).await
    }

    /// Sends a body as JSON unless the client's own headers say what it is, or nothing when it is
    /// empty, and waits for the head.
    pub async fn send(&self, method: Method, path: &str, body: Bytes) -> Answered {
        match self.try_send(method, path, body).await {
            Ok(answered) => answered,
            Err(error) => unreachable!("no answer from {}{path}: {error:#}", self.base_url),
        }
    }

    /// Like [`Client::send`], for tests in which no answer is a possible outcome.
    pub async fn try_send(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> anyhow::Result<Answered> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base_url));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let is_named = self
            .headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        if !body.is_empty() && !is_named {
            request = request.header("content-type", "application/json");
        }
        let request = request.body(Full::new(body))?;
        let (head, body) = timeout(PATIENCE, self.http.request(request))
            .await??
            .into_parts();
        Ok(Answered {
            status: head.status,
            version: head.version,
            headers: head.headers,
            body,
        })
    }
}

impl Answered {
    /// A header's value as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The next piece of the body as it comes off the connection; `None` at its proper end, an
    /// error when it breaks.
    pub async fn chunk(&mut self) -> Option<Result<Bytes, hyper::Error>> {
        let frame = timeout(PATIENCE, self.body.frame())
            .await
            .expect("the next piece arrives");
        Some(frame?.map(|frame| frame.into_data().unwrap_or_default()))
    }

    /// Everything up to the proper end; an error (and what came before it is lost) if it breaks.
    pub async fn try_bytes(mut self) -> Result<Bytes, hyper::Error> {
        let mut body = Vec::new();
        while let Some(chunk) = self.chunk().await {
            body.extend_from_slice(&chunk?);
        }
        Ok(body.into())
    }

    /// Everything up to the proper end.
    pub async fn bytes(self) -> Bytes {
        self.try_bytes().await.expect("the body ends properly")
    }

    /// The body as text.
    pub async fn text(self) -> String {
        String::from_utf8(self.bytes().await.into()).expect("the body is UTF-8")
    }

    /// The body as JSON.
    pub async fn json(self) -> Value {
        let body = self.bytes().await;
        serde_json::from_slice(&body).expect("the body is JSON")
    }
}
