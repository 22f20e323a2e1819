//! AWS Signature Version 4 on requests to Bedrock.
//!
//! The signature covers the body, so a body that is passed on while it comes cannot be signed:
//! Bedrock takes no unsigned payloads.

mod chain;

pub(super) use chain::Chain;

use crate::upstream::{
    body::RequestBody,
    failure::{FailureClass, SendError},
};
use aws_credential_types::Credentials;
use aws_lc_rs::digest::{self, SHA256};
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign as sign_http},
    sign::v4::SigningParams,
};
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode};
use std::{fmt::Write as _, time::SystemTime};
use tollgate_core::{
    clock::Timestamp,
    provider::{Provider, ProviderKind, SigningKeys},
};

/// Headers that the signature covers, besides the host, the date and the session token: what
/// changes the meaning of the request. Others may be touched on the way.
const COVERED: [&str; 2] = ["x-amz-", "x-amzn-"];

/// Where AWS says what is wrong.
const ERROR_TYPE: &str = "x-amzn-errortype";

/// Signs a request with these keys.
///
/// # Errors
/// When the provider has no region, or the request cannot be signed.
pub(super) fn sign(
    provider: &Provider,
    keys: &SigningKeys,
    now: Timestamp,
    request: &mut Request<RequestBody>,
) -> Result<(), SendError> {
    let token = keys.session_token.as_ref();
    let identity = Credentials::new(
        &keys.access_key_id,
        keys.secret_access_key.expose(),
        token.map(|token| token.expose().to_owned()),
        None,
        "tollgate",
    )
    .into();
    // The defaults are what every service but S3 wants: the path is encoded once more and its dot
    // segments are resolved.
    let params = SigningParams::builder()
        .identity(&identity)
        .region(region(provider)?)
        .name(service(provider.kind))
        .time(SystemTime::from(now))
        .settings(SigningSettings::default())
        .build()
        .map_err(|error| unsignable(&error.to_string()))?
        .into();
    let covered = request.headers().iter().filter_map(|(name, value)| {
        let name = name.as_str();
        let is_covered =
            name == "content-type" || COVERED.iter().any(|prefix| name.starts_with(prefix));
        is_covered.then_some(())?;
        Some((name, value.to_str().ok()?))
    });
    let body = SignableBody::Precomputed(hash(request.body())?);
    let uri = request.uri().to_string();
    let signable = SignableRequest::new(request.method().as_str(), uri, covered, body)
        .map_err(|error| unsignable(&error.to_string()))?;
    let signed = sign_http(signable, &params).map_err(|error| unsignable(&error.to_string()))?;
    let (headers, _query) = signed.into_parts().0.into_parts();
    for header in headers {
        let mut value = HeaderValue::try_from(header.value())
            .map_err(|_| unsignable("the keys have characters that no header may have"))?;
        value.set_sensitive(true);
        let name = HeaderName::from_static(header.name());
        request.headers_mut().insert(name, value);
    }
    Ok(())
}

/// The part of AWS that a provider is in.
fn region(provider: &Provider) -> Result<&str, SendError> {
    provider.site.region.as_deref().ok_or_else(|| {
        SendError::misconfigured(
            &provider.slug,
            "requests to AWS are signed for a region: set it",
        )
    })
}

/// The service that the signature names.
fn service(kind: ProviderKind) -> &'static str {
    if kind == ProviderKind::BedrockMantle {
        "bedrock-mantle"
    } else {
        "bedrock"
    }
}

fn hash(body: &RequestBody) -> Result<String, SendError> {
    let RequestBody::Segments(segments) = body else {
        return Err(unsignable(
            "a body that is passed on while it comes cannot be signed",
        ));
    };
    let mut context = digest::Context::new(&SHA256);
    for segment in segments {
        context.update(segment);
    }
    let mut hex = String::with_capacity(64);
    for byte in context.finish().as_ref() {
        // Writing to a string cannot fail.
        let _infallible = write!(hex, "{byte:02x}");
    }
    Ok(hex)
}

/// Whether an answer says that the keys are good no more.
pub(super) fn is_expired(status: StatusCode, headers: &HeaderMap) -> bool {
    let blames_us = status == StatusCode::FORBIDDEN || status == StatusCode::UNAUTHORIZED;
    let error = headers
        .get(ERROR_TYPE)
        .and_then(|value| value.to_str().ok());
    blames_us
        && error.is_some_and(|error| {
            error.starts_with("ExpiredToken") || error.starts_with("UnrecognizedClient")
        })
}

fn unsignable(reason: &str) -> SendError {
    SendError::not_sent(
        FailureClass::Credential,
        format!("the request could not be signed for AWS: {reason}"),
    )
}

#[cfg(test)]
mod tests;
