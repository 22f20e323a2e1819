//! OpenAI's API, wherever its clients and those of its imitators look for it, with what Mistral
//! adds to it.
//!
//! Not here, because it would lead past the gateway: `/realtime/client_secrets`,
//! `/realtime/sessions`, `/realtime/transcription_sessions` and `ChatKit`'s sessions mint
//! credentials, `/realtime/calls`, `?call_id=` and `/live/sessions` open media paths,
//! `/uploads` and Mistral's `/files/{id}/url` continue elsewhere.

use super::{Asked, Endpoint, query};
use tollgate_core::format::{
    Format::{
        MistralFim, MistralOcr, OpenAiBatches, OpenAiChat, OpenAiCompletions, OpenAiEmbeddings,
        OpenAiFiles, OpenAiImages, OpenAiModerations, OpenAiRealtime, OpenAiResponses,
        OpenAiResponsesSocket, OpenAiSpeech, OpenAiTranscription,
    },
    Operation,
};

pub(super) fn endpoint(asked: &Asked<'_>) -> Option<Endpoint> {
    let found = match below_base(asked.segments) {
        ["deployments", name, rest @ ..] => one_call(asked, rest)?.of_model(name)?,
        rest => one_call(asked, rest)
            .or_else(|| without_deployment(asked, rest))
            .or_else(|| socket(asked, rest))
            .or_else(|| stored(asked, rest))?,
    };
    // Azure's version of the API: whether and which an upstream gets is the provider's business.
    let query = query::without(&found.query, &["api-version"]);
    Some(Endpoint { query, ..found })
}

/// What follows the base URL that clients of OpenAI (`/v1`, or nothing), Groq and Azure
/// (`/openai/v1`, `/openai`), Gemini and Vertex put in front.
fn below_base<'s, 'p>(segments: &'s [&'p str]) -> &'s [&'p str] {
    match segments {
        ["openai", "v1", rest @ ..]
        | ["v1beta", "openai", rest @ ..]
        | [
            "v1" | "v1beta1",
            "projects",
            _,
            "locations",
            _,
            "endpoints",
            "openapi",
            rest @ ..,
        ]
        | [
            "v1" | "v1beta1",
            "projects",
            _,
            "locations",
            _,
            "publishers",
            "openai",
            "v1",
            rest @ ..,
        ]
        | ["v1" | "openai", rest @ ..] => rest,
        _ => segments,
    }
}

/// Calls that Azure also takes below a deployment.
fn one_call(asked: &Asked<'_>, rest: &[&str]) -> Option<Endpoint> {
    let (format, operation) = match (asked.method, rest) {
        ("POST", ["chat", "completions"]) => (OpenAiChat, Operation::Generate),
        ("POST", ["completions"]) => (OpenAiCompletions, Operation::Generate),
        ("POST", ["embeddings"]) => (OpenAiEmbeddings, Operation::Embed),
        ("POST", ["images", "generations" | "edits" | "variations"]) => {
            (OpenAiImages, Operation::Generate)
        }
        ("POST", ["audio", "speech"]) => (OpenAiSpeech, Operation::Generate),
        ("POST", ["audio", "transcriptions" | "translations"]) => {
            (OpenAiTranscription, Operation::Generate)
        }
        _ => return None,
    };
    Some(Endpoint::at(asked, format, operation, &tail(rest)))
}

fn without_deployment(asked: &Asked<'_>, rest: &[&str]) -> Option<Endpoint> {
    let (format, operation) = match (asked.method, rest) {
        ("POST", ["responses"] | ["responses", "compact"]) => {
            (OpenAiResponses, Operation::Generate)
        }
        ("POST", ["responses", "input_tokens"]) => (OpenAiResponses, Operation::CountTokens),
        ("POST", ["moderations"]) => (OpenAiModerations, Operation::Moderate),
        ("POST", ["ocr"]) => (MistralOcr, Operation::Generate),
        ("POST", ["fim", "completions"]) => (MistralFim, Operation::Generate),
        ("GET", ["models", id @ ..]) => {
            let list = Endpoint::at(asked, OpenAiChat, Operation::ListModels, "/models");
            return match id {
                [] => Some(list),
                // An id may hold slashes, and a launcher's proxy may have decoded them.
                id => list.of_model(&id.join("/")),
            };
        }
        _ => return None,
    };
    Some(Endpoint::at(asked, format, operation, &tail(rest)))
}

/// The segments matched above: literals, which need no encoding.
fn tail(segments: &[&str]) -> String {
    format!("/{}", segments.join("/"))
}

/// WebSockets. A realtime session names its model in the query, at Azure as a deployment; one for
/// transcription (`intent=transcription`) names it later.
fn socket(asked: &Asked<'_>, rest: &[&str]) -> Option<Endpoint> {
    if !asked.socket {
        return None;
    }
    match rest {
        ["responses"] => {
            let operation = Operation::Converse;
            Some(Endpoint::at(
                asked,
                OpenAiResponsesSocket,
                operation,
                "/responses",
            ))
        }
        ["realtime"] if query::value(asked.query, "call_id").is_none() => {
            let named = ["model", "deployment"];
            let mut names = named
                .iter()
                .filter_map(|name| query::value(asked.query, name));
            let found = Endpoint {
                query: query::without(asked.query, &named),
                ..Endpoint::at(asked, OpenAiRealtime, Operation::Converse, "/realtime")
            };
            match names.next() {
                None => Some(found),
                Some(name) => found.of_model(name),
            }
        }
        _ => None,
    }
}

/// What lives at the provider: responses, files, batches.
fn stored(asked: &Asked<'_>, rest: &[&str]) -> Option<Endpoint> {
    let [kind @ ("responses" | "files" | "batches"), rest @ ..] = rest else {
        return None;
    };
    let (format, collection) = match *kind {
        "responses" => (OpenAiResponses, "/responses"),
        "files" => (OpenAiFiles, "/files"),
        _ => (OpenAiBatches, "/batches"),
    };
    let at = |operation| Endpoint::at(asked, format, operation, collection);
    match (asked.method, format, rest) {
        ("POST", OpenAiFiles, []) => Some(at(Operation::CreateObject)),
        ("POST", OpenAiBatches, []) => Some(at(Operation::Defer)),
        ("GET", OpenAiFiles | OpenAiBatches, []) => Some(at(Operation::ListObjects)),
        ("GET", _, [id]) => {
            let stream = format == OpenAiResponses && query::is_true(asked.query, "stream");
            let read = Endpoint {
                stream,
                ..at(Operation::ReadObject)
            };
            read.of_object(id, "")
        }
        ("GET", OpenAiResponses, [id, "input_items"]) => {
            at(Operation::ReadObject).of_object(id, "/input_items")
        }
        ("GET", OpenAiFiles, [id, "content"]) => {
            at(Operation::ReadObject).of_object(id, "/content")
        }
        ("POST", OpenAiResponses | OpenAiBatches, [id, "cancel"]) => {
            at(Operation::ChangeObject).of_object(id, "/cancel")
        }
        ("DELETE", OpenAiResponses | OpenAiFiles, [id]) => {
            at(Operation::DeleteObject).of_object(id, "")
        }
        _ => None,
    }
}
