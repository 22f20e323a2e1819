//! What goes upstream: the client's bytes with the named edits, the provider's address, the
//! provider's credential.

use crate::{headers, select::Attempt};
use bytes::{Buf, Bytes};
use http::{HeaderMap, HeaderValue, Method, Request, Uri, header};
use http_body::{Body, Frame, SizeHint};
use std::{
    collections::VecDeque,
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};
use tollgate_core::{
    error::{Error, Kind},
    provider::{Credential, CredentialPlacement},
    secret::Secret,
};
use tollgate_wire::{
    edit,
    endpoint::Endpoint,
    envelope::{AnswerForm, Letter, envelope},
    facts::RequestFacts,
};

/// A body made of segments that share the client's bytes.
#[derive(Debug, Default)]
pub(crate) struct RequestBody(VecDeque<Bytes>);

impl RequestBody {
    /// All of it in one piece.
    pub(crate) fn into_bytes(self) -> Bytes {
        match <[Bytes; 1]>::try_from(Vec::from(self.0)) {
            Ok([only]) => only,
            Err(segments) => segments.concat().into(),
        }
    }
}

impl From<Vec<Bytes>> for RequestBody {
    fn from(segments: Vec<Bytes>) -> Self {
        Self(segments.into())
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.pop_front().map(|segment| Ok(Frame::data(segment))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        let bytes = self
            .0
            .iter()
            .map(Buf::remaining)
            .fold(0_usize, usize::saturating_add);
        SizeHint::with_exact(u64::try_from(bytes).unwrap_or(u64::MAX))
    }
}

/// What the client sent, as far as the upstream gets to see it.
#[derive(Clone, Copy)]
pub(crate) struct Inbound<'r> {
    pub(crate) method: &'r Method,
    pub(crate) endpoint: &'r Endpoint,
    pub(crate) headers: &'r HeaderMap,
    pub(crate) facts: &'r RequestFacts,
    pub(crate) body: &'r Bytes,
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
/// [`Kind::Internal`] when a setting cannot be put on the wire (a credential with a line break, a
/// base URL that is none): the operator's business.
pub(crate) fn build(inbound: Inbound<'_>, attempt: &Attempt) -> Result<Prepared, Error> {
    let provider = &attempt.provider;
    let letter = Letter {
        endpoint: inbound.endpoint,
        facts: inbound.facts,
        headers: inbound.headers,
        body: inbound.body,
    };
    let envelope = envelope(provider, &attempt.model, letter)?;
    let mut target = envelope.url;
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
    if let Some(Credential::Placed { placement, secret }) = &provider.credential {
        place(placement, secret, &mut headers, &mut target).ok_or_else(|| {
            misconfigured(&provider.slug, "its credential cannot stand in a header")
        })?;
    }
    let uri: Uri = target
        .parse()
        .map_err(|_| misconfigured(&provider.slug, "its base URL is not a URL"))?;
    let body = edit::apply(inbound.body, envelope.edits);
    let mut request = Request::new(RequestBody::from(body));
    *request.method_mut() = inbound.method.clone();
    *request.uri_mut() = uri;
    *request.headers_mut() = headers;
    Ok(Prepared {
        request,
        form: envelope.answer,
        withholds_usage: envelope.withholds_usage,
    })
}

fn misconfigured(slug: &str, what: &str) -> Error {
    Error::new(
        Kind::Unavailable,
        format!("the provider `{slug}` is misconfigured: tell the operator of this gateway"),
    )
    .with_context(format!("provider `{slug}`: {what}"))
}

/// Puts the credential where the provider wants it; `None` when it has characters no header may
/// have.
fn place(
    placement: &CredentialPlacement,
    secret: &Secret,
    headers: &mut HeaderMap,
    target: &mut String,
) -> Option<()> {
    let secret = secret.expose();
    match placement {
        CredentialPlacement::Bearer => {
            let mut value = HeaderValue::try_from(format!("Bearer {secret}")).ok()?;
            value.set_sensitive(true);
            headers.insert(header::AUTHORIZATION, value);
        }
        CredentialPlacement::Header(name) => {
            let name = header::HeaderName::try_from(name.as_str()).ok()?;
            let mut value = HeaderValue::try_from(secret).ok()?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        CredentialPlacement::Query(name) => {
            target.push(if target.contains('?') { '&' } else { '?' });
            target.push_str(name);
            target.push('=');
            target.push_str(&tollgate_wire::endpoint::encode_query_value(secret));
        }
    }
    Some(())
}
