use super::*;
use serde_json::Value;
use std::{collections::BTreeMap, fmt::Write};
use tollgate_core::{clock::Timestamp, format::Format};

mod bedrock;

const PLAIN: CallerTraits = CallerTraits { codex: false };
const CODEX: CallerTraits = CallerTraits { codex: true };

fn request_id() -> RequestId {
    RequestId::from_bytes([0x11; 16])
}

/// An error as the pipeline would make it: limits say when they reset, rate limits when to return.
fn sample(kind: Kind) -> Error {
    let error = Error::new(kind, format!("text of \"{}\"", kind.code())).with_context("not shown");
    match kind {
        Kind::LimitReached => error.with_resets_at(Timestamp::from_second(1_795_305_600).unwrap()),
        Kind::RateLimited => error.with_retry_after(Duration::from_millis(1_500)),
        _ => error,
    }
}

fn written(rendered: &Rendered) -> String {
    let mut text = format!("{}\n", rendered.status);
    for (name, value) in &rendered.headers {
        writeln!(text, "{name}: {}", value.to_str().unwrap()).unwrap();
    }
    text.push_str(std::str::from_utf8(&rendered.body).unwrap());
    text
}

fn every_kind(dialect: Dialect, caller: CallerTraits) -> String {
    let one = |kind: Kind| {
        let rendered = render(&sample(kind), dialect, request_id(), caller);
        format!("## {kind:?}\n{}\n", written(&rendered))
    };
    Kind::ALL.map(one).join("\n")
}

#[test]
fn every_kind_in_the_openai_dialect() {
    insta::assert_snapshot!(every_kind(Dialect::OpenAi, PLAIN));
}

#[test]
fn every_kind_to_codex() {
    insta::assert_snapshot!(every_kind(Dialect::OpenAi, CODEX));
}

#[test]
fn every_kind_in_the_anthropic_dialect() {
    insta::assert_snapshot!(every_kind(Dialect::Anthropic, PLAIN));
}

#[test]
fn every_kind_in_the_google_dialect() {
    insta::assert_snapshot!(every_kind(Dialect::Google, PLAIN));
}

#[test]
fn every_kind_in_a_stream() {
    let forms = [
        ("chat", StreamForm::Sse(Format::OpenAiChat), PLAIN),
        ("responses", StreamForm::Sse(Format::OpenAiResponses), PLAIN),
        (
            "responses to codex",
            StreamForm::Sse(Format::OpenAiResponses),
            CODEX,
        ),
        (
            "anthropic",
            StreamForm::Sse(Format::AnthropicMessages),
            PLAIN,
        ),
        ("gemini", StreamForm::Sse(Format::GeminiGenerate), PLAIN),
        (
            "gemini array",
            StreamForm::GeminiArray { unopened: false },
            PLAIN,
        ),
        (
            "gemini array, first",
            StreamForm::GeminiArray { unopened: true },
            PLAIN,
        ),
    ];
    let mut text = String::new();
    for (name, form, caller) in forms {
        writeln!(text, "## {name}").unwrap();
        for kind in Kind::ALL {
            let event = stream_event(&sample(kind), form, request_id(), caller);
            let event = std::str::from_utf8(&event).unwrap();
            writeln!(text, "{}", event.replace('\r', "\\r").replace('\n', "\\n")).unwrap();
        }
    }
    insta::assert_snapshot!(text);
}

#[test]
fn terminal_refusals_say_so_and_only_rate_limits_name_a_delay() {
    for kind in Kind::ALL {
        for dialect in Dialect::ALL {
            let headers = render(&sample(kind), dialect, request_id(), PLAIN).headers;
            let never = sample(kind).retry() == Retry::Never;
            assert_eq!(
                headers.get(SHOULD_RETRY).is_some_and(|it| it == "false"),
                never,
                "{kind:?}"
            );
            let delay = headers
                .get(header::RETRY_AFTER)
                .map(|value| value.to_str().unwrap());
            assert_eq!(
                delay,
                (kind == Kind::RateLimited).then_some("2"),
                "{kind:?}"
            );
        }
    }
}

#[test]
fn codex_is_never_shown_a_500_nor_a_limit_as_402() {
    for kind in Kind::ALL {
        let rendered = render(&sample(kind), Dialect::OpenAi, request_id(), CODEX);
        assert_ne!(rendered.status, 500);
        assert_ne!(rendered.status, 402);
    }
}

