//! The Anthropic dialect: `{"type":"error","error":{"type","message"},"request_id"}`. The SDK picks
//! its exception by status. There is no place for our code: `error.details.error_code` selects
//! exception classes of Anthropic's own billing.

use super::json;
use serde::Serialize;
use tollgate_core::{
    error::{Error, Kind},
    id::RequestId,
};

#[derive(Serialize)]
struct Body<'a> {
    r#type: &'static str,
    error: Inner<'a>,
    request_id: RequestId,
}

#[derive(Serialize)]
struct Inner<'a> {
    r#type: &'static str,
    message: &'a str,
}

/// The body of a response, and the data of a stream's `error` event.
pub(super) fn body(error: &Error, request_id: RequestId) -> Vec<u8> {
    let inner = Inner {
        r#type: type_of(error.kind()),
        message: error.message(),
    };
    json(&Body {
        r#type: "error",
        error: inner,
        request_id,
    })
}

const fn type_of(kind: Kind) -> &'static str {
    match kind {
        Kind::BadRequest | Kind::Unpriced => "invalid_request_error",
        Kind::Unauthenticated => "authentication_error",
        Kind::Forbidden => "permission_error",
        Kind::UnknownRoute | Kind::UnknownEndpoint | Kind::UnknownModel | Kind::UnknownObject => {
            "not_found_error"
        }
        Kind::TooLarge => "request_too_large",
        Kind::LimitReached | Kind::LimitHeld => "billing_error",
        Kind::RateLimited => "rate_limit_error",
        Kind::Unavailable => "overloaded_error",
        Kind::RequestTimeout | Kind::UpstreamTimeout => "timeout_error",
        Kind::UpstreamUnreachable | Kind::UpstreamBroken | Kind::Internal => "api_error",
    }
}
