//! Errors as the providers word them; the type names are their own.

use super::house::House;
use crate::answer::Answer;
use serde_json::{Value, json};

/// A family of error shapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    OpenAi,
    Mistral,
    Anthropic,
    Google,
    Bedrock,
    Ollama,
}

impl Dialect {
    /// How errors at this path look; OpenAI's shape where nothing tells.
    pub(crate) fn of(path: &str) -> Self {
        let has = |part| path.contains(part);
        if has("/model/") {
            Self::Bedrock
        } else if has("/v1/messages") || has("/publishers/anthropic/") {
            Self::Anthropic
        } else if has("/publishers/google/") || has("/models/") {
            Self::Google
        } else if has("/api/") {
            Self::Ollama
        } else if House::of(path) == House::Mistral {
            Self::Mistral
        } else {
            Self::OpenAi
        }
    }
}

/// An answer that says no.
pub(crate) fn failure(dialect: Dialect, status: u16, message: &str) -> Answer {
    let answer = Answer::json(status, &error_body(dialect, status, message));
    match dialect {
        Dialect::Bedrock => answer.header("x-amzn-errortype", exception(status)),
        Dialect::OpenAi
        | Dialect::Mistral
        | Dialect::Anthropic
        | Dialect::Google
        | Dialect::Ollama => answer,
    }
}

/// The body alone; also what stands in the dialect's event for a failure in mid-stream.
pub(super) fn error_body(dialect: Dialect, status: u16, message: &str) -> Value {
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
        Dialect::Mistral => {
            let kind = if status == 429 {
                "rate_limited"
            } else {
                "invalid_request_error"
            };
            let code = format!("{status}0");
            json!({
                "object": "error", "message": message, "type": kind, "param": null, "code": code,
            })
        }
        Dialect::Anthropic => {
            let error = json!({ "type": anthropic_type(status), "message": message });
            json!({ "type": "error", "error": error, "request_id": "req_scripted" })
        }
        Dialect::Google => {
            json!({ "error": { "code": status, "message": message, "status": rpc_code(status) } })
        }
        Dialect::Bedrock => json!({ "message": message }),
        Dialect::Ollama => json!({ "error": message }),
    }
}

fn anthropic_type(status: u16) -> &'static str {
    match status {
        400 => "invalid_request_error",
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        429 => "rate_limit_error",
        529 => "overloaded_error",
        _ => "api_error",
    }
}

fn rpc_code(status: u16) -> &'static str {
    match status {
        400 => "INVALID_ARGUMENT",
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        429 => "RESOURCE_EXHAUSTED",
        503 => "UNAVAILABLE",
        _ => "INTERNAL",
    }
}

fn exception(status: u16) -> &'static str {
    match status {
        401 => "UnrecognizedClientException",
        403 => "AccessDeniedException",
        404 => "ResourceNotFoundException",
        408 => "ModelTimeoutException",
        424 => "ModelErrorException",
        429 => "ThrottlingException",
        400..=499 => "ValidationException",
        503 => "ServiceUnavailableException",
        _ => "InternalServerException",
    }
}
