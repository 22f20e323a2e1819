//! Services that host models of others, behind OpenAI's dialects.

use super::{BaseUrl, COMMON, Profile, Router};
use crate::format::Format;

pub(super) static HUGGINGFACE: Profile = Profile {
    word: "huggingface",
    base_url: BaseUrl::Fixed("https://router.huggingface.co/v1"),
    formats: &[Format::OpenAiChat, Format::OpenAiResponses],
    router: Some(Router {
        served_by: "x-inference-provider",
        price_prefix: "huggingface_",
    }),
    ..COMMON
};

pub(super) static OLLAMA: Profile = Profile {
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

pub(super) static DOUBLEWORD: Profile = Profile {
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

pub(super) static OPENROUTER: Profile = Profile {
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

pub(super) static DEEPSEEK: Profile = Profile {
    word: "deepseek",
    base_url: BaseUrl::Fixed("https://api.deepseek.com"),
    formats: &[Format::OpenAiChat, Format::AnthropicMessages],
    price_providers: &["deepseek"],
    ..COMMON
};

pub(super) static XAI: Profile = Profile {
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

pub(super) static TOGETHER: Profile = Profile {
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

pub(super) static FIREWORKS: Profile = Profile {
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

pub(super) static CEREBRAS: Profile = Profile {
    word: "cerebras",
    base_url: BaseUrl::Fixed("https://api.cerebras.ai/v1"),
    formats: &[Format::OpenAiChat, Format::OpenAiCompletions],
    price_providers: &["cerebras"],
    ..COMMON
};

pub(super) static OVHCLOUD: Profile = Profile {
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
