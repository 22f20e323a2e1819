//! Names of wire formats and what is asked in them. How they look on the wire is the business of
//! the `wire` crate; routing and pricing need only the names.

/// A wire dialect with one kind of body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Format {
    /// `POST /chat/completions`.
    OpenAiChat,
    /// `POST /responses`, and the responses stored there.
    OpenAiResponses,
    /// `POST /completions`, the older text form.
    OpenAiCompletions,
    /// `POST /embeddings`.
    OpenAiEmbeddings,
    /// `POST /images/{generations,edits,variations}`.
    OpenAiImages,
    /// `POST /audio/speech`.
    OpenAiSpeech,
    /// `POST /audio/{transcriptions,translations}`.
    OpenAiTranscription,
    /// `POST /moderations`.
    OpenAiModerations,
    /// `/files`.
    OpenAiFiles,
    /// `/batches`.
    OpenAiBatches,
    /// The WebSocket `/realtime`.
    OpenAiRealtime,
    /// The WebSocket `/responses`.
    OpenAiResponsesSocket,
    /// `POST /v1/messages` and `/v1/messages/count_tokens`.
    AnthropicMessages,
    /// `/v1/messages/batches`.
    AnthropicBatches,
    /// `/v1/files` as Anthropic's clients use it.
    AnthropicFiles,
    /// Anthropic's messages in Vertex's envelope: `…/models/{model}:rawPredict`,
    /// `:streamRawPredict`.
    VertexRawPredict,
    /// `…/models/{model}:generateContent`, `:streamGenerateContent`, `:countTokens`.
    GeminiGenerate,
    /// `…/models/{model}:embedContent`, `:batchEmbedContents`, `:predict`.
    GeminiEmbed,
    /// `POST /interactions`.
    GeminiInteractions,
    /// The WebSocket `BidiGenerateContent`.
    GeminiLive,
    /// `/model/{model}/converse`, `/converse-stream`.
    BedrockConverse,
    /// `/model/{model}/invoke`, `/invoke-with-response-stream`.
    BedrockInvoke,
    /// `/api/{chat,generate,embed}`.
    OllamaNative,
    /// `POST /v1/ocr`.
    MistralOcr,
    /// `POST /v1/fim/completions`.
    MistralFim,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 25] = [
        Self::OpenAiChat,
        Self::OpenAiResponses,
        Self::OpenAiCompletions,
        Self::OpenAiEmbeddings,
        Self::OpenAiImages,
        Self::OpenAiSpeech,
        Self::OpenAiTranscription,
        Self::OpenAiModerations,
        Self::OpenAiFiles,
        Self::OpenAiBatches,
        Self::OpenAiRealtime,
        Self::OpenAiResponsesSocket,
        Self::AnthropicMessages,
        Self::AnthropicBatches,
        Self::AnthropicFiles,
        Self::VertexRawPredict,
        Self::GeminiGenerate,
        Self::GeminiEmbed,
        Self::GeminiInteractions,
        Self::GeminiLive,
        Self::BedrockConverse,
        Self::BedrockInvoke,
        Self::OllamaNative,
        Self::MistralOcr,
        Self::MistralFim,
    ];

    /// Those of OpenAI's own platform.
    pub const OF_OPENAI: &[Self] = &[
        Self::OpenAiChat,
        Self::OpenAiResponses,
        Self::OpenAiCompletions,
        Self::OpenAiEmbeddings,
        Self::OpenAiImages,
        Self::OpenAiSpeech,
        Self::OpenAiTranscription,
        Self::OpenAiModerations,
        Self::OpenAiFiles,
        Self::OpenAiBatches,
        Self::OpenAiRealtime,
        Self::OpenAiResponsesSocket,
    ];

    /// Those of Anthropic's own platform.
    pub const OF_ANTHROPIC: &[Self] = &[
        Self::AnthropicMessages,
        Self::AnthropicBatches,
        Self::AnthropicFiles,
    ];

    /// The name in logs, usage rows and messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OpenAiChat => "openai.chat",
            Self::OpenAiResponses => "openai.responses",
            Self::OpenAiCompletions => "openai.completions",
            Self::OpenAiEmbeddings => "openai.embeddings",
            Self::OpenAiImages => "openai.images",
            Self::OpenAiSpeech => "openai.speech",
            Self::OpenAiTranscription => "openai.transcription",
            Self::OpenAiModerations => "openai.moderations",
            Self::OpenAiFiles => "openai.files",
            Self::OpenAiBatches => "openai.batches",
            Self::OpenAiRealtime => "openai.realtime",
            Self::OpenAiResponsesSocket => "openai.responses_socket",
            Self::AnthropicMessages => "anthropic.messages",
            Self::AnthropicBatches => "anthropic.batches",
            Self::AnthropicFiles => "anthropic.files",
            Self::VertexRawPredict => "vertex.raw_predict",
            Self::GeminiGenerate => "google.generate_content",
            Self::GeminiEmbed => "google.embed",
            Self::GeminiInteractions => "google.interactions",
            Self::GeminiLive => "google.live",
            Self::BedrockConverse => "bedrock.converse",
            Self::BedrockInvoke => "bedrock.invoke",
            Self::OllamaNative => "ollama.native",
            Self::MistralOcr => "mistral.ocr",
            Self::MistralFim => "mistral.fim",
        }
    }

    /// The format with this name.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == word)
    }

    /// How errors look to a caller of this format.
    pub const fn dialect(self) -> Dialect {
        match self {
            Self::OpenAiChat
            | Self::OpenAiResponses
            | Self::OpenAiCompletions
            | Self::OpenAiEmbeddings
            | Self::OpenAiImages
            | Self::OpenAiSpeech
            | Self::OpenAiTranscription
            | Self::OpenAiModerations
            | Self::OpenAiFiles
            | Self::OpenAiBatches
            | Self::OpenAiRealtime
            | Self::OpenAiResponsesSocket
            | Self::MistralOcr
            | Self::MistralFim => Dialect::OpenAi,
            Self::AnthropicMessages
            | Self::AnthropicBatches
            | Self::AnthropicFiles
            | Self::VertexRawPredict => Dialect::Anthropic,
            Self::GeminiGenerate
            | Self::GeminiEmbed
            | Self::GeminiInteractions
            | Self::GeminiLive => Dialect::Google,
            Self::BedrockConverse | Self::BedrockInvoke => Dialect::Bedrock,
            Self::OllamaNative => Dialect::Ollama,
        }
    }

    /// Whether it is spoken over a WebSocket.
    pub const fn is_socket(self) -> bool {
        matches!(
            self,
            Self::OpenAiRealtime | Self::OpenAiResponsesSocket | Self::GeminiLive
        )
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
    /// `{"message"}` and the header `x-amzn-errortype`.
    Bedrock,
    /// `{"error":"text"}`.
    Ollama,
}

