//! Failures of the simulated provider, in the words of the provider it imitates. These are an
//! upstream's errors, not ours: they may be retried, and the gateway treats them as it treats any
//! upstream's.

use super::{encode, seed::Seed};
use bytes::Bytes;
use serde::Serialize;
use tollgate_core::format::Dialect;

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// The HTTP status.
    pub(super) status: u16,
    /// What the caller reads.
    pub(super) message: String,
}

impl Failure {
    pub(super) fn new(status: u16, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
        }
    }

    /// What goes wrong in the middle of an answer, as each provider would have it.
    pub(super) fn midway(dialect: Dialect) -> Self {
        let status = match dialect {
            Dialect::OpenAi | Dialect::Ollama => 500,
            Dialect::Anthropic => 529,
            Dialect::Google | Dialect::Bedrock => 503,
        };
        Self::new(status, "simulated failure in the middle of an answer")
    }

    /// The body of an answer with this failure; `in_array` as Gemini wraps it where it would have
    /// streamed an array.
    pub(super) fn document(&self, dialect: Dialect, seed: Seed, in_array: bool) -> Bytes {
        match dialect {
            Dialect::OpenAi | Dialect::Bedrock | Dialect::Ollama => encode::json(&self.openai()),
            Dialect::Anthropic => encode::json(&self.anthropic(seed)),
            Dialect::Google if in_array => encode::json(&[self.google()]),
            Dialect::Google => encode::json(&self.google()),
        }
    }

    pub(super) fn openai(&self) -> OpenAiError<'_> {
        let (kind, code) = match self.status {
            401 => ("invalid_request_error", Some("invalid_api_key")),
            402 => ("insufficient_quota", Some("insufficient_quota")),
            403 => ("permission_error", None),
            429 => ("rate_limit_error", Some("rate_limit_exceeded")),
            500.. => ("server_error", Some("server_error")),
            _ => ("invalid_request_error", None),
        };
        OpenAiError {
            error: OpenAiDetail {
                message: &self.message,
                kind,
                param: None,
                code,
            },
        }
    }

    pub(super) fn anthropic(&self, seed: Seed) -> AnthropicError<'_> {
        let kind = match self.status {
            401 => "authentication_error",
            402 => "billing_error",
            403 => "permission_error",
            404 => "not_found_error",
            408 | 504 => "timeout_error",
            413 => "request_too_large",
            429 => "rate_limit_error",
            529 => "overloaded_error",
            500.. => "api_error",
            _ => "invalid_request_error",
        };
        AnthropicError {
            top: "error",
            error: AnthropicDetail {
                kind,
                message: &self.message,
            },
            request_id: seed.id("req_"),
        }
    }

    pub(super) fn google(&self) -> GoogleError<'_> {
        let status = match self.status {
            401 => "UNAUTHENTICATED",
            402 | 429 => "RESOURCE_EXHAUSTED",
            403 => "PERMISSION_DENIED",
            404 => "NOT_FOUND",
            408 | 504 => "DEADLINE_EXCEEDED",
            502 | 503 | 529 => "UNAVAILABLE",
            500.. => "INTERNAL",
            _ => "INVALID_ARGUMENT",
        };
        GoogleError {
            error: GoogleDetail {
                code: self.status,
                message: &self.message,
                status,
            },
        }
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::new(400, format!("the request body cannot be read: {error}"))
    }
}

#[derive(Serialize)]
pub(super) struct OpenAiError<'a> {
    error: OpenAiDetail<'a>,
}

#[derive(Serialize)]
struct OpenAiDetail<'a> {
    message: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    param: Option<&'static str>,
    code: Option<&'static str>,
}

#[derive(Serialize)]
pub(super) struct AnthropicError<'a> {
    #[serde(rename = "type")]
    top: &'static str,
    error: AnthropicDetail<'a>,
    request_id: String,
}

#[derive(Serialize)]
struct AnthropicDetail<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    message: &'a str,
}

#[derive(Serialize)]
pub(super) struct GoogleError<'a> {
    error: GoogleDetail<'a>,
}

#[derive(Serialize)]
struct GoogleDetail<'a> {
    code: u16,
    message: &'a str,
    status: &'static str,
}
