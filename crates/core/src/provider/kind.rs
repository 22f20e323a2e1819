//! Kinds of providers.

use super::{
    Site,
    profile::{self, BaseUrl, Profile},
};
use crate::format::Format;

/// What kind of upstream this is: decides credentials, formats, addresses and where usage is
/// reported. What each kind is stands in its [`Profile`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProviderKind {
    /// api.openai.com.
    OpenAi,
    /// api.anthropic.com.
    Anthropic,
    /// generativelanguage.googleapis.com (AI Studio).
    GoogleGemini,
    /// Vertex AI: models of Google, Anthropic and, over OpenAI's dialect, others.
    GoogleVertex,
    /// Azure OpenAI and Microsoft Foundry.
    Azure,
    /// Amazon Bedrock's runtime endpoint.
    Bedrock,
    /// Amazon Bedrock's endpoint for other makers' APIs.
    BedrockMantle,
    /// api.groq.com.
    Groq,
    /// api.mistral.ai.
    Mistral,
    /// The router of Hugging Face.
    HuggingFace,
    /// An Ollama server, or ollama.com.
    Ollama,
    /// api.doubleword.ai.
    Doubleword,
    /// openrouter.ai.
    OpenRouter,
    /// api.deepseek.com.
    DeepSeek,
    /// api.x.ai.
    XAi,
    /// api.together.ai.
    Together,
    /// api.fireworks.ai.
    Fireworks,
    /// api.cerebras.ai.
    Cerebras,
    /// OVHcloud AI Endpoints.
    OvhCloud,
    /// Anything that speaks the OpenAI dialects.
    OpenAiCompatible,
    /// Anything that speaks Anthropic Messages.
    AnthropicCompatible,
    /// Built in: answers deterministically, sends nothing anywhere.
    Simulated,
}

impl ProviderKind {
    /// Every kind.
    pub const ALL: [Self; 22] = [
        Self::OpenAi,
        Self::Anthropic,
        Self::GoogleGemini,
        Self::GoogleVertex,
        Self::Azure,
        Self::Bedrock,
        Self::BedrockMantle,
        Self::Groq,
        Self::Mistral,
        Self::HuggingFace,
        Self::Ollama,
        Self::Doubleword,
        Self::OpenRouter,
        Self::DeepSeek,
        Self::XAi,
        Self::Together,
        Self::Fireworks,
        Self::Cerebras,
        Self::OvhCloud,
        Self::OpenAiCompatible,
        Self::AnthropicCompatible,
        Self::Simulated,
    ];

    /// What is true of every provider of this kind.
    pub const fn profile(self) -> &'static Profile {
        profile::of(self)
    }

    /// The word used in settings and storage.
    pub const fn as_str(self) -> &'static str {
        self.profile().word
    }

    /// The kind with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// Where requests go when settings name no other place; `None` when they must name one, or
    /// must name the part of the cloud it follows from.
    pub fn default_base_url(self, site: &Site) -> Option<String> {
        match self.profile().base_url {
            BaseUrl::Fixed(url) => Some(url.to_owned()),
            BaseUrl::OfRegion { before, after } => {
                let region = site.region.as_deref()?;
                let china = if region.starts_with("cn-") { ".cn" } else { "" };
                Some(format!("{before}{region}{after}{china}"))
            }
            BaseUrl::OfLocation => Some(match site.location.as_deref()? {
                "global" => "https://aiplatform.googleapis.com".to_owned(),
                many @ ("us" | "eu") => format!("https://aiplatform.{many}.rep.googleapis.com"),
                one => format!("https://{one}-aiplatform.googleapis.com"),
            }),
            BaseUrl::Required => None,
        }
    }

    /// The formats this kind takes, natively or with its envelope's edits.
    pub const fn formats(self) -> &'static [Format] {
        self.profile().formats
    }

    /// Whether chat streams carry usage only when `stream_options.include_usage` asks for it.
    pub const fn reports_stream_usage_on_request(self) -> bool {
        self.profile().stream_usage_on_request
    }

    /// Where this kind's models stand in the price data, in the order to look; empty = told by the
    /// base URL, or else by the model's name.
    pub const fn price_providers(self) -> &'static [&'static str] {
        self.profile().price_providers
    }
}
