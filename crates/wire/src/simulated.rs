//! The built-in simulated provider: answers every format without a network, for first runs, demos
//! and load tests.
//!
//! An answer is a pure function of the request: ids come from a hash of the body, texts from its
//! last user message, the only clock is the `now` that is handed in. Usage is made to fit: input
//! tokens from the request's facts, one output token per word written. Large answers are written
//! while they are read, so a thousand of them at once cost no memory.
//!
//! Directives (see [`KEYS`]), in the prompt as `[[simulate: tokens=500 delay_ms=20]]` or in the
//! header `tollgate-simulate`, set size, pace and failures. Users read about them in
//! `docs/simulated-provider.md`.

mod anthropic;
mod arguments;
mod directives;
mod embeddings;
mod encode;
mod failure;
mod gemini;
mod openai_chat;
mod openai_responses;
mod pace;
mod prompt;
mod reply;
mod seed;
#[cfg(test)]
mod tests;

pub use directives::{HEADER, KEYS};
pub use pace::{Chunk, Chunks, End};

use crate::{endpoint::Endpoint, facts::RequestFacts, tap::Framing};
use bytes::Bytes;
use directives::Directives;
use failure::Failure;
use http::HeaderMap;
use prompt::Prompt;
use reply::Reply;
use seed::Seed;
use tollgate_core::{
    clock::Timestamp,
    format::{Dialect, Format, Operation},
};

/// Marks every answer of the simulated provider (value `true`).
pub const MARK: &str = "tollgate-simulated";

/// The most words one answer may have, over all its choices.
const WORDS_MAX: u64 = 200_000;

/// The most choices one answer may have: what OpenAI allows for `n`.
const CHOICES_MAX: u64 = 128;

/// Tokens of the template around a prompt.
const TEMPLATE_TOKENS: u64 = 3;

/// A request to the simulated provider.
#[derive(Clone, Copy, Debug)]
pub struct SimulatedRequest<'a> {
    /// What method and path asked for.
    pub endpoint: &'a Endpoint,
    /// What the body asks for.
    pub facts: &'a RequestFacts,
    /// The body as it would have been sent upstream.
    pub body: &'a [u8],
    /// The client's headers: only [`HEADER`] is read.
    pub headers: &'a HeaderMap,
    /// For fields such as `created`.
    pub now: Timestamp,
}

/// What the simulated provider answers.
#[derive(Debug)]
pub struct SimulatedAnswer {
    /// The HTTP status.
    pub status: u16,
    /// Lower-case names and their values, `content-type` and [`MARK`] among them.
    pub headers: Vec<(&'static str, String)>,
    /// The body. Once it has ended, [`Chunks::end`] says how.
    pub chunks: Chunks,
}

/// What is to be written, in whichever dialect.
#[derive(Debug)]
struct Plan {
    seed: Seed,
    /// The model in whose name it answers: the one asked for.
    model: String,
    /// Seconds since 1970.
    created: i64,
    input_tokens: u64,
    choices: u64,
    reply: Reply,
    /// About how many bytes of text one event carries.
    piece_bytes: usize,
}

impl Plan {
    /// Output tokens of all choices.
    fn output_tokens(&self) -> u64 {
        self.reply.output_tokens().saturating_mul(self.choices)
    }

    /// Input and output tokens.
    fn total_tokens(&self) -> u64 {
        self.input_tokens.saturating_add(self.output_tokens())
    }
}

/// Writes plans in one dialect.
trait Writer {
    /// The whole answer as one JSON document.
    fn body(&self, plan: &Plan) -> Bytes;

