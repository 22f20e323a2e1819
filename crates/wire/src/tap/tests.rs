use super::*;
use crate::openai;
use proptest::prelude::*;
use tollgate_core::format::Operation;

const WITHHOLD: StreamEdits = StreamEdits {
    withhold_usage: true,
    insert_cost: false,
};
const COST: StreamEdits = StreamEdits {
    withhold_usage: false,
    insert_cost: true,
};

/// Streams whose readers live beside this file.
const STREAMS: [(&str, Format); 10] = [
    ("openai/chat_stream_include_usage.sse", Format::OpenAiChat),
    ("openai/chat_stream_cut.sse", Format::OpenAiChat),
    ("openai/chat_stream_error_midway.sse", Format::OpenAiChat),
    ("azure/chat_stream.sse", Format::OpenAiChat),
    ("groq/chat_stream_include_usage.sse", Format::OpenAiChat),
    ("openrouter/chat_stream.sse", Format::OpenAiChat),
    ("deepseek/chat_stream.sse", Format::OpenAiChat),
    (
        "openai/responses_stream_incomplete.sse",
        Format::OpenAiResponses,
    ),
    (
        "openai/responses_stream_failed.sse",
        Format::OpenAiResponses,
    ),
    ("anthropic/messages_stream.sse", Format::AnthropicMessages),
];

