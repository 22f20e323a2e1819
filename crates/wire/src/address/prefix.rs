//! What stands between the root of a provider and a format's own path.
//!
//! Sources: the providers' API references and what their SDKs put on the wire.

use crate::endpoint::segment;
use std::borrow::Cow;
use tollgate_core::{
    error::{Error, Kind},
    format::{Dialect, Format},
    provider::{Provider, ProviderKind, Site},
};

/// What a prefix depends on beside the format.
#[derive(Clone, Copy, Debug)]
pub(crate) struct At<'p> {
    pub(crate) kind: ProviderKind,
    pub(crate) site: &'p Site,
    /// The model as the provider names it; `None` for what is about none.
    pub(crate) model: Option<&'p str>,
}

impl<'p> At<'p> {
    /// The version of the API that Azure's older paths are asked in.
    pub(super) fn api_version(&self) -> Option<&'p str> {
        let version = self.site.api_version.as_deref();
        version.filter(|_| self.kind == ProviderKind::Azure)
    }
}

/// Why there is no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoAddress {
    /// The provider's settings do not say this.
    Setting(&'static str),
    /// The model's name would be read as something else in a path.
    Model,
}

impl NoAddress {
    /// The refusal of a request to `provider` for `model`.
    pub(super) fn refusal(self, provider: &Provider, model: &str) -> Error {
        let slug = &provider.slug;
        match self {
            Self::Setting(setting) => Error::new(
                Kind::Unavailable,
                format!(
                    "the provider `{slug}` is misconfigured: tell the operator of this gateway"
                ),
            )
            .with_context(format!(
                "provider `{slug}`: this format needs its `{setting}`"
            )),
            Self::Model => Error::new(
                Kind::BadRequest,
                format!("`{model}` cannot be the name of a model: name one of `{slug}`"),
            ),
        }
    }
}

/// The prefix of `format`, starting with `/`, or empty.
pub(crate) fn prefix(at: At<'_>, format: Format) -> Result<Cow<'static, str>, NoAddress> {
    Ok(Cow::Borrowed(match (at.kind, format.dialect()) {
        (
            ProviderKind::Azure | ProviderKind::BedrockMantle | ProviderKind::DeepSeek,
            Dialect::Anthropic,
        ) => "/anthropic/v1",
        (ProviderKind::Azure, _) => return azure(at, format),
        (ProviderKind::GoogleVertex, _) => return vertex(at.site, format).map(Cow::Owned),
        (ProviderKind::Bedrock, Dialect::OpenAi)
        | (ProviderKind::BedrockMantle | ProviderKind::Groq, _) => "/openai/v1",
        (ProviderKind::GoogleGemini, Dialect::OpenAi) => "/v1beta/openai",
        (ProviderKind::GoogleGemini, _) if format != Format::GeminiLive => "/v1beta",
        (ProviderKind::Ollama, Dialect::Ollama) => "/api",
        (
            ProviderKind::Anthropic
            | ProviderKind::AnthropicCompatible
            | ProviderKind::Mistral
            | ProviderKind::Ollama,
            _,
        ) => "/v1",
        (
            // Their base URLs have a version, or no path has one.
            ProviderKind::OpenAi
            | ProviderKind::GoogleGemini
            | ProviderKind::Bedrock
            | ProviderKind::HuggingFace
            | ProviderKind::Doubleword
            | ProviderKind::OpenRouter
            | ProviderKind::DeepSeek
            | ProviderKind::XAi
            | ProviderKind::Together
            | ProviderKind::Fireworks
            | ProviderKind::Cerebras
            | ProviderKind::OvhCloud
            | ProviderKind::OpenAiCompatible
            // It is never dialled.
            | ProviderKind::Simulated,
            _,
        ) => "",
    }))
}

/// Project and location, a publisher, and for OpenAI's dialect an endpoint of its own. Without a
/// project (express mode, with an API key) the publishers' models are there all the same.
fn vertex(site: &Site, format: Format) -> Result<String, NoAddress> {
    if format == Format::GeminiLive {
        return Ok(String::new());
    }
    let mut scope = String::new();
    if let Some(project) = &site.project {
        scope.push_str("/projects/");
        segment::encode_into(&mut scope, project);
        scope.push_str("/locations/");
        segment::encode_into(&mut scope, site.location.as_deref().unwrap_or("global"));
    }
    Ok(match format.dialect() {
        Dialect::Anthropic => format!("/v1{scope}/publishers/anthropic"),
        Dialect::OpenAi if scope.is_empty() => return Err(NoAddress::Setting("project")),
        Dialect::OpenAi if format == Format::OpenAiResponses => {
            format!("/v1{scope}/publishers/openai/v1")
        }
        Dialect::OpenAi => format!("/v1{scope}/endpoints/openapi"),
        Dialect::Google | Dialect::Bedrock | Dialect::Ollama => {
            format!("/v1beta1{scope}/publishers/google")
        }
    })
}

/// The v1 paths; or, asked for by a version of the API, the older ones, where what a model answers
/// is below its deployment.
fn azure(at: At<'_>, format: Format) -> Result<Cow<'static, str>, NoAddress> {
    if at.api_version().is_none() {
        return Ok(Cow::Borrowed("/openai/v1"));
    }
    let is_deployed = matches!(
        format,
        Format::OpenAiChat
            | Format::OpenAiCompletions
            | Format::OpenAiEmbeddings
            | Format::OpenAiImages
            | Format::OpenAiSpeech
            | Format::OpenAiTranscription
    );
    let (true, Some(model)) = (is_deployed, at.model) else {
        return Ok(Cow::Borrowed("/openai"));
    };
    if model.is_empty() || segment::climbs(model) {
        return Err(NoAddress::Model);
    }
    let mut path = "/openai/deployments/".to_owned();
    segment::encode_into(&mut path, model);
    Ok(Cow::Owned(path))
}
