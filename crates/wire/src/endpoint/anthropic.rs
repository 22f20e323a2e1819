//! Anthropic's API, under `/v1` and without it, and under `/anthropic` where Foundry, Bedrock's
//! mantle and DeepSeek keep it. Its files share their path with OpenAI's: Anthropic's clients name
//! an API version in a header.

use super::{Asked, Endpoint};
use tollgate_core::format::{
    Format::{AnthropicBatches, AnthropicFiles, AnthropicMessages},
    Operation,
};

pub(super) fn endpoint(asked: &Asked<'_>) -> Option<Endpoint> {
    let (named, rest) = match asked.segments {
        ["anthropic", "v1", rest @ ..] | ["anthropic", rest @ ..] => (true, rest),
        ["v1", rest @ ..] => (false, rest),
        _ => (false, asked.segments),
    };
    let at = |format, operation, tail| Endpoint::at(asked, format, operation, tail);
    match (asked.method, rest) {
        ("POST", ["messages"]) => Some(at(AnthropicMessages, Operation::Generate, "/messages")),
        ("POST", ["messages", "count_tokens"]) => {
            let tail = "/messages/count_tokens";
            Some(at(AnthropicMessages, Operation::CountTokens, tail))
        }
        (_, ["messages", "batches", rest @ ..]) => batches(asked, rest),
        (_, ["files", rest @ ..]) if named || asked.headers.contains_key("anthropic-version") => {
            files(asked, rest)
        }
        _ => None,
    }
}

fn batches(asked: &Asked<'_>, rest: &[&str]) -> Option<Endpoint> {
    let at = |operation| Endpoint::at(asked, AnthropicBatches, operation, "/messages/batches");
    match (asked.method, rest) {
        ("POST", []) => Some(at(Operation::Defer)),
        ("GET", []) => Some(at(Operation::ListObjects)),
        ("GET", [id]) => at(Operation::ReadObject).of_object(id, ""),
        ("GET", [id, "results"]) => at(Operation::ReadObject).of_object(id, "/results"),
        ("POST", [id, "cancel"]) => at(Operation::ChangeObject).of_object(id, "/cancel"),
        ("DELETE", [id]) => at(Operation::DeleteObject).of_object(id, ""),
        _ => None,
    }
}

fn files(asked: &Asked<'_>, rest: &[&str]) -> Option<Endpoint> {
    let at = |operation| Endpoint::at(asked, AnthropicFiles, operation, "/files");
    match (asked.method, rest) {
        ("POST", []) => Some(at(Operation::CreateObject)),
        ("GET", []) => Some(at(Operation::ListObjects)),
        ("GET", [id]) => at(Operation::ReadObject).of_object(id, ""),
        ("GET", [id, "content"]) => at(Operation::ReadObject).of_object(id, "/content"),
        ("DELETE", [id]) => at(Operation::DeleteObject).of_object(id, ""),
        _ => None,
    }
}
