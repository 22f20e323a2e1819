//! What is true of every provider of a kind: one table, one row per kind.
//!
//! Sources: the providers' API references and official SDKs. A base URL is what the SDK of that
//! provider calls so; what stands between it and an endpoint is the address's business
//! (`wire::address`).

use super::{OnClientGone, ProviderKind};
use crate::format::Format;

/// One row.
#[derive(Debug)]
pub struct Profile {
    /// The word in settings, storage and lists.
    pub word: &'static str,
    /// Where requests go.
    pub base_url: BaseUrl,
    /// Where a plain secret goes.
    pub auth: Auth,
    /// What it takes, natively or with its envelope's edits.
    pub formats: &'static [Format],
    /// Whether chat streams carry usage only when `stream_options.include_usage` asks for it.
    ///
    /// False where the field is refused or usage comes anyway; unknown compatible servers are
    /// asked, because most need it.
    pub stream_usage_on_request: bool,
    /// Where its models stand in the price data, in the order to look.
    pub price_providers: &'static [&'static str],
    /// Set where it passes requests on to others, and whoever served one sets its price.
    pub router: Option<Router>,
    /// Whether it stops billing when a stream is cancelled, unless settings say otherwise.
    pub cancel_stops_billing: bool,
}

impl Profile {
    /// What a vanished client means upstream, unless settings say otherwise: where the whole
    /// answer is billed anyway, its usage is worth reading.
    pub const fn on_client_gone(&self) -> OnClientGone {
        if self.cancel_stops_billing {
            OnClientGone::Cancel
        } else {
            OnClientGone::Drain
        }
    }
}

/// How a router tells who served a request, and where the price data has those.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Router {
    /// The header of the answer that names who served it.
    pub served_by: &'static str,
    /// What stands before that name in the ids of the price data.
    pub price_prefix: &'static str,
}

/// Where requests go when settings name no other place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BaseUrl {
    /// There.
    Fixed(&'static str),
    /// A host that names the region.
    OfRegion {
        /// What stands before the region.
        before: &'static str,
        /// What follows it.
        after: &'static str,
    },
    /// Vertex's host of the location.
    OfLocation,
    /// Nowhere: settings must say.
    Required,
}

/// Where a plain secret goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// `Authorization: Bearer`.
    Bearer,
    /// This header.
    Header(&'static str),
}

/// The row of a kind.
pub(super) const fn of(kind: ProviderKind) -> &'static Profile {
    match kind {
        ProviderKind::OpenAi => &OPENAI,
        ProviderKind::Anthropic => &ANTHROPIC,
        ProviderKind::GoogleGemini => &GOOGLE_GEMINI,
        ProviderKind::GoogleVertex => &GOOGLE_VERTEX,
        ProviderKind::Azure => &AZURE,
        ProviderKind::Bedrock => &BEDROCK,
        ProviderKind::BedrockMantle => &BEDROCK_MANTLE,
        ProviderKind::Groq => &GROQ,
        ProviderKind::Mistral => &MISTRAL,
        ProviderKind::HuggingFace => &HUGGINGFACE,
        ProviderKind::Ollama => &OLLAMA,
        ProviderKind::Doubleword => &DOUBLEWORD,
        ProviderKind::OpenRouter => &OPENROUTER,
        ProviderKind::DeepSeek => &DEEPSEEK,
        ProviderKind::XAi => &XAI,
        ProviderKind::Together => &TOGETHER,
        ProviderKind::Fireworks => &FIREWORKS,
        ProviderKind::Cerebras => &CEREBRAS,
        ProviderKind::OvhCloud => &OVHCLOUD,
        ProviderKind::OpenAiCompatible => &OPENAI_COMPATIBLE,
        ProviderKind::AnthropicCompatible => &ANTHROPIC_COMPATIBLE,
        ProviderKind::Simulated => &SIMULATED,
    }
}

