use super::*;

fn chat(events: &[&str]) -> (UsageReport, Progress) {
    let events: Vec<String> = events
        .iter()
        .map(|event| format!("data: {event}\n\n"))
        .collect();
    streamed(Format::OpenAiChat, events.concat().into_bytes())
}

/// File, model, and input, cache reads, cache writes, output, reasoning.
#[rustfmt::skip]
const CHAT: [(&str, &str, [u64; 5]); 12] = [
    ("openai/chat_nonstream.json", "gpt-5.6-terra", [2048, 1024, 512, 310, 256]),
    ("openai/chat_stream_include_usage.sse", "gpt-5.6-terra", [2048, 1024, 512, 310, 256]),
    ("google/openai_compat_chat.json", "gemini-3-flash-preview", [21, 0, 0, 100, 60]),
    ("azure/chat_stream.sse", "gpt-5.4-2026-03-05", [11, 0, 0, 2, 0]),
    ("groq/chat_nonstream.json", "openai/gpt-oss-120b", [24, 10, 0, 50, 30]),
    ("groq/chat_stream_include_usage.sse", "openai/gpt-oss-120b", [24, 10, 0, 50, 30]),
    ("huggingface/chat_stream.sse", "openai/gpt-oss-120b", [70, 0, 0, 20, 0]),
    ("openrouter/chat_stream.sse", "anthropic/claude-sonnet-5.5", [194, 100, 50, 20, 8]),
    ("deepseek/chat_stream.sse", "deepseek-v4-pro", [1000, 896, 0, 60, 40]),
    ("xai/chat_nonstream.json", "grok-4.20", [10120, 128, 0, 4308, 2809]),
    ("together/chat_stream.sse", "meta-llama/Llama-4", [9, 0, 0, 2, 0]),
    ("fireworks/chat_stream.sse", "accounts/fireworks/models/kimi-k2p7", [15, 8, 0, 3, 0]),
];

#[test]
fn chat_usage_is_found_wherever_a_provider_reports_it() {
    for (file, model, counted) in CHAT {
        let report = if file.contains("_stream") {
            streamed(Format::OpenAiChat, fixture(file)).0
        } else {
            chat_usage(&fixture(file))
        };
        assert_eq!(report.usage, Some(five(counted)), "{file}");
        assert_eq!(report.model.as_deref(), Some(model), "{file}");
        assert!(report.complete, "{file}");
        assert_eq!(report.extra, [], "{file}");
    }
}

#[test]
fn audio_is_part_of_input_and_output() {
    let expected = counts(&[
        (Unit::InputTokens, 60),
        (Unit::OutputTokens, 120),
        (Unit::InputAudioTokens, 40),
        (Unit::OutputAudioTokens, 95),
    ]);
    assert_eq!(
        chat_usage(&fixture("openai/chat_audio_nonstream.json")).usage,
        Some(expected)
    );
}

#[test]
fn a_providers_own_cost_and_tier_are_reported() {
    let xai = chat_usage(&fixture("xai/chat_nonstream.json"));
    assert_eq!(xai.provider_cost, Some(NanoUsd::from_nano(23_285_600)));
    let (openrouter, _) = streamed(Format::OpenAiChat, fixture("openrouter/chat_stream.sse"));
    assert_eq!(
        openrouter.provider_cost,
        Some(NanoUsd::from_nano(3_210_000))
    );
    let groq = chat_usage(&fixture("groq/chat_nonstream.json"));
    assert_eq!(groq.provider_cost, None);
    assert_eq!(groq.context, [("service_tier", "on_demand".to_owned())]);
}

#[test]
fn a_compound_model_is_priced_by_its_parts_alone() {
    let report = chat_usage(&fixture("groq/chat_compound.json"));
    assert_eq!(report.usage, Some(Usage::NONE));
    let parts: Vec<_> = report
        .extra
        .iter()
        .map(|part| (part.model.as_deref(), &part.usage))
        .collect();
    let expected = [
        (Some("openai/gpt-oss-120b"), &five([400, 0, 0, 80, 0])),
        (Some("llama-3.3-70b-versatile"), &five([100, 0, 0, 10, 0])),
    ];
    assert_eq!(parts, expected);
}

