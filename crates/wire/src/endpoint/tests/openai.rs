//! OpenAI's paths, and those of its imitators.

use super::*;
use Format::{
    OpenAiBatches as Batches, OpenAiChat as Chat, OpenAiCompletions as Completions,
    OpenAiEmbeddings as Embeddings, OpenAiFiles as Files, OpenAiImages as Images,
    OpenAiModerations as Moderations, OpenAiResponses as Responses, OpenAiSpeech as Speech,
    OpenAiTranscription as Transcription,
};
use Operation::{
    ChangeObject, CountTokens, CreateObject, Defer, DeleteObject, Embed, Generate, ListModels,
    ListObjects, Moderate, ReadObject,
};

const GET: Method = Method::GET;
const POST: Method = Method::POST;
const DELETE: Method = Method::DELETE;

#[test]
#[rustfmt::skip]
fn calls_are_known_under_every_base_that_clients_use() {
    assert_table(&[
        (POST, "/chat/completions", Chat, Generate, None, "/chat/completions"),
        (POST, "/v1/chat/completions", Chat, Generate, None, "/chat/completions"),
        (POST, "/openai/v1/chat/completions", Chat, Generate, None, "/chat/completions"),
        (POST, "/v1beta/openai/chat/completions", Chat, Generate, None, "/chat/completions"),
        (
            POST, "/v1/projects/p/locations/global/endpoints/openapi/chat/completions",
            Chat, Generate, None, "/chat/completions",
        ),
        (
            POST, "/v1/projects/p/locations/l/publishers/openai/v1/responses",
            Responses, Generate, None, "/responses",
        ),
        (POST, "/responses", Responses, Generate, None, "/responses"),
        (POST, "/openai/responses", Responses, Generate, None, "/responses"),
        (POST, "/v1/responses/compact", Responses, Generate, None, "/responses/compact"),
        (POST, "/v1/responses/input_tokens", Responses, CountTokens, None, "/responses/input_tokens"),
        (POST, "/v1/completions", Completions, Generate, None, "/completions"),
        (POST, "/embeddings", Embeddings, Embed, None, "/embeddings"),
        (POST, "/v1/moderations", Moderations, Moderate, None, "/moderations"),
        (POST, "/v1/images/generations", Images, Generate, None, "/images/generations"),
        (POST, "/v1/images/edits", Images, Generate, None, "/images/edits"),
        (POST, "/images/variations", Images, Generate, None, "/images/variations"),
        (POST, "/v1/audio/speech", Speech, Generate, None, "/audio/speech"),
        (POST, "/openai/v1/audio/transcriptions", Transcription, Generate, None, "/audio/transcriptions"),
        (POST, "/audio/translations", Transcription, Generate, None, "/audio/translations"),
        (POST, "/v1/ocr", Format::MistralOcr, Generate, None, "/ocr"),
        (POST, "/v1/fim/completions", Format::MistralFim, Generate, None, "/fim/completions"),
    ]);
}

#[test]
#[rustfmt::skip]
fn a_deployment_is_the_model_of_what_is_below_it() {
    assert_table(&[
        (POST, "/openai/deployments/my%2Dgpt/chat/completions", Chat, Generate, Some("my-gpt"), "/chat/completions"),
        (POST, "/deployments/d/completions", Completions, Generate, Some("d"), "/completions"),
        (POST, "/openai/deployments/d/embeddings", Embeddings, Embed, Some("d"), "/embeddings"),
        (POST, "/openai/deployments/d/images/edits", Images, Generate, Some("d"), "/images/edits"),
        (POST, "/openai/deployments/d/audio/speech", Speech, Generate, Some("d"), "/audio/speech"),
        (
            POST, "/openai/deployments/d/audio/transcriptions",
            Transcription, Generate, Some("d"), "/audio/transcriptions",
        ),
    ]);
    let asked = of(&POST, "/openai/deployments/d/embeddings", Some("api-version=2026-01-01&a=b"));
    assert_eq!(asked.unwrap().query, "a=b");
    for path in [
        "/openai/deployments/d/responses",
        "/openai/deployments/d/files",
        "/openai/deployments//chat/completions",
        "/openai/deployments/%2e%2e/chat/completions",
        "/openai/deployments/a/b/chat/completions",
        "/openai/deployments/d",
    ] {
        assert_eq!(post(path), None, "{path}");
    }
}

