//! Where an endpoint is at a provider: the URL of one attempt.
//!
//! A base URL is what the SDK of the provider calls so; between it and a format's own path stands
//! the [`prefix`] of the kind. People paste base URLs from other clients too, which have some or
//! all of a prefix already: nothing is put there twice.
//!
//! Formats are taken at their word here: that Anthropic's messages travel to Bedrock as an
//! invocation is decided by the [envelope](crate::envelope), which asks for that endpoint.

use crate::endpoint::{Endpoint, segment};
use std::borrow::Cow;
use tollgate_core::{
    error::Error,
    format::{Format, Operation},
    provider::{Provider, ProviderKind},
};

mod base;
mod prefix;

use prefix::{At, NoAddress, prefix};

/// The absolute URL of `endpoint` at `provider`, for the model as the provider names it. Those of
/// WebSockets have the base URL's scheme too: they start as requests.
///
/// # Errors
/// `BadRequest` when the model's name cannot stand in a path, `Unavailable` when the provider's
/// settings lack a part of the address.
pub fn url(provider: &Provider, endpoint: &Endpoint, model: &str) -> Result<String, Error> {
    let at = At {
        kind: provider.kind,
        site: &provider.site,
        // Lists are the same whatever the model.
        model: (endpoint.operation != Operation::ListModels).then_some(model),
    };
    let refusal = |reason: NoAddress| reason.refusal(provider, model);
    let prefix = prefix(at, endpoint.format).map_err(refusal)?;
    let mut url = base::root(provider).into_owned();
    url.push_str(&prefix);
    push_path(&mut url, at, endpoint).map_err(refusal)?;
    push_query(&mut url, at, endpoint);
    Ok(url)
}

/// The format's own path.
fn push_path(url: &mut String, at: At<'_>, endpoint: &Endpoint) -> Result<(), NoAddress> {
    let before_model = match endpoint.format {
        _ if endpoint.operation == Operation::ListModels => {
            let is_of_ollama = endpoint.format == Format::OllamaNative;
            url.push_str(if is_of_ollama { "/tags" } else { "/models" });
            return Ok(());
        }
        Format::GeminiGenerate | Format::GeminiEmbed | Format::VertexRawPredict => "/models/",
        Format::BedrockConverse | Format::BedrockInvoke => "/model/",
        Format::GeminiLive => {
            url.push_str(match at.kind {
                ProviderKind::GoogleVertex => VERTEX_LIVE,
                _ => GEMINI_LIVE,
            });
            return Ok(());
        }
        _ => {
            url.push_str(&endpoint.tail);
            return Ok(());
        }
    };
    let counts =
        endpoint.format == Format::VertexRawPredict && endpoint.operation == Operation::CountTokens;
    let model = match at.model {
        _ if counts => crate::endpoint::COUNTING_MODEL,
        Some(model) => model,
        None => "",
    };
    if model.is_empty() || segment::climbs(model) {
        return Err(NoAddress::Model);
    }
    url.push_str(before_model);
    segment::encode_into(url, model);
    url.push_str(&endpoint.tail);
    Ok(())
}

const GEMINI_LIVE: &str =
    "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent";
const VERTEX_LIVE: &str = "/ws/google.cloud.aiplatform.v1beta1.LlmBidiService/BidiGenerateContent";

/// What the client asked beside the path, and what this kind of provider needs there.
fn push_query(url: &mut String, at: At<'_>, endpoint: &Endpoint) {
    let version = at.api_version().filter(|_| is_of_openai(endpoint.format));
    let mut pairs: Vec<Cow<'_, str>> = Vec::new();
    if let (Format::OpenAiRealtime, Some(model)) = (endpoint.format, at.model)
        && !model.is_empty()
    {
        let name = if version.is_some() {
            "deployment"
        } else {
            "model"
        };
        let model = crate::endpoint::encode_query_value(model);
        pairs.push(format!("{name}={model}").into());
    }
    if let Some(version) = version {
        let version = crate::endpoint::encode_query_value(version);
        pairs.push(format!("api-version={version}").into());
    }
    if !endpoint.query.is_empty() {
        pairs.push(Cow::Borrowed(&endpoint.query));
    }
    for (index, pair) in pairs.iter().enumerate() {
        url.push(if index == 0 { '?' } else { '&' });
        url.push_str(pair);
    }
}

/// Whether Azure keeps the format among OpenAI's.
fn is_of_openai(format: Format) -> bool {
    format.dialect() == tollgate_core::format::Dialect::OpenAi
}

#[cfg(test)]
pub(crate) mod tests;
