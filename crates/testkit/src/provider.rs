//! A plausible provider: it speaks OpenAI chat, responses and embeddings, Anthropic messages and
//! Gemini generate-content well enough for the official SDKs and for coding agents, and it counts
//! tokens by a rule that a test can repeat (see [`ask`]).
//!
//! What it says can be steered from the prompt, so that a client in another language needs no
//! second channel. Directives stand in square brackets in the last user text:
//!
//! | directive | effect |
//! |---|---|
//! | `[words=N]` | an answer of N words |
//! | `[pace=MS]` | milliseconds between the pieces of a stream, and before a whole answer |
//! | `[tool]` | calls the first tool offered, unless a tool has answered already |
//! | `[cached]` | half of the input was read from the cache |
//! | `[think]` | 24 hidden tokens of reasoning |
//! | `[fail=STATUS]` | an error in the dialect, nothing billed |
//! | `[error=N]`, `[cut=N]`, `[reset=N]`, `[stall=N]` | a stream that breaks after N pieces |

mod anthropic;
pub mod ask;
mod gemini;
mod openai_chat;
mod openai_responses;
mod stream;

use crate::{answer::Answer, upstream::Received};
use ask::Ask;
use serde_json::{Value, json};
use std::time::Duration;

/// What every vector of [`Provider`] is, in both encodings OpenAI offers (0.5, -0.25, 0.125, 0).
const VECTOR_BASE64: &str = "AAAAPwAAgL4AAAA+AAAAAA==";

/// Answers requests in the provider's own wire formats.
#[derive(Clone, Copy, Debug)]
pub struct Provider {
    /// Between the pieces of a stream, when the prompt names no pace.
    pub pace: Duration,
}

impl Default for Provider {
    fn default() -> Self {
        Self {
            pace: Duration::from_millis(1),
        }
    }
}

/// A family of error shapes.
#[derive(Clone, Copy, Debug)]
enum Dialect {
    OpenAi,
    Anthropic,
    Google,
}

impl Provider {
    /// The answer to a request, whatever the base path in front of the API's own.
    pub fn answer(&self, request: &Received) -> Answer {
        let path = request.path();
        let Some((dialect, respond)) = route(path) else {
            return failure(Dialect::OpenAi, 404, &format!("no such endpoint: {path}"));
        };
        if request.method == "GET" {
            return models();
        }
        let Some(ask) = Ask::read(request, self.pace) else {
            return failure(dialect, 400, "the body is not a JSON object");
        };
        let answer = match ask.fail {
            Some(status) => failure(dialect, status, "the prompt asked for this failure"),
            None => respond(&ask),
        };
        answer
            .header("x-request-id", "req_scripted")
            .header("openai-organization", "org-of-the-operator")
    }
}

type Respond = fn(&Ask) -> Answer;

fn route(path: &str) -> Option<(Dialect, Respond)> {
    let ends = |end| path.ends_with(end);
    Some(if ends("/chat/completions") {
        (Dialect::OpenAi, openai_chat::answer)
    } else if ends("/responses") {
        (Dialect::OpenAi, openai_responses::answer)
    } else if ends("/embeddings") {
        (Dialect::OpenAi, embeddings)
    } else if ends("/v1/messages") {
        (Dialect::Anthropic, anthropic::answer)
    } else if ends("/v1/messages/count_tokens") {
        (Dialect::Anthropic, |ask| {
            Answer::json(200, &json!({ "input_tokens": ask.input_tokens }))
        })
    } else if ends(":generateContent") || ends(":streamGenerateContent") {
        (Dialect::Google, gemini::answer)
    } else if ends(":countTokens") {
        (Dialect::Google, |ask| {
            Answer::json(200, &json!({ "totalTokens": ask.input_tokens }))
        })
    } else if ends("/models") {
        (Dialect::OpenAi, |_| models())
    } else {
        return None;
    })
}

fn embeddings(ask: &Ask) -> Answer {
    let vector = if ask.body.get("encoding_format") == Some(&json!("base64")) {
        json!(VECTOR_BASE64)
    } else {
        json!([0.5, -0.25, 0.125, 0.0])
    };
    let count = match ask.body.get("input") {
        Some(Value::Array(inputs)) => inputs.len(),
        _ => 1,
    };
    let data: Vec<_> = (0..count)
        .map(|index| json!({ "object": "embedding", "index": index, "embedding": vector }))
        .collect();
    let usage = json!({ "prompt_tokens": ask.input_tokens, "total_tokens": ask.input_tokens });
    let body = json!({ "object": "list", "data": data, "model": ask.model, "usage": usage });
    ask.bill(Answer::json(200, &body), 0)
}

fn models() -> Answer {
    let model = json!({ "id": "gpt-5.2", "object": "model", "created": 0, "owned_by": "openai" });
    Answer::json(200, &json!({ "object": "list", "data": [model] }))
}

fn failure(dialect: Dialect, status: u16, message: &str) -> Answer {
    Answer::json(status, &error_body(dialect, status, message))
}

/// An error as the provider of this dialect words it; the type names are the providers' own.
fn error_body(dialect: Dialect, status: u16, message: &str) -> Value {
    match dialect {
        Dialect::OpenAi => {
            let (kind, code) = match status {
                401 => ("invalid_request_error", json!("invalid_api_key")),
                429 => ("rate_limit_error", json!("rate_limit_exceeded")),
                400..=499 => ("invalid_request_error", Value::Null),
                _ => ("server_error", Value::Null),
            };
            json!({ "error": { "message": message, "type": kind, "param": null, "code": code } })
        }
        Dialect::Anthropic => {
            let kind = match status {
                400 => "invalid_request_error",
                401 => "authentication_error",
                402 => "billing_error",
                403 => "permission_error",
                404 => "not_found_error",
                429 => "rate_limit_error",
                529 => "overloaded_error",
                _ => "api_error",
            };
            let error = json!({ "type": kind, "message": message });
            json!({ "type": "error", "error": error, "request_id": "req_scripted" })
        }
        Dialect::Google => {
            let word = match status {
                400 => "INVALID_ARGUMENT",
                401 => "UNAUTHENTICATED",
                403 => "PERMISSION_DENIED",
                404 => "NOT_FOUND",
                429 => "RESOURCE_EXHAUSTED",
                503 => "UNAVAILABLE",
                _ => "INTERNAL",
            };
            json!({ "error": { "code": status, "message": message, "status": word } })
        }
    }
}

#[cfg(test)]
mod tests;
