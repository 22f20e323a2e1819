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
    attempt::{Accepted, Start, broken},
    exchange::Exchange,
    headers, respond,
    upstream::Answer,
};
use http::{HeaderValue, Response, header};
use std::time::Duration;
use tollgate_core::{
    error::{Error, Kind},
    provider::Provider,
};
use tollgate_wire::envelope::AnswerForm;

/// Turns an upstream's answer into the client's.
pub(crate) fn relay(exchange: Exchange, accepted: Accepted) -> Response<ResponseBody> {
    let Accepted {
        answer,
        form,
        start,
        attempt,
    } = accepted;
    let provider = attempt.provider;
    let mut head = head(&exchange, &provider, form, &answer);
    let body = match start {
        Start::Stream(opened) => stream::begin(exchange, &provider, *opened, answer),
        Start::Whole { pieces, ended } => {
            let read = whole::Read { pieces, ended };
            whole::begin(exchange, &provider, read, answer, head.headers_mut())
        }
    };
    head.map(|()| body)
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

fn head(
    exchange: &Exchange,
    provider: &Provider,
    form: AnswerForm,
    answer: &Answer,
) -> Response<()> {
    let mut response = Response::new(());
    *response.status_mut() = answer.status;
    let mut to_client = headers::to_client(&answer.headers);
    // The length is computed from what is really sent.
    to_client.remove(header::CONTENT_LENGTH);
    if form == AnswerForm::FramedEvents && answer.status.is_success() {
        // The frames are taken off: what is left is what the client asked for.
        to_client.insert(header::CONTENT_TYPE, EVENTS);
    }
    respond::stamp(&mut to_client, exchange.request_id());
    if let Ok(slug) = HeaderValue::try_from(provider.slug.as_str()) {
        to_client.insert(headers::PROVIDER, slug.clone());
        to_client.insert(headers::PROVIDER_COMPATIBLE, slug);
    }
    *response.headers_mut() = to_client;
    response
}

const EVENTS: HeaderValue = HeaderValue::from_static("text/event-stream; charset=utf-8");
