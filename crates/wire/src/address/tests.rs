use super::*;
use http::{HeaderMap, HeaderValue, Method, header};
use proptest::prelude::*;
use tollgate_core::{
    error::Kind,
    id::ProviderId,
    provider::{Connection, OnClientGone, ReportCost, Site, UnpricedPolicy},
};

mod table;

/// A provider of this kind at its own place, or where settings must name one.
pub(crate) fn provider(kind: ProviderKind) -> Provider {
    let text = |text: &str| Some(text.to_owned());
    let site = Site {
        region: text("us-east-1"),
        project: text("acme"),
        location: text("us-east5"),
        api_version: None,
    };
    let base_url = kind.default_base_url(&site).unwrap_or_else(|| {
        let host = match kind {
            ProviderKind::Azure => "https://acme.services.ai.azure.com",
            ProviderKind::AnthropicCompatible => "https://api.z.ai/api/anthropic",
            _ => "http://127.0.0.1:8000/v1",
        };
        host.to_owned()
    });
    Provider {
        id: ProviderId::from_bytes([7; 16]),
        slug: "it".to_owned(),
        kind,
        base_url,
        site,
        credential: None,
        connection: Connection::default(),
        unpriced: UnpricedPolicy::default(),
        report_cost: ReportCost::default(),
        on_client_gone: OnClientGone::default(),
        prices: Vec::new(),
        cancel_stops_billing: true,
        allow_deferred: false,
        forward_trace: false,
    }
}

/// The endpoint behind a `POST`, or a `GET` that asks for a WebSocket.
pub(crate) fn endpoint(method: &Method, target: &str) -> Endpoint {
    let (path, query) = target
        .split_once('?')
        .map_or((target, None), |(p, q)| (p, Some(q)));
    let upgrade = (header::UPGRADE, HeaderValue::from_static("websocket"));
    let headers: HeaderMap = (*method == Method::GET)
        .then_some(upgrade)
        .into_iter()
        .collect();
    Endpoint::of(method, path, query, &headers).unwrap_or_else(|| panic!("{target}"))
}

fn posted(provider: &Provider, target: &str) -> String {
    url(provider, &endpoint(&Method::POST, target), "m").unwrap()
}

fn at(kind: ProviderKind, base_url: &str) -> Provider {
    Provider {
        base_url: base_url.to_owned(),
        ..provider(kind)
    }
}

