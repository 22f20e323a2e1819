//! Paths of Anthropic, Google, Bedrock and Ollama.

use super::*;
use Format::{
    AnthropicBatches as Batches, AnthropicFiles as Files, AnthropicMessages as Messages,
    BedrockConverse as Converse, BedrockInvoke as Invoke, GeminiEmbed, GeminiGenerate as Gemini,
    GeminiInteractions as Interactions, OllamaNative as Ollama, VertexRawPredict as RawPredict,
};
use Operation::{
    ChangeObject, CountTokens, CreateObject, Defer, DeleteObject, DescribeModel, Embed, Generate,
    ListModels, ListObjects, ReadObject,
};

const GET: Method = Method::GET;
const POST: Method = Method::POST;
const DELETE: Method = Method::DELETE;

#[test]
#[rustfmt::skip]
fn anthropic_s_messages_and_batches_are_known() {
    let batches = "/messages/batches";
    assert_table(&[
        (POST, "/v1/messages", Messages, Generate, None, "/messages"),
        (POST, "/messages", Messages, Generate, None, "/messages"),
        (POST, "/anthropic/v1/messages", Messages, Generate, None, "/messages"),
        (POST, "/v1/messages/count_tokens", Messages, CountTokens, None, "/messages/count_tokens"),
        (POST, "/messages/count_tokens", Messages, CountTokens, None, "/messages/count_tokens"),
        (POST, "/v1/messages/batches", Batches, Defer, None, batches),
        (GET, "/v1/messages/batches", Batches, ListObjects, None, batches),
        (GET, "/v1/messages/batches/b_1", Batches, ReadObject, Some("b_1"), "/messages/batches/b_1"),
        (
            GET, "/v1/messages/batches/b_1/results",
            Batches, ReadObject, Some("b_1"), "/messages/batches/b_1/results",
        ),
        (
            POST, "/v1/messages/batches/b_1/cancel",
            Batches, ChangeObject, Some("b_1"), "/messages/batches/b_1/cancel",
        ),
        (DELETE, "/v1/messages/batches/b_1", Batches, DeleteObject, Some("b_1"), "/messages/batches/b_1"),
        (POST, "/anthropic/v1/files", Files, CreateObject, None, "/files"),
    ]);
    assert_eq!(of(&GET, "/v1/messages", None), None);
    assert_eq!(of(&GET, "/v1/messages/batches/..", None), None);
}

#[test]
fn files_are_anthropic_s_for_who_names_a_version_of_its_api() {
    let version = ("anthropic-version", "2023-06-01");
    for (method, path, operation) in [
        (POST, "/v1/files?beta=true", CreateObject),
        (GET, "/v1/files", ListObjects),
        (GET, "/v1/files/file_1", ReadObject),
        (GET, "/v1/files/file_1/content", ReadObject),
        (DELETE, "/v1/files/file_1", DeleteObject),
    ] {
        let named = with(&method, path, version).unwrap();
        assert_eq!(
            (named.format, named.operation),
            (Files, operation),
            "{path}"
        );
        let other = with(&method, path, ("x-none", "1")).unwrap();
        assert_eq!(
            (other.format, other.operation),
            (Format::OpenAiFiles, operation),
            "{path}"
        );
    }
}

#[test]
#[rustfmt::skip]
fn gemini_s_models_are_in_the_path_of_both_clouds() {
    assert_table(&[
        (POST, "/v1/models/m:generateContent", Gemini, Generate, Some("m"), ":generateContent"),
        (POST, "/v1beta/models/m%3AcountTokens", Gemini, CountTokens, Some("m"), ":countTokens"),
        (POST, "/v1beta/models/a:b:generateContent", Gemini, Generate, Some("a:b"), ":generateContent"),
        (
            POST, "/v1beta1/publishers/google/models/m:generateContent",
            Gemini, Generate, Some("m"), ":generateContent",
        ),
        (
            POST, "/v1/projects/p/locations/eu/publishers/google/models/m:streamGenerateContent",
            Gemini, Generate, Some("m"), ":streamGenerateContent",
        ),
        (POST, "/v1beta/models/m:embedContent", GeminiEmbed, Embed, Some("m"), ":embedContent"),
        (
            POST, "/v1beta/models/m:batchEmbedContents",
            GeminiEmbed, Embed, Some("m"), ":batchEmbedContents",
        ),
        (
            POST, "/v1beta1/publishers/google/models/m:predict",
            GeminiEmbed, Embed, Some("m"), ":predict",
        ),
        (GET, "/v1beta/models", Gemini, ListModels, None, "/models"),
        (GET, "/v1beta/models/gemini-3", Gemini, ListModels, Some("gemini-3"), "/models"),
    ]);
    assert!(post("/v1/models/m:streamGenerateContent").unwrap().stream);
    assert!(!post("/v1/models/m:generateContent").unwrap().stream);
    let goog = ("x-goog-api-client", "google-genai-sdk/3.4.0");
    assert_eq!(with(&GET, "/v1/models", goog).unwrap().format, Gemini);
    for path in [
        "/models/m:generateContent",
        "/v1beta/models/m",
        "/v1beta/models/:generateContent",
        "/v1beta/models/a/b:generateContent",
        "/v1beta/models/%zz:generateContent",
        "/v1beta/models/%ff:generateContent",
        "/v1beta/models/a%0d%0ab:generateContent",
        "/v1beta1/publishers/anthropic/models/m:generateContent",
        "/v1beta1/publishers/mistralai/models/m:rawPredict",
    ] {
        assert_eq!(post(path), None, "{path}");
    }
}

