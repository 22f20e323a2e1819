//! The OpenAI dialect: `{"error":{"message","type","param","code"}}`. The SDK picks its exception
//! by status and shows `type`, `code` and `param` on it; our code is in `code`.

use super::json;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;
use tollgate_core::error::{Error, Kind};

/// Longest text put into a header, in bytes.
const HEADER_TEXT_MAX: usize = 600;

#[derive(Serialize)]
struct Body<'a> {
    error: Inner<'a>,
}

#[derive(Serialize)]
struct Inner<'a> {
    message: &'a str,
    r#type: &'static str,
    param: Option<&'static str>,
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    resets_at: Option<i64>,
}

/// The body of a response, and the data of a chat stream's last event.
pub(super) fn body(error: &Error) -> Vec<u8> {
    json(&Body {
        error: inner(error, type_of(error.kind())),
    })
}

#[derive(Serialize)]
struct SocketError<'a> {
    r#type: &'static str,
    status: u16,
    error: Inner<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_id: Option<&'a str>,
}

/// The frame of a WebSocket that says so; on a lane where the protocol has lanes.
pub(crate) fn socket_body(error: &Error, lane: Option<&str>) -> Vec<u8> {
    json(&SocketError {
        r#type: "error",
        status: error.kind().status(),
        error: inner(error, type_of(error.kind())),
        stream_id: lane,
    })
}

/// The body that makes Codex stop at once and say when to come back (`resets_at`, Unix seconds).
pub(super) fn usage_limit_body(error: &Error) -> Vec<u8> {
    let resets_at = error
        .resets_at()
        .map(tollgate_core::clock::Timestamp::as_second);
    json(&Body {
        error: Inner {
            resets_at,
            ..inner(error, "usage_limit_reached")
        },
    })
}

/// Codex drops the body's message of a `usage_limit_reached` and shows this header's text inside a
/// sentence of its own: "You've hit your usage limit. {text}, or try again at 10:26 PM."
pub(super) fn promote(headers: &mut HeaderMap, message: &str) {
    let mut text = String::with_capacity(message.len().min(HEADER_TEXT_MAX));
    for letter in message.trim().trim_end_matches('.').chars() {
        if text.len() == HEADER_TEXT_MAX {
            break;
        }
        // Codex reads the header as visible ASCII and ignores it altogether when it is not.
        text.push(match letter {
            ' '..='~' => letter,
            _ if letter.is_whitespace() || letter.is_control() => ' ',
            _ => '?',
        });
    }
    if let Ok(value) = HeaderValue::try_from(text) {
        headers.insert(HeaderName::from_static("x-codex-promo-message"), value);
    }
}

fn inner<'a>(error: &'a Error, r#type: &'static str) -> Inner<'a> {
    Inner {
        message: error.message(),
        r#type,
        param: param_of(error.kind()),
        code: error.kind().code(),
        resets_at: None,
    }
}

const fn type_of(kind: Kind) -> &'static str {
    match kind {
        Kind::BadRequest
        | Kind::Unauthenticated
        | Kind::UnknownRoute
        | Kind::UnknownEndpoint
        | Kind::UnknownModel
        | Kind::UnknownObject
        | Kind::TooLarge
        | Kind::RequestTimeout
        | Kind::Unpriced => "invalid_request_error",
        Kind::Forbidden => "permission_error",
        Kind::LimitReached | Kind::LimitHeld => "insufficient_quota",
        Kind::RateLimited => "rate_limit_error",
        Kind::Unavailable
        | Kind::UpstreamUnreachable
        | Kind::UpstreamBroken
        | Kind::UpstreamTimeout
        | Kind::Internal => "server_error",
    }
}

/// The request's member at fault.
const fn param_of(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::UnknownModel | Kind::Unpriced => Some("model"),
        Kind::BadRequest
        | Kind::Unauthenticated
        | Kind::Forbidden
        | Kind::UnknownRoute
        | Kind::UnknownEndpoint
        | Kind::UnknownObject
        | Kind::TooLarge
        | Kind::RequestTimeout
        | Kind::LimitReached
        | Kind::LimitHeld
        | Kind::RateLimited
        | Kind::Unavailable
        | Kind::UpstreamUnreachable
        | Kind::UpstreamBroken
        | Kind::UpstreamTimeout
        | Kind::Internal => None,
    }
}
