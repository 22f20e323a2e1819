//! Amazon Bedrock's errors: the type in a header, the text in the body.
//!
//! boto3 and the AWS SDKs raise the class named by `x-amzn-errortype`. Which types they try again:
//! `ThrottlingException` and 5xx; never `ServiceQuotaExceededException`.

use super::json;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;
use tollgate_core::error::{Error, Kind};

const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");

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

/// Puts the error's type into the headers.
pub(super) fn name_type(headers: &mut HeaderMap, error: &Error) {
    headers.insert(ERROR_TYPE, HeaderValue::from_static(type_of(error.kind())));
}

/// The service's own word for a kind of error.
pub(super) const fn type_of(kind: Kind) -> &'static str {
    match kind {
        Kind::BadRequest | Kind::Unpriced | Kind::TooLarge => "ValidationException",
        Kind::Unauthenticated => "UnrecognizedClientException",
        Kind::Forbidden => "AccessDeniedException",
        Kind::UnknownRoute | Kind::UnknownEndpoint | Kind::UnknownModel => {
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
