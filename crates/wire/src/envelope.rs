//! What one attempt changes of a request so that its provider takes it: the address, the model's
//! name, and the small differences of the kind's envelope. Every change is a named edit, spliced.

use crate::{address, edit::Edit, endpoint::Endpoint, facts::RequestFacts};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use tollgate_core::{error::Error, provider::Provider};

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
    /// server-sent event that it stands for, unchanged.
    FramedEvents,
}

/// The envelope of `letter` to `provider`, for the model as the provider names it.
///
/// # Errors
/// When the request cannot be put into the provider's envelope: names what stands in the way.
pub fn envelope(provider: &Provider, model: &str, letter: Letter<'_>) -> Result<Envelope, Error> {
    let facts = letter.facts;
    let mut edits = Vec::new();
    if let (Some(span), true) = (&facts.model_span, model != facts.model) {
        let name = serde_json::to_string(model).unwrap_or_default();
        edits.push(Edit {
            rule: "model",
            range: span.clone(),
            with: Bytes::from(name),
        });
    }
    let asks_for_usage =
        facts.ask_for_usage.is_some() && provider.kind.reports_stream_usage_on_request();
    if asks_for_usage {
        edits.extend(facts.ask_for_usage.clone());
    }
    Ok(Envelope {
        url: address::url(provider, letter.endpoint, model),
        edits,
        set: Vec::new(),
        remove: Vec::new(),
        answer: AnswerForm::Native,
        withholds_usage: asks_for_usage,
    })
}
