//! What goes upstream: the client's bytes with the named edits, to the provider's address. The
//! credential is put on when it is sent (see the `credential` module).

use super::body::RequestBody;
use crate::{headers, receive::Rest, select::Attempt};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Uri};
use tollgate_core::error::{Error, Kind};
use tollgate_wire::{
    edit,
    endpoint::Endpoint,
    envelope::{AnswerForm, Letter, envelope},
    facts::RequestFacts,
};

/// What the client sent, as far as the upstream gets to see it.
#[derive(Clone, Copy)]
pub(crate) struct Inbound<'r> {
    pub(crate) method: &'r Method,
    pub(crate) endpoint: &'r Endpoint,
    pub(crate) headers: &'r HeaderMap,
    pub(crate) facts: &'r RequestFacts,
    pub(crate) body: &'r Bytes,
    /// What of the body still comes: the first attempt that asks for it has it.
    pub(crate) rest: Option<&'r Rest>,
}

/// A request ready to be sent, and how its answer is to be read.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) request: Request<RequestBody>,
    pub(crate) form: AnswerForm,
    /// Usage was asked for that the client did not ask for: its chunk is withheld.
    pub(crate) withholds_usage: bool,
}

/// The request of one attempt.
///
/// # Errors
/// [`Kind::Unavailable`] when the base URL is none: the operator's business.
pub(crate) fn build(inbound: Inbound<'_>, attempt: &Attempt) -> Result<Prepared, Error> {
    let provider = &attempt.provider;
    let letter = Letter {
        endpoint: inbound.endpoint,
        facts: inbound.facts,
        headers: inbound.headers,
        body: inbound.body,
    };
    let envelope = envelope(provider, &attempt.model, letter)?;
    let mut headers = headers::to_upstream(inbound.headers, provider.forward_trace);
    for name in &envelope.remove {
        headers.remove(name);
    }
    headers.extend(
        envelope
            .set
            .into_iter()
            .map(|(name, value)| (Some(name), value)),
    );
    let uri: Uri = envelope
        .url
        .parse()
        .map_err(|_| misconfigured(&provider.slug, "its base URL is not a URL"))?;
    let segments = edit::apply(inbound.body, envelope.edits);
    let mut request = Request::new(match inbound.rest {
        Some(rest) => RequestBody::Passing(Box::pin(rest.behind(segments))),
        None => RequestBody::from(segments),
    });
    *request.method_mut() = inbound.method.clone();
    *request.uri_mut() = uri;
    *request.headers_mut() = headers;
    Ok(Prepared {
        request,
        form: envelope.answer,
        withholds_usage: envelope.withholds_usage,
    })
}

/// A setting of a provider that cannot be put on the wire: the operator's business.
pub(super) fn misconfigured(slug: &str, what: &str) -> Error {
    Error::new(
        Kind::Unavailable,
        format!("the provider `{slug}` is misconfigured: tell the operator of this gateway"),
    )
    .with_context(format!("provider `{slug}`: {what}"))
}
