//! What a request asks for, read without building a JSON tree: the model, streaming, what bounds
//! the output, how large the input is.

use crate::{
    anthropic, bedrock,
    edit::Edit,
    endpoint::Endpoint,
    gemini,
    json::{self, Text},
    mistral, objects,
    objects::BatchWork,
    ollama, openai,
};
use bytes::Bytes;
use serde::de;
use serde_json::value::RawValue;
use std::ops::Range;
use tollgate_core::{
    error::{Error, Kind},
    format::{Dialect, Format},
    usage::Usage,
};

mod deployment;
mod form_rest;

pub use form_rest::FormRest;
pub use tollgate_core::price::CacheWrite;

/// The most different models the tools of one request may name.
pub const OTHER_MODELS_MAX: usize = 16;

/// The most different stored objects one request may name: long conversations refer to each of
/// their items.
pub const OBJECTS_MAX: usize = 256;

/// How a body names the model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ModelPlace {
    /// A JSON string, quotes included.
    #[default]
    JsonString,
    /// The value of a form's field, as it stands.
    FormField,
}

impl ModelPlace {
    /// The bytes that name `model` at such a place.
    pub fn name(self, model: &str) -> Bytes {
        Bytes::from(match self {
            Self::JsonString => serde_json::to_string(model).unwrap_or_default(),
            Self::FormField => model.to_owned(),
        })
    }
}

/// How output is billed that is not waited for to its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Billing {
    /// By what has come: text.
    #[default]
    AsItComes,
    /// As a whole, even when it streams and the stream is cut: pictures, speech, transcripts. So a
    /// stream of it is held like an answer that is not streamed.
    AsAWhole,
}

/// What a request asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestFacts {
    /// The model as the client names it (from the body, or from the path for Gemini).
    pub model: String,
    /// Where the model stands in the body, as [`Self::model_place`] says; `None` when it is in the
    /// path, or left to the provider's default.
    pub model_span: Option<Range<usize>>,
    /// What stands there.
    pub model_place: ModelPlace,
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
    /// What the request will be billed for beside tokens, as far as it shows: characters to speak
    /// (exact), seconds of a recording (a bound). Priced and held like input.
    pub counted: Usage,
    /// What ending the answer early saves.
    pub billing: Billing,
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
    /// What a request asks for that hands in many at once.
    pub batch: Option<Box<BatchWork>>,
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
    if endpoint.operation.is_of_objects() {
        return objects::facts(endpoint, body);
    }
    let read = |body: &[u8]| of_body(endpoint, content_type, body);
    match &endpoint.model {
        Some(model) if endpoint.format.dialect() == Dialect::OpenAi => {
            deployment::facts(model, content_type, body, read)
        }
        Some(_) | None => read(body),
    }
}

fn of_body(
    endpoint: &Endpoint,
    content_type: Option<&str>,
    body: &[u8],
) -> Result<RequestFacts, Error> {
    match endpoint.format {
        Format::OpenAiChat | Format::MistralFim => openai::chat_facts(body),
        Format::OpenAiResponses => openai::responses_facts(body),
        Format::OpenAiCompletions => openai::completions_facts(body),
        Format::OpenAiEmbeddings => openai::embeddings_facts(body),
        Format::OpenAiImages => openai::images_facts(content_type, body),
        Format::OpenAiSpeech => openai::speech_facts(body),
        Format::OpenAiTranscription => openai::transcription_facts(content_type, body),
        Format::OpenAiModerations => openai::moderations_facts(body),
        Format::AnthropicMessages => anthropic::facts(body),
        Format::GeminiGenerate => gemini::facts(endpoint, body),
        Format::GeminiEmbed => gemini::embed::facts(endpoint, body),
        Format::GeminiInteractions => gemini::interactions::facts(body),
        Format::VertexRawPredict => anthropic::raw_predict_facts(endpoint, body),
        Format::OllamaNative => ollama::facts(endpoint, body),
        Format::MistralOcr => mistral::ocr_facts(body),
        Format::BedrockConverse => bedrock::converse::facts(endpoint, body),
        Format::BedrockInvoke => bedrock::invoke::facts(endpoint, body),
        // Objects were read above; a socket's requests are in its frames.
        Format::OpenAiFiles
        | Format::OpenAiBatches
        | Format::OpenAiRealtime
        | Format::OpenAiResponsesSocket
        | Format::AnthropicBatches
        | Format::AnthropicFiles
        | Format::GeminiLive => Err(not_offered(endpoint.format)),
    }
}

impl RequestFacts {
    /// Takes the model that a member of `body` names.
    pub(crate) fn name_model<E: de::Error>(
        &mut self,
        body: &[u8],
        raw: &RawValue,
    ) -> Result<(), E> {
        let Text(model) =
            serde_json::from_str(raw.get()).map_err(|_| E::custom("`model` must be a string"))?;
        self.model = model.into_owned();
        self.model_span = json::span(body, raw);
        Ok(())
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