#[test]
#[rustfmt::skip]
fn interactions_are_made_read_cancelled_and_removed() {
    assert_table(&[
        (POST, "/v1beta/interactions", Interactions, Generate, None, "/interactions"),
        (GET, "/v1beta/interactions/i_1", Interactions, ReadObject, Some("i_1"), "/interactions/i_1"),
        (
            POST, "/v1beta/interactions/i_1/cancel",
            Interactions, ChangeObject, Some("i_1"), "/interactions/i_1/cancel",
        ),
        (DELETE, "/v1/interactions/i_1", Interactions, DeleteObject, Some("i_1"), "/interactions/i_1"),
    ]);
}

#[test]
#[rustfmt::skip]
fn anthropic_s_models_at_vertex_are_in_the_path_but_for_counting() {
    assert_table(&[
        (
            POST, "/v1/projects/p/locations/us-east5/publishers/anthropic/models/claude@1:rawPredict",
            RawPredict, Generate, Some("claude@1"), ":rawPredict",
        ),
        (
            POST, "/projects/p/locations/l/publishers/anthropic/models/m:streamRawPredict",
            RawPredict, Generate, Some("m"), ":streamRawPredict",
        ),
        (
            POST, "/v1/publishers/anthropic/models/count-tokens:rawPredict",
            RawPredict, CountTokens, None, ":rawPredict",
        ),
    ]);
    assert!(post("/v1/publishers/anthropic/models/m:streamRawPredict").unwrap().stream);
    assert_eq!(post("/v1/publishers/anthropic/models/count-tokens:streamRawPredict"), None);
}

#[test]
#[rustfmt::skip]
fn bedrock_s_models_are_known_encoded_and_decoded() {
    let arn = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-v1:0";
    assert_table(&[
        (POST, "/model/amazon.nova-micro-v1%3A0/converse", Converse, Generate, Some("amazon.nova-micro-v1:0"), "/converse"),
        (POST, "/model/amazon.nova-micro-v1:0/converse-stream", Converse, Generate, Some("amazon.nova-micro-v1:0"), "/converse-stream"),
        (POST, "/model/m/invoke", Invoke, Generate, Some("m"), "/invoke"),
        (POST, "/model/m/invoke-with-response-stream", Invoke, Generate, Some("m"), "/invoke-with-response-stream"),
        (POST, "/model/m/count-tokens", Converse, CountTokens, Some("m"), "/count-tokens"),
        (
            POST, "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Ainference-profile%2Fus.amazon.nova-v1%3A0/invoke",
            Invoke, Generate, Some(arn), "/invoke",
        ),
        (
            POST, "/model/arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-v1:0/invoke",
            Invoke, Generate, Some(arn), "/invoke",
        ),
        // Once, not twice.
        (POST, "/model/a%253A/invoke", Invoke, Generate, Some("a%3A"), "/invoke"),
    ]);
    for (path, streams) in [
        ("/model/m/converse", false),
        ("/model/m/converse-stream", true),
        ("/model/m/invoke", false),
        ("/model/m/invoke-with-response-stream", true),
    ] {
        assert_eq!(post(path).unwrap().stream, streams, "{path}");
    }
    for path in ["/model/invoke", "/model//invoke", "/model/../invoke", "/model/%2E%2e/invoke"] {
        assert_eq!(post(path), None, "{path}");
    }
    assert_eq!(of(&GET, "/model/m/converse", None), None);
}

#[test]
fn no_part_of_a_name_in_a_path_means_a_directory() {
    for name in [
        "a%2F..%2Fb",
        "a%2f%2e%2E%5Cb",
        "..%5Ca",
        "a%2F.",
        "%2e",
        "..%2f..%2Ffiles",
    ] {
        for path in [
            format!("/model/{name}/converse"),
            format!("/model/{name}/invoke"),
            format!("/v1beta/models/{name}:generateContent"),
            format!("/v1beta/models/{name}:embedContent"),
            format!("/v1/projects/p/locations/l/publishers/anthropic/models/{name}:rawPredict"),
            format!("/openai/deployments/{name}/chat/completions"),
        ] {
            assert_eq!(post(&path), None, "{path}");
        }
        let described = format!("/v1beta/models/{name}");
        assert_eq!(of(&GET, &described, None), None, "{described}");
    }
    assert_eq!(post("/model/a/../b/invoke"), None);
    let named = post("/v1beta/models/a%2F...%2Fb.c:generateContent").unwrap();
    assert_eq!(named.model.as_deref(), Some("a/.../b.c"));
}

#[test]
fn ollama_s_own_api_is_known_but_for_what_manages_it() {
    assert_table(&[
        (POST, "/api/chat", Ollama, Generate, None, "/chat"),
        (POST, "/api/generate", Ollama, Generate, None, "/generate"),
        (POST, "/api/embed", Ollama, Embed, None, "/embed"),
        (POST, "/api/embeddings", Ollama, Embed, None, "/embeddings"),
        (POST, "/api/show", Ollama, DescribeModel, None, "/show"),
        (GET, "/api/tags", Ollama, ListModels, None, "/tags"),
    ]);
    assert_eq!(of(&GET, "/api/chat", None), None);
}
