//! Names of wire formats and what is asked in them. How they look on the wire is the business of
//! the `wire` crate; routing and pricing need only the names.

/// A wire dialect with one kind of body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Format {
    /// `POST /chat/completions`.
    OpenAiChat,
    /// `POST /responses`.
    OpenAiResponses,
    /// `POST /embeddings`.
    OpenAiEmbeddings,
    /// `POST /v1/messages` and `/v1/messages/count_tokens`.
    AnthropicMessages,
    /// `…/models/{model}:generateContent`, `:streamGenerateContent`, `:countTokens`.
    GeminiGenerate,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 5] = [
        Self::OpenAiChat,
        Self::OpenAiResponses,
        Self::OpenAiEmbeddings,
        Self::AnthropicMessages,
        Self::GeminiGenerate,
    ];

    /// The name in logs, usage rows and messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OpenAiChat => "openai.chat",
            Self::OpenAiResponses => "openai.responses",
            Self::OpenAiEmbeddings => "openai.embeddings",
            Self::AnthropicMessages => "anthropic.messages",
            Self::GeminiGenerate => "google.generate_content",
        }
    }

    /// The format with this name.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == word)
    }

    /// How errors look to a caller of this format.
    pub const fn dialect(self) -> Dialect {
        match self {
            Self::OpenAiChat | Self::OpenAiResponses | Self::OpenAiEmbeddings => Dialect::OpenAi,
            Self::AnthropicMessages => Dialect::Anthropic,
            Self::GeminiGenerate => Dialect::Google,
        }
    }
}

/// A family of error shapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// `{"error":{"message","type","param","code"}}`.
    OpenAi,
    /// `{"type":"error","error":{"type","message"},"request_id"}`.
    Anthropic,
    /// `{"error":{"code","message","status"}}`.
    Google,
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// A model produces output: billed.
    Generate,
    /// Vectors for texts: billed by input.
    Embed,
    /// How many tokens a request would have: free.
    CountTokens,
    /// Which models there are: free, answered by us.
    ListModels,
}

impl Operation {
    /// Every operation.
    pub const ALL: [Self; 4] = [
        Self::Generate,
        Self::Embed,
        Self::CountTokens,
        Self::ListModels,
    ];

    /// The name in logs, usage rows and messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Generate => "generate",
            Self::Embed => "embed",
            Self::CountTokens => "count_tokens",
            Self::ListModels => "list_models",
        }
    }

    /// The operation with this name.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|operation| operation.as_str() == word)
    }

    /// Whether providers bill it (and so whether it is held and priced).
    pub const fn is_billed(self) -> bool {
        match self {
            Self::Generate | Self::Embed => true,
            Self::CountTokens | Self::ListModels => false,
        }
    }
}
