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
use tollgate_core::{
    format::{Format, Operation},
    provider::ProviderKind,
};

mod query;
mod segment;

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
            query,
        })
    }

    /// How the answer is cut into events, when it streams.
    pub fn framing(&self) -> Framing {
        match self.format {
            Format::OpenAiChat
            | Format::OpenAiResponses
            | Format::OpenAiEmbeddings
            | Format::AnthropicMessages => Framing::Sse,
            Format::GeminiGenerate => {
                if query::asks_for_sse(&self.query) {
                    Framing::Sse
                } else {
                    Framing::JsonArray
                }
            }
        }
    }

    /// Path and query to append to the base URL of a provider of this kind (which has no slash at
    /// its end), for the model as the provider names it. Starts with `/`.
    pub fn upstream_path(&self, kind: ProviderKind, model: &str) -> String {
        let mut path = String::with_capacity(64 + model.len() + self.query.len());
        path.push_str(prefix(kind, self.format));
        match (self.format, self.operation) {
            (Format::GeminiGenerate, Operation::ListModels) => path.push_str("/models"),
            (Format::GeminiGenerate, operation) => {
                path.push_str("/models/");
                segment::encode_into(&mut path, model);
                path.push(':');
                path.push_str(gemini_action(operation, self.stream));
            }
            (_, Operation::ListModels) => path.push_str("/models"),
            (Format::OpenAiChat, _) => path.push_str("/chat/completions"),
            (Format::OpenAiResponses, _) => path.push_str("/responses"),
            (Format::OpenAiEmbeddings, _) => path.push_str("/embeddings"),
            (Format::AnthropicMessages, Operation::CountTokens) => {
                path.push_str("/messages/count_tokens");
            }
            (Format::AnthropicMessages, _) => path.push_str("/messages"),
        }
        if !self.query.is_empty() {
            path.push('?');
            path.push_str(&self.query);
        }
        path
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

fn gemini_action(operation: Operation, stream: bool) -> &'static str {
    match operation {
        Operation::CountTokens => "countTokens",
        Operation::Generate | Operation::Embed | Operation::ListModels if stream => {
            "streamGenerateContent"
        }
        Operation::Generate | Operation::Embed | Operation::ListModels => "generateContent",
    }
}

fn model_name(name: &str) -> Option<String> {
    let fits = !name.is_empty() && name.len() <= MODEL_BYTES_MAX;
    (fits && !name.chars().any(char::is_control)).then(|| name.to_owned())
}

/// What stands between a provider's base URL and a format's own path. Base URLs of OpenAI's kind
/// end in `/v1`; the others carry no version. Anthropic and Google offer OpenAI's dialects under
/// prefixes of their own.
fn prefix(kind: ProviderKind, format: Format) -> &'static str {
    let openai_base = match kind {
        ProviderKind::OpenAi | ProviderKind::OpenAiCompatible | ProviderKind::Simulated => true,
        ProviderKind::Anthropic
        | ProviderKind::AnthropicCompatible
        | ProviderKind::GoogleGemini => false,
    };
    match format {
        Format::GeminiGenerate => "/v1beta",
        Format::OpenAiChat
        | Format::OpenAiResponses
        | Format::OpenAiEmbeddings
        | Format::AnthropicMessages
            if openai_base =>
        {
            ""
        }
        Format::OpenAiChat | Format::OpenAiResponses | Format::OpenAiEmbeddings
            if kind == ProviderKind::GoogleGemini =>
        {
            "/v1beta/openai"
        }
        Format::OpenAiChat
        | Format::OpenAiResponses
        | Format::OpenAiEmbeddings
        | Format::AnthropicMessages => "/v1",
    }
}

#[cfg(test)]
mod tests;
