//! Asking an OAuth token endpoint for an access token.
//!
//! What an endpoint says about a refusal may echo parts of what it was asked with: of its text only
//! the error's code is told on, and only when it looks like one.

use super::lease::Lease;
use crate::upstream::{
    answer::Answer,
    body::RequestBody,
    failure::{FailureClass, SendError},
    transport::Transport,
};
use bytes::Bytes;
use http::{HeaderValue, Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Limited};
use serde::Deserialize;
use std::time::Duration;
use tollgate_core::{clock::Clock, provider::Connection, secret::Secret};
use tollgate_wire::endpoint::encode_query_value;

/// How long a token may take, whole.
const PATIENCE: Duration = Duration::from_secs(15);

/// The largest answer that is read.
const ANSWER_MAX: usize = 256 << 10;

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    /// Seconds.
    expires_in: u64,
}

#[derive(Deserialize)]
struct Refused {
    error: String,
}

/// A form for a token endpoint.
pub(super) fn form(uri: Uri, fields: &[(&str, &str)]) -> Request<RequestBody> {
    let pairs: Vec<_> = fields
        .iter()
        .map(|(name, value)| format!("{name}={}", encode_query_value(value)))
        .collect();
    let mut request = Request::new(RequestBody::from(Bytes::from(pairs.join("&"))));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = uri;
    let form = HeaderValue::from_static("application/x-www-form-urlencoded");
    request.headers_mut().insert(header::CONTENT_TYPE, form);
    request
}

/// Sends a request to a token endpoint and reads the token.
pub(super) async fn ask(
    transport: &Transport,
    connection: &Connection,
    clock: &dyn Clock,
    request: Request<RequestBody>,
) -> Result<Lease<Secret>, SendError> {
    let host = request.uri().host().unwrap_or_default().to_owned();
    // The endpoint is trusted with the token, so its clock counts from when we asked.
    let asked_at = clock.now();
    let asking = async {
        let answer = Answer::from_http(transport.send(connection, request).await?)?;
        let status = answer.status;
        let body = Limited::new(answer.body, ANSWER_MAX).collect().await;
        let body = body.map_err(|error| failed(&format!("{host} broke off: {error}")))?;
        Ok((status, body.to_bytes()))
    };
    let asked: Result<(StatusCode, Bytes), SendError> = tokio::time::timeout(PATIENCE, asking)
        .await
        .unwrap_or_else(|_elapsed| Err(failed(&format!("{host} did not answer in time"))));
    let (status, body) = asked.map_err(|failure| failed(failure.describe()))?;
    if status != StatusCode::OK {
        let code = serde_json::from_slice(&body).ok().and_then(code);
        let code = code.as_deref().unwrap_or("no readable reason");
        return Err(failed(&format!("{host} answered {status}: {code}")));
    }
    let granted: Granted = serde_json::from_slice(&body)
        .map_err(|_| failed(&format!("{host} answered without a token")))?;
    let holds = Duration::from_secs(granted.expires_in);
    Ok(Lease::new(
        Secret::new(granted.access_token),
        asked_at,
        holds,
    ))
}

/// The code of a refusal (RFC 6749 §5.2: `invalid_grant` and the like).
fn code(refused: Refused) -> Option<String> {
    let is_code = |c: char| c.is_ascii_lowercase() || c == '_';
    let code = refused.error;
    (code.len() <= 40 && code.chars().all(is_code)).then_some(code)
}

/// No token, for this reason.
pub(super) fn failed(reason: &str) -> SendError {
    SendError::not_sent(
        FailureClass::Credential,
        format!("no access token could be had: {reason}"),
    )
}
