//! Where clients send what: one way to write each path, held against the gateway's own table.

use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use std::collections::HashSet;
use tollgate_core::format::{Dialect, Format};
use tollgate_wire::{endpoint::Endpoint, offer::operations};

/// One row for each format, in the order of [`Format::ALL`].
pub(super) const PATHS: &[(Format, &[&str])] = &[
    (Format::OpenAiChat, &["POST /v1/chat/completions"]),
    (
        Format::OpenAiResponses,
        &[
            "POST /v1/responses",
            "POST /v1/responses/compact",
            "POST /v1/responses/input_tokens",
            "GET /v1/responses/{id}",
            "GET /v1/responses/{id}/input_items",
            "POST /v1/responses/{id}/cancel",
            "DELETE /v1/responses/{id}",
        ],
    ),
    (Format::OpenAiCompletions, &["POST /v1/completions"]),
    (Format::OpenAiEmbeddings, &["POST /v1/embeddings"]),
    (
        Format::OpenAiImages,
        &[
            "POST /v1/images/generations",
            "POST /v1/images/edits",
            "POST /v1/images/variations",
        ],
    ),
    (Format::OpenAiSpeech, &["POST /v1/audio/speech"]),
    (
        Format::OpenAiTranscription,
        &[
            "POST /v1/audio/transcriptions",
            "POST /v1/audio/translations",
        ],
    ),
    (Format::OpenAiModerations, &["POST /v1/moderations"]),
    (
        Format::OpenAiFiles,
        &[
            "POST /v1/files",
            "GET /v1/files",
            "GET /v1/files/{id}",
            "GET /v1/files/{id}/content",
            "DELETE /v1/files/{id}",
        ],
    ),
    (
        Format::OpenAiBatches,
        &[
            "POST /v1/batches",
            "GET /v1/batches",
            "GET /v1/batches/{id}",
            "POST /v1/batches/{id}/cancel",
        ],
    ),
    (Format::OpenAiRealtime, &["WebSocket /v1/realtime"]),
    (Format::OpenAiResponsesSocket, &["WebSocket /v1/responses"]),
    (
        Format::AnthropicMessages,
        &["POST /v1/messages", "POST /v1/messages/count_tokens"],
    ),
    (
        Format::AnthropicBatches,
        &[
            "POST /v1/messages/batches",
            "GET /v1/messages/batches",
            "GET /v1/messages/batches/{id}",
            "GET /v1/messages/batches/{id}/results",
            "POST /v1/messages/batches/{id}/cancel",
            "DELETE /v1/messages/batches/{id}",
        ],
    ),
    (
        Format::AnthropicFiles,
        &[
            "POST /v1/files",
            "GET /v1/files",
            "GET /v1/files/{id}",
            "GET /v1/files/{id}/content",
            "DELETE /v1/files/{id}",
        ],
    ),
    (
        Format::VertexRawPredict,
        &[
            "POST /v1/publishers/anthropic/models/{model}:rawPredict",
            "POST /v1/publishers/anthropic/models/{model}:streamRawPredict",
            "POST /v1/publishers/anthropic/models/count-tokens:rawPredict",
        ],
    ),
    (
        Format::GeminiGenerate,
        &[
            "POST /v1beta/models/{model}:generateContent",
            "POST /v1beta/models/{model}:streamGenerateContent",
            "POST /v1beta/models/{model}:countTokens",
            "POST /v1beta1/publishers/google/models/{model}:generateContent",
        ],
    ),
    (
        Format::GeminiEmbed,
        &[
            "POST /v1beta/models/{model}:embedContent",
            "POST /v1beta/models/{model}:batchEmbedContents",
            "POST /v1beta1/publishers/google/models/{model}:predict",
        ],
    ),
    (
        Format::GeminiInteractions,
        &[
            "POST /v1beta/interactions",
            "GET /v1beta/interactions/{id}",
            "POST /v1beta/interactions/{id}/cancel",
            "DELETE /v1beta/interactions/{id}",
        ],
    ),
    (
        Format::GeminiLive,
        &[
            "WebSocket /ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent",
            "WebSocket /ws/google.cloud.aiplatform.v1beta1.LlmBidiService/BidiGenerateContent",
        ],
    ),
    (
        Format::BedrockConverse,
        &[
            "POST /model/{model}/converse",
            "POST /model/{model}/converse-stream",
            "POST /model/{model}/count-tokens",
        ],
    ),
    (
        Format::BedrockInvoke,
        &[
            "POST /model/{model}/invoke",
            "POST /model/{model}/invoke-with-response-stream",
        ],
    ),
    (
        Format::OllamaNative,
        &[
            "POST /api/chat",
            "POST /api/generate",
            "POST /api/embed",
            "POST /api/embeddings",
            "POST /api/show",
        ],
    ),
    (Format::MistralOcr, &["POST /v1/ocr"]),
    (Format::MistralFim, &["POST /v1/fim/completions"]),
];

/// The endpoint that the gateway finds there.
fn found(format: Format, line: &str) -> Endpoint {
    let (method, path) = line.split_once(' ').unwrap();
    let path = path.replace("{id}", "x").replace("{model}", "m");
    let mut headers = HeaderMap::new();
    if format.dialect() == Dialect::Anthropic {
        let version = HeaderName::from_static("anthropic-version");
        headers.insert(version, HeaderValue::from_static("2023-06-01"));
    }
    let method = if method == "WebSocket" {
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        Method::GET
    } else {
        method.parse().unwrap()
    };
    Endpoint::of(&method, &path, None, &headers).expect(line)
}

#[test]
fn every_path_on_the_page_is_one_and_all_that_can_be_asked_has_one() {
    let formats: Vec<Format> = PATHS.iter().map(|(format, _)| *format).collect();
    assert_eq!(formats, Format::ALL);
    for (format, lines) in PATHS {
        let mut asked = HashSet::new();
        for line in *lines {
            let found = found(*format, line);
            assert_eq!(found.format, *format, "{line}");
            asked.insert(found.operation);
        }
        let all: HashSet<_> = operations(*format).iter().copied().collect();
        assert_eq!(asked, all, "{format:?}");
    }
}