#[test]
#[rustfmt::skip]
fn a_base_url_is_not_given_twice_what_it_has() {
    use ProviderKind::{
        Anthropic, AnthropicCompatible, Azure, Bedrock, BedrockMantle, DeepSeek, Fireworks,
        GoogleGemini, GoogleVertex, Groq, Mistral, Ollama, OpenAi, OpenAiCompatible, OpenRouter,
    };
    let chat = "/v1/chat/completions";
    let messages = "/v1/messages";
    let raw_predict = "/v1/publishers/anthropic/models/a:rawPredict";
    let table = [
        (OpenAi, "https://api.openai.com", chat, "https://api.openai.com/v1/chat/completions"),
        (OpenAi, "https://api.openai.com/v1/", chat, "https://api.openai.com/v1/chat/completions"),
        (OpenAi, "http://127.0.0.1:1/x", chat, "http://127.0.0.1:1/x/chat/completions"),
        (OpenAiCompatible, "http://h:1", chat, "http://h:1/chat/completions"),
        (Groq, "https://api.groq.com/openai/v1", chat, "https://api.groq.com/openai/v1/chat/completions"),
        (Groq, "https://api.groq.com/openai", chat, "https://api.groq.com/openai/v1/chat/completions"),
        (Mistral, "https://api.eu.mistral.ai/v1", chat, "https://api.eu.mistral.ai/v1/chat/completions"),
        (Anthropic, "https://api.anthropic.com/v1", messages, "https://api.anthropic.com/v1/messages"),
        (AnthropicCompatible, "https://h/anthropic/v1", messages, "https://h/anthropic/v1/messages"),
        (AnthropicCompatible, "https://h/v1x", messages, "https://h/v1x/v1/messages"),
        (DeepSeek, "https://api.deepseek.com/anthropic", messages, "https://api.deepseek.com/anthropic/v1/messages"),
        (DeepSeek, "https://api.deepseek.com/anthropic", chat, "https://api.deepseek.com/chat/completions"),
        (DeepSeek, "https://api.deepseek.com/v1", messages, "https://api.deepseek.com/anthropic/v1/messages"),
        (OpenRouter, "https://openrouter.ai/api", messages, "https://openrouter.ai/api/v1/messages"),
        (Fireworks, "https://api.fireworks.ai/inference", messages, "https://api.fireworks.ai/inference/v1/messages"),
        (GoogleGemini, "https://g/v1beta/openai", "/v1/models/a:countTokens", "https://g/v1beta/models/m:countTokens"),
        (GoogleGemini, "https://g/v1", chat, "https://g/v1beta/openai/chat/completions"),
        (
            GoogleVertex, "https://h/v1/projects/acme/locations/us-east5", raw_predict,
            "https://h/v1/projects/acme/locations/us-east5/publishers/anthropic/models/m:rawPredict",
        ),
        (Azure, "https://r.openai.azure.com/openai/v1", chat, "https://r.openai.azure.com/openai/v1/chat/completions"),
        (Azure, "https://r.services.ai.azure.com/anthropic", messages, "https://r.services.ai.azure.com/anthropic/v1/messages"),
        (Azure, "https://r.services.ai.azure.com/anthropic", chat, "https://r.services.ai.azure.com/openai/v1/chat/completions"),
        (Bedrock, "https://b/openai/v1", "/model/m/converse", "https://b/model/m/converse"),
        (BedrockMantle, "https://b/v1", chat, "https://b/openai/v1/chat/completions"),
        (BedrockMantle, "https://b/openai/v1", messages, "https://b/anthropic/v1/messages"),
        (Ollama, "http://127.0.0.1:11434/v1", "/api/chat", "http://127.0.0.1:11434/api/chat"),
        (Ollama, "http://127.0.0.1:11434/api", chat, "http://127.0.0.1:11434/v1/chat/completions"),
    ];
    for (kind, base_url, target, expected) in table {
        assert_eq!(posted(&at(kind, base_url), target), expected, "{kind:?} {base_url}");
    }
}

#[test]
fn azure_s_older_paths_are_asked_for_by_a_version() {
    let mut azure = at(ProviderKind::Azure, "https://r.openai.azure.com");
    azure.site.api_version = Some("2025-04-01-preview".to_owned());
    let version = "api-version=2025-04-01-preview";
    let below = |rest: &str| format!("https://r.openai.azure.com/openai{rest}?{version}");
    for (target, expected) in [
        ("/v1/chat/completions", "/deployments/m/chat/completions"),
        (
            "/openai/deployments/other/embeddings?api-version=1",
            "/deployments/m/embeddings",
        ),
        ("/v1/images/edits", "/deployments/m/images/edits"),
        ("/v1/audio/speech", "/deployments/m/audio/speech"),
        ("/v1/responses", "/responses"),
        ("/v1/files", "/files"),
        ("/v1/batches", "/batches"),
    ] {
        assert_eq!(posted(&azure, target), below(expected), "{target}");
    }
    let messages = "https://r.openai.azure.com/anthropic/v1/messages?beta=true";
    assert_eq!(posted(&azure, "/v1/messages?beta=true"), messages);
    let socket = endpoint(&Method::GET, "/v1/realtime?model=x");
    let expected = "https://r.openai.azure.com/openai/realtime?deployment=m&";
    assert_eq!(
        url(&azure, &socket, "m").unwrap(),
        format!("{expected}{version}")
    );
    for model in ["..", ".", ""] {
        let chat = endpoint(&Method::POST, "/v1/chat/completions");
        assert_eq!(
            url(&azure, &chat, model).unwrap_err().kind(),
            Kind::BadRequest,
            "{model}"
        );
    }
}

#[test]
fn vertex_without_a_project_is_express_mode_and_has_no_openai_endpoint() {
    let mut vertex = at(
        ProviderKind::GoogleVertex,
        "https://aiplatform.googleapis.com",
    );
    vertex.site.project = None;
    assert_eq!(
        posted(&vertex, "/v1beta/models/a:generateContent"),
        "https://aiplatform.googleapis.com/v1beta1/publishers/google/models/m:generateContent"
    );
    let chat = endpoint(&Method::POST, "/v1/chat/completions");
    assert_eq!(
        url(&vertex, &chat, "m").unwrap_err().kind(),
        Kind::Unavailable
    );
    vertex.site.project = Some("a.com:b/../c".to_owned());
    vertex.site.location = None;
    assert_eq!(
        posted(&vertex, "/v1/chat/completions"),
        "https://aiplatform.googleapis.com/v1/projects/a.com%3Ab%2F..%2Fc/locations/global\
         /endpoints/openapi/chat/completions"
    );
}

