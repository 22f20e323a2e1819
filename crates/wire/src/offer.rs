//! What each kind of provider offers: which formats, what of them, and with which edits.
//!
//! The one source of it: routing asks here whether a target can take a request, tests hold
//! addresses and envelopes against it, and the table `docs/formats.md` is generated from it. Which
//! formats a kind speaks stands in its [profile](tollgate_core::provider::profile); here stands what
//! of a format is left out there.

use crate::envelope::rule;
use tollgate_core::{
    format::{Format, Operation},
    provider::ProviderKind,
};

/// How a provider takes a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// As it is: only address, credential and, where a routing group maps it, the model's name
    /// differ.
    Native,
    /// With the edits of these rules, each made where the request needs it.
    Edited(&'static [&'static str]),
    /// Not at all.
    NotOffered,
}

/// How providers of `kind` take `operation` in `format`. What the format itself does not have is
/// not offered anywhere.
pub fn offer(kind: ProviderKind, format: Format, operation: Operation) -> Offer {
    let is_offered = kind.formats().contains(&format)
        && operations(format).contains(&operation)
        && !is_left_out(kind, format, operation);
    if !is_offered {
        return Offer::NotOffered;
    }
    let rules = rules(kind, format, operation);
    if rules.is_empty() {
        Offer::Native
    } else {
        Offer::Edited(rules)
    }
}

impl Offer {
    /// Whether the request can go there.
    pub const fn is_made(self) -> bool {
        !matches!(self, Self::NotOffered)
    }
}

/// What can be asked in a format, beside the list of models, which we answer.
pub const fn operations(format: Format) -> &'static [Operation] {
    match format {
        Format::OpenAiChat
        | Format::OpenAiCompletions
        | Format::OpenAiImages
        | Format::OpenAiSpeech
        | Format::OpenAiTranscription
        | Format::BedrockInvoke
        | Format::MistralOcr
        | Format::MistralFim => &[Operation::Generate],
        Format::OpenAiResponses => &[
            Operation::Generate,
            Operation::CountTokens,
            Operation::ReadObject,
            Operation::ChangeObject,
            Operation::DeleteObject,
        ],
        Format::OpenAiEmbeddings | Format::GeminiEmbed => &[Operation::Embed],
        Format::OpenAiModerations => &[Operation::Moderate],
        Format::OpenAiFiles | Format::AnthropicFiles => &[
            Operation::CreateObject,
            Operation::ListObjects,
            Operation::ReadObject,
            Operation::DeleteObject,
        ],
        Format::OpenAiBatches => &[
            Operation::Defer,
            Operation::ListObjects,
            Operation::ReadObject,
            Operation::ChangeObject,
        ],
        Format::AnthropicBatches => &[
            Operation::Defer,
            Operation::ListObjects,
            Operation::ReadObject,
            Operation::ChangeObject,
            Operation::DeleteObject,
        ],
        Format::OpenAiRealtime | Format::OpenAiResponsesSocket | Format::GeminiLive => {
            &[Operation::Converse]
        }
        Format::AnthropicMessages
        | Format::VertexRawPredict
        | Format::GeminiGenerate
        | Format::BedrockConverse => &[Operation::Generate, Operation::CountTokens],
        Format::GeminiInteractions => &[
            Operation::Generate,
            Operation::ReadObject,
            Operation::ChangeObject,
            Operation::DeleteObject,
        ],
        Format::OllamaNative => &[
            Operation::Generate,
            Operation::Embed,
            Operation::DescribeModel,
        ],
    }
}

/// What a kind that speaks a format has no endpoint for.
fn is_left_out(kind: ProviderKind, format: Format, operation: Operation) -> bool {
    match (format, operation) {
        (Format::AnthropicMessages, Operation::CountTokens) => !counts_messages(kind),
        (Format::OpenAiResponses, Operation::CountTokens) => {
            !matches!(kind, ProviderKind::OpenAi | ProviderKind::Mistral)
        }
        (
            Format::OpenAiResponses,
            Operation::ReadObject | Operation::ChangeObject | Operation::DeleteObject,
        ) => !stores_responses(kind),
        _ => false,
    }
}

/// Whether it has `/messages/count_tokens`, or Vertex's model for it. Of Anthropic's own clients,
/// the one for Bedrock refuses to count; the imitators offer messages alone.
const fn counts_messages(kind: ProviderKind) -> bool {
    matches!(
        kind,
        ProviderKind::Anthropic
            | ProviderKind::AnthropicCompatible
            | ProviderKind::Azure
            | ProviderKind::BedrockMantle
            | ProviderKind::GoogleVertex
            | ProviderKind::Simulated
    )
}

/// Whether it keeps responses for later. Mistral, Groq, Ollama and the routers do not; of a
/// compatible server it is not known, so that it may try.
const fn stores_responses(kind: ProviderKind) -> bool {
    matches!(
        kind,
        ProviderKind::OpenAi
            | ProviderKind::Azure
            | ProviderKind::BedrockMantle
            | ProviderKind::XAi
            | ProviderKind::OpenAiCompatible
    )
}

const MESSAGES_AT_BEDROCK: &[&str] = &[
    rule::MODEL_TO_PATH,
    rule::STREAM_TO_PATH,
    rule::ANTHROPIC_VERSION,
    rule::ANTHROPIC_BETA,
    rule::UNFRAME_EVENTS,
];

fn rules(kind: ProviderKind, format: Format, operation: Operation) -> &'static [&'static str] {
    match (kind, format, operation) {
        (ProviderKind::Bedrock, Format::AnthropicMessages, _) => MESSAGES_AT_BEDROCK,
        (ProviderKind::GoogleVertex, Format::AnthropicMessages, Operation::CountTokens) => {
            &[rule::ANTHROPIC_VERSION]
        }
        (ProviderKind::GoogleVertex, Format::AnthropicMessages, _) => {
            &[rule::MODEL_TO_PATH, rule::ANTHROPIC_VERSION]
        }
        (kind, Format::OpenAiChat | Format::OpenAiCompletions, _)
            if kind.reports_stream_usage_on_request() =>
        {
            &[rule::ASK_FOR_USAGE]
        }
        _ => &[],
    }
}

#[cfg(test)]
mod tests;
