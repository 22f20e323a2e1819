//! Errors at the edge: an [`Error`] becomes an answer in the caller's dialect.

use crate::headers;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use tollgate_core::{error::Error, format::Dialect, id::RequestId};
use tollgate_wire::error::CallerTraits;

/// What of the caller decides how an error looks, where the dialect alone does not.
pub(crate) fn traits(headers: &HeaderMap) -> CallerTraits {
    let starts = |name: HeaderName| {
        headers.get(name).is_some_and(|value| {
            value.as_bytes().get(..5).is_some_and(|start| start.eq_ignore_ascii_case(b"codex"))
        })
    };
    CallerTraits {
        codex: starts(HeaderName::from_static("originator")) || starts(header::USER_AGENT),
    }
}

/// The answer that says `error`.
pub(crate) fn refusal<B: From<Bytes>>(
    error: &Error,
    dialect: Dialect,
    request_id: RequestId,
    caller: CallerTraits,
) -> Response<B> {
    let rendered = tollgate_wire::error::render(error, dialect, &request_id.to_string(), caller);
    let mut response = Response::new(B::from(rendered.body));
    *response.status_mut() =
        StatusCode::from_u16(rendered.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in rendered.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().append(name, value);
        }
    }
    stamp(response.headers_mut(), request_id);
    response
}

/// Writes the request id on an answer.
pub(crate) fn stamp(headers: &mut HeaderMap, request_id: RequestId) {
    if let Ok(value) = HeaderValue::try_from(request_id.to_string()) {
        headers.insert(headers::REQUEST_ID, value);
    }
}
