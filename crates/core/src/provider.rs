//! Providers: configured upstreams. A provider natively speaks a set of formats; a request in one
//! of them can go to it unchanged.

use crate::{format::Format, id::ProviderId, money::NanoUsd, secret::Secret};

/// What kind of upstream this is: decides credentials, formats and where usage is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProviderKind {
    /// api.openai.com.
    OpenAi,
    /// api.anthropic.com.
    Anthropic,
    /// generativelanguage.googleapis.com (AI Studio).
    GoogleGemini,
    /// Anything that speaks the OpenAI dialects.
    OpenAiCompatible,
    /// Anything that speaks Anthropic Messages.
    AnthropicCompatible,
    /// Built in: answers every format deterministically, sends nothing anywhere.
    Simulated,
}

impl ProviderKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::OpenAi,
        Self::Anthropic,
        Self::GoogleGemini,
        Self::OpenAiCompatible,
        Self::AnthropicCompatible,
        Self::Simulated,
    ];

    /// The word used in settings and storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::Anthropic => "anthropic",
            Self::GoogleGemini => "google-gemini",
            Self::OpenAiCompatible => "openai-compatible",
            Self::AnthropicCompatible => "anthropic-compatible",
            Self::Simulated => "simulated",
        }
    }

    /// The kind with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// Where requests go when settings name no other place; `None` when they must.
    ///
    /// Sources: the providers' API references; the OpenAI SDK's base URL ends in `/v1`, the
    /// others' do not carry a version.
    pub const fn default_base_url(self) -> Option<&'static str> {
        match self {
            Self::OpenAi => Some("https://api.openai.com/v1"),
            Self::Anthropic => Some("https://api.anthropic.com"),
            Self::GoogleGemini => Some("https://generativelanguage.googleapis.com"),
            Self::OpenAiCompatible | Self::AnthropicCompatible => None,
            // Never dialled; `.invalid` resolves nowhere (RFC 2606).
            Self::Simulated => Some("http://simulated.invalid"),
        }
    }

    /// The formats this kind natively speaks.
    pub const fn formats(self) -> &'static [Format] {
        match self {
            Self::OpenAi | Self::OpenAiCompatible => &[
                Format::OpenAiChat,
                Format::OpenAiResponses,
                Format::OpenAiEmbeddings,
            ],
            Self::Anthropic | Self::AnthropicCompatible => &[Format::AnthropicMessages],
            Self::GoogleGemini => &[Format::GeminiGenerate],
            Self::Simulated => &Format::ALL,
        }
    }

    /// Whether chat streams carry usage only when `stream_options.include_usage` asks for it.
    ///
    /// False where the field is refused or usage comes anyway; unknown compatible servers are
    /// asked, because OpenAI's own, Azure, vLLM, Ollama and most others need it.
    pub const fn reports_stream_usage_on_request(self) -> bool {
        match self {
            Self::OpenAi | Self::OpenAiCompatible | Self::Simulated => true,
            Self::Anthropic | Self::GoogleGemini | Self::AnthropicCompatible => false,
        }
    }

    /// Where this kind's models stand in the price data, in the order to look; empty = told by the
    /// base URL, or else by the model's name. The simulated provider imitates the makers.
    pub const fn price_providers(self) -> &'static [&'static str] {
        match self {
            Self::OpenAi => &["openai"],
            Self::Anthropic => &["anthropic"],
            Self::GoogleGemini => &["google"],
            Self::OpenAiCompatible | Self::AnthropicCompatible => &[],
            Self::Simulated => &["openai", "anthropic", "google"],
        }
    }
}

/// How a credential is put on a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CredentialPlacement {
    /// `Authorization: Bearer <secret>`.
    Bearer,
    /// A header with this name (`x-api-key`, `x-goog-api-key`), carrying the bare secret.
    Header(String),
    /// A query parameter with this name.
    Query(String),
}

/// The secret we present upstream, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// Where it goes.
    pub placement: CredentialPlacement,
    /// The secret.
    pub secret: Secret,
}

impl CredentialPlacement {
    /// Where this kind of provider wants its secret.
    pub fn default_for(kind: ProviderKind) -> Self {
        match kind {
            ProviderKind::OpenAi | ProviderKind::OpenAiCompatible | ProviderKind::Simulated => {
                Self::Bearer
            }
            ProviderKind::Anthropic | ProviderKind::AnthropicCompatible => {
                Self::Header("x-api-key".to_owned())
            }
            ProviderKind::GoogleGemini => Self::Header("x-goog-api-key".to_owned()),
        }
    }
}

/// What happens to a request for a model without a price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnpricedPolicy {
    /// 400 before anything is sent.
    #[default]
    Refuse,
    /// Let it through, cost zero, flagged.
    Allow,
    /// 400, and the API key is blocked until an admin clears it.
    BlockKey,
}

/// Where the cost of a request is told to the client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReportCost {
    /// Response headers of non-streaming answers.
    #[default]
    Header,
    /// Also inside the answer's usage object, streams included (pydantic-ai reads it there).
    Body,
    /// Nowhere.
    Off,
}

/// What happens upstream when the client hangs up in mid-stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnClientGone {
    /// Cancel: the provider stops billing.
    #[default]
    Cancel,
    /// Read on to the usage, bounded: the provider bills the whole anyway.
    Drain,
}

/// A rate override of one model: dollars per million tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceOverride {
    /// The model as requests name it.
    pub model: String,
    /// Input tokens, nano-dollars per million.
    pub input: NanoUsd,
    /// Output tokens, nano-dollars per million.
    pub output: NanoUsd,
    /// Cache reads, when they differ from input.
    pub cache_read: Option<NanoUsd>,
    /// Cache writes, when they differ from input.
    pub cache_write: Option<NanoUsd>,
}

/// A configured upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// Its id.
    pub id: ProviderId,
    /// Its name in URLs and settings.
    pub slug: String,
    /// Its kind.
    pub kind: ProviderKind,
    /// Where it is: scheme, host and a path prefix without a trailing slash.
    pub base_url: String,
    /// What we present to it.
    pub credential: Option<Credential>,
    /// Models without a price.
    pub unpriced: UnpricedPolicy,
    /// Where cost is told.
    pub report_cost: ReportCost,
    /// What a vanished client means upstream.
    pub on_client_gone: OnClientGone,
    /// Rates that outrank the price data.
    pub prices: Vec<PriceOverride>,
    /// Whether the upstream stops billing when we cancel (ledger: cuttable streams).
    pub cancel_stops_billing: bool,
    /// The caller's `traceparent` and `baggage` are sent on.
    pub forward_trace: bool,
}
