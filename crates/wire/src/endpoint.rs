//! Which endpoint a method and a path name, and where the same endpoint is upstream.
//!
//! The table is [`Endpoint::of`]; what is not in it does not exist. Paths are matched segment by
//! segment: a model name in a path is decoded once, held as text, and encoded again as one segment,
//! so no name can reach another path or host. Credentials in the query end here, for a gateway key
//! must not travel upstream; and so does what would hide the usage from us.
//!
//! What real clients send: OpenAI SDKs append to a base URL that may end in `/v1` or not, Groq's
//! SDK adds `/openai/v1`, Anthropic's `/v1`, Google's a version and, in Vertex mode, publisher,
//! project and location.

use crate::tap::Framing;
use http::Method;
use tollgate_core::format::{Format, Operation};

mod query;
pub(crate) mod segment;

/// What a method and a path ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The dialect of request and answer. For [`Operation::ListModels`] under `/v1`, which OpenAI
    /// and Anthropic share, it is [`Format::OpenAiChat`]: the headers tell them apart.
    pub format: Format,
    /// What is asked in it.
    pub operation: Operation,
    /// The model as the path names it, percent-decoded once: up to [`MODEL_BYTES_MAX`] bytes
    /// without control characters. `None` when the body names it.
    pub model: Option<String>,
    /// Whether the path alone asks for a stream (`:streamGenerateContent`).
    pub stream: bool,
    /// The stored object that the path names, percent-decoded once (`file-abc`, `resp_abc`): up to
    /// [`MODEL_BYTES_MAX`] bytes without control characters.
    pub object: Option<String>,
    /// The format's own path as it is appended to the place where a provider keeps the format:
    /// starts with `/`, every segment encoded, no version (`/images/edits`,
    /// `/files/file-abc/content`). Empty where the path names the model: it is made anew then.
    pub tail: String,
    /// The client's query without `?`, without credentials and without what would reshape the
    /// answer; empty when nothing remains.
    pub query: String,
}

/// The longest model name read from a path, in bytes.
pub const MODEL_BYTES_MAX: usize = 256;

/// `value` as it stands in a query: all but unreserved characters are encoded.
pub fn encode_query_value(value: &str) -> String {
    let mut encoded = String::with_capacity(value.len());
    segment::encode_into(&mut encoded, value);
    encoded
}

impl Endpoint {
    /// The endpoint behind `path`, which is what follows `/proxy/{route}` (percent-encoded, as it
    /// came), and `query`, which is what follows `?`. `None` when there is no such endpoint.
    pub fn of(method: &Method, path: &str, query: Option<&str>) -> Option<Self> {
        let segments: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
        let named = match *method {
            Method::GET => listing(&segments),
            Method::POST => posted(&segments),
            _ => None,
        }?;
        let (format, operation, model, stream) = named;
        let query = query.map(query::for_upstream).unwrap_or_default();
        Some(Self {
            format,
            operation,
            model,
            stream,
            object: None,
            tail: String::new(),
            query,
        })
    }

    /// How the answer is cut into events, when it streams.
    pub fn framing(&self) -> Framing {
        match self.format {
            Format::GeminiGenerate if !query::asks_for_sse(&self.query) => Framing::JsonArray,
            _ => Framing::Sse,
        }
    }
}

type Named = (Format, Operation, Option<String>, bool);

/// `GET`: lists of models, which we answer ourselves.
fn listing(segments: &[&str]) -> Option<Named> {
    let (format, rest) = match segments {
        ["v1beta" | "v1beta1", rest @ ..] => (Format::GeminiGenerate, rest),
        _ => (Format::OpenAiChat, openai_rest(segments)),
    };
    let model = match rest {
        ["models"] => None,
        // An id may hold slashes, and a launcher's proxy may have decoded them.
        ["models", id @ ..] => Some(model_name(&segment::decode(&id.join("/"))?)?),
        _ => return None,
    };
    Some((format, Operation::ListModels, model, false))
}

fn posted(segments: &[&str]) -> Option<Named> {
    let body = |format, operation| Some((format, operation, None, false));
    match segments {
        ["v1" | "v1beta" | "v1beta1", "models", last]
        | [
            "v1" | "v1beta" | "v1beta1",
            "publishers",
            "google",
            "models",
            last,
        ]
        | [
            "v1" | "v1beta" | "v1beta1",
            "projects",
            _,
            "locations",
            _,
            "publishers",
            "google",
            "models",
            last,
        ] => gemini(last),
        ["messages"] | ["v1", "messages"] => body(Format::AnthropicMessages, Operation::Generate),
        ["messages", "count_tokens"] | ["v1", "messages", "count_tokens"] => {
            body(Format::AnthropicMessages, Operation::CountTokens)
        }
        _ => match openai_rest(segments) {
            ["chat", "completions"] => body(Format::OpenAiChat, Operation::Generate),
            ["responses"] => body(Format::OpenAiResponses, Operation::Generate),
            ["embeddings"] => body(Format::OpenAiEmbeddings, Operation::Embed),
            _ => None,
        },
    }
}

/// What follows an optional `/v1` or `/openai/v1`.
fn openai_rest<'s, 'p>(segments: &'s [&'p str]) -> &'s [&'p str] {
    match segments {
        ["openai", "v1", rest @ ..] | ["v1", rest @ ..] => rest,
        _ => segments,
    }
}

/// `{model}:{action}`, the colon possibly encoded.
fn gemini(last: &str) -> Option<Named> {
    let last = segment::decode(last)?;
    let (model, action) = last.rsplit_once(':')?;
    let (operation, stream) = match action {
        "generateContent" => (Operation::Generate, false),
        "streamGenerateContent" => (Operation::Generate, true),
        "countTokens" => (Operation::CountTokens, false),
        _ => return None,
    };
    Some((
        Format::GeminiGenerate,
        operation,
        Some(model_name(model)?),
        stream,
    ))
}

fn model_name(name: &str) -> Option<String> {
    let fits = !name.is_empty() && name.len() <= MODEL_BYTES_MAX;
    (fits && !name.chars().any(char::is_control)).then(|| name.to_owned())
}

#[cfg(test)]
mod tests;
