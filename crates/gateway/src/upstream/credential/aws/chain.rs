//! The AWS standard chain: environment, profile, web identity, container, instance.
//!
//! The library that defines it reads the process's environment and files itself; its requests go
//! out over our own connections.

use super::region;
use crate::upstream::{
    answer::Answer,
    body::RequestBody,
    credential::lease::Lease,
    failure::{FailureClass, SendError, chain as causes},
    transport::Transport,
};
use aws_config::{
    BehaviorVersion, Region, default_provider::credentials::DefaultCredentialsChain,
    provider_config::ProviderConfig,
};
use aws_credential_types::provider::ProvideCredentials;
use aws_smithy_async::time::TimeSource;
use aws_smithy_runtime_api::client::{
    http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
    },
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
    runtime_components::RuntimeComponents,
};
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Limited};
use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};
use tollgate_core::{
    clock::{Clock, Timestamp},
    provider::{Connection, Provider, SigningKeys},
    secret::Secret,
};

/// How long keys may take, whole.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long keys without an end are used before they are looked for again.
const LOOK_AGAIN: Duration = Duration::from_mins(15);

/// The largest answer that is read.
const ANSWER_MAX: usize = 256 << 10;

/// The longest reason that is told on.
const REASON_MAX: usize = 400;

/// Finds this machine's AWS keys.
pub(in crate::upstream::credential) struct Chain {
    transport: Arc<Transport>,
    clock: Arc<dyn Clock>,
}

impl Chain {
    pub(in crate::upstream::credential) fn new(
        transport: Arc<Transport>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { transport, clock }
    }

    /// Goes along the chain. Keys that must be asked for are asked for in the provider's region.
    pub(in crate::upstream::credential) async fn keys(
        &self,
        provider: &Provider,
    ) -> Result<Lease<SigningKeys>, SendError> {
        let region = Region::new(region(provider)?.to_owned());
        let config = ProviderConfig::without_region()
            .with_behavior_version(Some(BehaviorVersion::latest()))
            .with_region(Some(region.clone()))
            .with_time_source(Time(Arc::clone(&self.clock)))
            .with_http_client(OverOurs {
                transport: Arc::clone(&self.transport),
                connection: Connection::default(),
            });
        let finding = async {
            let chain = DefaultCredentialsChain::builder()
                .configure(config)
                .region(region);
            chain.build().await.provide_credentials().await
        };
        let found = tokio::time::timeout(PATIENCE, finding).await;
        let keys = found
            .map_err(|_elapsed| none(&format!("nothing was found within {PATIENCE:?}")))?
            .map_err(|error| none(&causes(&error)))?;
        let now = self.clock.now();
        let ends_at = keys.expiry().and_then(|at| Timestamp::try_from(at).ok());
        let holds = ends_at.map_or(LOOK_AGAIN, |at| {
            Duration::try_from(at.duration_since(now)).unwrap_or_default()
        });
        let keys = SigningKeys {
            access_key_id: keys.access_key_id().to_owned(),
            secret_access_key: Secret::new(keys.secret_access_key()),
            session_token: keys.session_token().map(Secret::new),
        };
        Ok(Lease::new(keys, now, holds))
    }
}

fn none(reason: &str) -> SendError {
    let reason: String = reason.chars().take(REASON_MAX).collect();
    SendError::not_sent(
        FailureClass::Credential,
        format!("no AWS keys could be had from the standard chain: {reason}"),
    )
}

/// Our clock as the library wants it.
struct Time(Arc<dyn Clock>);

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Time")
    }
}

impl TimeSource for Time {
    fn now(&self) -> SystemTime {
        self.0.now().into()
    }
}

/// Our connections as the library wants them.
#[derive(Clone)]
struct OverOurs {
    transport: Arc<Transport>,
    connection: Connection,
}

impl fmt::Debug for OverOurs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OverOurs")
    }
}

impl HttpClient for OverOurs {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Self {
            transport: Arc::clone(&self.transport),
            connection: Connection {
                connect_timeout: settings.connect_timeout(),
                head_timeout: settings.read_timeout(),
                ..Connection::default()
            },
        })
    }
}

impl HttpConnector for OverOurs {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let ours = self.clone();
        HttpConnectorFuture::new(async move { ours.exchange(request).await })
    }
}

impl OverOurs {
    async fn exchange(&self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let request = request
            .try_into_http1x()
            .map_err(|error| user(error.into()))?;
        let (parts, body) = request.into_parts();
        let body = Bytes::copy_from_slice(body.bytes().unwrap_or_default());
        let request = Request::from_parts(parts, RequestBody::from(body));
        let sent = self.transport.send(&self.connection, request).await;
        let answer = sent.and_then(Answer::from_http).map_err(|failure| {
            let reason = failure.describe().into();
            match failure.class {
                FailureClass::ConnectTimeout | FailureClass::HeadTimeout => {
                    ConnectorError::timeout(reason)
                }
                FailureClass::Unreachable
                | FailureClass::Tls
                | FailureClass::Reset
                | FailureClass::Garbled
                | FailureClass::Credential => ConnectorError::io(reason),
            }
        })?;
        let body = Limited::new(answer.body, ANSWER_MAX).collect().await;
        let body = body.map_err(ConnectorError::io)?.to_bytes();
        let mut response = http::Response::new(SdkBody::from(body));
        *response.status_mut() = answer.status;
        *response.headers_mut() = answer.headers;
        HttpResponse::try_from(response).map_err(|error| user(error.into()))
    }
}

fn user(error: Box<dyn std::error::Error + Send + Sync>) -> ConnectorError {
    ConnectorError::user(error)
}

#[cfg(test)]
mod tests;
