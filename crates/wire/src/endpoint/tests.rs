use super::*;
use crate::address;
use tollgate_core::provider::ProviderKind;
use proptest::prelude::*;

fn post(path: &str) -> Option<Endpoint> {
    Endpoint::of(&Method::POST, path, None)
}

#[test]
#[rustfmt::skip]
fn endpoints_are_known_under_every_path_clients_use() {
    use Format::{
        AnthropicMessages as Messages, GeminiGenerate as Gemini, OpenAiChat as Chat,
        OpenAiEmbeddings as Embeddings, OpenAiResponses as Responses,
    };
    use Operation::{CountTokens, Embed, Generate};
    let table = [
        ("/chat/completions", Chat, Generate, None, false),
        ("/v1/chat/completions", Chat, Generate, None, false),
        ("/openai/v1/chat/completions", Chat, Generate, None, false),
        ("/responses", Responses, Generate, None, false),
        ("/v1/responses", Responses, Generate, None, false),
        ("/embeddings", Embeddings, Embed, None, false),
        ("/v1/embeddings", Embeddings, Embed, None, false),
        ("/v1/messages", Messages, Generate, None, false),
        ("/messages", Messages, Generate, None, false),
        ("/v1/messages/count_tokens", Messages, CountTokens, None, false),
        ("/messages/count_tokens", Messages, CountTokens, None, false),
        ("/v1/models/m:generateContent", Gemini, Generate, Some("m"), false),
        ("/v1beta/models/m:streamGenerateContent", Gemini, Generate, Some("m"), true),
        ("/v1beta/models/m%3AcountTokens", Gemini, CountTokens, Some("m"), false),
        ("/v1beta/models/a:b:generateContent", Gemini, Generate, Some("a:b"), false),
        ("/v1beta1/publishers/google/models/m:generateContent", Gemini, Generate, Some("m"), false),
        (
            "/v1/projects/p/locations/eu/publishers/google/models/m:streamGenerateContent",
            Gemini, Generate, Some("m"), true,
        ),
    ];
    for (path, format, operation, model, stream) in table {
        let expected = Endpoint {
            object: None,
            tail: String::new(),
            format,
            operation,
            model: model.map(str::to_owned),
            stream,
            query: String::new(),
        };
        assert_eq!(post(path), Some(expected), "{path}");
    }
}

#[test]
fn lists_of_models_are_known_and_may_name_one() {
    let table = [
        ("/models", Format::OpenAiChat, None),
        ("/v1/models", Format::OpenAiChat, None),
        ("/openai/v1/models", Format::OpenAiChat, None),
        ("/v1/models/gpt-5.2", Format::OpenAiChat, Some("gpt-5.2")),
        (
            "/v1/models/openai%2Fgpt-oss",
            Format::OpenAiChat,
            Some("openai/gpt-oss"),
        ),
        (
            "/v1/models/openai/gpt-oss",
            Format::OpenAiChat,
            Some("openai/gpt-oss"),
        ),
        ("/v1beta/models", Format::GeminiGenerate, None),
    ];
    for (path, format, model) in table {
        let found = Endpoint::of(&Method::GET, path, None).expect(path);
        assert_eq!(
            (found.format, found.operation),
            (format, Operation::ListModels),
            "{path}"
        );
        assert_eq!(found.model.as_deref(), model, "{path}");
    }
}

#[test]
fn what_is_not_in_the_table_does_not_exist() {
    for path in [
        "",
        "/",
        "chat/completions",
        "/chat/completions/",
        "/chat//completions",
        "/v1/v1/chat/completions",
        "/v2/chat/completions",
        "/chat/completions/../files",
        "/files",
        "/v1/messages/batches",
        "/v1beta/models/m",
        "/v1beta/models/m:predict",
        "/v1beta/models/:generateContent",
        "/v1beta/models/a/b:generateContent",
        "/v1beta/models/%zz:generateContent",
        "/v1beta/models/%ff:generateContent",
        "/v1beta/models/a%0d%0ab:generateContent",
        "/v1beta1/publishers/anthropic/models/m:generateContent",
    ] {
        assert_eq!(post(path), None, "{path}");
    }
    for method in [Method::GET, Method::PUT, Method::DELETE, Method::OPTIONS] {
        assert_eq!(Endpoint::of(&method, "/chat/completions", None), None);
    }
    assert_eq!(Endpoint::of(&Method::POST, "/models", None), None);
    let long = "m".repeat(MODEL_BYTES_MAX + 1);
    assert_eq!(post(&format!("/v1/models/{long}:generateContent")), None);
}

#[test]
fn credentials_in_the_query_stop_here_and_the_rest_keeps_its_bytes() {
    let kept = |query| {
        Endpoint::of(
            &Method::POST,
            "/v1beta/models/m:generateContent",
            Some(query),
        )
        .unwrap()
        .query
    };
    assert_eq!(kept("alt=sse&key=secret&x=%2F+1"), "alt=sse&x=%2F+1");
    assert_eq!(kept("KEY=secret&k%65y=secret&%6bey=secret"), "");
    assert_eq!(
        kept("access_token=a&api_key=b&api-key=c&x-goog-api-key=d&beta=true"),
        "beta=true"
    );
    assert_eq!(kept("key"), "");
    assert_eq!(kept("+key=secret&%20key=secret&%zz=1"), "");
    assert_eq!(kept("&&a=1&#b=2&c d=3"), "a=1");
}

