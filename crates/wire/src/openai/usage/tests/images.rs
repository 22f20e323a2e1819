//! Images.

use super::*;

fn stream(events: &[&str]) -> (UsageReport, Progress) {
    let events: Vec<String> = events
        .iter()
        .map(|event| format!("data: {event}\n\n"))
        .collect();
    streamed(Format::OpenAiImages, events.concat().into_bytes())
}

#[test]
fn a_whole_answer_tells_text_and_pictures_apart() {
    let report = images_usage(&fixture("openai/images_nonstream.json"));
    let expected = counts(&[
        (Unit::InputTokens, 250),
        (Unit::InputTextTokens, 50),
        (Unit::InputImageTokens, 200),
        (Unit::OutputTokens, 4_160),
        (Unit::OutputImageTokens, 4_160),
    ]);
    assert_eq!((report.usage, report.complete), (Some(expected), true));
    assert_eq!(report.model, None);
}

#[test]
fn output_that_is_not_told_apart_is_pictures() {
    let report = images_usage(br#"{"usage":{"input_tokens":1,"output_tokens":9}}"#);
    assert_eq!(report.usage.unwrap().get(Unit::OutputImageTokens), 9);
}

#[test]
fn who_writes_a_drawing_is_priced_as_another_model() {
    let body = br#"{"usage":{"input_tokens":5,"output_tokens":7},"svg_usage":{"model":"gpt-5.2",
        "input_tokens":100,"output_tokens":900,"reasoning_tokens":400,"total_tokens":1000}}"#;
    let report = images_usage(body);
    assert_eq!(report.usage.unwrap().get(Unit::OutputTokens), 7);
    let author = &report.extra[0];
    assert_eq!(author.model.as_deref(), Some("gpt-5.2"));
    assert_eq!(author.usage, five([100, 0, 0, 900, 400]));
}

#[test]
fn every_finished_picture_of_a_stream_counts_and_partial_ones_do_not() {
    let done = r#"{"type":"image_edit.completed","usage":{"input_tokens":10,"output_tokens":300}}"#;
    let partial = r#"{"type":"image_edit.partial_image","b64_json":"aaaa"}"#;
    let (report, progress) = stream(&[partial, done, partial, done]);
    let usage = report.usage.unwrap();
    assert_eq!(usage.get(Unit::InputTokens), 20);
    assert_eq!(usage.get(Unit::OutputTokens), 600);
    assert!(report.complete && progress.terminal && progress.started);
    assert_eq!(progress.content_bytes, 0, "a picture is no text");
}

#[test]
fn a_stream_that_is_cut_or_fails_is_not_complete() {
    let partial = r#"{"type":"image_generation.partial_image","b64_json":"aaaa"}"#;
    let (cut, progress) = stream(&[partial]);
    assert!(!cut.complete && cut.usage.is_none());
    assert!(!progress.terminal && progress.started);
    for event in [
        r#"{"type":"error","error":{"message":"no"}}"#,
        r#"{"error":{"message":"no"}}"#,
    ] {
        let (failed, progress) = stream(&[event]);
        assert!(!failed.complete && progress.failed && !progress.started);
    }
}

#[test]
fn what_cannot_be_read_is_no_usage() {
    for body in [
        &b"no json"[..],
        b"{}",
        br#"{"usage":null}"#,
        br#"{"usage":{}}"#,
    ] {
        let report = images_usage(body);
        assert!(report.usage.is_none() && !report.complete);
    }
}
