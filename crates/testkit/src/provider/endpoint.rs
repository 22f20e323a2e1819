//! Which endpoint a request is for, by the end of its path: what stands before it is the business
//! of whoever wrote the base URL.

use super::{
    Dialect, anthropic, anthropic_batches,
    ask::{Ask, Streams},
    bedrock, gemini, mistral, ollama, openai_batches, openai_chat, openai_completions,
    openai_embeddings, openai_media,
    shelf::{self, Shelf},
    stored_responses, vertex,
};
use crate::{answer::Answer, upstream::Received};
use serde_json::json;

/// An endpoint, recognised.
pub(super) struct Call {
    pub(super) dialect: Dialect,
    pub(super) streams: Streams,
    pub(super) does: Does,
}

/// What an endpoint does.
pub(super) enum Does {
    /// Reads a prompt and answers it.
    Speak(fn(&Ask) -> Answer),
    /// The same, and keeps what it says.
    Respond,
    /// Keeps objects; `None` when there is none of that name.
    Store(fn(&mut Shelf, &Received) -> Option<Answer>),
    /// Says which models there are.
    ListModels,
}

type Speak = fn(&Ask) -> Answer;

/// By the end of the path, the first that fits.
const SPEAKING: &[(&str, Streams, Speak)] = &[
    ("/fim/completions", Streams::OnFlag, openai_chat::answer),
    ("/chat/completions", Streams::OnFlag, openai_chat::answer),
    ("/completions", Streams::OnFlag, openai_completions::answer),
    ("/embeddings", Streams::Never, openai_embeddings::answer),
    ("/images/generations", Streams::OnFlag, openai_media::images),
    ("/images/edits", Streams::OnFlag, openai_media::images),
    ("/images/variations", Streams::OnFlag, openai_media::images),
    ("/audio/speech", Streams::OnFlag, openai_media::speech),
    (
        "/audio/transcriptions",
        Streams::OnFlag,
        openai_media::transcription,
    ),
    (
        "/audio/translations",
        Streams::OnFlag,
        openai_media::transcription,
    ),
    ("/moderations", Streams::Never, openai_media::moderation),
    ("/v1/ocr", Streams::Never, mistral::ocr),
    ("/v1/messages", Streams::OnFlag, anthropic::answer),
    (
        "/v1/messages/count_tokens",
        Streams::Never,
        anthropic::count,
    ),
    ("/count-tokens:rawPredict", Streams::Never, anthropic::count),
    (":rawPredict", Streams::Never, anthropic::answer),
    (":streamRawPredict", Streams::Always, anthropic::answer),
    (":generateContent", Streams::Never, gemini::answer),
    (":streamGenerateContent", Streams::Always, gemini::answer),
    (":countTokens", Streams::Never, gemini::count),
    (":embedContent", Streams::Never, gemini::embed),
    (":batchEmbedContents", Streams::Never, gemini::embed_batch),
    (":predict", Streams::Never, vertex::predict),
    ("/converse", Streams::Never, bedrock::converse),
    ("/converse-stream", Streams::Always, bedrock::converse),
    ("/invoke", Streams::Never, bedrock::invoke),
    (
        "/invoke-with-response-stream",
        Streams::Always,
        bedrock::invoke,
    ),
    ("/api/chat", Streams::UnlessRefused, ollama::answer),
    ("/api/generate", Streams::UnlessRefused, ollama::answer),
    ("/api/embed", Streams::Never, ollama::embed),
];

/// The endpoint of a request, if there is one.
pub(super) fn call(request: &Received) -> Option<Call> {
    let path = request.path();
    let dialect = Dialect::of(path);
    let of = |streams, does| Call {
        dialect,
        streams,
        does,
    };
    let store = |store| of(Streams::Never, Does::Store(store));
    let speaking = SPEAKING.iter().find(|(end, _, _)| path.ends_with(end));
    Some(if request.method == "GET" && path.ends_with("/models") {
        of(Streams::Never, Does::ListModels)
    } else if let Some((_, streams, speak)) = speaking {
        of(*streams, Does::Speak(*speak))
    } else if path.ends_with("/responses") {
        of(Streams::OnFlag, Does::Respond)
    } else if path.contains("/responses/") {
        store(stored_responses::answer)
    } else if path.contains("/messages/batches") {
        store(anthropic_batches::answer)
    } else if path.contains("/batches") {
        store(openai_batches::answer)
    } else if path.contains("/files") {
        store(shelf::files)
    } else {
        return None;
    })
}

/// One model is enough.
pub(super) fn models() -> Answer {
    let model = json!({ "id": "gpt-5.2", "object": "model", "created": 0, "owned_by": "openai" });
    Answer::json(200, &json!({ "object": "list", "data": [model] }))
}
