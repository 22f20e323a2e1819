//! Amazon Bedrock's errors: the type in a header, the text in the body; in a stream both in a frame
//! of their own.
//!
//! boto3 and the AWS SDKs raise the class named by `x-amzn-errortype`. They try again by the type
//! (`ThrottlingException`, whatever the status) and by the status (500, 502, 503, 504); they do not
//! read `x-should-retry`. Measured with boto3 1.43 in each of its three retry modes: a 402 with
//! `ServiceQuotaExceededException`, the service's own word for a limit that waiting does not lift,
//! is sent once, as are 400, 401, 403, 404, 408 and 413 with the types below.

use super::json;
use crate::event_stream;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;
use tollgate_core::error::{Error, Kind, Retry};

const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");
const RETRY_AFTER: HeaderName = HeaderName::from_static("x-amz-retry-after");

#[derive(Serialize)]
struct Body<'a> {
    message: &'a str,
}

/// The body of an error.
pub(super) fn body(error: &Error) -> Vec<u8> {
    json(&Body {
        message: error.message(),
    })
}

/// Puts the error's type into the headers; and when to come back, where AWS SDKs look for it (in
/// milliseconds). Some try again on the mere presence of that header.
pub(super) fn write_head(headers: &mut HeaderMap, error: &Error) {
    headers.insert(ERROR_TYPE, HeaderValue::from_static(type_of(error.kind())));
    if let Retry::After(delay) = error.retry() {
        let delay = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
        headers.insert(RETRY_AFTER, HeaderValue::from(delay));
    }
}

/// The frame that ends a stream with an error. boto3 raises `EventStreamError` on it.
pub(super) fn exception_frame(error: &Error) -> Bytes {
    event_stream::exception(exception_of(error.kind()), &body(error))
}

/// The service's own word for a kind of error in a stream: one of the five that the streams of
/// both formats have. boto3 shows neither type nor text of an exception it does not know. Of the
/// five, `validationException` is the one that nobody tries again.
const fn exception_of(kind: Kind) -> &'static str {
    match kind {
        Kind::BadRequest
        | Kind::Unpriced
        | Kind::TooLarge
        | Kind::Unauthenticated
        | Kind::Forbidden
        | Kind::UnknownRoute
        | Kind::UnknownEndpoint
        | Kind::UnknownModel
        | Kind::UnknownObject
        | Kind::LimitReached
        | Kind::LimitHeld => "validationException",
        Kind::RateLimited => "throttlingException",
        Kind::Unavailable | Kind::UpstreamUnreachable => "serviceUnavailableException",
        Kind::RequestTimeout | Kind::UpstreamTimeout | Kind::UpstreamBroken => {
            "modelStreamErrorException"
        }
        Kind::Internal => "internalServerException",
    }
}

/// The service's own word for a kind of error.
pub(super) const fn type_of(kind: Kind) -> &'static str {
    match kind {
        Kind::BadRequest | Kind::Unpriced | Kind::TooLarge => "ValidationException",
        Kind::Unauthenticated => "UnrecognizedClientException",
        Kind::Forbidden => "AccessDeniedException",
        Kind::UnknownRoute | Kind::UnknownEndpoint | Kind::UnknownModel | Kind::UnknownObject => {
            "ResourceNotFoundException"
        }
        Kind::RequestTimeout | Kind::UpstreamTimeout => "ModelTimeoutException",
        Kind::LimitReached | Kind::LimitHeld => "ServiceQuotaExceededException",
        Kind::RateLimited => "ThrottlingException",
        Kind::Unavailable | Kind::UpstreamUnreachable => "ServiceUnavailableException",
        Kind::UpstreamBroken => "ModelErrorException",
        Kind::Internal => "InternalServerException",
    }
}