fn fixture(name: &str) -> Bytes {
    let path = format!("{}/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    Bytes::from(std::fs::read(&path).expect(&path))
}

struct Passed {
    bytes: Vec<u8>,
    report: UsageReport,
    progress: Progress,
}

fn pass(format: Format, edits: StreamEdits, chunks: impl IntoIterator<Item = Bytes>) -> Passed {
    let mut tap = Tap::new(format, Framing::Sse, edits);
    let mut out = Vec::new();
    for chunk in chunks {
        tap.feed(chunk, &mut |_| Some("0.0123".to_owned()), &mut out);
    }
    tap.finish(&mut out);
    Passed {
        bytes: out.concat(),
        report: tap.report(),
        progress: tap.progress(),
    }
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn without_edits_a_chunk_passes_as_it_is_and_shares_its_memory() {
    let mut tap = Tap::new(Format::OpenAiChat, Framing::Sse, StreamEdits::default());
    let chunk = fixture("openai/chat_stream_cut.sse");
    let mut out = Vec::new();
    tap.feed(chunk.clone(), &mut |_| None, &mut out);
    assert_eq!(out.len(), 1);
    assert_eq!(
        (out[0].as_ptr(), out[0].len()),
        (chunk.as_ptr(), chunk.len())
    );
}

#[test]
fn with_edits_whole_events_share_the_chunks_memory_and_a_tail_waits() {
    let mut tap = Tap::new(Format::OpenAiChat, Framing::Sse, WITHHOLD);
    let mut out = Vec::new();
    let chunk = Bytes::from_static(b"data: {}\n\ndata: {");
    tap.feed(chunk.clone(), &mut |_| None, &mut out);
    assert_eq!(out, [chunk.slice(..10)]);
    assert_eq!(out[0].as_ptr(), chunk.as_ptr());
    tap.finish(&mut out);
    assert_eq!(out.concat(), chunk);
}

#[test]
fn the_usage_chunk_is_withheld_and_still_read() {
    let stream = fixture("openai/chat_stream_include_usage.sse");
    let passed = pass(Format::OpenAiChat, WITHHOLD, [stream.clone()]);
    assert!(passed.report.complete);
    let events = |bytes: &[u8]| text(bytes).matches("data: ").count();
    assert_eq!(events(&passed.bytes), events(&stream) - 1);
    assert!(!text(&passed.bytes).contains("prompt_tokens"));
    assert!(text(&passed.bytes).ends_with("data: [DONE]\n\n"));
}

#[test]
fn the_line_end_of_a_withheld_event_is_withheld_wherever_it_is_cut() {
    let usage = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":1}}\r\n\r\n";
    let stream = Bytes::from(format!("data: {{}}\r\n\r\n{usage}data: [DONE]\r\n\r\n"));
    for cut in 0..=stream.len() {
        let chunks = [stream.slice(..cut), stream.slice(cut..)];
        let passed = pass(Format::OpenAiChat, WITHHOLD, chunks);
        assert_eq!(
            text(&passed.bytes),
            "data: {}\r\n\r\ndata: [DONE]\r\n\r\n",
            "{cut}"
        );
    }
}

#[test]
fn usage_beside_content_and_azures_first_chunk_are_never_withheld() {
    for file in ["deepseek/chat_stream.sse", "openrouter/chat_stream.sse"] {
        let stream = fixture(file);
        assert_eq!(
            pass(Format::OpenAiChat, WITHHOLD, [stream.clone()]).bytes,
            stream,
            "{file}"
        );
    }
    let azure = pass(
        Format::OpenAiChat,
        WITHHOLD,
        [fixture("azure/chat_stream.sse")],
    );
    assert!(text(&azure.bytes).contains("prompt_filter_results"));
    assert!(!text(&azure.bytes).contains("prompt_tokens"));
}

#[test]
fn the_cost_is_written_into_the_final_usage_and_nothing_else_changes() {
    let member = r#""logfire_ai_gateway":{"cost":"0.0123"},"#;
    for (file, format, place) in [
        (
            "openai/chat_stream_include_usage.sse",
            Format::OpenAiChat,
            r#""usage":{"#,
        ),
        (
            "deepseek/chat_stream.sse",
            Format::OpenAiChat,
            r#""usage":{"#,
        ),
        (
            "openai/responses_stream_incomplete.sse",
            Format::OpenAiResponses,
            r#""usage":{"#,
        ),
    ] {
        let stream = fixture(file);
        let passed = pass(format, COST, [stream.clone()]);
        let edited = text(&passed.bytes);
        assert_eq!(
            edited.matches(&format!("{place}{member}")).count(),
            1,
            "{file}"
        );
        assert_eq!(edited.replace(member, ""), text(&stream), "{file}");
    }
}

#[test]
fn groqs_own_chunk_is_given_a_usage_with_the_cost() {
    let passed = pass(
        Format::OpenAiChat,
        COST,
        [fixture("groq/chat_stream_include_usage.sse")],
    );
    let chunk: serde_json::Value = text(&passed.bytes)
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .filter_map(|data| serde_json::from_str(data).ok())
        .find(|chunk: &serde_json::Value| chunk["x_groq"]["usage"].is_object())
        .unwrap();
    assert_eq!(chunk["usage"]["logfire_ai_gateway"]["cost"], "0.0123");
    assert_eq!(chunk["usage"]["prompt_tokens"], 24);
}

#[test]
fn a_cost_that_is_unknown_is_not_written() {
    let stream = fixture("openai/chat_stream_include_usage.sse");
    let mut tap = Tap::new(Format::OpenAiChat, Framing::Sse, COST);
    let mut out = Vec::new();
    let mut asked = 0;
    let mut price = |report: &UsageReport| {
        asked += 1;
        assert!(report.usage.is_some());
        None
    };
    tap.feed(stream.clone(), &mut price, &mut out);
    tap.finish(&mut out);
    assert_eq!((asked, out.concat()), (1, stream.to_vec()));
}

#[test]
fn an_event_too_large_to_hold_passes_as_it_comes_and_is_read() {
    let filler = "x".repeat(2 * editor::HELD_BYTES_MAX);
    let event = format!(
        "data: {{\"id\":\"{filler}\",\"choices\":[],\"usage\":{{\"prompt_tokens\":7}}}}\n\n"
    );
    let stream = Bytes::from(format!("{event}data: [DONE]\n\n"));
    let chunks: Vec<Bytes> = stream.chunks(100_000).map(Bytes::copy_from_slice).collect();
    let mut tap = Tap::new(Format::OpenAiChat, Framing::Sse, WITHHOLD);
    let mut out = Vec::new();
    for chunk in chunks {
        tap.feed(chunk, &mut |_| None, &mut out);
    }
    assert!(out.concat() == stream, "the bytes are changed");
    assert_eq!(tap.progress().input_tokens, Some(7));
    assert!(tap.progress().terminal);
}

#[test]
fn whole_bodies_are_read_and_given_the_cost_by_format() {
    let body = fixture("openai/chat_nonstream.json");
    let report = read_body(Format::OpenAiChat, Operation::Generate, &body);
    assert_eq!(report, openai::chat_usage(&body));
    let edited = insert_cost_in_body(Format::OpenAiChat, &body, "0.0123")
        .unwrap()
        .concat();
    let value: serde_json::Value = serde_json::from_slice(&edited).unwrap();
    assert_eq!(value["usage"]["logfire_ai_gateway"]["cost"], "0.0123");
    assert_eq!(value["usage"]["prompt_tokens"], 2048);
    let empty = Bytes::from_static(br#"{"usage":{ }}"#);
    let edited = insert_cost_in_body(Format::OpenAiResponses, &empty, "1")
        .unwrap()
        .concat();
    assert_eq!(edited, br#"{"usage":{"logfire_ai_gateway":{"cost":"1"} }}"#);
    for body in ["{}", r#"{"usage":null}"#, "[]", ""] {
        assert_eq!(
            insert_cost_in_body(Format::OpenAiChat, &Bytes::from(body), "1"),
            None
        );
    }
}

#[test]
fn what_is_not_billed_is_complete_without_usage() {
    let report = read_body(Format::AnthropicMessages, Operation::CountTokens, b"{}");
    assert_eq!(
        report,
        UsageReport {
            complete: true,
            ..UsageReport::default()
        }
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_chunking_gives_the_same_usage_and_the_same_bytes(
        which in 0..STREAMS.len(),
        withhold_usage in any::<bool>(),
        insert_cost in any::<bool>(),
        line_end in proptest::sample::select(vec!["\n", "\r\n", "\r"]),
        cuts in proptest::collection::vec(any::<proptest::sample::Index>(), 0..40),
    ) {
        let (file, format) = STREAMS[which];
        let edits = StreamEdits { withhold_usage, insert_cost };
        let stream = Bytes::from(text(&fixture(file)).replace('\n', line_end));
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
        cuts.extend([0, stream.len()]);
        cuts.sort_unstable();
        let chunks: Vec<Bytes> =
            cuts.windows(2).map(|pair| stream.slice(pair[0]..pair[1])).collect();
        let whole = pass(format, edits, [stream.clone()]);
        let split = pass(format, edits, chunks);
        prop_assert_eq!(text(&split.bytes), text(&whole.bytes));
        prop_assert_eq!(split.report, whole.report);
        prop_assert_eq!(split.progress, whole.progress);
        if edits == StreamEdits::default() {
            prop_assert_eq!(whole.bytes, stream);
        }
    }
}