/// Every API that OpenAI's own platform offers.
const ALL_OF_OPENAI: &[Format] = &[
    Format::OpenAiChat,
    Format::OpenAiResponses,
    Format::OpenAiCompletions,
    Format::OpenAiEmbeddings,
    Format::OpenAiImages,
    Format::OpenAiSpeech,
    Format::OpenAiTranscription,
    Format::OpenAiModerations,
    Format::OpenAiFiles,
    Format::OpenAiBatches,
    Format::OpenAiRealtime,
    Format::OpenAiResponsesSocket,
];

/// The common case: OpenAI's dialects, a bearer key, usage at the end of a stream when asked for.
const COMMON: Profile = Profile {
    word: "",
    base_url: BaseUrl::Required,
    auth: Auth::Bearer,
    formats: &[Format::OpenAiChat],
    stream_usage_on_request: true,
    price_providers: &[],
    router: None,
    cancel_stops_billing: true,
};

static OPENAI: Profile = Profile {
    word: "openai",
    base_url: BaseUrl::Fixed("https://api.openai.com/v1"),
    formats: ALL_OF_OPENAI,
    price_providers: &["openai"],
    ..COMMON
};

static ANTHROPIC: Profile = Profile {
    word: "anthropic",
    base_url: BaseUrl::Fixed("https://api.anthropic.com"),
    auth: Auth::Header("x-api-key"),
    formats: &[
        Format::AnthropicMessages,
        Format::AnthropicBatches,
        Format::AnthropicFiles,
    ],
    stream_usage_on_request: false,
    price_providers: &["anthropic"],
    ..COMMON
};

static GOOGLE_GEMINI: Profile = Profile {
    word: "google-gemini",
    base_url: BaseUrl::Fixed("https://generativelanguage.googleapis.com"),
    auth: Auth::Header("x-goog-api-key"),
    formats: &[
        Format::GeminiGenerate,
        Format::GeminiEmbed,
        Format::GeminiInteractions,
        Format::GeminiLive,
        Format::OpenAiChat,
        Format::OpenAiEmbeddings,
    ],
    price_providers: &["google"],
    ..COMMON
};

static GOOGLE_VERTEX: Profile = Profile {
    word: "google-vertex",
    base_url: BaseUrl::OfLocation,
    // Express mode's key; most use a service account.
    auth: Auth::Header("x-goog-api-key"),
    formats: &[
        Format::GeminiGenerate,
        Format::GeminiEmbed,
        Format::GeminiLive,
        Format::AnthropicMessages,
        Format::VertexRawPredict,
        Format::OpenAiChat,
        Format::OpenAiResponses,
    ],
    price_providers: &["google", "anthropic"],
    ..COMMON
};

static AZURE: Profile = Profile {
    word: "azure",
    auth: Auth::Header("api-key"),
    formats: &[
        Format::OpenAiChat,
        Format::OpenAiResponses,
        Format::OpenAiCompletions,
        Format::OpenAiEmbeddings,
        Format::OpenAiImages,
        Format::OpenAiSpeech,
        Format::OpenAiTranscription,
        Format::OpenAiFiles,
        Format::OpenAiBatches,
        Format::OpenAiRealtime,
        Format::AnthropicMessages,
    ],
    price_providers: &["azure", "openai", "anthropic"],
    ..COMMON
};

static BEDROCK: Profile = Profile {
    word: "bedrock",
    base_url: BaseUrl::OfRegion {
        before: "https://bedrock-runtime.",
        after: ".amazonaws.com",
    },
    formats: &[
        Format::BedrockConverse,
        Format::BedrockInvoke,
        Format::AnthropicMessages,
        Format::OpenAiChat,
        Format::OpenAiResponses,
    ],
    price_providers: &["aws", "anthropic"],
    // Reported to bill the whole generation even when the reader leaves early.
    cancel_stops_billing: false,
    ..COMMON
};

static BEDROCK_MANTLE: Profile = Profile {
    word: "bedrock-mantle",
    base_url: BaseUrl::OfRegion {
        before: "https://bedrock-mantle.",
        after: ".api.aws",
    },
    formats: &[
        Format::AnthropicMessages,
        Format::OpenAiChat,
        Format::OpenAiResponses,
    ],
    price_providers: &["aws", "anthropic"],
    cancel_stops_billing: false,
    ..COMMON
};

