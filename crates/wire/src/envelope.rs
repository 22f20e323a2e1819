//! What one attempt changes of a request so that its provider takes it: the address, the model's
//! name, and the small differences of the kind's envelope. Every change is a named edit ([`rule`]),
//! spliced; in headers and query only what the provider would not understand is changed.
//!
//! Which edits a format needs where is listed once, in [`offer`](crate::offer).

use crate::{address, edit::Edit, endpoint::Endpoint, facts::RequestFacts};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use tollgate_core::{
    error::{Error, Kind},
    format::{Dialect, Format},
    provider::{Provider, ProviderKind},
};

mod betas;
mod cloud;
mod model;
pub mod rule;

pub(crate) use model::name_model;

/// A request as the client sent it, as far as an envelope depends on it.
#[derive(Clone, Copy, Debug)]
pub struct Letter<'r> {
    /// What is asked, by the path.
    pub endpoint: &'r Endpoint,
    /// What is asked, by the body.
    pub facts: &'r RequestFacts,
    /// The client's headers.
    pub headers: &'r HeaderMap,
    /// The client's body; of one that is passed on while it comes, what was read of it so far.
    pub body: &'r Bytes,
}

/// What one attempt sends, beside the client's own bytes and headers.
#[derive(Clone, Debug)]
pub struct Envelope {
    /// Where to: absolute.
    pub url: String,
    /// What is changed in the body.
    pub edits: Vec<Edit>,
    /// Headers that replace the client's.
    pub set: Vec<(HeaderName, HeaderValue)>,
    /// Headers of the client that the provider must not see: what they say is in the body now.
    pub remove: Vec<HeaderName>,
    /// How the answer is to be read.
    pub answer: AnswerForm,
    /// The tap withholds the usage chunk that was asked for here.
    pub withholds_usage: bool,
}

/// How an answer comes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AnswerForm {
    /// In the client's own format.
    #[default]
    Native,
    /// A stream of Anthropic's events inside Bedrock's frames: each is passed on as the
    /// server-sent event that it stands for, unchanged ([`rule::UNFRAME_EVENTS`]).
    FramedEvents,
}

/// The header in which Anthropic's clients name the version of the API.
const ANTHROPIC_VERSION: HeaderName = HeaderName::from_static("anthropic-version");
/// The header in which they ask for features that are not generally available.
const ANTHROPIC_BETA: HeaderName = HeaderName::from_static("anthropic-beta");
/// What a client without the header means: the version that all its SDKs named for three years.
const FIRST_ANTHROPIC_VERSION: &str = "2023-06-01";

/// The envelope of `letter` to `provider`, for the model as the provider names it.
///
/// # Errors
/// When the request cannot be put into the provider's envelope: names what stands in the way.
pub fn envelope(provider: &Provider, model: &str, letter: Letter<'_>) -> Result<Envelope, Error> {
    if let Some(cloud) = cloud::Cloud::of(provider.kind, letter.endpoint.format) {
        return cloud.envelope(provider, model, letter);
    }
    let Letter {
        endpoint, facts, ..
    } = letter;
    refuse_predict(provider.kind, endpoint)?;
    let mut edits = model::edits(provider, model, letter)?;
    let asks_for_usage =
        facts.ask_for_usage.is_some() && provider.kind.reports_stream_usage_on_request();
    if asks_for_usage {
        edits.extend(facts.ask_for_usage.clone());
    }
    let mut envelope = Envelope {
        url: address::url(provider, endpoint, model)?,
        edits,
        set: Vec::new(),
        remove: Vec::new(),
        answer: AnswerForm::Native,
        withholds_usage: asks_for_usage,
    };
    let is_of_anthropic = endpoint.format.dialect() == Dialect::Anthropic
        && endpoint.format != Format::VertexRawPredict;
    if is_of_anthropic {
        betas::edit_header(provider.kind, letter.headers, &mut envelope);
        if !letter.headers.contains_key(ANTHROPIC_VERSION) {
            let version = HeaderValue::from_static(FIRST_ANTHROPIC_VERSION);
            envelope.set.push((ANTHROPIC_VERSION, version));
        }
    }
    Ok(envelope)
}

/// Vertex's older way to embed has a body of its own, which AI Studio takes for a request to make
/// images.
fn refuse_predict(kind: ProviderKind, endpoint: &Endpoint) -> Result<(), Error> {
    if kind == ProviderKind::GoogleGemini && endpoint.tail == ":predict" {
        let message = "this provider does not embed by `:predict`: use `:embedContent`";
        return Err(Error::new(Kind::UnknownEndpoint, message));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
