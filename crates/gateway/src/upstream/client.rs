//! The only outbound HTTP client: a request gets its provider's credential, goes out over the
//! provider's kind of connection, and comes back as the head of an answer.

use super::{
    answer::Answer,
    body::RequestBody,
    credential::Credentials,
    failure::SendError,
    guard::{Names, SystemNames},
    transport::{ClientError, Transport},
};
use crate::settings::GatewaySettings;
use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Limited};
use hyper::{body::Incoming, upgrade::Upgraded};
use hyper_util::rt::TokioIo;
use std::{sync::Arc, time::Duration};
use tollgate_core::{
    clock::Clock,
    provider::{Connection, Provider},
};

/// How long a document may take to arrive, from the first byte asked to the last received.
const FETCH_TIMEOUT: Duration = Duration::from_mins(1);

/// A pooled client to every upstream.
#[derive(Clone)]
pub struct Client {
    transport: Arc<Transport>,
    credentials: Arc<Credentials>,
}

/// What came of asking for another protocol.
pub(crate) enum Upgrade {
    /// The connection speaks it from here on.
    Switched {
        /// The headers of the 101.
        headers: HeaderMap,
        /// The connection.
        socket: TokioIo<Upgraded>,
    },
    /// The provider answered instead.
    Refused(Answer),
}

impl Client {
    /// A client with the settings' bounds. `clock` dates signatures and tokens.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn new(settings: &GatewaySettings, clock: Arc<dyn Clock>) -> Result<Self, ClientError> {
        Self::with_names(settings, clock, Arc::new(SystemNames))
    }

    /// The same with a resolver of one's own.
    pub(super) fn with_names(
        settings: &GatewaySettings,
        clock: Arc<dyn Clock>,
        names: Arc<dyn Names>,
    ) -> Result<Self, ClientError> {
        let transport = Arc::new(Transport::new(settings, names)?);
        let defaults = settings.google_defaults.clone();
        let credentials = Credentials::new(Arc::clone(&transport), clock, defaults);
        Ok(Self {
            transport,
            credentials: Arc::new(credentials),
        })
    }

    /// Puts the provider's credential on a request, sends it and waits for the head of its answer.
    /// An answer that blames a token makes us forget that token: the next attempt gets a new one.
    pub(crate) async fn send(
        &self,
        provider: &Provider,
        request: Request<RequestBody>,
    ) -> Result<Answer, SendError> {
        Answer::from_http(self.exchange(provider, request).await?)
    }

    /// Sends a request for another protocol (`Connection: Upgrade`).
    pub(crate) async fn upgrade(
        &self,
        provider: &Provider,
        request: Request<RequestBody>,
    ) -> Result<Upgrade, SendError> {
        let mut response = self.exchange(provider, request).await?;
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            return Answer::from_http(response).map(Upgrade::Refused);
        }
        let upgraded = hyper::upgrade::on(&mut response).await.map_err(|error| {
            SendError::garbled(true, format!("the connection was not handed over: {error}"))
        })?;
        Ok(Upgrade::Switched {
            headers: std::mem::take(response.headers_mut()),
            socket: TokioIo::new(upgraded),
        })
    }

    async fn exchange(
        &self,
        provider: &Provider,
        mut request: Request<RequestBody>,
    ) -> Result<Response<Incoming>, SendError> {
        let presented = self.credentials.present(provider, &mut request).await?;
        let response = self.transport.send(&provider.connection, request).await?;
        presented.judge(response.status(), response.headers());
        Ok(response)
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
        let sent = self.transport.send(&Connection::default(), request).await;
        let answer = sent
            .and_then(Answer::from_http)
            .map_err(|failure| failure.describe().to_owned())?;
        if answer.status != StatusCode::OK {
            return Err(format!("answered {}", answer.status));
        }
        let body = Limited::new(answer.body, bytes_max).collect().await;
        Ok(body.map_err(|error| error.to_string())?.to_bytes())
    }
}

#[cfg(test)]
mod tests;