#[test]
fn lists_of_models_are_beside_the_formats() {
    let list = |kind, path| {
        let list = Endpoint::of(&Method::GET, path, None, &HeaderMap::new()).unwrap();
        url(&provider(kind), &list, "").unwrap()
    };
    let groq = "https://api.groq.com/openai/v1/models";
    assert_eq!(list(ProviderKind::Groq, "/v1/models"), groq);
    assert_eq!(
        list(ProviderKind::Ollama, "/api/tags"),
        "http://127.0.0.1:11434/api/tags"
    );
    let gemini = "https://generativelanguage.googleapis.com/v1beta/models";
    assert_eq!(list(ProviderKind::GoogleGemini, "/v1beta/models"), gemini);
}

#[test]
fn the_path_of_what_is_stored_and_the_query_are_kept() {
    let openai = provider(ProviderKind::OpenAi);
    let read = Endpoint::of(
        &Method::GET,
        "/files/a%2Fb/content",
        Some("x=%2F&key=k"),
        &HeaderMap::new(),
    );
    assert_eq!(
        url(&openai, &read.unwrap(), "").unwrap(),
        "https://api.openai.com/v1/files/a%2Fb/content?x=%2F"
    );
}

#[test]
fn hostile_names_of_models_stay_one_segment_or_are_refused() {
    let table = [
        ("v1/files", "v1%2Ffiles"),
        ("%2e%2e/x", "%252e%252e%2Fx"),
        ("...", "..."),
        ("@evil.example", "%40evil.example"),
        ("m?key=1", "m%3Fkey%3D1"),
        ("m#x", "m%23x"),
        ("a b\r\nhost: c", "a%20b%0D%0Ahost%3A%20c"),
        ("\\\\evil", "%5C%5Cevil"),
        ("модель", "%D0%BC%D0%BE%D0%B4%D0%B5%D0%BB%D1%8C"),
    ];
    let gemini = provider(ProviderKind::GoogleGemini);
    let bedrock = provider(ProviderKind::Bedrock);
    let generate = endpoint(&Method::POST, "/v1beta/models/m:generateContent");
    let converse = endpoint(&Method::POST, "/model/m/converse");
    for (model, encoded) in table {
        let google = "https://generativelanguage.googleapis.com/v1beta/models";
        let expected = format!("{google}/{encoded}:generateContent");
        assert_eq!(url(&gemini, &generate, model).unwrap(), expected);
        let amazon = "https://bedrock-runtime.us-east-1.amazonaws.com/model";
        let expected = format!("{amazon}/{encoded}/converse");
        assert_eq!(url(&bedrock, &converse, model).unwrap(), expected);
    }
    for model in ["..", ".", "", "../../v1/files", "a/../b", "a\\..", "./a"] {
        for (provider, endpoint) in [(&bedrock, &converse), (&gemini, &generate)] {
            let refused = url(provider, endpoint, model).unwrap_err();
            assert_eq!(refused.kind(), Kind::BadRequest, "{model}");
        }
    }
}

proptest! {
    #[test]
    fn any_name_of_a_model_is_read_back_from_its_one_segment(model in "\\PC{1,60}") {
        prop_assume!(!segment::climbs(&model));
        let cases = [
            (ProviderKind::GoogleGemini, "/v1beta/models/m:countTokens"),
            (ProviderKind::Bedrock, "/model/m/invoke"),
        ];
        for (kind, target) in cases {
            let provider = provider(kind);
            let url = url(&provider, &endpoint(&Method::POST, target), &model).unwrap();
            let path = url.strip_prefix(&provider.base_url).unwrap();
            prop_assert_eq!(path.matches('/').count(), 3);
            prop_assert!(!path.contains(['?', '#', '@', '\\', ' ']));
            let read = Endpoint::of(&Method::POST, path, None, &HeaderMap::new());
            prop_assert_eq!(read.and_then(|read| read.model), Some(model.clone()));
        }
    }
}
