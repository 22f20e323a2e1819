//! Makers of models with APIs of their own, and whatever speaks like them.

use super::{Auth, BaseUrl, COMMON, Profile};
use crate::format::Format;

pub(super) static OPENAI: Profile = Profile {
    word: "openai",
    base_url: BaseUrl::Fixed("https://api.openai.com/v1"),
    formats: Format::OF_OPENAI,
    price_providers: &["openai"],
    ..COMMON
};

pub(super) static ANTHROPIC: Profile = Profile {
    word: "anthropic",
    base_url: BaseUrl::Fixed("https://api.anthropic.com"),
    auth: Auth::Header("x-api-key"),
    formats: Format::OF_ANTHROPIC,
    stream_usage_on_request: false,
    price_providers: &["anthropic"],
    ..COMMON
};

pub(super) static GOOGLE_GEMINI: Profile = Profile {
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

pub(super) static GROQ: Profile = Profile {
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

pub(super) static MISTRAL: Profile = Profile {
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

pub(super) static OPENAI_COMPATIBLE: Profile = Profile {
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

pub(super) static ANTHROPIC_COMPATIBLE: Profile = Profile {
    word: "anthropic-compatible",
    auth: Auth::Header("x-api-key"),
    formats: &[Format::AnthropicMessages],
    stream_usage_on_request: false,
    ..COMMON
};

pub(super) static SIMULATED: Profile = Profile {
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
