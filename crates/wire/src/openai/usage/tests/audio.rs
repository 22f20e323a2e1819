//! Transcripts and speech.

use super::*;
use crate::tap::read_body;
use tollgate_core::format::Operation;

fn stream(format: Format, events: &[&str]) -> (UsageReport, Progress) {
    let events: Vec<String> = events
        .iter()
        .map(|event| format!("data: {event}\n\n"))
        .collect();
    streamed(format, events.concat().into_bytes())
}

fn seconds(count: u64) -> Usage {
    counts(&[
        (Unit::AudioSeconds, count),
        (Unit::InputAudioSeconds, count),
    ])
}

#[test]
fn seconds_are_counted_as_begun() {
    for (body, expected) in [
        (r#"{"usage":{"type":"duration","seconds":13}}"#, 13),
        (r#"{"usage":{"type":"duration","seconds":12.01}}"#, 13),
        (r#"{"usage":{"type":"duration","seconds":12.0}}"#, 12),
        (r#"{"duration":3.4,"text":"Groq's verbose_json"}"#, 4),
        (
            r#"{"duration":3.4,"usage":{"type":"duration","seconds":9}}"#,
            9,
        ),
    ] {
        let report = transcription_usage(body.as_bytes());
        assert_eq!(report.usage, Some(seconds(expected)), "{body}");
        assert!(report.complete);
    }
}

#[test]
fn a_transcript_billed_by_tokens_tells_sound_and_text_apart() {
    let body = br#"{"text":"a","usage":{"type":"tokens","input_tokens":14,"output_tokens":45,
        "total_tokens":59,"input_token_details":{"text_tokens":4,"audio_tokens":10}}}"#;
    let expected = counts(&[
        (Unit::InputTokens, 14),
        (Unit::InputTextTokens, 4),
        (Unit::InputAudioTokens, 10),
        (Unit::OutputTokens, 45),
    ]);
    assert_eq!(transcription_usage(body).usage, Some(expected));
}

#[test]
fn mistral_counts_tokens_and_seconds_and_a_total_that_is_more_than_both() {
    let body = br#"{"model":"voxtral-mini-2602","text":"a","usage":{"prompt_audio_seconds":203,
        "prompt_tokens":4,"completion_tokens":635,"total_tokens":3264}}"#;
    let mut expected = seconds(203);
    expected.set(Unit::InputTokens, 4);
    expected.set(Unit::OutputTokens, 635);
    let report = transcription_usage(body);
    assert_eq!(report.usage.as_ref(), Some(&expected));
    assert_eq!(report.model.as_deref(), Some("voxtral-mini-2602"));
    assert_eq!(
        chat_usage(body).usage.as_ref(),
        Some(&expected),
        "in a chat too"
    );
}

#[test]
fn a_length_that_is_no_number_does_not_hide_the_tokens() {
    for length in ["{}", "null", "\"long\"", "-3"] {
        let body = format!(
            r#"{{"usage":{{"prompt_audio_seconds":{length},"prompt_tokens":4,"total_tokens":9}}}}"#
        );
        let usage = chat_usage(body.as_bytes()).usage;
        assert_eq!(usage, Some(five([4, 0, 0, 5, 5])), "{length}");
    }
}

#[test]
fn text_subtitles_and_nonsense_carry_no_usage() {
    for body in [
        &b"hello"[..],
        b"1\n00:00:00,000 --> 00:00:01,000\nhello\n",
        b"WEBVTT\n",
        br#"{"text":"hello"}"#,
        br#"{"duration":"long"}"#,
        br#"{"usage":{"type":"duration","seconds":-4}}"#,
    ] {
        let report = transcription_usage(body);
        assert!(report.usage.is_none() && !report.complete);
    }
}

#[test]
fn a_streamed_transcript_ends_with_its_usage() {
    let delta = r#"{"type":"transcript.text.delta","delta":"hello"}"#;
    let done = r#"{"type":"transcript.text.done","text":"hello","usage":{"type":"tokens",
        "input_tokens":14,"output_tokens":5,"total_tokens":19}}"#
        .replace('\n', "");
    let (report, progress) = stream(Format::OpenAiTranscription, &[delta, &done]);
    assert_eq!(report.usage.unwrap().get(Unit::OutputTokens), 5);
    assert!(report.complete && progress.terminal);
    assert_eq!(progress.content_bytes, 5);
    let (cut, progress) = stream(Format::OpenAiTranscription, &[delta]);
    assert!(!cut.complete && !progress.terminal && progress.started);
    // What is billed by the second may have no usage here.
    let bare = r#"{"type":"transcript.text.done","text":"hello"}"#;
    let (report, progress) = stream(Format::OpenAiTranscription, &[delta, bare]);
    assert!(!report.complete && progress.terminal);
}

#[test]
fn a_segment_that_is_done_does_not_end_a_transcript() {
    let segment = r#"{"type":"transcript.text.segment.done","text":"a"}"#;
    let (_, progress) = stream(Format::OpenAiTranscription, &[segment]);
    assert!(!progress.terminal);
}

#[test]
fn streamed_speech_ends_with_its_usage_and_all_its_output_is_sound() {
    let delta = r#"{"type":"speech.audio.delta","audio":"aGVsbG8="}"#;
    let usage = r#"{"input_tokens":14,"output_tokens":101,"total_tokens":115}"#;
    let done = format!(r#"{{"type":"speech.audio.done","usage":{usage}}}"#);
    let (report, progress) = stream(Format::OpenAiSpeech, &[delta, &done]);
    let expected = counts(&[
        (Unit::InputTokens, 14),
        (Unit::OutputTokens, 101),
        (Unit::OutputAudioTokens, 101),
    ]);
    assert_eq!(report.usage, Some(expected));
    assert!(report.complete && progress.terminal);
    let (cut, progress) = stream(Format::OpenAiSpeech, &[delta]);
    assert!(!cut.complete && progress.started && !progress.terminal);
}

#[test]
fn sound_has_no_usage_whatever_its_bytes_say() {
    let sound = fixture("openai/speech_audio.mp3");
    for body in [&sound[..], br#"{"usage":{"input_tokens":1}}"#] {
        let report = read_body(Format::OpenAiSpeech, Operation::Generate, body);
        assert!(report.usage.is_none() && !report.complete);
    }
}

#[test]
fn a_moderation_is_free_and_names_its_model() {
    let body = fixture("openai/moderations.json");
    let report = read_body(Format::OpenAiModerations, Operation::Moderate, &body);
    assert!(report.complete && report.usage.is_none());
    assert_eq!(report.model.as_deref(), Some("omni-moderation-latest"));
}

#[test]
fn a_stream_fails_with_an_error_event_of_either_shape() {
    for event in [
        r#"{"type":"error","error":{"message":"no"}}"#,
        r#"{"error":{"message":"no"}}"#,
    ] {
        let (report, progress) = stream(Format::OpenAiTranscription, &[event]);
        assert!(!report.complete && progress.failed && progress.terminal);
    }
}
