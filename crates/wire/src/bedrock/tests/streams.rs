use super::*;
use tollgate_core::unit::Unit;

const CONVERSE: (Format, Framing) = (Format::BedrockConverse, Framing::EventStream);
const INVOKE: (Format, Framing) = (Format::BedrockInvoke, Framing::EventStream);

fn plain(wire: (Format, Framing), stream: &[u8]) -> Passed {
    let whole = pass(wire, StreamEdits::default(), stream, stream.len().max(1));
    let bytewise = pass(wire, StreamEdits::default(), stream, 1);
    assert_eq!(whole.bytes, stream);
    assert_eq!(bytewise.bytes, stream);
    assert_eq!(whole.progress, bytewise.progress);
    assert_eq!(whole.report, bytewise.report);
    whole
}

#[test]
fn a_converse_stream_is_whole_only_with_its_metadata() {
    let mut frames = vec![
        event_stream::event("messageStart", br#"{"role":"assistant","p":"abcdefghij"}"#),
        event_stream::event(
            "contentBlockStart",
            br#"{"start":{"toolUse":{"toolUseId":"t1","name":"f"}},"contentBlockIndex":0}"#,
        ),
        event_stream::event(
            "contentBlockDelta",
            br#"{"delta":{"toolUse":{"input":"{\"a\":1}"}},"contentBlockIndex":0,"p":"ab"}"#,
        ),
        event_stream::event(
            "contentBlockDelta",
            br#"{"delta":{"reasoningContent":{"text":"hmm"}},"contentBlockIndex":1}"#,
        ),
        event_stream::event(
            "contentBlockDelta",
            br#"{"delta":{"reasoningContent":{"signature":"c2ln"}},"contentBlockIndex":1}"#,
        ),
        event_stream::event("messageStop", br#"{"stopReason":"tool_use"}"#),
    ];
    let head = plain(CONVERSE, &frames[0]);
    assert!(!head.progress.started);
    let begun = plain(CONVERSE, &frames[..2].concat());
    assert!(begun.progress.started);
    let cut = plain(CONVERSE, &frames.concat());
    assert_eq!(cut.progress.content_bytes, 7 + 3);
    assert!(!cut.progress.terminal && cut.between_events);
    assert_eq!(cut.report, UsageReport::default());
    frames.push(event_stream::event(
        "metadata",
        br#"{"usage":{"inputTokens":5,"outputTokens":7},"metrics":{"latencyMs":1}}"#,
    ));
    let whole = plain(CONVERSE, &frames.concat());
    assert!(whole.progress.terminal && whole.report.complete);
    assert_eq!(whole.progress.input_tokens, Some(5));
}

#[test]
fn an_exception_or_error_frame_fails_the_stream_whatever_was_counted() {
    let metadata = event_stream::event(
        "metadata",
        br#"{"usage":{"inputTokens":5,"outputTokens":7}}"#,
    );
    let exception = event_stream::exception("modelStreamErrorException", b"{}");
    let failed = plain(CONVERSE, &[&metadata[..], &exception].concat());
    assert!(failed.progress.failed);
    assert!(!failed.report.complete && failed.report.usage.is_some());
}

#[test]
fn damaged_frames_pass_and_leave_no_place_for_an_event() {
    let mut stream = fixture("converse_stream_exception.bin").to_vec();
    stream[200] ^= 1;
    let passed = plain(CONVERSE, &stream);
    assert!(!passed.between_events);
    assert!(!passed.progress.terminal && !passed.progress.failed);
}

#[test]
fn any_makers_stream_is_counted_by_the_metrics_on_its_last_event() {
    let metrics = r#""amazon-bedrock-invocationMetrics":{"inputTokenCount":9,
        "outputTokenCount":3,"cacheReadInputTokenCount":2}"#;
    let makers = [
        (
            r#"{"generation":"Hi","prompt_token_count":9,"stop_reason":null}"#.to_owned(),
            format!(r#"{{"generation":"","stop_reason":"stop",{metrics}}}"#),
        ),
        (
            r#"{"outputText":"Hi","index":0,"completionReason":null}"#.to_owned(),
            format!(r#"{{"outputText":"","completionReason":"FINISH",{metrics}}}"#),
        ),
        (
            r#"{"outputs":[{"text":"Hi","stop_reason":null}]}"#.to_owned(),
            format!(r#"{{"outputs":[{{"text":"","stop_reason":"stop"}}],{metrics}}}"#),
        ),
        (
            r#"{"is_finished":false,"event_type":"text-generation","text":"Hi"}"#.to_owned(),
            format!(r#"{{"is_finished":true,"response":{{"text":"Hi"}},{metrics}}}"#),
        ),
        (
            r#"{"id":"c","choices":[{"delta":{"role":"assistant","content":"Hi"}}]}"#.to_owned(),
            format!(r#"{{"choices":[{{"delta":{{}},"finish_reason":"stop"}}],{metrics}}}"#),
        ),
        (
            r#"{"a kind nobody knows":{"of":["H","i"]}}"#.to_owned(),
            format!("{{{metrics}}}"),
        ),
    ];
    for (first, last) in makers {
        let begun = plain(INVOKE, &chunk(&first));
        assert!(
            begun.progress.started && !begun.progress.terminal,
            "{first}"
        );
        assert_eq!(begun.progress.content_bytes, 2, "{first}");
        let whole = plain(INVOKE, &[chunk(&first), chunk(&last)].concat());
        assert_eq!(whole.progress.content_bytes, 2, "{last}");
        assert!(whole.progress.terminal && whole.report.complete, "{last}");
        let usage = whole.report.usage.unwrap();
        assert_eq!(usage.get(Unit::InputTokens), 11);
        assert_eq!(usage.get(Unit::OutputTokens), 3);
    }
}

#[test]
fn claude_without_counts_of_its_own_is_counted_by_the_metrics() {
    let frames = [
        chunk(r#"{"type":"message_start","message":{"model":"claude-x"}}"#),
        chunk(r#"{"type":"content_block_delta","delta":{"type":"text_delta","text":"Hi"}}"#),
        chunk(
            r#"{"type":"message_stop","amazon-bedrock-invocationMetrics":
                {"inputTokenCount":9,"outputTokenCount":3}}"#,
        ),
    ];
    let whole = plain(INVOKE, &frames.concat());
    assert_eq!(whole.progress.content_bytes, 2);
    assert_eq!(whole.progress.input_tokens, Some(9));
    assert_eq!(whole.report.model.as_deref(), Some("claude-x"));
    assert!(whole.report.complete);
}

#[test]
fn chunks_that_make_no_sense_are_passed_on_and_not_read() {
    let stream = [
        event_stream::event("chunk", b"{}"),
        event_stream::event("chunk", br#"{"bytes":"!!"}"#),
        event_stream::event("chunk", br#"{"bytes":"bm90IEpTT04="}"#),
        event_stream::event("somethingNew", br#"{"bytes":"e30="}"#),
    ]
    .concat();
    let passed = plain(INVOKE, &stream);
    assert!(!passed.progress.terminal && passed.report == UsageReport::default());
}
