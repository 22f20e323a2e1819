use super::*;
use serde_json::Value;
use tollgate_core::unit::Unit;

fn fixture(file: &str) -> Vec<String> {
    let path = format!("{}/fixtures/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(str::to_owned).collect()
}

fn expected(id: &str) -> Value {
    let index: Value = serde_json::from_str(include_str!("../../fixtures/index.json")).unwrap();
    let fixtures = index["fixtures"].as_array().unwrap();
    let found = fixtures.iter().find(|fixture| fixture["id"] == id);
    found.unwrap()["expected"].clone()
}

/// The turns that a server's frames end, and what they bill beside.
fn ended(format: Format, file: &str) -> (Vec<UsageReport>, Vec<ExtraUsage>) {
    let mut conversation = conversation(format, "gpt-realtime").unwrap();
    let (mut turns, mut beside) = (Vec::new(), Vec::new());
    for frame in fixture(file) {
        match conversation.server(frame.as_bytes()) {
            FromServer::Ends { report, .. } => turns.push(*report),
            FromServer::Bills(extra) => beside.push(*extra),
            _ => {}
        }
    }
    (turns, beside)
}

fn check(turns: &[UsageReport], expected: &Value) {
    let expected = expected["responses"].as_array().unwrap();
    assert_eq!(turns.len(), expected.len());
    for (turn, expected) in turns.iter().zip(expected) {
        let usage = turn.usage.as_ref().unwrap();
        for (key, count) in expected.as_object().unwrap() {
            match key.as_str() {
                "complete" => assert_eq!(Value::from(turn.complete), *count),
                "model" => assert_eq!(Value::from(turn.model.clone()), *count),
                "response_id"
                | "stream_id"
                | "service_tier"
                | "tool_image_gen"
                | "cache_write_30m_tokens"
                | "cache_write_12h_tokens" => {}
                key => {
                    let unit = match key {
                        "reasoning_tokens" => Unit::OutputReasoningTokens,
                        "web_search_requests" => Unit::WebSearches,
                        key => Unit::from_usage_key(key).unwrap(),
                    };
                    assert_eq!(Some(usage.get(unit)), count.as_u64(), "{key}");
                }
            }
        }
    }
}

#[test]
fn realtime_turns_and_transcriptions_give_their_usage() {
    let (turns, beside) = ended(
        Format::OpenAiRealtime,
        "openai/realtime_ws_server_frames.jsonl",
    );
    check(&turns, &expected("openai.realtime.ws"));
    // 1.4 seconds, billed as two.
    assert_eq!(beside.len(), 1);
    assert_eq!(beside[0].usage.get(Unit::InputAudioSeconds), 2);
}

#[test]
fn responses_over_a_socket_end_on_their_own_lanes() {
    let file = "openai/responses_ws_server_frames.jsonl";
    let (turns, _) = ended(Format::OpenAiResponsesSocket, file);
    check(&turns, &expected("openai.responses.websocket"));
    assert_eq!(turns[2].extra.len(), 1, "the image is billed beside");
    let mut conversation = conversation(Format::OpenAiResponsesSocket, "").unwrap();
    let frames = fixture(file);
    let first = conversation.server(frames[0].as_bytes());
    assert!(matches!(first, FromServer::Begins { lane, .. } if lane == "a"));
    let last = conversation.server(frames.last().unwrap().as_bytes());
    assert!(matches!(last, FromServer::Refuses { lane: Some(lane), .. } if lane == "b"));
}

#[test]
fn live_turns_give_their_usage() {
    let (turns, _) = ended(Format::GeminiLive, "google/live_ws_server_frames.jsonl");
    check(&turns, &expected("google.live.ws"));
}

#[test]
fn a_live_turn_waits_for_a_usage_that_comes_after_its_end() {
    let mut live = conversation(Format::GeminiLive, "").unwrap();
    let said = br#"{"serverContent":{"modelTurn":{"parts":[{"text":"hi"}]}}}"#;
    assert!(matches!(live.server(said), FromServer::Begins { .. }));
    assert!(matches!(
        live.server(said),
        FromServer::Says { bytes: 2, .. }
    ));
    let end = br#"{"serverContent":{"turnComplete":true}}"#;
    assert_eq!(live.server(end), FromServer::Pass);
    let usage = br#"{"usageMetadata":{"promptTokenCount":3,"responseTokenCount":4}}"#;
    let FromServer::Ends { report, .. } = live.server(usage) else {
        panic!("the turn has not ended");
    };
    assert_eq!(report.usage.unwrap().total_tokens(), 7);
}

#[test]
fn a_setup_names_its_model_in_place() {
    let mut live = conversation(Format::GeminiLive, "").unwrap();
    let frame = br#"{"setup":{"model":"models/gemini-live-2.5","generationConfig":{"maxOutputTokens":9},"systemInstruction":{"parts":[{"text":"be brief"}]}}}"#;
    let FromClient::Names(named) = live.client(frame).unwrap() else {
        panic!("a setup names the model");
    };
    assert_eq!(named.model, "gemini-live-2.5");
    assert_eq!(&frame[named.span], b"models/gemini-live-2.5");
    assert!(live.client(frame).is_err(), "once is enough");
    assert_eq!(named.output_cap, Some(9));
    assert!(named.input.text_bytes >= 8);
    let mut live = conversation(Format::GeminiLive, "").unwrap();
    let bare = br#"{"setup":{}}"#;
    assert!(
        live.client(bare)
            .unwrap_err()
            .message()
            .contains("setup.model")
    );
}

#[test]
fn a_response_create_is_an_ask_with_the_facts_of_its_body() {
    let mut socket = conversation(Format::OpenAiResponsesSocket, "").unwrap();
    let frame = br#"{"type":"response.create","stream_id":"a","model":"gpt-6-sol","input":"hello","max_output_tokens":20}"#;
    let FromClient::Asks { lane, facts, .. } = socket.client(frame).unwrap() else {
        panic!("it asks");
    };
    assert_eq!((lane.as_str(), facts.model.as_str()), ("a", "gpt-6-sol"));
    assert_eq!(facts.output_cap, Some(20));
    assert_eq!(&frame[facts.model_span.unwrap()], br#""gpt-6-sol""#);
    let warm = br#"{"type":"response.create","model":"m","generate":false}"#;
    let FromClient::Asks { facts, .. } = socket.client(warm).unwrap() else {
        panic!("it asks");
    };
    assert_eq!(facts.output_cap, Some(0));
    assert!(socket.client(b"not json").is_err());
}

#[test]
fn sound_counts_as_tokens_and_the_transcriber_is_known_from_the_session() {
    let mut realtime = conversation(Format::OpenAiRealtime, "gpt-realtime").unwrap();
    let audio = "A".repeat(3200);
    let frame = format!(r#"{{"type":"input_audio_buffer.append","audio":"{audio}"}}"#);
    assert_eq!(
        realtime.client(frame.as_bytes()).unwrap(),
        FromClient::Adds {
            input: Input {
                text_bytes: 0,
                media_tokens: 3
            },
            other_model: None,
        }
    );
    let update = br#"{"type":"session.update","session":{"audio":{"input":{"transcription":{"model":"whisper-1"}}}}}"#;
    let FromClient::Adds { other_model, .. } = realtime.client(update).unwrap() else {
        panic!("it adds");
    };
    assert_eq!(other_model.as_deref(), Some("whisper-1"));
    let updated = std::str::from_utf8(update)
        .unwrap()
        .replace("session.update", "session.updated");
    realtime.server(updated.as_bytes());
    let heard = br#"{"type":"conversation.item.input_audio_transcription.completed","usage":{"type":"duration","seconds":3}}"#;
    let FromServer::Bills(extra) = realtime.server(heard) else {
        panic!("it is billed");
    };
    assert_eq!(extra.model.as_deref(), Some("whisper-1"));
    assert_eq!(extra.usage.get(Unit::InputAudioSeconds), 3);
}

#[test]
fn a_live_conversation_of_somebody_else_cannot_be_resumed() {
    for setup in [
        r#"{"setup":{"model":"models/m","sessionResumption":{"handle":"h"}}}"#,
        r#"{"setup":{"model":"models/m"},"clientContent":{"turns":[]}}"#,
    ] {
        let mut live = conversation(Format::GeminiLive, "").unwrap();
        assert!(live.client(setup.as_bytes()).is_err(), "{setup}");
    }
    let mut live = conversation(Format::GeminiLive, "").unwrap();
    let fresh = br#"{"setup":{"model":"models/m","sessionResumption":{}}}"#;
    assert!(matches!(live.client(fresh), Ok(FromClient::Names(_))));
}

#[test]
fn a_client_cannot_choose_what_its_turns_are_priced_at() {
    let mut realtime = conversation(Format::OpenAiRealtime, "gpt-realtime").unwrap();
    let cheap = br#"{"type":"session.update","session":{"model":"gpt-realtime-mini"}}"#;
    assert!(realtime.client(cheap).is_err());
    let same = br#"{"type":"session.update","session":{"model":"gpt-realtime"}}"#;
    assert!(realtime.client(same).is_ok());
    let done = br#"{"type":"response.done","response":{"id":"r","usage":{"input_tokens":1,"output_tokens":1}}}"#;
    let FromServer::Ends { report, .. } = realtime.server(done) else {
        panic!("the turn has ended");
    };
    assert_eq!(report.model, None, "the conversation's own");
}

#[test]
fn what_a_provider_says_of_our_key_is_told_apart() {
    let bad = br#"{"type":"error","error":{"code":"invalid_api_key","message":"sk-...abc"}}"#;
    for format in [Format::OpenAiRealtime, Format::OpenAiResponsesSocket] {
        let mut conversation = conversation(format, "m").unwrap();
        assert_eq!(conversation.server(bad), FromServer::Rejects);
    }
}

#[test]
fn a_frame_that_nobody_knows_is_refused_and_what_steers_is_input() {
    let mut socket = conversation(Format::OpenAiResponsesSocket, "").unwrap();
    assert!(socket.client(br#"{"type":"session.update"}"#).is_err());
    let steer = br#"{"type":"response.steer","input":"shorter"}"#;
    assert!(matches!(socket.client(steer), Ok(FromClient::Adds { .. })));
}

#[test]
fn an_error_of_ours_is_a_frame_of_the_protocol() {
    use tollgate_core::error::Kind;
    let error = Error::new(Kind::LimitReached, "spending limit reached");
    for format in [
        Format::OpenAiRealtime,
        Format::OpenAiResponsesSocket,
        Format::GeminiLive,
    ] {
        let frame = conversation(format, "gpt-realtime")
            .unwrap()
            .error_frame(&error, "a");
        let frame: Value = serde_json::from_slice(&frame).unwrap();
        assert_eq!(
            frame["error"]["message"], "spending limit reached",
            "{format:?}"
        );
    }
}