#[test]
fn what_would_reshape_the_answer_stays_out_of_the_query() {
    let kept = |query: &str| {
        Endpoint::of(&Method::POST, "/v1/models/m:generateContent", Some(query))
            .unwrap()
            .query
    };
    let hidden = [
        "fields=candidates",
        "%66ields=candidates",
        "FIELDS=candidates",
        "$fields=candidates",
        "%24fields=candidates",
        "callback=f",
        "alt=proto",
        "alt=%70roto",
        "$alt=json;enum-encoding=int",
        "ALT=proto",
        "%20alt=proto",
        "alt",
        "$httpHeaders=x-goog-fieldmask:candidates",
        "$req={}",
        "$key=secret",
        "$access_token=secret",
    ];
    for pair in hidden {
        assert_eq!(kept(&format!("{pair}&a=1")), "a=1", "{pair}");
    }
    for pair in [
        "alt=sse",
        "alt=json",
        "$alt=sse",
        "%24alt=json",
        "alt=%73se",
        "prettyPrint=0",
    ] {
        assert_eq!(kept(pair), pair);
    }
    // Two forms could be read as one by us and as the other by the upstream.
    assert_eq!(kept("alt=proto&alt=json&x=1&$alt=sse"), "alt=json&x=1");
}

#[test]
fn the_same_endpoint_upstream_follows_the_kind_of_the_provider() {
    use ProviderKind::{Anthropic, AnthropicCompatible, GoogleGemini, OpenAi, OpenAiCompatible};
    let table = [
        ("/v1/chat/completions", OpenAi, "/chat/completions"),
        ("/chat/completions", OpenAiCompatible, "/chat/completions"),
        ("/chat/completions", Anthropic, "/v1/chat/completions"),
        (
            "/chat/completions",
            GoogleGemini,
            "/v1beta/openai/chat/completions",
        ),
        ("/responses", OpenAi, "/responses"),
        ("/v1/embeddings", OpenAi, "/embeddings"),
        ("/messages", Anthropic, "/v1/messages"),
        (
            "/v1/messages/count_tokens",
            AnthropicCompatible,
            "/v1/messages/count_tokens",
        ),
        (
            "/v1beta1/publishers/google/models/a:generateContent",
            GoogleGemini,
            "/v1beta/models/b:generateContent",
        ),
    ];
    for (path, kind, expected) in table {
        assert_eq!(
            address::path(kind, &post(path).expect(path), "b"),
            expected,
            "{path}"
        );
    }
    let beta = Endpoint::of(&Method::POST, "/v1/messages", Some("beta=true&key=k")).unwrap();
    assert_eq!(address::path(Anthropic, &beta, "m"), "/v1/messages?beta=true");
}

#[test]
fn a_gemini_stream_is_an_array_unless_sse_was_asked_for() {
    let framing = |query| {
        Endpoint::of(&Method::POST, "/v1/models/m:streamGenerateContent", query)
            .unwrap()
            .framing()
    };
    assert_eq!(framing(Some("alt=sse")), Framing::Sse);
    assert_eq!(framing(Some("%24alt=sse")), Framing::Sse);
    assert_eq!(framing(Some("alt=json")), Framing::JsonArray);
    assert_eq!(framing(Some("alt=json&alt=sse")), Framing::JsonArray);
    assert_eq!(framing(None), Framing::JsonArray);
    assert_eq!(post("/v1/messages").unwrap().framing(), Framing::Sse);
}

#[test]
fn hostile_model_names_stay_one_segment() {
    let table = [
        ("../../v1/files", "..%2F..%2Fv1%2Ffiles"),
        ("%2e%2e/x", "%252e%252e%2Fx"),
        ("..", ".."),
        ("@evil.example", "%40evil.example"),
        ("m?key=1", "m%3Fkey%3D1"),
        ("m#x", "m%23x"),
        ("a b\r\nhost: c", "a%20b%0D%0Ahost%3A%20c"),
        ("\\\\evil", "%5C%5Cevil"),
        ("модель", "%D0%BC%D0%BE%D0%B4%D0%B5%D0%BB%D1%8C"),
    ];
    let endpoint = post("/v1beta/models/m:generateContent").unwrap();
    for (model, encoded) in table {
        assert_eq!(
            address::path(ProviderKind::GoogleGemini, &endpoint, model),
            format!("/v1beta/models/{encoded}:generateContent"),
        );
    }
}

#[test]
fn a_query_value_can_end_neither_itself_nor_the_query() {
    assert_eq!(
        encode_query_value("a&b=c#d +%\u{e4}"),
        "a%26b%3Dc%23d%20%2B%25%C3%A4"
    );
}

proptest! {
    #[test]
    fn any_model_name_is_read_back_from_its_one_segment(model in "\\PC{1,60}") {
        let endpoint = post("/v1beta/models/m:countTokens").unwrap();
        let path = address::path(ProviderKind::GoogleGemini, &endpoint, &model);
        prop_assert_eq!(path.matches('/').count(), 3);
        prop_assert!(!path.contains(['?', '#', '@', '\\', ' ']));
        prop_assert_eq!(post(&path).and_then(|read| read.model), Some(model));
    }
}