    /// The answer as a stream of events.
    fn stream(self: Box<Self>, plan: Plan) -> Script;
}

/// A stream of events, with what is said instead of the rest when it is to fail.
struct Script {
    events: Box<dyn Iterator<Item = Bytes> + Send>,
    /// Gives the dialect's own error event, from the number of events that went before.
    error: Box<dyn FnOnce(u64) -> Bytes + Send>,
}

/// Answers a request. Never fails: what is wrong with the request is an answer too.
pub fn answer(request: &SimulatedRequest<'_>) -> SimulatedAnswer {
    let seed = Seed::of(&[request.facts.model.as_bytes(), request.body]);
    let dialect = request.endpoint.format.dialect();
    respond(request, seed).unwrap_or_else(|failure| SimulatedAnswer {
        status: failure.status,
        headers: failure_headers(&failure, dialect, seed),
        chunks: Chunks::whole(failure.document(dialect, seed, in_array(request.endpoint))),
    })
}

fn respond(request: &SimulatedRequest<'_>, seed: Seed) -> Result<SimulatedAnswer, Failure> {
    use openai_chat as chat;
    use openai_responses as responses;
    let body = request.body;
    match (request.endpoint.operation, request.endpoint.format) {
        (Operation::Generate, Format::OpenAiChat) => generate(request, seed, chat::read(body)?),
        (Operation::Generate, Format::OpenAiResponses) => {
            generate(request, seed, responses::read(body)?)
        }
        (Operation::Generate, Format::AnthropicMessages) => {
            generate(request, seed, anthropic::read(body)?)
        }
        (Operation::Generate, Format::GeminiGenerate) => {
            let array = in_array(request.endpoint);
            generate(request, seed, gemini::read(body, array)?)
        }
        (Operation::Embed, Format::OpenAiEmbeddings) => embed(request, seed),
        (Operation::CountTokens, Format::AnthropicMessages) => {
            count(request, seed, anthropic::count)
        }
        (Operation::CountTokens, Format::GeminiGenerate) => count(request, seed, gemini::count),
        (operation, format) => Err(Failure::new(
            404,
            format!(
                "the simulated provider does not answer {operation:?} requests in {}",
                format.as_str()
            ),
        )),
    }
}

fn generate(
    request: &SimulatedRequest<'_>,
    seed: Seed,
    (prompt, writer): (Prompt<'_>, Box<dyn Writer>),
) -> Result<SimulatedAnswer, Failure> {
    let (said, directives) = Directives::read(&prompt.text, request.headers)?;
    directives.refuse()?;
    let facts = request.facts;
    let reply = Reply::compose(&prompt, &said, facts, directives.tokens);
    let plan = Plan {
        seed,
        model: facts.model.clone(),
        created: request.now.as_second(),
        input_tokens: input_tokens(facts),
        choices: facts.choices.max(1),
        reply,
        piece_bytes: directives.chunk_bytes.unwrap_or(pace::PIECE_BYTES),
    };
    if plan.choices > CHOICES_MAX || plan.output_tokens() > WORDS_MAX {
        return Err(Failure::new(
            400,
            format!(
                "a simulated answer has at most {CHOICES_MAX} choices and {WORDS_MAX} words \
                 altogether: ask for less"
            ),
        ));
    }
    let dialect = request.endpoint.format.dialect();
    if facts.stream || request.endpoint.stream {
        let array = in_array(request.endpoint);
        return Ok(SimulatedAnswer {
            status: 200,
            headers: headers(dialect, seed, if array { JSON } else { EVENT_STREAM }),
            chunks: Chunks::of(writer.stream(plan), &directives),
        });
    }
    document(writer.body(&plan), dialect, seed, &directives)
}

fn embed(request: &SimulatedRequest<'_>, seed: Seed) -> Result<SimulatedAnswer, Failure> {
    let directives = Directives::of_headers(request.headers)?;
    directives.refuse()?;
    directives.refuse_midway(Dialect::OpenAi)?;
    let body = embeddings::body(
        request.body,
        &request.facts.model,
        input_tokens(request.facts),
    )?;
    Ok(SimulatedAnswer {
        status: 200,
        headers: headers(Dialect::OpenAi, seed, JSON),
        chunks: Chunks::of_body(body, &directives),
    })
}

fn count(
    request: &SimulatedRequest<'_>,
    seed: Seed,
    write: fn(u64) -> Bytes,
) -> Result<SimulatedAnswer, Failure> {
    let directives = Directives::of_headers(request.headers)?;
    directives.refuse()?;
    let dialect = request.endpoint.format.dialect();
    document(
        write(input_tokens(request.facts)),
        dialect,
        seed,
        &directives,
    )
}

/// An answer that is one JSON document.
fn document(
    body: Bytes,
    dialect: Dialect,
    seed: Seed,
    directives: &Directives,
) -> Result<SimulatedAnswer, Failure> {
    directives.refuse_midway(dialect)?;
    let slices = pace::slices(body, directives.chunk_bytes.unwrap_or(pace::SLICE_BYTES));
    Ok(SimulatedAnswer {
        status: 200,
        headers: headers(dialect, seed, JSON),
        chunks: Chunks::of_body(Box::new(slices), directives),
    })
}

/// Four bytes of text make a token, as a rule of thumb for English; media count in full.
fn input_tokens(facts: &RequestFacts) -> u64 {
    facts
        .text_bytes
        .div_ceil(4)
        .saturating_add(facts.media_tokens)
        .saturating_add(TEMPLATE_TOKENS)
}

/// Whether the answer is a JSON array: Gemini's way to stream without `alt=sse`.
fn in_array(endpoint: &Endpoint) -> bool {
    endpoint.stream && endpoint.framing() == Framing::JsonArray
}

const JSON: &str = "application/json";
const EVENT_STREAM: &str = "text/event-stream; charset=utf-8";

fn headers(dialect: Dialect, seed: Seed, content_type: &str) -> Vec<(&'static str, String)> {
    let mut headers = vec![
        ("content-type", content_type.to_owned()),
        (MARK, "true".to_owned()),
    ];
    match dialect {
        Dialect::OpenAi => headers.push(("x-request-id", seed.id("req_"))),
        Dialect::Anthropic => headers.push(("request-id", seed.id("req_"))),
        Dialect::Google | Dialect::Bedrock | Dialect::Ollama => {}
    }
    headers
}

fn failure_headers(failure: &Failure, dialect: Dialect, seed: Seed) -> Vec<(&'static str, String)> {
    let mut headers = headers(dialect, seed, JSON);
    if failure.status == 429 {
        headers.push(("retry-after", "1".to_owned()));
    }
    headers
}
