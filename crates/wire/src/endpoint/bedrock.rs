//! Amazon Bedrock's runtime: the model is a segment of the path. SDKs encode what is special in an
//! ARN (`:` and `/`), some leave the colon, and a launcher's proxy may have decoded both: then the
//! name spans segments.

use super::{Asked, Endpoint};
use tollgate_core::format::{Format, Operation};

pub(super) fn endpoint(asked: &Asked<'_>) -> Option<Endpoint> {
    let ("POST", ["model", name @ .., action]) = (asked.method, asked.segments) else {
        return None;
    };
    let (format, operation, stream) = match *action {
        "converse" => (Format::BedrockConverse, Operation::Generate, false),
        "converse-stream" => (Format::BedrockConverse, Operation::Generate, true),
        "invoke" => (Format::BedrockInvoke, Operation::Generate, false),
        "invoke-with-response-stream" => (Format::BedrockInvoke, Operation::Generate, true),
        // Its body holds a request in one of the two formats; the answer is Bedrock's own.
        "count-tokens" => (Format::BedrockConverse, Operation::CountTokens, false),
        _ => return None,
    };
    let tail = format!("/{action}");
    let found = Endpoint {
        stream,
        ..Endpoint::at(asked, format, operation, &tail)
    };
    found.of_model(&name.join("/"))
}
