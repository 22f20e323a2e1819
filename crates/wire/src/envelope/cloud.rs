//! Anthropic's messages in the envelopes of Bedrock's InvokeModel and Vertex's rawPredict: the
//! model moves into the path and the version into the body; at Bedrock, whether to stream moves
//! into the path too and the feature flags into the body. The rest of the body is the same.
//!
//! Vertex keeps `stream` in the body beside the path, and counts tokens at a path of its own, with
//! the model in the body. (That is how Anthropic's SDKs for both clouds write requests.)

use super::{
    ANTHROPIC_BETA, ANTHROPIC_VERSION, AnswerForm, Envelope, FIRST_ANTHROPIC_VERSION, Letter,
    betas, model, rule,
};
use crate::{
    address,
    edit::Edit,
    endpoint::Endpoint,
    json::{Insertion, Reshape},
};
use http::{HeaderMap, HeaderValue, header};
use tollgate_core::{
    error::{Error, Kind},
    format::{Format, Operation},
    provider::{Provider, ProviderKind},
};

/// Whose envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cloud {
    Bedrock,
    Vertex,
}

impl Cloud {
    /// The cloud that takes `format` only in an envelope of its own.
    pub(super) fn of(kind: ProviderKind, format: Format) -> Option<Self> {
        match (kind, format) {
            (ProviderKind::Bedrock, Format::AnthropicMessages) => Some(Self::Bedrock),
            (ProviderKind::GoogleVertex, Format::AnthropicMessages) => Some(Self::Vertex),
            _ => None,
        }
    }

    pub(super) fn envelope(
        self,
        provider: &Provider,
        model: &str,
        letter: Letter<'_>,
    ) -> Result<Envelope, Error> {
        let stream = letter.facts.stream;
        let endpoint = self.endpoint(letter.endpoint.operation, stream)?;
        let is_unframed = self == Self::Bedrock && stream;
        let mut envelope = Envelope {
            url: address::url(provider, &endpoint, model)?,
            edits: self.edits(provider, model, letter)?,
            set: Vec::new(),
            remove: vec![ANTHROPIC_VERSION],
            answer: if is_unframed {
                AnswerForm::FramedEvents
            } else {
                AnswerForm::Native
            },
            withholds_usage: false,
        };
        match self {
            Self::Bedrock => {
                envelope.remove.push(ANTHROPIC_BETA);
                // To Bedrock this header names the form of the model's answer: there is but one.
                let json = HeaderValue::from_static("application/json");
                envelope.set.push((header::ACCEPT, json));
            }
            Self::Vertex => betas::edit_header(provider.kind, letter.headers, &mut envelope),
        }
        Ok(envelope)
    }

    /// The endpoint as the cloud names it. Its query is empty: Anthropic's `beta=true` means
    /// nothing there.
    fn endpoint(self, operation: Operation, stream: bool) -> Result<Endpoint, Error> {
        let (format, tail) = match (self, operation, stream) {
            (Self::Bedrock, Operation::CountTokens, _) => {
                let message = "tokens of Anthropic's messages cannot be counted at Bedrock: \
                               use a provider that counts them";
                return Err(Error::new(Kind::UnknownEndpoint, message));
            }
            (Self::Bedrock, _, false) => (Format::BedrockInvoke, "/invoke"),
            (Self::Bedrock, _, true) => (Format::BedrockInvoke, "/invoke-with-response-stream"),
            (Self::Vertex, Operation::CountTokens, _) | (Self::Vertex, _, false) => {
                (Format::VertexRawPredict, ":rawPredict")
            }
            (Self::Vertex, _, true) => (Format::VertexRawPredict, ":streamRawPredict"),
        };
        Ok(Endpoint {
            format,
            operation,
            model: None,
            stream,
            object: None,
            tail: tail.to_owned(),
            query: String::new(),
        })
    }

    fn edits(
        self,
        provider: &Provider,
        model: &str,
        letter: Letter<'_>,
    ) -> Result<Vec<Edit>, Error> {
        let counts = letter.endpoint.operation == Operation::CountTokens;
        let mut reshape = Reshape::default();
        let version = Insertion {
            rule: rule::ANTHROPIC_VERSION,
            key: "anthropic_version",
            value: json_string(self.version(letter.headers)),
        };
        reshape.insert.push(version);
        if !counts {
            reshape.remove.push((rule::MODEL_TO_PATH, "model"));
        }
        if self == Self::Bedrock {
            reshape.remove.push((rule::STREAM_TO_PATH, "stream"));
            let flags = betas::flags(provider.kind, letter.headers);
            if !flags.is_empty() {
                reshape.insert.push(Insertion {
                    rule: rule::ANTHROPIC_BETA,
                    key: "anthropic_beta",
                    value: serde_json::to_string(&flags).unwrap_or_default(),
                });
            }
        }
        let unreadable = || Error::new(Kind::BadRequest, "the request body is not a JSON object");
        let mut edits = reshape.edits(letter.body).ok_or_else(unreadable)?;
        if counts {
            edits.extend(model::edits(provider, model, letter)?);
        }
        Ok(edits)
    }

    /// The version in the body. The clouds numbered the first one themselves; of later ones they
    /// take Anthropic's own number.
    fn version(self, headers: &HeaderMap) -> &str {
        let sent = headers
            .get(ANTHROPIC_VERSION)
            .and_then(|value| value.to_str().ok());
        match (sent, self) {
            (Some(later), _) if later != FIRST_ANTHROPIC_VERSION => later,
            (_, Self::Bedrock) => "bedrock-2023-05-31",
            (_, Self::Vertex) => "vertex-2023-10-16",
        }
    }
}

fn json_string(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}