static GROQ: Profile = Profile {
    word: "groq",
    base_url: BaseUrl::Fixed("https://api.groq.com"),
    formats: &[
        Format::OpenAiChat,
        Format::OpenAiResponses,
        Format::OpenAiEmbeddings,
        Format::OpenAiSpeech,
        Format::OpenAiTranscription,
        Format::OpenAiFiles,
        Format::OpenAiBatches,
    ],
    // It reports usage in its own place on every stream.
    stream_usage_on_request: false,
    price_providers: &["groq"],
    ..COMMON
};

static MISTRAL: Profile = Profile {
    word: "mistral",
    base_url: BaseUrl::Fixed("https://api.mistral.ai"),
    formats: &[
        Format::OpenAiChat,
        Format::OpenAiResponses,
        Format::OpenAiEmbeddings,
        Format::OpenAiTranscription,
        Format::OpenAiModerations,
        Format::OpenAiFiles,
        Format::MistralOcr,
        Format::MistralFim,
    ],
    // Not in its schema; usage comes with the last chunk anyway.
    stream_usage_on_request: false,
    price_providers: &["mistral"],
    ..COMMON
};

static HUGGINGFACE: Profile = Profile {
    word: "huggingface",
    base_url: BaseUrl::Fixed("https://router.huggingface.co/v1"),
    formats: &[Format::OpenAiChat, Format::OpenAiResponses],
    router: Some(Router {
        served_by: "x-inference-provider",
        price_prefix: "huggingface_",
    }),
    ..COMMON
};

static OLLAMA: Profile = Profile {
    word: "ollama",
    base_url: BaseUrl::Fixed("http://127.0.0.1:11434"),
    formats: &[
        Format::OllamaNative,
        Format::OpenAiChat,
        Format::OpenAiResponses,
        Format::OpenAiCompletions,
        Format::OpenAiEmbeddings,
        Format::AnthropicMessages,
    ],
    ..COMMON
};

static DOUBLEWORD: Profile = Profile {
    word: "doubleword",
    base_url: BaseUrl::Fixed("https://api.doubleword.ai/v1"),
    formats: &[
        Format::OpenAiChat,
        Format::OpenAiResponses,
        Format::OpenAiCompletions,
        Format::OpenAiEmbeddings,
        Format::OpenAiFiles,
        Format::OpenAiBatches,
        Format::AnthropicMessages,
    ],
    price_providers: &["doubleword"],
    ..COMMON
};

static OPENROUTER: Profile = Profile {
    word: "openrouter",
    base_url: BaseUrl::Fixed("https://openrouter.ai/api/v1"),
    formats: &[
        Format::OpenAiChat,
        Format::OpenAiResponses,
        Format::OpenAiEmbeddings,
        Format::AnthropicMessages,
    ],
    // It is always on, and asking has no effect.
    stream_usage_on_request: false,
    price_providers: &["openrouter"],
    ..COMMON
};

static DEEPSEEK: Profile = Profile {
    word: "deepseek",
    base_url: BaseUrl::Fixed("https://api.deepseek.com"),
    formats: &[Format::OpenAiChat, Format::AnthropicMessages],
    price_providers: &["deepseek"],
    ..COMMON
};

static XAI: Profile = Profile {
    word: "xai",
    base_url: BaseUrl::Fixed("https://api.x.ai/v1"),
    formats: &[
        Format::OpenAiChat,
        Format::OpenAiResponses,
        Format::OpenAiEmbeddings,
        Format::OpenAiImages,
        Format::AnthropicMessages,
    ],
    price_providers: &["x-ai"],
    ..COMMON
};

static TOGETHER: Profile = Profile {
    word: "together",
    base_url: BaseUrl::Fixed("https://api.together.ai/v1"),
    formats: &[
        Format::OpenAiChat,
        Format::OpenAiCompletions,
        Format::OpenAiEmbeddings,
        Format::OpenAiImages,
        Format::OpenAiSpeech,
        Format::OpenAiTranscription,
    ],
    price_providers: &["together"],
    ..COMMON
};

