//! The only outbound HTTP client.
//!
//! HTTP/1.1 upstream on purpose: a pooled HTTP/2 client opens one connection per host, whose
//! stream limit (about 100) would queue everything beyond it. Redirects are never followed and
//! bodies never decoded here.

use super::{answer::Answer, connect::Bounded, request::RequestBody};
use crate::settings::GatewaySettings;
use bytes::Bytes;
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt, Limited};
use hyper_rustls::HttpsConnector;
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use std::{error::Error as _, time::Duration};
use tollgate_core::error::{Error, Kind};

/// How long an unused connection to an upstream is kept. Below the 60 s after which common load
/// balancers close theirs, so that a request rarely meets a connection being closed.
const IDLE_CONNECTION: Duration = Duration::from_secs(50);

/// How long a document may take to arrive, from the first byte asked to the last received.
const FETCH_TIMEOUT: Duration = Duration::from_mins(1);

/// A pooled client to every upstream.
#[derive(Clone)]
pub struct Client {
    inner: legacy::Client<Bounded<HttpsConnector<HttpConnector>>, RequestBody>,
    head_timeout: Duration,
}

/// Why no answer came.
#[derive(Debug)]
pub(crate) struct SendError {
    /// What the caller is told.
    pub(crate) error: Error,
    /// Whether the upstream may have received the request (and may bill it).
    pub(crate) may_have_arrived: bool,
}

impl Client {
    /// A client that trusts the platform's certificate authorities.
    ///
    /// # Errors
    /// When the platform's trust store cannot be read.
    pub fn new(settings: &GatewaySettings) -> Result<Self, std::io::Error> {
        let mut http = HttpConnector::new();
        http.set_nodelay(true);
        http.enforce_http(false);
        let https = hyper_rustls::HttpsConnectorBuilder::new()
            .try_with_platform_verifier()
            .map_err(std::io::Error::other)?
            .https_or_http()
            .enable_http1()
            .wrap_connector(http);
        let inner = legacy::Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE_CONNECTION)
            .pool_timer(TokioTimer::new())
            .build(Bounded {
                connector: https,
                within: settings.connect_timeout,
            });
        Ok(Self {
            inner,
            head_timeout: settings.upstream_head_timeout,
        })
    }

    /// Gets a document that is not an answer to a client (price data).
    ///
    /// # Errors
    /// In words: not all of it within a minute, another status than 200, more than `bytes_max`.
    pub(crate) async fn fetch(&self, url: &str, bytes_max: usize) -> Result<Bytes, String> {
        tokio::time::timeout(FETCH_TIMEOUT, self.get(url, bytes_max))
            .await
            .unwrap_or_else(|_elapsed| {
                let seconds = FETCH_TIMEOUT.as_secs();
                Err(format!("did not arrive whole within {seconds} s"))
            })
    }

    async fn get(&self, url: &str, bytes_max: usize) -> Result<Bytes, String> {
        let uri: Uri = url.parse().map_err(|error| format!("not a URL: {error}"))?;
        let mut request = Request::new(RequestBody::default());
        *request.uri_mut() = uri;
        let answer = self.send(request).await.map_err(|failure| {
            failure
                .error
                .context()
                .unwrap_or(failure.error.message())
                .to_owned()
        })?;
        if answer.status != StatusCode::OK {
            return Err(format!("answered {}", answer.status));
        }
        let body = Limited::new(answer.body, bytes_max).collect().await;
        Ok(body.map_err(|error| error.to_string())?.to_bytes())
    }

    /// Sends a request and waits for the head of its answer.
    pub(crate) async fn send(&self, request: Request<RequestBody>) -> Result<Answer, SendError> {
        match tokio::time::timeout(self.head_timeout, self.inner.request(request)).await {
            Ok(Ok(response)) => Answer::from_http(response),
            Ok(Err(error)) => Err(SendError {
                may_have_arrived: !error.is_connect(),
                error: Error::new(
                    Kind::UpstreamUnreachable,
                    "the provider could not be reached",
                )
                .with_context(chain(&error)),
            }),
            Err(_elapsed) => Err(SendError {
                may_have_arrived: true,
                error: Error::new(
                    Kind::UpstreamTimeout,
                    format!(
                        "the provider sent no answer for {} s",
                        self.head_timeout.as_secs()
                    ),
                ),
            }),
        }
    }
}

/// The causes of an error in one line.
fn chain(error: &legacy::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