#[test]
#[rustfmt::skip]
fn stored_objects_are_known_by_their_ids() {
    assert_table(&[
        (POST, "/v1/files", Files, CreateObject, None, "/files"),
        (GET, "/openai/v1/files", Files, ListObjects, None, "/files"),
        (GET, "/files/file-1", Files, ReadObject, Some("file-1"), "/files/file-1"),
        (GET, "/v1/files/file-1/content", Files, ReadObject, Some("file-1"), "/files/file-1/content"),
        (DELETE, "/v1/files/file-1", Files, DeleteObject, Some("file-1"), "/files/file-1"),
        (POST, "/v1/batches", Batches, Defer, None, "/batches"),
        (GET, "/openai/batches", Batches, ListObjects, None, "/batches"),
        (GET, "/v1/batches/batch_1", Batches, ReadObject, Some("batch_1"), "/batches/batch_1"),
        (
            POST, "/v1/batches/batch_1/cancel",
            Batches, ChangeObject, Some("batch_1"), "/batches/batch_1/cancel",
        ),
        (GET, "/v1/responses/resp_1", Responses, ReadObject, Some("resp_1"), "/responses/resp_1"),
        (
            GET, "/v1/responses/resp_1/input_items",
            Responses, ReadObject, Some("resp_1"), "/responses/resp_1/input_items",
        ),
        (DELETE, "/responses/resp_1", Responses, DeleteObject, Some("resp_1"), "/responses/resp_1"),
        (
            POST, "/v1/responses/resp_1/cancel",
            Responses, ChangeObject, Some("resp_1"), "/responses/resp_1/cancel",
        ),
        // Decoded once, encoded again as one segment.
        (GET, "/v1/files/a%2Fb%252F", Files, ReadObject, Some("a/b%2F"), "/files/a%2Fb%252F"),
    ]);
    for (method, path) in [
        (GET, "/v1/files/.."),
        (GET, "/v1/files/%2e%2e/content"),
        (GET, "/v1/files/%2E"),
        (GET, "/v1/files/"),
        (GET, "/v1/files/a/b/content"),
        (GET, "/v1/files/a%00b"),
        (GET, "/v1/responses"),
        (DELETE, "/v1/batches/batch_1"),
        (POST, "/v1/files/file-1/cancel"),
        (Method::PUT, "/v1/files/file-1"),
    ] {
        assert_eq!(of(&method, path, None), None, "{path}");
    }
}

#[test]
fn a_stored_response_may_be_read_as_a_stream() {
    let streams = |query| of(&GET, "/v1/responses/resp_1", query).unwrap().stream;
    assert!(streams(Some("stream=true&starting_after=3")));
    assert!(!streams(Some("stream=false")) && !streams(None));
}

#[test]
fn lists_of_models_are_known_and_may_name_one() {
    assert_table(&[
        (GET, "/models", Chat, ListModels, None, "/models"),
        (GET, "/v1/models", Chat, ListModels, None, "/models"),
        (GET, "/openai/v1/models", Chat, ListModels, None, "/models"),
        (GET, "/openai/models", Chat, ListModels, None, "/models"),
        (
            GET,
            "/v1/models/gpt-5.2",
            Chat,
            ListModels,
            Some("gpt-5.2"),
            "/models",
        ),
        (
            GET,
            "/v1/models/openai%2Fgpt-oss",
            Chat,
            ListModels,
            Some("openai/gpt-oss"),
            "/models",
        ),
        (
            GET,
            "/v1/models/openai/gpt-oss",
            Chat,
            ListModels,
            Some("openai/gpt-oss"),
            "/models",
        ),
    ]);
}
