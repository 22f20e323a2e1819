//! Texts: that a stream adds up to the whole, and that the usage fits what was written.

use super::{Speaks, ask, ask_with};
use crate::{endpoint::Endpoint, tap};
use http::{HeaderMap, Method};
use serde_json::{Value, json};
use tollgate_core::{format::Operation, unit::Unit, usage::UsageReport};

fn words(text: &str) -> u64 {
    u64::try_from(text.split_whitespace().count()).unwrap()
}

/// The text of a stream, its last usage, and why it stopped.
fn add_up(speaks: Speaks, events: &[Value]) -> (String, Option<[u64; 2]>, Option<&str>) {
    (
        events.iter().map(|event| speaks.text_in(event)).collect(),
        events.iter().rev().find_map(|event| speaks.usage_in(event)),
        events.iter().rev().find_map(|event| speaks.stop_in(event)),
    )
}

#[test]
fn a_stream_adds_up_to_the_whole_answer_and_usage_counts_its_words() {
    for speaks in Speaks::ALL {
        for prompt in [
            "hello",
            "[[simulate: tokens=700]] “quoted” \\ \"text\"",
            "",
            "[[simulate: tokens=1]]",
        ] {
            let events = speaks.ask(prompt, true).events();
            let (text, usage, stop) = add_up(speaks, &events);
            let whole = speaks.ask(prompt, false).json();
            assert_eq!(text, speaks.text_in(&whole), "{speaks:?} {prompt}");
            assert_eq!(stop, speaks.stop_in(&whole));
            assert_eq!(usage.unwrap()[1], speaks.usage_in(&whole).unwrap()[1]);
            assert_eq!(usage.unwrap()[1], words(&text), "{speaks:?} {prompt}");
            if let Some(tokens) = prompt.strip_prefix("[[simulate: tokens=") {
                let tokens = tokens.split_once("]]").unwrap().0;
                assert_eq!(words(&text).to_string(), tokens);
            }
        }
    }
}

#[test]
fn the_answer_names_the_model_and_repeats_the_last_user_message_without_directives() {
    let body = json!({"model": "gpt-5.2", "messages": [
        {"role": "system", "content": "[[simulate: fail=500]]"},
        {"role": "user", "content": "[[simulate: fail=500]] first"},
        {"role": "assistant", "content": "yes?"},
        {"role": "user", "content": [
            {"type": "text", "text": "say [[simulate: delay_ms=1]]"},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
            {"type": "text", "text": "hi"},
        ]},
        {"role": "developer", "content": "aside"},
    ]});
    let answer = ask("/v1/chat/completions", &body).json();
    assert_eq!(
        answer["choices"][0]["message"]["content"],
        "Hello from Tollgate, simulating gpt-5.2. You said: “say hi”."
    );
    assert_eq!(answer["model"], "gpt-5.2");
}

#[test]
fn a_long_message_is_repeated_shortly() {
    let prompt = format!("{} {}", "x".repeat(10_000), "word ".repeat(10_000));
    let answer = Speaks::Messages.ask(&prompt, false).json();
    let text = Speaks::Messages.text_in(&answer);
    assert!(text.len() < 300 && text.ends_with(" word …”."), "{text}");
}

#[test]
fn the_callers_limit_cuts_the_text_and_is_named_as_the_reason() {
    for (speaks, reason) in [
        (Speaks::Chat, "length"),
        (Speaks::Responses, "incomplete"),
        (Speaks::Messages, "max_tokens"),
        (Speaks::Gemini, "MAX_TOKENS"),
        (Speaks::GeminiArray, "MAX_TOKENS"),
    ] {
        for limit in [1, 3, 50] {
            let prompt = "[[simulate: tokens=51]]";
            let whole = speaks.ask_up_to(prompt, false, limit).json();
            assert_eq!(words(speaks.text_in(&whole)), limit, "{speaks:?}");
            assert_eq!(speaks.stop_in(&whole), Some(reason));
            let events = speaks.ask_up_to(prompt, true, limit).events();
            let (text, usage, stop) = add_up(speaks, &events);
            assert_eq!((words(&text), usage.unwrap()[1]), (limit, limit));
            assert_eq!(stop, Some(reason), "{speaks:?}");
        }
        let whole = speaks
            .ask_up_to("[[simulate: tokens=51]]", false, 51)
            .json();
        assert_ne!(speaks.stop_in(&whole), Some(reason));
    }
}

