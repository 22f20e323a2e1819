//! Answers as providers send them (`fixtures/index.json`), each with the usage it must give: read
//! whole, or streamed in one chunk, byte by byte and in random chunks.
//!
//! The index's names map to our units as follows. `cache_write_tokens` is the sum over all terms;
//! of the terms only Anthropic's 5 minutes and 1 hour have prices and units of their own, OpenAI's
//! 30 minutes and 12 hours are priced alike and stay in the sum. Web fetches are free and not
//! counted. Vertex's kind of traffic is the index's `service_tier`, and our `traffic_type`. What is
//! not named here makes the test fail, so that no expectation goes unread.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helping functions too"
)]

use bytes::Bytes;
use serde_json::{Map, Value};
use tollgate_core::{
    format::{Format, Operation},
    money::NanoUsd,
    unit::Unit,
    usage::{Usage, UsageReport},
};
use tollgate_wire::tap::{Framing, Progress, StreamEdits, Tap, read_body};

struct Fixture {
    id: String,
    format: Format,
    operation: Operation,
    framing: Option<Framing>,
    body: Bytes,
    expected: Map<String, Value>,
}

fn fixtures() -> Vec<Fixture> {
    let index: Value = serde_json::from_str(include_str!("../fixtures/index.json")).unwrap();
    index["fixtures"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(fixture)
        .collect()
}

/// The fixture, when it is of a format and framing that we speak.
fn fixture(entry: &Value) -> Option<Fixture> {
    let word = |key: &str| entry[key].as_str().unwrap();
    let (format, operation) = match word("api") {
        "openai.chat" => (Format::OpenAiChat, Operation::Generate),
        "openai.responses" => (Format::OpenAiResponses, Operation::Generate),
        "openai.responses.input_tokens" => (Format::OpenAiResponses, Operation::CountTokens),
        "openai.images" => (Format::OpenAiImages, Operation::Generate),
        "openai.transcriptions" => (Format::OpenAiTranscription, Operation::Generate),
        "openai.speech" => (Format::OpenAiSpeech, Operation::Generate),
        "openai.moderations" => (Format::OpenAiModerations, Operation::Moderate),
        "anthropic.messages" => (Format::AnthropicMessages, Operation::Generate),
        "anthropic.count_tokens" => (Format::AnthropicMessages, Operation::CountTokens),
        "google.generate_content" => (Format::GeminiGenerate, Operation::Generate),
        "google.count_tokens" => (Format::GeminiGenerate, Operation::CountTokens),
        "google.embed_predict" => (Format::GeminiEmbed, Operation::Embed),
        "google.interactions" => (Format::GeminiInteractions, Operation::Generate),
        "ollama.chat" | "ollama.generate" => (Format::OllamaNative, Operation::Generate),
        "ollama.embed" => (Format::OllamaNative, Operation::Embed),
        "mistral.ocr" => (Format::MistralOcr, Operation::Generate),
        "bedrock.converse" => (Format::BedrockConverse, Operation::Generate),
        "bedrock.invoke" => (Format::BedrockInvoke, Operation::Generate),
        // Sockets and stored objects are read elsewhere.
        "openai.responses.ws"
        | "openai.realtime"
        | "google.live"
        | "openai.batches.output"
        | "anthropic.batches.results" => return None,
        other => panic!("{}: {other} is not handled", word("id")),
    };
    let framing = match word("framing") {
        "json" | "binary" => None,
        "sse" => Some(Framing::Sse),
        "json-array" => Some(Framing::JsonArray),
        "ndjson" => Some(Framing::Lines),
        "aws-eventstream" => Some(Framing::EventStream),
        other => panic!("{}: framing {other} is not handled", word("id")),
    };
    let path = format!("{}/fixtures/{}", env!("CARGO_MANIFEST_DIR"), word("file"));
    Some(Fixture {
        id: word("id").to_owned(),
        format,
        operation,
        framing,
        body: std::fs::read(path).unwrap().into(),
        expected: entry["expected"].as_object().unwrap().clone(),
    })
}

/// Streams `body` in the given chunks; gives what the client gets, and what the tap knows.
fn stream(
    fixture: &Fixture,
    edits: StreamEdits,
    chunks: impl IntoIterator<Item = Bytes>,
) -> (Vec<u8>, Progress, UsageReport) {
    let mut tap = Tap::new(fixture.format, fixture.framing.unwrap(), edits);
    let mut out = Vec::new();
    for chunk in chunks {
        tap.feed(chunk, &mut |_| None, &mut out);
    }
    tap.finish(&mut out);
    (out.concat(), tap.progress(), tap.report())
}

fn bytewise(body: &Bytes) -> Vec<Bytes> {
    (0..body.len()).map(|at| body.slice(at..=at)).collect()
}

/// Chunks of 1 to 64 bytes, the same for the same seed (a 64-bit linear congruential generator).
fn random_chunks(body: &Bytes, seed: u64) -> Vec<Bytes> {
    let mut state = seed;
    let mut rest = body.clone();
    let mut chunks = Vec::new();
    while !rest.is_empty() {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let length = usize::try_from((state >> 33) % 64 + 1).unwrap();
        chunks.push(rest.split_to(length.min(rest.len())));
    }
    chunks
}

#[test]
fn every_answer_gives_its_usage_and_passes_unchanged_whatever_the_chunks() {
    let plain = StreamEdits::default();
    // Edits that find nothing to edit: no chunk is withheld, the pricer knows no price.
    let idle = StreamEdits {
        insert_cost: true,
        ..plain
    };
    let mut seen = 0;
    for fixture in fixtures() {
        seen += 1;
        if fixture.framing.is_none() {
            let report = read_body(fixture.format, fixture.operation, &fixture.body);
            check(&fixture, None, &report);
            continue;
        }
        let mut ways = vec![vec![fixture.body.clone()], bytewise(&fixture.body)];
        ways.extend((0..24).map(|seed| random_chunks(&fixture.body, seed)));
        for chunks in ways {
            for edits in [plain, idle] {
                let (out, progress, report) = stream(&fixture, edits, chunks.clone());
                assert_eq!(
                    out, fixture.body,
                    "{}: the client got other bytes",
                    fixture.id
                );
                check(&fixture, Some(progress), &report);
            }
        }
    }
    assert_eq!(
        seen, 57,
        "a fixture of a format we speak was not read, or is new"
    );
}

fn check(fixture: &Fixture, progress: Option<Progress>, report: &UsageReport) {
    for (key, expected) in &fixture.expected {
        let problem = mismatch(fixture, progress, report, key, expected);
        assert!(
            problem.is_none(),
            "{}: {key}: {}: {report:#?}",
            fixture.id,
            problem.unwrap()
        );
    }
}

/// What is wrong with one expectation, if anything.
fn mismatch(
    fixture: &Fixture,
    progress: Option<Progress>,
    report: &UsageReport,
    key: &str,
    expected: &Value,
) -> Option<String> {
    let differs =
        |actual: Value| (actual != *expected).then(|| format!("expected {expected}, got {actual}"));
    let by_parts = fixture.expected.contains_key("price_by");
    match key {
        "complete" => differs(report.complete.into()),
        "model" => differs(report.model.clone().into()),
        "usage" => report
            .usage
            .as_ref()
            .map(|usage| format!("expected none, got {usage:?}")),
        "partial" => expected
            .as_object()
            .unwrap()
            .iter()
            .find_map(|(key, expected)| count_mismatch(report.usage.as_ref(), key, expected)),
        "service_tier" | "speed" | "inference_geo" => {
            let names: &[&str] = if key == "service_tier" {
                &[key, "traffic_type"]
            } else {
                &[key]
            };
            let found = report.context.iter().find(|(name, _)| names.contains(name));
            differs(found.map(|(_, word)| word.clone()).into())
        }
        "terminal_seen" => {
            progress.and_then(|progress| differs((progress.terminal || progress.failed).into()))
        }
        "stream_error" => (!progress.unwrap().failed).then(|| "the error was not seen".to_owned()),
        "output_text" => differs_in_length(progress.unwrap(), expected.as_str().unwrap()),
        "reported_cost_usd" => {
            let dollars: NanoUsd = expected.to_string().parse().unwrap();
            (report.provider_cost != Some(dollars))
                .then(|| format!("expected {dollars:?}, got {:?}", report.provider_cost))
        }
        "sub_usages" => sub_usages_mismatch(report, expected, by_parts),
        "tool_image_gen" => {
            let fits = |usage: &Usage| {
                expected
                    .as_object()
                    .unwrap()
                    .iter()
                    .all(|(key, count)| count_mismatch(Some(usage), key, count).is_none())
            };
            let found = report.extra.iter().any(|extra| fits(&extra.usage));
            (!found).then(|| "no extra usage fits".to_owned())
        }
        // Not ours to read: the price of a count is none, ids are another step's business.
        "free" | "counted_input_tokens" | "price_by" | "response_status" | "response_id" => None,
        // Superseded by their parts.
        "input_tokens" | "output_tokens" if by_parts => None,
        _ => count_mismatch(report.usage.as_ref(), key, expected),
    }
}

fn differs_in_length(progress: Progress, text: &str) -> Option<String> {
    let expected = u64::try_from(text.len()).unwrap();
    (progress.content_bytes != expected)
        .then(|| format!("expected {expected} bytes, got {}", progress.content_bytes))
}

fn count_mismatch(usage: Option<&Usage>, key: &str, expected: &Value) -> Option<String> {
    let key = match key {
        "reasoning_tokens" => "output_reasoning_tokens",
        "web_search_requests" | "grounded_searches" => "web_searches",
        "billable_characters" => "input_characters",
        "pages" => "input_document_pages",
        "web_fetch_requests" | "cache_write_30m_tokens" | "cache_write_12h_tokens" => return None,
        other => other,
    };
    let unit = Unit::from_usage_key(key).unwrap_or_else(|| panic!("`{key}` is no unit"));
    let Some(usage) = usage else {
        return Some("there is no usage".to_owned());
    };
    let actual = usage.get(unit);
    (Some(actual) != expected.as_u64()).then(|| format!("expected {key} {expected}, got {actual}"))
}

/// Compares what is priced beside the main usage; with `price_by`, all that is priced.
fn sub_usages_mismatch(report: &UsageReport, expected: &Value, by_parts: bool) -> Option<String> {
    let row = |model: Option<&str>, usage: &Usage| {
        let model = model
            .or(report.model.as_deref())
            .unwrap_or_default()
            .to_owned();
        (
            model,
            usage.get(Unit::InputTokens),
            usage.get(Unit::OutputTokens),
        )
    };
    let main = report
        .usage
        .iter()
        .filter(|usage| by_parts && !usage.is_none());
    let mut actual: Vec<_> = main.map(|usage| row(None, usage)).collect();
    actual.extend(
        report
            .extra
            .iter()
            .map(|extra| row(extra.model.as_deref(), &extra.usage)),
    );
    actual.sort();
    let mut wanted: Vec<_> = expected
        .as_array()
        .unwrap()
        .iter()
        .map(|part| {
            let count = |key: &str| part[key].as_u64().unwrap();
            let model = part["model"].as_str().unwrap().to_owned();
            (model, count("input_tokens"), count("output_tokens"))
        })
        .collect();
    wanted.sort();
    (actual != wanted).then(|| format!("expected {wanted:?}, got {actual:?}"))
}

/// The price book's golden file also holds what the reference implementation of the price data
/// extracts from some bodies.
#[test]
fn our_counts_are_those_of_the_price_datas_own_reader() {
    let golden: Value =
        serde_json::from_str(include_str!("../../core/data/price-golden.json")).unwrap();
    let mut seen = 0;
    for case in golden["extract_cases"].as_array().unwrap() {
        let word = |key: &str| case[key].as_str().unwrap();
        let format = match (word("provider"), word("api_flavor")) {
            _ if case["expected"]["usage"].is_null() => continue,
            ("openai", "chat") | ("mistral", "default") => Format::OpenAiChat,
            ("openai", "responses") => Format::OpenAiResponses,
            ("anthropic", "default") => Format::AnthropicMessages,
            ("google", "default") => Format::GeminiGenerate,
            ("aws", "default") => Format::BedrockConverse,
            other => panic!("{other:?} is not handled"),
        };
        seen += 1;
        let body = case["response"].to_string();
        let report = read_body(format, Operation::Generate, body.as_bytes());
        let mut wanted = Usage::NONE;
        for (key, count) in case["expected"]["usage"].as_object().unwrap() {
            wanted.set(Unit::from_usage_key(key).unwrap(), count.as_u64().unwrap());
        }
        assert_eq!(report.usage, Some(wanted), "{}", case["note"]);
    }
    assert!(seen >= 7, "only {seen} cases were read");
}

#[test]
fn a_cost_written_into_a_stream_is_its_only_change() {
    for fixture in fixtures() {
        let streams = fixture.framing == Some(Framing::Sse);
        // Groq's own usage is copied to where clients look for it: more than the cost is new.
        let copied = fixture.id == "groq.chat.stream.both";
        if !streams || copied || fixture.expected["complete"] != true {
            continue;
        }
        let edits = StreamEdits {
            insert_cost: true,
            ..StreamEdits::default()
        };
        let mut outputs = Vec::new();
        for chunks in [vec![fixture.body.clone()], bytewise(&fixture.body)] {
            let mut tap = Tap::new(fixture.format, Framing::Sse, edits);
            let mut out = Vec::new();
            for chunk in chunks {
                tap.feed(chunk, &mut |_| Some("0.0123".to_owned()), &mut out);
            }
            tap.finish(&mut out);
            outputs.push(String::from_utf8(out.concat()).unwrap());
        }
        assert_eq!(outputs[0], outputs[1], "{}", fixture.id);
        let edited = &outputs[0];
        assert!(edited.contains("0.0123"), "{}: no cost", fixture.id);
        let without = [
            r#""logfire_ai_gateway":{"cost":"0.0123"},"#,
            r#",{"text":"","partMetadata":{"logfire_ai_gateway":{"cost":"0.0123"}}}"#,
        ]
        .iter()
        .fold(edited.clone(), |text, insertion| {
            text.replace(insertion, "")
        });
        let original = std::str::from_utf8(&fixture.body).unwrap();
        assert_eq!(without, original, "{}", fixture.id);
    }
}
