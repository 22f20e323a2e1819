//! The tap's counterpart for answers that do not stream: one JSON body, read whole.

use crate::{anthropic, edit, gemini, openai};
use bytes::Bytes;
use tollgate_core::{
    format::{Format, Operation},
    usage::UsageReport,
};

/// What a whole answer (status 200) used.
///
/// A body that cannot be read, or that reports no usage, gives a report without usage that is not
/// complete: the caller settles by estimate. Operations that are not billed are complete.
pub fn read_body(format: Format, operation: Operation, body: &[u8]) -> UsageReport {
    if !operation.is_billed() {
        return UsageReport {
            complete: true,
            ..UsageReport::default()
        };
    }
    match format {
        Format::OpenAiChat => openai::chat_usage(body),
        Format::OpenAiResponses => openai::responses_usage(body),
        Format::OpenAiEmbeddings => openai::embeddings_usage(body),
        Format::AnthropicMessages => anthropic::usage(body),
        Format::GeminiGenerate => gemini::usage(body),
        _ => UsageReport::default(),
    }
}

/// The body with `cost` (decimal dollars) written into its usage, as segments that share its
/// memory; `None` when the format has no place for it or the body has no usage.
///
/// The place is `usage.logfire_ai_gateway.cost`, where pydantic-ai looks for it; Gemini bodies
/// have none (the cost is in a response header).
pub fn insert_cost_in_body(format: Format, body: &Bytes, cost: &str) -> Option<Vec<Bytes>> {
    let edit = match format {
        Format::OpenAiChat | Format::OpenAiResponses | Format::OpenAiEmbeddings => {
            openai::cost_edit(body, cost)
        }
        Format::AnthropicMessages => anthropic::cost_edit(body, cost),
        Format::GeminiGenerate => gemini::cost_edit(body, cost),
        _ => None,
    }?;
    Some(edit::apply(body, vec![edit]))
}
