//! Ollama's own API. What manages the server's models (pull, push, create, copy, delete) is its
//! operator's, and not here.

use super::{Asked, Endpoint};
use tollgate_core::format::{Format, Operation};

pub(super) fn endpoint(asked: &Asked<'_>) -> Option<Endpoint> {
    let ["api", last] = asked.segments else {
        return None;
    };
    let operation = match (asked.method, *last) {
        ("POST", "chat" | "generate") => Operation::Generate,
        // The older form embeds one text.
        ("POST", "embed" | "embeddings") => Operation::Embed,
        ("POST", "show") => Operation::DescribeModel,
        ("GET", "tags") => Operation::ListModels,
        _ => return None,
    };
    let tail = format!("/{last}");
    Some(Endpoint::at(asked, Format::OllamaNative, operation, &tail))
}
