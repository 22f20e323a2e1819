//! The Google dialect: `{"error":{"code","message","status","details"}}`. The SDK picks its
//! exception by status. Our code is the `reason` of an `ErrorInfo`, in capitals as Google's are; a
//! rate limit says when to come back in a `RetryInfo`, which Google's clients read instead of the
//! `retry-after` header.

use super::{json, whole_seconds};
use serde::Serialize;
use tollgate_core::error::{Error, Kind, Retry};

#[derive(Serialize)]
struct Body<'a> {
    error: Inner<'a>,
}

#[derive(Serialize)]
struct Inner<'a> {
    code: u16,
    message: &'a str,
    status: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    details: Vec<Detail>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Detail {
    Info {
        #[serde(rename = "@type")]
        at_type: &'static str,
        reason: String,
        domain: &'static str,
    },
    Retry {
        #[serde(rename = "@type")]
        at_type: &'static str,
        #[serde(rename = "retryDelay")]
        retry_delay: String,
    },
}

/// The body of a response.
pub(super) fn body(error: &Error) -> Vec<u8> {
    let mut details = vec![Detail::Info {
        at_type: "type.googleapis.com/google.rpc.ErrorInfo",
        reason: reason_of(error.kind()),
        domain: "tollgate",
    }];
    if let Retry::After(delay) = error.retry() {
        details.push(Detail::Retry {
            at_type: "type.googleapis.com/google.rpc.RetryInfo",
            retry_delay: format!("{}s", whole_seconds(delay)),
        });
    }
    json(&Body {
        error: inner(error, details),
    })
}

/// The error object of a stream, which has the three plain members only.
pub(crate) fn stream_body(error: &Error) -> Vec<u8> {
    json(&Body {
        error: inner(error, Vec::new()),
    })
}

fn inner(error: &Error, details: Vec<Detail>) -> Inner<'_> {
    Inner {
        code: error.kind().status(),
        message: error.message(),
        status: status_of(error.kind()),
        details,
    }
}

fn reason_of(kind: Kind) -> String {
    if kind == Kind::Unauthenticated {
        // The word Google's own clients look for.
        return "API_KEY_INVALID".to_owned();
    }
    kind.code().to_ascii_uppercase()
}

/// The name of the `google.rpc.Code`.
const fn status_of(kind: Kind) -> &'static str {
    match kind {
        Kind::BadRequest | Kind::TooLarge | Kind::Unpriced => "INVALID_ARGUMENT",
        Kind::Unauthenticated => "UNAUTHENTICATED",
        Kind::Forbidden => "PERMISSION_DENIED",
        Kind::UnknownRoute | Kind::UnknownEndpoint | Kind::UnknownModel | Kind::UnknownObject => {
            "NOT_FOUND"
        }
        // Not RESOURCE_EXHAUSTED, which Google's clients take for a rate limit and try again.
        Kind::LimitReached | Kind::LimitHeld => "FAILED_PRECONDITION",
        Kind::RateLimited => "RESOURCE_EXHAUSTED",
        Kind::Unavailable | Kind::UpstreamUnreachable | Kind::UpstreamBroken => "UNAVAILABLE",
        Kind::RequestTimeout | Kind::UpstreamTimeout => "DEADLINE_EXCEEDED",
        Kind::Internal => "INTERNAL",
    }
}
