//! Google's APIs: AI Studio's, whose paths start with a version, and Vertex's, whose paths name
//! publisher, project and location. Which project, location and version the upstream gets is the
//! provider's business, so what the client says of them is not kept.
//!
//! The WebSocket for holders of ephemeral tokens (`…Constrained`) is not here: we mint none.

use super::{Asked, Endpoint, segment};
use tollgate_core::format::{
    Format::{GeminiEmbed, GeminiGenerate, GeminiInteractions, GeminiLive, VertexRawPredict},
    Operation,
};

pub(super) fn endpoint(asked: &Asked<'_>) -> Option<Endpoint> {
    if let ["ws", rest @ ..] = asked.segments {
        return live(asked, rest);
    }
    let (version, rest) = match asked.segments {
        [version, rest @ ..] if is_version(version) => (Some(*version), rest),
        rest => (None, rest),
    };
    let published = match rest {
        ["projects", _, "locations", _, "publishers", rest @ ..] | ["publishers", rest @ ..] => {
            Some(rest)
        }
        _ => None,
    };
    match (asked.method, rest, published, version) {
        ("POST", _, Some(["google", "models", last]), _) => gemini(asked, last, true),
        ("POST", _, Some(["anthropic", "models", last]), _) => raw_predict(asked, last),
        ("POST", ["models", last], _, Some(_)) => gemini(asked, last, false),
        ("GET", ["models", id @ ..], _, Some(version)) => models(asked, version, id),
        (_, ["interactions", rest @ ..], _, Some(_)) => interactions(asked, rest),
        _ => None,
    }
}

fn is_version(segment: &str) -> bool {
    matches!(segment, "v1" | "v1alpha" | "v1beta" | "v1beta1")
}

/// `{model}:{action}`, the colon possibly encoded. Only Vertex embeds by `:predict`; elsewhere
/// that makes images.
fn gemini(asked: &Asked<'_>, last: &str, is_vertex: bool) -> Option<Endpoint> {
    let last = segment::decode(last)?;
    let (model, action) = last.rsplit_once(':')?;
    let (format, operation, stream) = match action {
        "generateContent" => (GeminiGenerate, Operation::Generate, false),
        "streamGenerateContent" => (GeminiGenerate, Operation::Generate, true),
        "countTokens" => (GeminiGenerate, Operation::CountTokens, false),
        "embedContent" | "batchEmbedContents" => (GeminiEmbed, Operation::Embed, false),
        "predict" if is_vertex => (GeminiEmbed, Operation::Embed, false),
        _ => return None,
    };
    with_action(asked, (format, operation, stream), (model, action))
}

/// Anthropic's messages in Vertex's envelope. Tokens are counted by a model of that name; whose
/// they are stands in the body.
fn raw_predict(asked: &Asked<'_>, last: &str) -> Option<Endpoint> {
    let last = segment::decode(last)?;
    let (model, action) = last.rsplit_once(':')?;
    let stream = match action {
        "rawPredict" => false,
        "streamRawPredict" => true,
        _ => return None,
    };
    if model == COUNTING_MODEL {
        let found = Endpoint::at(
            asked,
            VertexRawPredict,
            Operation::CountTokens,
            ":rawPredict",
        );
        return (!stream).then_some(found);
    }
    let kind = (VertexRawPredict, Operation::Generate, stream);
    with_action(asked, kind, (model, action))
}

/// What Vertex calls the counting of Anthropic's tokens.
pub(crate) const COUNTING_MODEL: &str = "count-tokens";

/// An endpoint whose last segment, here decoded, is `{model}:{action}`.
fn with_action(
    asked: &Asked<'_>,
    (format, operation, stream): (tollgate_core::format::Format, Operation, bool),
    (model, action): (&str, &str),
) -> Option<Endpoint> {
    let tail = format!(":{action}");
    Some(Endpoint {
        model: Some(super::checked_name(model)?),
        stream,
        ..Endpoint::at(asked, format, operation, &tail)
    })
}

/// Lists of models. `/v1` is OpenAI's too: there, Google's clients name themselves.
fn models(asked: &Asked<'_>, version: &str, id: &[&str]) -> Option<Endpoint> {
    if version == "v1" && !asked.headers.contains_key("x-goog-api-client") {
        return None;
    }
    let list = Endpoint::at(asked, GeminiGenerate, Operation::ListModels, "/models");
    match id {
        [] => Some(list),
        id => list.of_model(&id.join("/")),
    }
}

fn interactions(asked: &Asked<'_>, rest: &[&str]) -> Option<Endpoint> {
    let at = |operation| Endpoint::at(asked, GeminiInteractions, operation, "/interactions");
    match (asked.method, rest) {
        ("POST", []) => Some(at(Operation::Generate)),
        ("GET", [id]) => {
            let stream = super::query::is_true(asked.query, "stream");
            let read = Endpoint {
                stream,
                ..at(Operation::ReadObject)
            };
            read.of_object(id, "")
        }
        ("POST", [id, "cancel"]) => at(Operation::ChangeObject).of_object(id, "/cancel"),
        ("DELETE", [id]) => at(Operation::DeleteObject).of_object(id, ""),
        _ => None,
    }
}

/// `/ws/google.ai.generativelanguage.{version}.GenerativeService.BidiGenerateContent`, and Vertex's
/// `/ws/google.cloud.aiplatform.{version}.LlmBidiService/BidiGenerateContent`.
fn live(asked: &Asked<'_>, rest: &[&str]) -> Option<Endpoint> {
    let version = match rest {
        [service] => service
            .strip_prefix("google.ai.generativelanguage.")?
            .strip_suffix(".GenerativeService.BidiGenerateContent")?,
        [service, "BidiGenerateContent"] => service
            .strip_prefix("google.cloud.aiplatform.")?
            .strip_suffix(".LlmBidiService")?,
        _ => return None,
    };
    let found = Endpoint::at(
        asked,
        GeminiLive,
        Operation::Converse,
        "/BidiGenerateContent",
    );
    is_version(version).then_some(found)
}
