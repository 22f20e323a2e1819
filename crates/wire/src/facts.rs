//! What a request asks for, read without building a JSON tree: the model, streaming, what bounds
//! the output, how large the input is.

use crate::{anthropic, edit::Edit, endpoint::Endpoint, gemini, openai};
use std::ops::Range;
use tollgate_core::{
    error::{Error, Kind},
    format::Format,
};

pub use tollgate_core::price::CacheWrite;

/// The most different models the tools of one request may name.
pub const OTHER_MODELS_MAX: usize = 16;

/// The most different stored objects one request may name.
pub const OBJECTS_MAX: usize = 64;

/// What a request asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestFacts {
    /// The model as the client names it (from the body, or from the path for Gemini).
    pub model: String,
    /// Where the model's JSON string (quotes included) stands in the body; `None` when the model
    /// is in the path.
    pub model_span: Option<Range<usize>>,
    /// Whether the answer is to be streamed.
    pub stream: bool,
    /// The client's own bound on output tokens, reasoning included, per choice.
    pub output_cap: Option<u64>,
    /// How many answers are asked for (`n`, `candidateCount`); at least 1.
    pub choices: u64,
    /// UTF-8 bytes of all text the model will read: messages, system prompts, tool definitions.
    /// For byte-level BPE, tokens ≤ bytes.
    pub text_bytes: u64,
    /// A bound in tokens for inline images, audio and documents, by table.
    pub media_tokens: u64,
    /// The model will read more than the body shows: stored responses, files, URLs, prompts,
    /// caches, server tools.
    pub unseen_input: bool,
    /// The dearest cache write the request asks for.
    pub cache_write: CacheWrite,
    /// Further models that would work on the request, as its tools name them; each once, at most
    /// [`OTHER_MODELS_MAX`]. Who may not use one of them may not send the request.
    pub other_models: Vec<String>,
    /// What selects other rates: `("service_tier", "flex")`, `("speed", "fast")`.
    pub context: Vec<(&'static str, String)>,
    /// Chat streams: makes the upstream report usage (`stream_options.include_usage`), when the
    /// client did not ask for it (a `null` is no wish either). The extra chunk is then withheld by
    /// the tap.
    pub ask_for_usage: Option<Edit>,
    /// The work would go on after this answer (background, batch).
    pub deferred: bool,
    /// What ties requests of one conversation together (`prompt_cache_key`).
    pub affinity: Option<String>,
    /// Ids of stored objects that the request reads (earlier responses, files, conversations,
    /// caches), each once, at most [`OBJECTS_MAX`]: they must belong to the caller's project, and
    /// the request must go where they live.
    pub objects: Vec<String>,
}

/// Reads the facts of a request to `endpoint`.
///
/// `content_type` is the request's header, for bodies that are forms.
///
/// # Errors
/// [`Kind::BadRequest`] with the place, when the body is not a JSON object, names a key twice (two
/// parsers could read two different requests), nests too deep, or lacks the model.
pub fn read(
    endpoint: &Endpoint,
    content_type: Option<&str>,
    body: &[u8],
) -> Result<RequestFacts, Error> {
    let _ = content_type;
    match endpoint.format {
        Format::OpenAiChat => openai::chat_facts(body),
        Format::OpenAiResponses => openai::responses_facts(body),
        Format::OpenAiEmbeddings => openai::embeddings_facts(body),
        Format::AnthropicMessages => anthropic::facts(body),
        Format::GeminiGenerate => gemini::facts(endpoint, body),
        format => Err(not_offered(format)),
    }
}

fn not_offered(format: Format) -> Error {
    Error::new(
        Kind::UnknownEndpoint,
        format!("{} is not offered by this gateway", format.as_str()),
    )
}

/// The refusal of a body that cannot be read.
pub(crate) fn unreadable(error: &serde_json::Error) -> Error {
    Error::new(
        Kind::BadRequest,
        format!("the request body cannot be read: {error}"),
    )
}