#[test]
fn a_chat_stream_that_breaks_off_is_not_complete() {
    let (cut, progress) = streamed(Format::OpenAiChat, fixture("openai/chat_stream_cut.sse"));
    assert_eq!((cut.usage, cut.complete), (None, false));
    let expected = Progress {
        content_bytes: 5,
        started: true,
        ..Progress::default()
    };
    assert_eq!(progress, expected);

    let (failed, progress) = streamed(
        Format::OpenAiChat,
        fixture("openai/chat_stream_error_midway.sse"),
    );
    assert!(!failed.complete);
    assert_eq!(
        (progress.terminal, progress.failed, progress.content_bytes),
        (true, true, 3)
    );

    let (early, progress) = chat(&[r#"{"choices":[],"x_groq":{"error":"over capacity"}}"#]);
    assert!(progress.failed && !early.complete);
}

#[test]
fn content_is_what_the_answer_grows_by() {
    let bytes = |delta: &str| {
        let (_, progress) = chat(&[&format!(r#"{{"choices":[{{"index":0,"delta":{delta}}}]}}"#)]);
        (progress.content_bytes, progress.started)
    };
    let table = [
        (
            r#"{"role":"assistant","content":"","refusal":null}"#,
            (0, false),
        ),
        ("{}", (0, false)),
        (r#"{"content":"h\u00e9!"}"#, (4, true)),
        (r#"{"refusal":"no"}"#, (2, true)),
        (r#"{"reasoning_content":"hm","reasoning":"hm"}"#, (2, true)),
        (
            r#"{"tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":""}}]}"#,
            (0, true),
        ),
        (
            r#"{"tool_calls":[{"function":{"arguments":"{}"}},{"custom":{"input":"abc"}}]}"#,
            (5, true),
        ),
        (r#"{"function_call":{"arguments":"{}"}}"#, (2, true)),
        (r#"{"content":[{"t":"abc"},1,null,true,-1,0.5]}"#, (3, true)),
        (r#"{"audio":{"data":"AAAA","transcript":"hi"}}"#, (2, true)),
    ];
    for (delta, expected) in table {
        assert_eq!(bytes(delta), expected, "{delta}");
    }
}

#[test]
fn the_last_usage_counts_and_none_are_added() {
    let zero =
        r#"{"choices":[],"usage":{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}}"#;
    let real =
        r#"{"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}}"#;
    let null = r#"{"choices":[],"usage":null}"#;
    let (report, progress) = chat(&[zero, zero, real, null, "[DONE]"]);
    assert_eq!(report.usage, Some(five([7, 0, 0, 3, 0])));
    assert_eq!(progress.input_tokens, Some(7));
}

#[test]
fn an_end_without_done_is_an_end_once_usage_was_seen() {
    let finish = r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#;
    assert!(!chat(&[finish]).1.terminal);
    let usage = r#"{"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3}}"#;
    let (report, progress) = chat(&[finish, usage]);
    assert!(progress.terminal && report.complete);
    assert!(!chat(&[usage]).1.terminal);
}

const USAGE: &str = r#"{"prompt_tokens":7,"completion_tokens":3}"#;

#[test]
fn a_stream_with_several_choices_ends_when_all_of_them_have() {
    let chunk = |index: u32, reason: &str| {
        format!(r#"{{"choices":[{{"index":{index},"finish_reason":{reason}}}],"usage":{USAGE}}}"#)
    };
    let (first, second) = (chunk(0, "null"), chunk(1, "null"));
    let (first_ends, second_ends) = (chunk(0, "\"stop\""), chunk(1, "\"stop\""));
    let (report, progress) = chat(&[&first, &second, &first_ends]);
    assert!(!progress.terminal && !report.complete);
    let (report, progress) = chat(&[&first, &second, &first_ends, &second_ends]);
    assert!(progress.terminal && report.complete);
    assert!(chat(&[&first, &second, &first_ends, "[DONE]"]).1.terminal);
}

#[test]
fn a_strange_index_keeps_no_chunk_from_being_read() {
    for index in ["\"0\"", "null", "-1", "0.5", "{}"] {
        let chunk = format!(
            r#"{{"choices":[{{"index":{index},"finish_reason":"stop"}}],"usage":{USAGE}}}"#
        );
        assert!(chat(&[&chunk]).1.terminal, "{index}");
    }
    let far = r#"{"choices":[{"index":18446744073709551615,"delta":{}}]}"#;
    let usage = r#"{"choices":[],"usage":{"prompt_tokens":7}}"#;
    let ends = r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;
    assert!(!chat(&[far, ends, usage]).1.terminal);
}

#[test]
fn what_cannot_be_read_is_not_counted_and_hurts_nothing() {
    let (report, progress) = chat(&["", "{", "[]", "null", r#"{"usage":{"prompt_tokens":"7"}}"#]);
    assert_eq!(
        (report, progress),
        (UsageReport::default(), Progress::default())
    );
    for body in [
        "",
        "<html>",
        "[1]",
        r#"{"usage":1}"#,
        r#"{"usage":{"completion_tokens":20}}"#,
    ] {
        let body = body.as_bytes();
        assert_eq!(chat_usage(body), UsageReport::default());
        assert_eq!(responses_usage(body), UsageReport::default());
        assert_eq!(embeddings_usage(body), UsageReport::default());
    }
}

#[test]
fn blank_lines_before_a_body_are_not_part_of_it() {
    let body = b"\n\n\n{\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":3}}";
    assert_eq!(chat_usage(body).usage, Some(five([7, 0, 0, 3, 0])));
}
