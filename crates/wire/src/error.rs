//! How an error of ours looks to the caller: status, headers and body in the dialect of the
//! endpoint called, so that the official SDK raises the same exception class as for the provider's
//! own error.
//!
//! Rules that hold in every dialect: a refusal that trying again cannot help carries
//! `x-should-retry: false` and no `retry-after` (SDKs and agents obey one or the other); a rate
//! limit carries a true `retry-after`; only the caller's text is shown, never the operator's.
//! Statuses are those of [`Kind::status`], with two exceptions for Codex, see [`CallerTraits`].
//!
//! To add a kind: its arm in each dialect's table; the snapshots show what callers will see.

mod anthropic;
mod bedrock;
mod google;
mod ollama;
mod openai;
mod stream;

pub(crate) use google::stream_body as google_socket_body;
pub(crate) use openai::socket_body;
pub use stream::{StreamForm, stream_event};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use std::time::Duration;
use tollgate_core::{
    error::{Error, Kind, Retry},
    format::Dialect,
    id::RequestId,
};

const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// What is known of the calling program, where programs read the same error differently.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallerTraits {
    /// The OpenAI Codex agent. Measured with 0.169: it sends a 402 six times before it shows the
    /// text, but a 429 `usage_limit_reached` once; and it replaces the text of a 500 by its own.
    pub codex: bool,
}

/// An error ready to be sent.
#[derive(Clone, Debug)]
pub struct Rendered {
    /// The HTTP status.
    pub status: StatusCode,
    /// Content type, retry advice and the request id where the dialect has a header for it.
    pub headers: HeaderMap,
    /// The JSON body.
    pub body: Bytes,
}

/// Renders `error` in `dialect`. `request_id` is shown where the dialect has a place for it.
pub fn render(
    error: &Error,
    dialect: Dialect,
    request_id: RequestId,
    caller: CallerTraits,
) -> Rendered {
    let status = status(error.kind(), dialect, caller);
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, JSON);
    advise(&mut headers, error.retry());
    let body = match dialect {
        Dialect::OpenAi => {
            insert_id(
                &mut headers,
                HeaderName::from_static("x-request-id"),
                request_id,
            );
            if caller.codex && is_limit(error.kind()) {
                openai::promote(&mut headers, error.message());
                openai::usage_limit_body(error)
            } else {
                openai::body(error)
            }
        }
        Dialect::Anthropic => {
            insert_id(
                &mut headers,
                HeaderName::from_static("request-id"),
                request_id,
            );
            anthropic::body(error, request_id)
        }
        Dialect::Google => google::body(error),
        Dialect::Bedrock => {
            bedrock::write_head(&mut headers, error);
            bedrock::body(error)
        }
        Dialect::Ollama => ollama::body(error),
    };
    Rendered {
        status,
        headers,
        body: Bytes::from(body),
    }
}

fn status(kind: Kind, dialect: Dialect, caller: CallerTraits) -> StatusCode {
    let number = match (dialect, kind) {
        (Dialect::OpenAi, Kind::LimitReached | Kind::LimitHeld) if caller.codex => 429,
        (Dialect::OpenAi, Kind::Internal) if caller.codex => 502,
        (_, kind) => kind.status(),
    };
    StatusCode::from_u16(number).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

const fn is_limit(kind: Kind) -> bool {
    matches!(kind, Kind::LimitReached | Kind::LimitHeld)
}

/// The retry advice that the SDKs of OpenAI and Anthropic obey, and the agents built on them.
fn advise(headers: &mut HeaderMap, retry: Retry) {
    match retry {
        Retry::Never => {
            headers.insert(SHOULD_RETRY, HeaderValue::from_static("false"));
        }
        Retry::After(delay) => {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(whole_seconds(delay)));
        }
        Retry::Later => {}
    }
}

/// A delay in whole seconds, rounded up: coming back too early would be refused again.
fn whole_seconds(delay: Duration) -> u64 {
    let part = u64::from(delay.subsec_nanos() > 0);
    delay.as_secs().saturating_add(part).max(1)
}

fn insert_id(headers: &mut HeaderMap, name: HeaderName, id: RequestId) {
    if let Ok(value) = HeaderValue::try_from(id.to_string()) {
        headers.insert(name, value);
    }
}

/// Serialises one of the error bodies. They are plain structs of texts and numbers, for which
/// serialisation has no way to fail.
fn json(body: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(body).unwrap_or_default()
}

#[cfg(test)]
mod tests;
