//! Clouds that offer models of several makers.

use super::{Auth, BaseUrl, COMMON, Profile};
use crate::format::Format;

pub(super) static GOOGLE_VERTEX: Profile = Profile {
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

pub(super) static AZURE: Profile = Profile {
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

pub(super) static BEDROCK: Profile = Profile {
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

pub(super) static BEDROCK_MANTLE: Profile = Profile {
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
