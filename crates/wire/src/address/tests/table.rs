//! Where each kind keeps each format it speaks: one row for each, the address whole.

use super::*;
use crate::{
    envelope::{Letter, envelope},
    facts::RequestFacts,
};
use Format::*;
use ProviderKind::*;
use bytes::Bytes;
use std::collections::BTreeSet;

/// A request in each format, as a client sends it.
fn request(format: Format) -> Endpoint {
    let (method, target) = match format {
        OpenAiChat => (Method::POST, "/v1/chat/completions"),
        OpenAiResponses => (Method::POST, "/v1/responses"),
        OpenAiCompletions => (Method::POST, "/v1/completions"),
        OpenAiEmbeddings => (Method::POST, "/v1/embeddings"),
        OpenAiImages => (Method::POST, "/v1/images/edits"),
        OpenAiSpeech => (Method::POST, "/v1/audio/speech"),
        OpenAiTranscription => (Method::POST, "/v1/audio/translations"),
        OpenAiModerations => (Method::POST, "/v1/moderations"),
        OpenAiFiles => (Method::POST, "/v1/files"),
        OpenAiBatches => (Method::POST, "/v1/batches"),
        OpenAiRealtime => (Method::GET, "/v1/realtime?model=x"),
        OpenAiResponsesSocket => (Method::GET, "/v1/responses"),
        AnthropicMessages => (Method::POST, "/v1/messages"),
        AnthropicBatches => (Method::POST, "/v1/messages/batches"),
        AnthropicFiles => (Method::POST, "/anthropic/v1/files"),
        VertexRawPredict => (
            Method::POST,
            "/v1/publishers/anthropic/models/x:streamRawPredict",
        ),
        GeminiGenerate => (Method::POST, "/v1/models/x:streamGenerateContent?alt=sse"),
        GeminiEmbed => (Method::POST, "/v1/models/x:embedContent"),
        GeminiInteractions => (Method::POST, "/v1/interactions"),
        GeminiLive => (
            Method::GET,
            "/ws/google.cloud.aiplatform.v1.LlmBidiService/BidiGenerateContent",
        ),
        BedrockConverse => (Method::POST, "/model/x/converse-stream"),
        BedrockInvoke => (Method::POST, "/model/x/invoke"),
        OllamaNative => (Method::POST, "/api/embed"),
        MistralOcr => (Method::POST, "/v1/ocr"),
        MistralFim => (Method::POST, "/v1/fim/completions"),
    };
    let found = endpoint(&method, target);
    assert_eq!(found.format, format);
    found
}

fn sent_to(kind: ProviderKind, format: Format) -> String {
    let letter = Letter {
        endpoint: &request(format),
        facts: &RequestFacts::default(),
        headers: &HeaderMap::new(),
        body: &Bytes::from_static(b"{}"),
    };
    envelope(&provider(kind), "a:b/c", letter).unwrap().url
}

const OPENAI: &str = "https://api.openai.com/v1";
const ANTHROPIC: &str = "https://api.anthropic.com/v1";
const GEMINI: &str = "https://generativelanguage.googleapis.com";
const VERTEX: &str = "https://us-east5-aiplatform.googleapis.com";
const PLACE: &str = "/projects/acme/locations/us-east5";
const AZURE: &str = "https://acme.services.ai.azure.com";
const BEDROCK: &str = "https://bedrock-runtime.us-east-1.amazonaws.com";
const MANTLE: &str = "https://bedrock-mantle.us-east-1.api.aws";
const GROQ: &str = "https://api.groq.com/openai/v1";
const MISTRAL: &str = "https://api.mistral.ai/v1";
const OLLAMA: &str = "http://127.0.0.1:11434";
const DOUBLEWORD: &str = "https://api.doubleword.ai/v1";
const OPENROUTER: &str = "https://openrouter.ai/api/v1";
const TOGETHER: &str = "https://api.together.ai/v1";
const FIREWORKS: &str = "https://api.fireworks.ai/inference/v1";
const OVH: &str = "https://oai.endpoints.kepler.ai.cloud.ovh.net/v1";
const LOCAL: &str = "http://127.0.0.1:8000/v1";
const XAI: &str = "https://api.x.ai/v1";
const ROUTER: &str = "https://router.huggingface.co/v1";
const DEEPSEEK: &str = "https://api.deepseek.com";
const CEREBRAS: &str = "https://api.cerebras.ai/v1";