impl Dialect {
    /// Every dialect.
    pub const ALL: [Self; 5] = [
        Self::OpenAi,
        Self::Anthropic,
        Self::Google,
        Self::Bedrock,
        Self::Ollama,
    ];
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
    /// Whether a text is allowed: free.
    Moderate,
    /// Which models there are: free, answered by us.
    ListModels,
    /// What a provider says of one model: free.
    DescribeModel,
    /// A stored object is made by upload: free.
    CreateObject,
    /// Work that goes on after its answer, and is billed then.
    Defer,
    /// A stored object, or its content, is read: free.
    ReadObject,
    /// Which stored objects there are: free.
    ListObjects,
    /// A stored object is changed or its work cancelled: free.
    ChangeObject,
    /// A stored object is removed: free.
    DeleteObject,
    /// A conversation over a WebSocket: billed while it runs.
    Converse,
}

impl Operation {
    /// Every operation.
    pub const ALL: [Self; 13] = [
        Self::Generate,
        Self::Embed,
        Self::CountTokens,
        Self::Moderate,
        Self::ListModels,
        Self::DescribeModel,
        Self::CreateObject,
        Self::Defer,
        Self::ReadObject,
        Self::ListObjects,
        Self::ChangeObject,
        Self::DeleteObject,
        Self::Converse,
    ];

    /// The name in logs, usage rows and messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Generate => "generate",
            Self::Embed => "embed",
            Self::CountTokens => "count_tokens",
            Self::Moderate => "moderate",
            Self::ListModels => "list_models",
            Self::DescribeModel => "describe_model",
            Self::CreateObject => "create_object",
            Self::Defer => "defer",
            Self::ReadObject => "read_object",
            Self::ListObjects => "list_objects",
            Self::ChangeObject => "change_object",
            Self::DeleteObject => "delete_object",
            Self::Converse => "converse",
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
            Self::Generate | Self::Embed | Self::Defer | Self::Converse => true,
            Self::CountTokens
            | Self::Moderate
            | Self::ListModels
            | Self::DescribeModel
            | Self::CreateObject
            | Self::ReadObject
            | Self::ListObjects
            | Self::ChangeObject
            | Self::DeleteObject => false,
        }
    }

    /// Whether it is about objects that live at a provider and belong to a project.
    pub const fn is_of_objects(self) -> bool {
        match self {
            Self::CreateObject
            | Self::Defer
            | Self::ReadObject
            | Self::ListObjects
            | Self::ChangeObject
            | Self::DeleteObject => true,
            Self::Generate
            | Self::Embed
            | Self::CountTokens
            | Self::Moderate
            | Self::ListModels
            | Self::DescribeModel
            | Self::Converse => false,
        }
    }
}