static FIREWORKS: Profile = Profile {
    word: "fireworks",
    base_url: BaseUrl::Fixed("https://api.fireworks.ai/inference/v1"),
    formats: &[
        Format::OpenAiChat,
        Format::OpenAiResponses,
        Format::OpenAiCompletions,
        Format::OpenAiEmbeddings,
        Format::AnthropicMessages,
    ],
    price_providers: &["fireworks"],
    ..COMMON
};

static CEREBRAS: Profile = Profile {
    word: "cerebras",
    base_url: BaseUrl::Fixed("https://api.cerebras.ai/v1"),
    formats: &[Format::OpenAiChat, Format::OpenAiCompletions],
    price_providers: &["cerebras"],
    ..COMMON
};

static OVHCLOUD: Profile = Profile {
    word: "ovhcloud",
    base_url: BaseUrl::Fixed("https://oai.endpoints.kepler.ai.cloud.ovh.net/v1"),
    formats: &[
        Format::OpenAiChat,
        Format::OpenAiResponses,
        Format::OpenAiCompletions,
        Format::OpenAiEmbeddings,
        Format::OpenAiTranscription,
    ],
    price_providers: &["ovhcloud"],
    ..COMMON
};

static OPENAI_COMPATIBLE: Profile = Profile {
    word: "openai-compatible",
    formats: &[
        Format::OpenAiChat,
        Format::OpenAiResponses,
        Format::OpenAiCompletions,
        Format::OpenAiEmbeddings,
        Format::OpenAiImages,
        Format::OpenAiSpeech,
        Format::OpenAiTranscription,
        Format::OpenAiModerations,
    ],
    ..COMMON
};

static ANTHROPIC_COMPATIBLE: Profile = Profile {
    word: "anthropic-compatible",
    auth: Auth::Header("x-api-key"),
    formats: &[Format::AnthropicMessages],
    stream_usage_on_request: false,
    ..COMMON
};

static SIMULATED: Profile = Profile {
    word: "simulated",
    // Never dialled; `.invalid` resolves nowhere (RFC 2606).
    base_url: BaseUrl::Fixed("http://simulated.invalid"),
    formats: &[
        Format::OpenAiChat,
        Format::OpenAiResponses,
        Format::OpenAiEmbeddings,
        Format::AnthropicMessages,
        Format::GeminiGenerate,
    ],
    // It imitates the makers.
    price_providers: &["openai", "anthropic", "google"],
    ..COMMON
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::Site;

    #[test]
    fn every_kind_has_a_word_of_its_own_and_speaks_something() {
        let mut words: Vec<_> = ProviderKind::ALL.iter().map(|kind| kind.as_str()).collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), ProviderKind::ALL.len());
        for kind in ProviderKind::ALL {
            assert_eq!(ProviderKind::from_word(kind.as_str()), Some(kind));
            assert!(!kind.formats().is_empty(), "{kind:?}");
        }
    }

    #[test]
    fn a_cloud_s_host_follows_from_its_part() {
        let aws = |region: &str| Site {
            region: Some(region.to_owned()),
            ..Site::default()
        };
        let google = |location: &str| Site {
            location: Some(location.to_owned()),
            ..Site::default()
        };
        let url = |kind: ProviderKind, site: &Site| kind.default_base_url(site);
        assert_eq!(
            url(ProviderKind::Bedrock, &aws("us-east-1")).as_deref(),
            Some("https://bedrock-runtime.us-east-1.amazonaws.com")
        );
        assert_eq!(
            url(ProviderKind::Bedrock, &aws("cn-north-1")).as_deref(),
            Some("https://bedrock-runtime.cn-north-1.amazonaws.com.cn")
        );
        for (location, host) in [
            ("us-east5", "us-east5-aiplatform.googleapis.com"),
            ("global", "aiplatform.googleapis.com"),
            ("eu", "aiplatform.eu.rep.googleapis.com"),
        ] {
            assert_eq!(
                url(ProviderKind::GoogleVertex, &google(location)),
                Some(format!("https://{host}"))
            );
        }
        assert_eq!(url(ProviderKind::Bedrock, &Site::default()), None);
        assert_eq!(url(ProviderKind::Azure, &Site::default()), None);
    }
}
