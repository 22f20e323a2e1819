//! Which endpoint a method and a path name.
//!
//! The tables are those of the families ([`openai`], [`anthropic`], [`google`], [`bedrock`],
//! [`ollama`]); what is in none of them does not exist. Paths are matched segment by segment: a
//! model's or an object's name in a path is decoded once, held as text, and encoded again as one
//! segment, so no name can reach another path or host. Credentials in the query end here, for a
//! gateway key must not travel upstream; and so does what would hide the usage from us.
//!
//! What real clients send: OpenAI SDKs append to a base URL that may end in `/v1` or not, Groq's
//! SDK adds `/openai/v1`, Azure's a deployment, Anthropic's `/v1`, Google's a version and, in
//! Vertex mode, publisher, project and location. A launcher's proxy may have decoded the path.
//!
//! What mints credentials, or opens a way to the provider that does not come through here, is in
//! no table, on purpose: realtime client secrets, calls and transcription sessions, ephemeral
//! tokens, signed file URLs, resumable uploads.

use crate::tap::Framing;
use http::{HeaderMap, HeaderValue, Method, header};
use std::borrow::Cow;
use tollgate_core::format::{Format, Operation};

mod anthropic;
mod bedrock;
mod google;
mod ollama;
mod openai;
mod query;
pub(crate) mod segment;

pub(crate) use google::COUNTING_MODEL;

/// What a method and a path ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The dialect of request and answer. For [`Operation::ListModels`] under `/v1`, which OpenAI
    /// and Anthropic share, it is [`Format::OpenAiChat`]: the headers tell them apart.
    pub format: Format,
    /// What is asked in it.
    pub operation: Operation,
    /// The model as path or query name it, percent-decoded once: up to [`MODEL_BYTES_MAX`] bytes
    /// without control characters, and no part between slashes is only dots. `None` when the body names it. Where the path names a model in
    /// a format whose bodies name one too (Azure's deployments), it is this one that is meant.
    pub model: Option<String>,
    /// Whether the path alone asks for a stream (`:streamGenerateContent`).
    pub stream: bool,
    /// The stored object that the path names, percent-decoded once (`file-abc`, `resp_abc`): up to
    /// [`MODEL_BYTES_MAX`] bytes without control characters, and no part between slashes is only
    /// dots.
    pub object: Option<String>,
    /// The format's own path as it is appended to the place where a provider keeps the format:
    /// every segment encoded, no version (`/images/edits`, `/files/file-abc/content`). In a format
    /// whose paths name the model, what follows the model (`:embedContent`, `/converse`).
    pub tail: String,
    /// The client's query without `?`, without credentials, without what would reshape the answer
    /// and without what `model` holds; empty when nothing remains.
    pub query: String,
}

/// The longest name of a model or an object read from a path, in bytes.
pub const MODEL_BYTES_MAX: usize = 256;

/// `value` as it stands in a query: all but unreserved characters are encoded.
pub fn encode_query_value(value: &str) -> String {
    let mut encoded = String::with_capacity(value.len());
    segment::encode_into(&mut encoded, value);
    encoded
}

/// `query` without any pair of these names, however they are encoded; the rest keeps its bytes.
pub fn query_without(query: &str, names: &[&str]) -> String {
    query::without(query, names)
}

/// The values of all pairs of this name in a query, decoded where they can be.
pub fn query_values<'q>(query: &'q str, name: &'q str) -> impl Iterator<Item = Cow<'q, str>> {
    query::values(query, name).map(|value| segment::decode(value).unwrap_or(Cow::Borrowed(value)))
}

/// What the families' tables look at.
struct Asked<'r> {
    method: &'r str,
    segments: &'r [&'r str],
    query: &'r str,
    /// The client wants to go on over a WebSocket.
    socket: bool,
    headers: &'r HeaderMap,
}

impl Endpoint {
    /// The endpoint behind `path`, which is what follows `/proxy/{route}` (percent-encoded, as it
    /// came), and `query`, which is what follows `?`. `None` when there is no such endpoint.
    ///
    /// Of `headers` only two things count: whether they ask for a WebSocket, and whose client they
    /// are of, where two families share a path.
    pub fn of(
        method: &Method,
        path: &str,
        query: Option<&str>,
        headers: &HeaderMap,
    ) -> Option<Self> {
        let segments: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
        let query = query.map(query::for_upstream).unwrap_or_default();
        let asked = Asked {
            method: method.as_str(),
            segments: &segments,
            query: &query,
            socket: wants_socket(method, headers),
            headers,
        };
        let found = google::endpoint(&asked)
            .or_else(|| bedrock::endpoint(&asked))
            .or_else(|| ollama::endpoint(&asked))
            .or_else(|| anthropic::endpoint(&asked))
            .or_else(|| openai::endpoint(&asked))?;
        // A way that is only for WebSockets is none for a plain request, and the other way round.
        (found.format.is_socket() == asked.socket).then_some(found)
    }

    /// How the answer is cut into events, when it streams.
    pub fn framing(&self) -> Framing {
        match self.format {
            Format::GeminiGenerate if !query::asks_for_sse(&self.query) => Framing::JsonArray,
            Format::OllamaNative => Framing::Lines,
            Format::BedrockConverse | Format::BedrockInvoke => Framing::EventStream,
            _ => Framing::Sse,
        }
    }

    /// What `asked` is in `format`, with its whole query.
    fn at(asked: &Asked<'_>, format: Format, operation: Operation, tail: &str) -> Self {
        Self {
            format,
            operation,
            model: None,
            stream: false,
            object: None,
            tail: tail.to_owned(),
            query: asked.query.to_owned(),
        }
    }

    /// The same about the model that `name` (still encoded) names; `None` when it cannot be one.
    fn of_model(self, name: &str) -> Option<Self> {
        let model = Some(decoded_name(name)?);
        Some(Self { model, ..self })
    }

    /// The same about the stored object that `id` (still encoded) names: its tail gets the id, and
    /// `rest` behind it.
    fn of_object(mut self, id: &str, rest: &str) -> Option<Self> {
        let id = decoded_name(id)?;
        self.tail.push('/');
        segment::encode_into(&mut self.tail, &id);
        self.tail.push_str(rest);
        self.object = Some(id);
        Some(self)
    }
}

/// A request over HTTP/1.1 that asks for a WebSocket (RFC 6455 §4.1).
fn wants_socket(method: &Method, headers: &HeaderMap) -> bool {
    let upgrade = headers.get(header::UPGRADE).map(HeaderValue::as_bytes);
    *method == Method::GET && upgrade.is_some_and(|to| to.eq_ignore_ascii_case(b"websocket"))
}

/// The text behind one segment, when it can be the name of a model or an object.
fn decoded_name(name: &str) -> Option<String> {
    checked_name(&segment::decode(name)?)
}

/// `name`, when it can be the name of a model or an object.
fn checked_name(name: &str) -> Option<String> {
    let fits = !name.is_empty() && name.len() <= MODEL_BYTES_MAX;
    (fits && !segment::climbs(name) && !name.chars().any(char::is_control)).then(|| name.to_owned())
}

#[cfg(test)]
mod tests;
