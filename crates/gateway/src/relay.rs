//! Step 7, relay: the upstream's bytes to the client, unchanged, while usage is read from them.
//!
//! Three shapes: a stream, tapped event by event ([`stream`]); an answer small enough to be read
//! whole, so that its cost can stand in a header ([`whole`]); a larger one that passes while it
//! comes and is read at its end ([`whole::Passing`]).

mod body;
mod stream;
mod whole;

pub(crate) use body::ResponseBody;

use crate::{
    attempt::Accepted,
    exchange::Exchange,
    headers, respond,
    select::Attempt,
    upstream::{Answer, Inbound},
};
use http::{HeaderValue, Response, header};
use std::time::Duration;
use tollgate_core::{
    error::{Error, Kind},
    format::Format,
    provider::ReportCost,
};
use tollgate_wire::{
    envelope::AnswerForm,
    tap::{Framing, StreamEdits},
};

/// Turns an upstream's answer into the client's.
///
/// # Errors
/// When an answer that is read whole breaks off before it is.
pub(crate) async fn relay(
    exchange: Exchange,
    inbound: Inbound<'_>,
    attempt: &Attempt,
    accepted: Accepted,
) -> Result<Response<ResponseBody>, (Error, Box<Exchange>)> {
    let Accepted {
        answer,
        form,
        withholds_usage,
    } = accepted;
    debug_assert_eq!(form, AnswerForm::Native);
    let streamed = answer.status.is_success() && inbound.facts.stream;
    let framing = if streamed {
        framing(exchange.format(), &answer)
    } else {
        None
    };
    let mut head = head(&exchange, attempt, &answer);
    let body = match framing {
        Some(framing) => {
            let edits = StreamEdits {
                withhold_usage: withholds_usage,
                insert_cost: attempt.provider.report_cost == ReportCost::Body,
            };
            stream::begin(exchange, attempt, framing, edits, answer)
        }
        None => whole::begin(exchange, attempt, answer, head.headers_mut()).await?,
    };
    Ok(head.map(|()| body))
}

/// How a streamed answer is cut into events; `None` when it is no stream after all. Only JSON is
/// believed to be none: a stream under a wrong name is still to be read as it passes.
fn framing(format: Format, answer: &Answer) -> Option<Framing> {
    let kind = answer.headers.get(header::CONTENT_TYPE);
    let kind = kind.map_or(&b""[..], HeaderValue::as_bytes);
    let is_json = kind
        .get(..JSON.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(JSON));
    match (is_json, format) {
        (false, _) => Some(Framing::Sse),
        (true, Format::GeminiGenerate) => Some(Framing::JsonArray),
        (true, _) => None,
    }
}

const JSON: &[u8] = b"application/json";

/// The upstream's answer ended before it was whole.
fn broken(context: impl Into<String>) -> Error {
    Error::new(Kind::UpstreamBroken, "the provider's answer broke off").with_context(context)
}

/// The upstream fell silent.
fn silent(idle: Duration) -> Error {
    Error::new(
        Kind::UpstreamTimeout,
        format!(
            "the provider fell silent for {} s in the middle of its answer",
            idle.as_secs()
        ),
    )
}

/// The request has lived its longest.
fn overdue(deadline: Duration) -> Error {
    Error::new(
        Kind::UpstreamTimeout,
        format!(
            "the request ran for {} s, which is the most",
            deadline.as_secs()
        ),
    )
}

fn head(exchange: &Exchange, attempt: &Attempt, answer: &Answer) -> Response<()> {
    let mut response = Response::new(());
    *response.status_mut() = answer.status;
    let mut to_client = headers::to_client(&answer.headers);
    // The length is computed from what is really sent.
    to_client.remove(header::CONTENT_LENGTH);
    respond::stamp(&mut to_client, exchange.request_id());
    if let Ok(slug) = HeaderValue::try_from(attempt.provider.slug.as_str()) {
        to_client.insert(headers::PROVIDER, slug.clone());
        to_client.insert(headers::PROVIDER_COMPATIBLE, slug);
    }
    *response.headers_mut() = to_client;
    response
}
