//! Errors at the edge: an [`Error`] becomes an answer in the caller's dialect.

use crate::{headers, relay::ResponseBody};
use http::{HeaderMap, HeaderName, HeaderValue, Response, header};
use tollgate_core::{error::Error, format::Dialect, id::RequestId};
use tollgate_wire::error::CallerTraits;

/// What of the caller decides how an error looks, where the dialect alone does not.
pub(crate) fn traits(headers: &HeaderMap) -> CallerTraits {
    let starts = |name: HeaderName| {
        headers.get(name).is_some_and(|value| {
            value
                .as_bytes()
                .get(..5)
                .is_some_and(|start| start.eq_ignore_ascii_case(b"codex"))
        })
    };
    CallerTraits {
        codex: starts(HeaderName::from_static("originator")) || starts(header::USER_AGENT),
    }
}

/// The answer that says `error`.
pub(crate) fn refusal(
    error: &Error,
    dialect: Dialect,
    request_id: RequestId,
    caller: CallerTraits,
) -> Response<ResponseBody> {
    let rendered = tollgate_wire::error::render(error, dialect, request_id, caller);
    let mut response = Response::new(ResponseBody::whole(rendered.body));
    *response.status_mut() = rendered.status;
    *response.headers_mut() = rendered.headers;
    stamp(response.headers_mut(), request_id);
    response
}

/// Writes the request id on an answer.
pub(crate) fn stamp(headers: &mut HeaderMap, request_id: RequestId) {
    if let Ok(value) = HeaderValue::try_from(request_id.to_string()) {
        headers.insert(headers::REQUEST_ID, value);
    }
}
