//! The tap's counterpart for answers that do not stream: one JSON body, read whole.

use crate::{anthropic, bedrock, edit, gemini, mistral, ollama, openai};
use bytes::Bytes;
use http::HeaderMap;
use tollgate_core::{
    format::{Format, Operation},
    usage::UsageReport,
};

/// What a whole answer (status 200) used.
///
/// A body that cannot be read, or that reports no usage, gives a report without usage that is not
/// complete: the caller settles by estimate. Operations that are not billed are complete.
pub fn read_body(format: Format, operation: Operation, body: &[u8]) -> UsageReport {
    if !operation.is_billed() && format != Format::OpenAiModerations {
        return UsageReport {
            complete: true,
            ..UsageReport::default()
        };
    }
    match format {
        Format::OpenAiChat | Format::OpenAiCompletions | Format::MistralFim => {
            openai::chat_usage(body)
        }
        Format::OpenAiResponses => openai::responses_usage(body),
        Format::OpenAiEmbeddings => openai::embeddings_usage(body),
        Format::OpenAiImages => openai::images_usage(body),
        Format::OpenAiTranscription => openai::transcription_usage(body),
        Format::OpenAiModerations => openai::moderations_usage(body),
        Format::AnthropicMessages | Format::VertexRawPredict => anthropic::usage(body),
        Format::GeminiGenerate => gemini::usage(body),
        Format::GeminiEmbed => gemini::embed::usage(body),
        Format::GeminiInteractions => gemini::interactions::usage(body),
        Format::OllamaNative => ollama::usage(operation, body),
        Format::MistralOcr => mistral::ocr_usage(body),
        Format::BedrockConverse => bedrock::converse::usage(body),
        Format::BedrockInvoke => bedrock::invoke::usage(body),
        // Sound has no usage: what the request showed is what is known. The others are no answers
        // to read here: stored objects, and sockets.
        Format::OpenAiSpeech
        | Format::OpenAiFiles
        | Format::OpenAiBatches
        | Format::OpenAiRealtime
        | Format::OpenAiResponsesSocket
        | Format::AnthropicBatches
        | Format::AnthropicFiles
        | Format::GeminiLive => UsageReport::default(),
    }
}

/// What the head of a whole answer (status 200) says of its usage, where the body says nothing:
/// only Bedrock's InvokeModel has counts there.
pub fn read_head(format: Format, headers: &HeaderMap) -> UsageReport {
    if format == Format::BedrockInvoke {
        bedrock::invoke::usage_of_head(headers)
    } else {
        UsageReport::default()
    }
}

/// The body with `cost` (decimal dollars) written into its usage, as segments that share its
/// memory; `None` when the format has no place for it or the body has no usage.
///
/// The place is `usage.logfire_ai_gateway.cost`, where pydantic-ai looks for it; Gemini bodies
/// have none (the cost is in a response header).
pub fn insert_cost_in_body(format: Format, body: &Bytes, cost: &str) -> Option<Vec<Bytes>> {
    let edit = match format {
        Format::OpenAiChat
        | Format::OpenAiResponses
        | Format::OpenAiCompletions
        | Format::OpenAiEmbeddings
        | Format::OpenAiImages
        | Format::OpenAiTranscription
        | Format::MistralFim => openai::cost_edit(body, cost),
        Format::AnthropicMessages | Format::VertexRawPredict => anthropic::cost_edit(body, cost),
        Format::GeminiGenerate => gemini::cost_edit(body, cost),
        Format::OpenAiSpeech
        | Format::OpenAiModerations
        | Format::OpenAiFiles
        | Format::OpenAiBatches
        | Format::OpenAiRealtime
        | Format::OpenAiResponsesSocket
        | Format::AnthropicBatches
        | Format::AnthropicFiles
        | Format::GeminiEmbed
        | Format::GeminiInteractions
        | Format::GeminiLive
        | Format::BedrockConverse
        | Format::BedrockInvoke
        | Format::OllamaNative
        | Format::MistralOcr => None,
    }?;
    Some(edit::apply(body, vec![edit]))
}