#[test]
fn the_promotion_to_codex_is_plain_ascii_without_a_final_stop() {
    let error = Error::new(Kind::LimitReached, "limit reached:\r\n20 € — ask an admin.");
    let rendered = render(&error, Dialect::OpenAi, request_id(), CODEX);
    let text = rendered
        .headers
        .get("x-codex-promo-message")
        .unwrap()
        .to_str()
        .unwrap();
    assert_eq!(text, "limit reached:  20 ? ? ask an admin");
    let long = Error::new(Kind::LimitReached, "x".repeat(100_000));
    let rendered = render(&long, Dialect::OpenAi, request_id(), CODEX);
    assert_eq!(
        rendered.headers.get("x-codex-promo-message").unwrap().len(),
        600
    );
}

#[test]
fn the_text_is_escaped_and_the_operators_text_stays_inside() {
    let text = "a \"quoted\"\\ line\n\u{1}data: {}\u{2028}é";
    let error = Error::new(Kind::BadRequest, text).with_context("secret place");
    for dialect in [Dialect::OpenAi, Dialect::Anthropic, Dialect::Google] {
        let body = render(&error, dialect, request_id(), PLAIN).body;
        let value: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(value["error"]["message"], text);
        assert!(!std::str::from_utf8(&body).unwrap().contains("secret"));
    }
    for format in Format::ALL {
        let event = stream_event(&error, StreamForm::Sse(format), request_id(), PLAIN);
        let event = crate::sse::Event::parse(&event).unwrap();
        assert!(
            serde_json::from_slice::<Value>(&event.data).is_ok(),
            "{format:?}"
        );
    }
}

#[test]
fn an_array_stream_that_ends_with_an_error_is_one_json_array() {
    let error = sample(Kind::LimitReached);
    for (sent, unopened, elements) in [("", true, 1), ("[{\"a\":1}\n", false, 2)] {
        let form = StreamForm::GeminiArray { unopened };
        let event = stream_event(&error, form, request_id(), PLAIN);
        let whole = [sent.as_bytes(), &event].concat();
        let value: Vec<Value> = serde_json::from_slice(&whole).unwrap();
        assert_eq!(value.len(), elements);
        assert_eq!(value[elements - 1]["error"]["code"], 402);
    }
}

/// Each path in a body with the type of what stands there.
fn shape(value: &Value, path: &str, out: &mut BTreeMap<String, &'static str>) {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                shape(item, &format!("{path}/{index}"), out);
            }
            "array"
        }
        Value::Object(members) => {
            for (key, member) in members {
                shape(member, &format!("{path}/{key}"), out);
            }
            "object"
        }
    };
    out.insert(path.to_owned(), kind);
}

macro_rules! native {
    ($file:literal) => {
        include_str!(concat!("../../fixtures/errors/", $file))
    };
}

/// Errors of the providers themselves, and which of ours look like them.
const NATIVE: [(Dialect, Kind, u16, &str); 9] = [
    (
        Dialect::OpenAi,
        Kind::Unauthenticated,
        401,
        native!("openai_401.json"),
    ),
    (
        Dialect::OpenAi,
        Kind::LimitReached,
        402,
        native!("openai_402_limit.json"),
    ),
    (
        Dialect::OpenAi,
        Kind::Unpriced,
        400,
        native!("openai_400_unpriced.json"),
    ),
    (
        Dialect::OpenAi,
        Kind::UpstreamUnreachable,
        502,
        native!("openai_502.json"),
    ),
    (
        Dialect::Anthropic,
        Kind::Unauthenticated,
        401,
        native!("anthropic_401.json"),
    ),
    (
        Dialect::Anthropic,
        Kind::LimitReached,
        402,
        native!("anthropic_402_limit.json"),
    ),
    (
        Dialect::Anthropic,
        Kind::Unpriced,
        400,
        native!("anthropic_400_unpriced.json"),
    ),
    (
        Dialect::Google,
        Kind::Unauthenticated,
        401,
        native!("google_401.json"),
    ),
    (
        Dialect::Google,
        Kind::RateLimited,
        429,
        native!("google_429_limit.json"),
    ),
];

#[test]
fn bodies_have_the_shape_of_the_native_ones() {
    for (dialect, kind, status, native) in NATIVE {
        let ours = render(&sample(kind), dialect, request_id(), PLAIN);
        assert_eq!(ours.status, status);
        let ours: Value = serde_json::from_slice(&ours.body).unwrap();
        let native: Value = serde_json::from_str(native).unwrap();
        let (mut our_shape, mut native_shape) = (BTreeMap::new(), BTreeMap::new());
        shape(&ours, "", &mut our_shape);
        shape(&native, "", &mut native_shape);
        assert_eq!(our_shape, native_shape, "{dialect:?} {kind:?}");
        // The word the SDKs and agents go by.
        assert_eq!(ours.pointer("/error/type"), native.pointer("/error/type"));
        assert_eq!(
            ours.pointer("/error/status"),
            native.pointer("/error/status")
        );
    }
}
