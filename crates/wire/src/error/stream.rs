//! An error after the head has gone out: the format's own in-stream error event, after which the
//! stream ends. The official SDKs raise on it, but for Responses, where they yield the failed
//! response like any other event.
//!
//! It may be written only where an event (or array element) may begin; a stream that broke inside
//! one cannot be mended, and its connection is broken off instead.

use super::{CallerTraits, anthropic, bedrock, google, json, ollama, openai};
use bytes::Bytes;
use serde::Serialize;
use tollgate_core::{
    error::{Error, Kind, Retry},
    format::Format,
    id::RequestId,
};

/// How the stream is framed that the error goes into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamForm {
    /// Server-sent events.
    Sse(Format),
    /// Lines of JSON (Ollama).
    Lines,
    /// Frames of an AWS event stream (Bedrock).
    EventStream,
    /// One JSON array, element by element (Gemini without `alt=sse`).
    GeminiArray {
        /// Nothing of the array has been sent, not even its bracket.
        unopened: bool,
    },
}

/// The last bytes of a stream that ends with `error`. No end marker follows: `[DONE]` or
/// `message_stop` would say that the answer is whole.
pub fn stream_event(
    error: &Error,
    form: StreamForm,
    request_id: RequestId,
    caller: CallerTraits,
) -> Bytes {
    let (head, data, tail) = match form {
        // The SDK raises on `error` in any stream of these. From embeddings on they do not stream,
        // or not as events; were one to, it would be read like chat.
        StreamForm::Sse(
            Format::OpenAiChat
            | Format::OpenAiCompletions
            | Format::OpenAiImages
            | Format::OpenAiSpeech
            | Format::OpenAiTranscription
            | Format::MistralFim
            | Format::OpenAiEmbeddings
            | Format::OpenAiModerations
            | Format::OpenAiFiles
            | Format::OpenAiBatches
            | Format::OpenAiRealtime
            | Format::OpenAiResponsesSocket
            | Format::BedrockConverse
            | Format::BedrockInvoke
            | Format::OllamaNative
            | Format::MistralOcr,
        ) => ("data: ", openai::body(error), "\n\n"),
        StreamForm::Sse(Format::OpenAiResponses) => (
            "event: response.failed\ndata: ",
            json(&response_failed(error, request_id, caller)),
            "\n\n",
        ),
        StreamForm::Sse(
            Format::AnthropicMessages
            | Format::VertexRawPredict
            | Format::AnthropicBatches
            | Format::AnthropicFiles,
        ) => (
            "event: error\ndata: ",
            anthropic::body(error, request_id),
            "\n\n",
        ),
        StreamForm::Sse(
            Format::GeminiGenerate
            | Format::GeminiEmbed
            | Format::GeminiInteractions
            | Format::GeminiLive,
        ) => ("data: ", google::stream_body(error), "\r\n\r\n"),
        StreamForm::Lines => ("", ollama::body(error), "\n"),
        StreamForm::EventStream => return bedrock::exception_frame(error),
        StreamForm::GeminiArray { unopened: true } => ("[", google::stream_body(error), "]"),
        StreamForm::GeminiArray { unopened: false } => (",\r\n", google::stream_body(error), "]"),
    };
    Bytes::from([head.as_bytes(), &data, tail.as_bytes()].concat())
}

#[derive(Serialize)]
struct ResponseFailed<'a> {
    r#type: &'static str,
    response: Response<'a>,
}

#[derive(Serialize)]
struct Response<'a> {
    id: String,
    object: &'static str,
    status: &'static str,
    error: ResponseError<'a>,
    incomplete_details: Option<()>,
    output: [(); 0],
    usage: Option<()>,
}

#[derive(Serialize)]
struct ResponseError<'a> {
    code: &'static str,
    message: &'a str,
}

/// Of the two error events of a Responses stream this is the one that all clients take as the end
/// of the response: Codex overlooks a bare `error` event and starts again.
fn response_failed(
    error: &Error,
    request_id: RequestId,
    caller: CallerTraits,
) -> ResponseFailed<'_> {
    ResponseFailed {
        r#type: "response.failed",
        response: Response {
            id: format!("resp_{request_id}"),
            object: "response",
            status: "failed",
            error: ResponseError {
                code: code_of(error, caller),
                message: error.message(),
            },
            incomplete_details: None,
            output: [],
            usage: None,
        },
    }
}

/// The API's own words where they fit, else ours. Codex shows the text of an `invalid_prompt` at
/// once; with any other word it tries five times more (or, for a quota, hides the text).
fn code_of(error: &Error, caller: CallerTraits) -> &'static str {
    match error.retry() {
        Retry::Never if caller.codex => "invalid_prompt",
        Retry::Never => error.kind().code(),
        Retry::Later | Retry::After(_) if error.kind() == Kind::RateLimited => {
            "rate_limit_exceeded"
        }
        Retry::Later | Retry::After(_) => "server_error",
    }
}
