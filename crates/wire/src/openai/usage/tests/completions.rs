//! Text completions: usage as in chats.

use super::*;

fn stream(events: &[&str]) -> (UsageReport, Progress) {
    let events: Vec<String> = events
        .iter()
        .map(|event| format!("data: {event}\n\n"))
        .collect();
    streamed(Format::OpenAiCompletions, events.concat().into_bytes())
}

const HELLO: &str = r#"{"model":"m","choices":[{"index":0,"text":"hello","finish_reason":null}]"#;
const ZEROS: &str = r#""usage":{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}"#;
const REAL: &str = r#"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":1,
    "total_tokens":4}}"#;

#[test]
fn a_whole_completion_is_counted() {
    let body = br#"{"object":"text_completion","model":"davinci-002","choices":[{"text":"a"}],
        "usage":{"prompt_tokens":5,"completion_tokens":7,"total_tokens":12}}"#;
    let report = chat_usage(body);
    assert_eq!(report.usage, Some(five([5, 0, 0, 7, 0])));
    assert_eq!(report.model.as_deref(), Some("davinci-002"));
}

#[test]
fn the_text_of_a_chunk_is_content() {
    let (_, progress) = stream(&[&format!("{HELLO}}}")]);
    assert_eq!(progress.content_bytes, 5);
    assert!(progress.started && !progress.terminal);
}

#[test]
fn usage_of_zeros_on_every_chunk_is_none_until_the_real_one_comes() {
    let zeros = format!("{HELLO},{ZEROS}}}");
    let finish =
        format!(r#"{{"choices":[{{"index":0,"text":"","finish_reason":"stop"}}],{ZEROS}}}"#);
    let (cut, progress) = stream(&[&zeros, &finish]);
    assert!(!cut.complete && !progress.terminal);
    assert_eq!(progress.input_tokens, None, "zeros must not lower the hold");
    let (whole, progress) = stream(&[&zeros, &finish, &REAL.replace('\n', ""), "[DONE]"]);
    assert_eq!(whole.usage, Some(five([3, 0, 0, 1, 0])));
    assert!(whole.complete && progress.terminal);
    assert_eq!(progress.input_tokens, Some(3));
}