#[test]
fn as_many_choices_are_given_and_paid_as_were_asked_for() {
    let mut body = Speaks::Chat.body("hello", false, 5);
    body["n"] = json!(3);
    let whole = ask("/v1/chat/completions", &body).json();
    assert_eq!(whole["choices"].as_array().unwrap().len(), 3);
    assert_eq!(whole["usage"]["completion_tokens"], 15);
    body["stream"] = json!(true);
    body["stream_options"] = json!({"include_usage": true});
    let events = ask("/v1/chat/completions", &body).events();
    let finished = events
        .iter()
        .filter(|event| Speaks::Chat.stop_in(event).is_some());
    let indices: Vec<&Value> = finished
        .map(|event| &event["choices"][0]["index"])
        .collect();
    assert_eq!(indices, [&json!(0), &json!(1), &json!(2)]);
    assert_eq!(events.last().unwrap()["usage"]["completion_tokens"], 15);

    let mut body = Speaks::Gemini.body("hello", false, 5);
    body["generationConfig"]["candidateCount"] = json!(2);
    let events = ask(Speaks::Gemini.target(true), &body).events();
    let last = events.last().unwrap();
    assert_eq!(last["candidates"][0]["index"], 1);
    assert_eq!(last["usageMetadata"]["candidatesTokenCount"], 10);

    let mut body = Speaks::Chat.body("[[simulate: tokens=200000]]", false, 200_000);
    body["n"] = json!(2);
    assert_eq!(ask("/v1/chat/completions", &body).status, 400);
}

#[test]
fn a_large_stream_comes_in_small_pieces() {
    for speaks in Speaks::ALL {
        let body = speaks.body("", true, 300_000);
        let read = ask_with(speaks.target(true), &body, "tokens=20000 chunk_bytes=1000");
        let content = read
            .chunks
            .iter()
            .filter(|chunk| chunk.bytes.len() < 2_000)
            .count();
        // Only the closing events of a response repeat the whole text.
        let large = if speaks == Speaks::Responses { 4 } else { 0 };
        assert_eq!(read.chunks.len() - content, large, "{speaks:?}");
        assert!(content > 80, "{speaks:?}: {content}");
    }
}

#[test]
fn our_own_tap_reads_the_usage_that_was_written() {
    for speaks in Speaks::ALL {
        let prompt = "[[simulate: tokens=40]] count me";
        let target = speaks.target(true);
        let (path, query) = target
            .split_once('?')
            .map_or((target, None), |(p, q)| (p, Some(q)));
        let endpoint = Endpoint::of(&Method::POST, path, query, &HeaderMap::new()).unwrap();
        let read = speaks.ask(prompt, true);
        let edits = tap::StreamEdits::default();
        let mut tap = tap::Tap::new(endpoint.format, endpoint.framing(), edits);
        let mut out = Vec::new();
        for chunk in &read.chunks {
            tap.feed(chunk.bytes.clone(), &mut |_| None, &mut out);
        }
        tap.finish(&mut out);
        assert!(tap.progress().started && tap.progress().terminal && !tap.progress().failed);
        assert_eq!(out.concat(), read.body());
        let whole = speaks.ask(prompt, false);
        let body = tap::read_body(endpoint.format, Operation::Generate, &whole.body());
        let input = speaks.usage_in(&whole.json()).unwrap()[0];
        assert_reports(speaks, &body, [input, 40]);
        let input = add_up(speaks, &read.events()).1.unwrap()[0];
        assert_reports(speaks, &tap.report(), [input, 40]);
    }
}

fn assert_reports(speaks: Speaks, report: &UsageReport, tokens: [u64; 2]) {
    let usage = report.usage.as_ref().unwrap();
    let read = [Unit::InputTokens, Unit::OutputTokens].map(|unit| usage.get(unit));
    assert_eq!(read, tokens, "{speaks:?}");
    assert_eq!(usage.total_tokens(), tokens.iter().sum::<u64>());
    assert_eq!(report.model.as_deref(), Some("m-1"));
    assert!(report.complete, "{speaks:?}");
}