/// Kind, format, base, and what follows.
#[rustfmt::skip]
const TABLE: &[(ProviderKind, Format, &str, &str)] = &[
    (OpenAi, OpenAiChat, OPENAI, "/chat/completions"),
    (OpenAi, OpenAiResponses, OPENAI, "/responses"),
    (OpenAi, OpenAiCompletions, OPENAI, "/completions"),
    (OpenAi, OpenAiEmbeddings, OPENAI, "/embeddings"),
    (OpenAi, OpenAiImages, OPENAI, "/images/edits"),
    (OpenAi, OpenAiSpeech, OPENAI, "/audio/speech"),
    (OpenAi, OpenAiTranscription, OPENAI, "/audio/translations"),
    (OpenAi, OpenAiModerations, OPENAI, "/moderations"),
    (OpenAi, OpenAiFiles, OPENAI, "/files"),
    (OpenAi, OpenAiBatches, OPENAI, "/batches"),
    (OpenAi, OpenAiRealtime, OPENAI, "/realtime?model=a%3Ab%2Fc"),
    (OpenAi, OpenAiResponsesSocket, OPENAI, "/responses"),
    (Anthropic, AnthropicMessages, ANTHROPIC, "/messages"),
    (Anthropic, AnthropicBatches, ANTHROPIC, "/messages/batches"),
    (Anthropic, AnthropicFiles, ANTHROPIC, "/files"),
    (GoogleGemini, GeminiGenerate, GEMINI, "/v1beta/models/a%3Ab%2Fc:streamGenerateContent?alt=sse"),
    (GoogleGemini, GeminiEmbed, GEMINI, "/v1beta/models/a%3Ab%2Fc:embedContent"),
    (GoogleGemini, GeminiInteractions, GEMINI, "/v1beta/interactions"),
    (GoogleGemini, GeminiLive, GEMINI, "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent"),
    (GoogleGemini, OpenAiChat, GEMINI, "/v1beta/openai/chat/completions"),
    (GoogleGemini, OpenAiEmbeddings, GEMINI, "/v1beta/openai/embeddings"),
    (GoogleVertex, GeminiGenerate, VERTEX, "/v1beta1{place}/publishers/google/models/a%3Ab%2Fc:streamGenerateContent?alt=sse"),
    (GoogleVertex, GeminiEmbed, VERTEX, "/v1beta1{place}/publishers/google/models/a%3Ab%2Fc:embedContent"),
    (GoogleVertex, GeminiLive, VERTEX, "/ws/google.cloud.aiplatform.v1beta1.LlmBidiService/BidiGenerateContent"),
    (GoogleVertex, AnthropicMessages, VERTEX, "/v1{place}/publishers/anthropic/models/a%3Ab%2Fc:rawPredict"),
    (GoogleVertex, VertexRawPredict, VERTEX, "/v1{place}/publishers/anthropic/models/a%3Ab%2Fc:streamRawPredict"),
    (GoogleVertex, OpenAiChat, VERTEX, "/v1{place}/endpoints/openapi/chat/completions"),
    (GoogleVertex, OpenAiResponses, VERTEX, "/v1{place}/publishers/openai/v1/responses"),
    (Azure, OpenAiChat, AZURE, "/openai/v1/chat/completions"),
    (Azure, OpenAiResponses, AZURE, "/openai/v1/responses"),
    (Azure, OpenAiCompletions, AZURE, "/openai/v1/completions"),
    (Azure, OpenAiEmbeddings, AZURE, "/openai/v1/embeddings"),
    (Azure, OpenAiImages, AZURE, "/openai/v1/images/edits"),
    (Azure, OpenAiSpeech, AZURE, "/openai/v1/audio/speech"),
    (Azure, OpenAiTranscription, AZURE, "/openai/v1/audio/translations"),
    (Azure, OpenAiFiles, AZURE, "/openai/v1/files"),
    (Azure, OpenAiBatches, AZURE, "/openai/v1/batches"),
    (Azure, OpenAiRealtime, AZURE, "/openai/v1/realtime?model=a%3Ab%2Fc"),
    (Azure, AnthropicMessages, AZURE, "/anthropic/v1/messages"),
    (Bedrock, BedrockConverse, BEDROCK, "/model/a%3Ab%2Fc/converse-stream"),
    (Bedrock, BedrockInvoke, BEDROCK, "/model/a%3Ab%2Fc/invoke"),
    (Bedrock, AnthropicMessages, BEDROCK, "/model/a%3Ab%2Fc/invoke"),
    (Bedrock, OpenAiChat, BEDROCK, "/openai/v1/chat/completions"),
    (Bedrock, OpenAiResponses, BEDROCK, "/openai/v1/responses"),
    (BedrockMantle, AnthropicMessages, MANTLE, "/anthropic/v1/messages"),
    (BedrockMantle, OpenAiChat, MANTLE, "/openai/v1/chat/completions"),
    (BedrockMantle, OpenAiResponses, MANTLE, "/openai/v1/responses"),
    (Groq, OpenAiChat, GROQ, "/chat/completions"),
    (Groq, OpenAiResponses, GROQ, "/responses"),
    (Groq, OpenAiEmbeddings, GROQ, "/embeddings"),
    (Groq, OpenAiSpeech, GROQ, "/audio/speech"),
    (Groq, OpenAiTranscription, GROQ, "/audio/translations"),
    (Groq, OpenAiFiles, GROQ, "/files"),
    (Groq, OpenAiBatches, GROQ, "/batches"),
    (Mistral, OpenAiChat, MISTRAL, "/chat/completions"),
    (Mistral, OpenAiResponses, MISTRAL, "/responses"),
    (Mistral, OpenAiEmbeddings, MISTRAL, "/embeddings"),
    (Mistral, OpenAiTranscription, MISTRAL, "/audio/translations"),
    (Mistral, OpenAiModerations, MISTRAL, "/moderations"),
    (Mistral, OpenAiFiles, MISTRAL, "/files"),
    (Mistral, MistralOcr, MISTRAL, "/ocr"),
    (Mistral, MistralFim, MISTRAL, "/fim/completions"),
    (HuggingFace, OpenAiChat, ROUTER, "/chat/completions"),
    (HuggingFace, OpenAiResponses, ROUTER, "/responses"),
    (Ollama, OllamaNative, OLLAMA, "/api/embed"),
    (Ollama, OpenAiChat, OLLAMA, "/v1/chat/completions"),
    (Ollama, OpenAiResponses, OLLAMA, "/v1/responses"),
    (Ollama, OpenAiCompletions, OLLAMA, "/v1/completions"),
    (Ollama, OpenAiEmbeddings, OLLAMA, "/v1/embeddings"),
    (Ollama, AnthropicMessages, OLLAMA, "/v1/messages"),
    (Doubleword, OpenAiChat, DOUBLEWORD, "/chat/completions"),
    (Doubleword, OpenAiResponses, DOUBLEWORD, "/responses"),
    (Doubleword, OpenAiCompletions, DOUBLEWORD, "/completions"),
    (Doubleword, OpenAiEmbeddings, DOUBLEWORD, "/embeddings"),
    (Doubleword, OpenAiFiles, DOUBLEWORD, "/files"),
    (Doubleword, OpenAiBatches, DOUBLEWORD, "/batches"),
    (Doubleword, AnthropicMessages, DOUBLEWORD, "/messages"),
    (OpenRouter, OpenAiChat, OPENROUTER, "/chat/completions"),
    (OpenRouter, OpenAiResponses, OPENROUTER, "/responses"),
    (OpenRouter, OpenAiEmbeddings, OPENROUTER, "/embeddings"),
    (OpenRouter, AnthropicMessages, OPENROUTER, "/messages"),
    (DeepSeek, OpenAiChat, DEEPSEEK, "/chat/completions"),
    (DeepSeek, AnthropicMessages, DEEPSEEK, "/anthropic/v1/messages"),
    (XAi, OpenAiChat, XAI, "/chat/completions"),
    (XAi, OpenAiResponses, XAI, "/responses"),
    (XAi, OpenAiEmbeddings, XAI, "/embeddings"),
    (XAi, OpenAiImages, XAI, "/images/edits"),
    (XAi, AnthropicMessages, XAI, "/messages"),
    (Together, OpenAiChat, TOGETHER, "/chat/completions"),
    (Together, OpenAiCompletions, TOGETHER, "/completions"),
    (Together, OpenAiEmbeddings, TOGETHER, "/embeddings"),
    (Together, OpenAiImages, TOGETHER, "/images/edits"),
    (Together, OpenAiSpeech, TOGETHER, "/audio/speech"),
    (Together, OpenAiTranscription, TOGETHER, "/audio/translations"),
    (Fireworks, OpenAiChat, FIREWORKS, "/chat/completions"),
    (Fireworks, OpenAiResponses, FIREWORKS, "/responses"),
    (Fireworks, OpenAiCompletions, FIREWORKS, "/completions"),
    (Fireworks, OpenAiEmbeddings, FIREWORKS, "/embeddings"),
    (Fireworks, AnthropicMessages, FIREWORKS, "/messages"),
    (Cerebras, OpenAiChat, CEREBRAS, "/chat/completions"),
    (Cerebras, OpenAiCompletions, CEREBRAS, "/completions"),
    (OvhCloud, OpenAiChat, OVH, "/chat/completions"),
    (OvhCloud, OpenAiResponses, OVH, "/responses"),
    (OvhCloud, OpenAiCompletions, OVH, "/completions"),
    (OvhCloud, OpenAiEmbeddings, OVH, "/embeddings"),
    (OvhCloud, OpenAiTranscription, OVH, "/audio/translations"),
    (OpenAiCompatible, OpenAiChat, LOCAL, "/chat/completions"),
    (OpenAiCompatible, OpenAiResponses, LOCAL, "/responses"),
    (OpenAiCompatible, OpenAiCompletions, LOCAL, "/completions"),
    (OpenAiCompatible, OpenAiEmbeddings, LOCAL, "/embeddings"),
    (OpenAiCompatible, OpenAiImages, LOCAL, "/images/edits"),
    (OpenAiCompatible, OpenAiSpeech, LOCAL, "/audio/speech"),
    (OpenAiCompatible, OpenAiTranscription, LOCAL, "/audio/translations"),
    (OpenAiCompatible, OpenAiModerations, LOCAL, "/moderations"),
    (AnthropicCompatible, AnthropicMessages, "https://api.z.ai/api/anthropic", "/v1/messages"),
];

#[test]
fn every_format_has_its_place_at_every_kind_that_speaks_it() {
    let mut seen = BTreeSet::new();
    for (kind, format, base, rest) in TABLE {
        assert!(
            seen.insert((kind.as_str(), *format)),
            "{kind:?} {format:?} stands there twice"
        );
        let rest = rest.replace("{place}", PLACE);
        assert_eq!(
            sent_to(*kind, *format),
            format!("{base}{rest}"),
            "{kind:?} {format:?}"
        );
    }
    // The simulated provider is never dialled.
    let spoken = ProviderKind::ALL
        .into_iter()
        .filter(|kind| *kind != Simulated);
    let spoken: BTreeSet<_> = spoken
        .flat_map(|kind| {
            kind.formats()
                .iter()
                .map(move |format| (kind.as_str(), *format))
        })
        .collect();
    assert_eq!(seen, spoken);
}
