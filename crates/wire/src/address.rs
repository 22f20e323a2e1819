//! Where an endpoint is at a provider: the URL of one attempt.

use crate::endpoint::{Endpoint, segment};
use tollgate_core::{
    format::{Format, Operation},
    provider::{Provider, ProviderKind},
};

/// The absolute URL of `endpoint` at `provider`, for the model as the provider names it.
pub fn url(provider: &Provider, endpoint: &Endpoint, model: &str) -> String {
    let mut url = provider.base_url.clone();
    url.push_str(&path(provider.kind, endpoint, model));
    url
}

/// Path and query to append to the base URL of a provider of this kind (which has no slash at
/// its end), for the model as the provider names it. Starts with `/`.
pub fn path(kind: ProviderKind, endpoint: &Endpoint, model: &str) -> String {
    let mut path = String::with_capacity(64 + model.len() + endpoint.query.len());
    path.push_str(prefix(kind, endpoint.format));
    match (endpoint.format, endpoint.operation) {
        (Format::GeminiGenerate, Operation::ListModels) => path.push_str("/models"),
        (Format::GeminiGenerate, operation) => {
            path.push_str("/models/");
            segment::encode_into(&mut path, model);
            path.push(':');
            path.push_str(gemini_action(operation, endpoint.stream));
        }
        (_, Operation::ListModels) => path.push_str("/models"),
        (Format::OpenAiChat, _) => path.push_str("/chat/completions"),
        (Format::OpenAiResponses, _) => path.push_str("/responses"),
        (Format::OpenAiEmbeddings, _) => path.push_str("/embeddings"),
        (Format::AnthropicMessages, Operation::CountTokens) => {
            path.push_str("/messages/count_tokens");
        }
        (Format::AnthropicMessages, _) => path.push_str("/messages"),
        _ => path.push_str(&endpoint.tail),
    }
    if !endpoint.query.is_empty() {
        path.push('?');
        path.push_str(&endpoint.query);
    }
    path
}

fn gemini_action(operation: Operation, stream: bool) -> &'static str {
    match operation {
        Operation::CountTokens => "countTokens",
        _ if stream => "streamGenerateContent",
        _ => "generateContent",
    }
}

/// What stands between a provider's base URL and a format's own path. Base URLs of OpenAI's kind
/// end in `/v1`; the others carry no version. Anthropic and Google offer OpenAI's dialects under
/// prefixes of their own.
fn prefix(kind: ProviderKind, format: Format) -> &'static str {
    let openai_base = !matches!(
        kind,
        ProviderKind::Anthropic | ProviderKind::AnthropicCompatible | ProviderKind::GoogleGemini
    );
    match format {
        Format::GeminiGenerate => "/v1beta",
        _ if openai_base => "",
        Format::OpenAiChat | Format::OpenAiResponses | Format::OpenAiEmbeddings
            if kind == ProviderKind::GoogleGemini =>
        {
            "/v1beta/openai"
        }
        _ => "/v1",
    }
}
