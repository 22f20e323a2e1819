//! Conversations over WebSockets: frames pass as they are, every turn is held, booked and limited.

mod limits;
mod openings;
mod peer;

use crate::support::{self, CREDENTIAL, KEY, Stage, stage};
use peer::{Provider, Side};
use serde_json::{Value, json};
use tollgate_store::UsageLine;

const RESPONSES: &str = "/proxy/openai/v1/responses";
const REALTIME: &str = "/proxy/openai/v1/realtime?model=gpt-realtime";
const LIVE: &str =
    "/proxy/google/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent";

/// Ten tokens in and ten out: $0.0001575 for `gpt-5.2`.
fn completed(id: &str) -> Value {
    json!({
        "type": "response.completed",
        "response": {
            "id": id, "model": "gpt-5.2", "status": "completed", "output": [],
            "usage": { "input_tokens": 10, "output_tokens": 10, "total_tokens": 20 },
        },
    })
}

fn created(id: &str) -> Value {
    json!({ "type": "response.created", "response": { "id": id, "usage": null } })
}

fn ask(text: &str) -> Value {
    json!({ "type": "response.create", "model": "gpt-5.2", "input": text, "max_output_tokens": 50 })
}

/// The rows that cost something, the first one first.
async fn billed(stage: Stage) -> Vec<UsageLine> {
    let rows = stage.books().await.rows.into_iter().rev();
    rows.filter(|row| row.cost.as_nano() > 0).collect()
}

#[tokio::test]
async fn turns_of_a_responses_socket_pass_unchanged_and_are_booked_one_by_one() {
    let provider = Provider::start().await;
    let stage = stage(&provider.url(), "").await;
    let (mut client, (mut upstream, path, headers)) =
        tokio::join!(Side::connect(&stage, RESPONSES), provider.accept());
    assert_eq!(path, "/v1/responses");
    let bearer = format!("Bearer {CREDENTIAL}");
    assert_eq!(headers["authorization"], bearer.as_str());
    assert!(!format!("{headers:?}").contains(KEY), "{headers:?}");

    for turn in ["one", "two"] {
        // Spaces and order are the client's own.
        let frame = ask(turn).to_string().replace("\":", "\" : ");
        client.say_text(&frame).await;
        assert_eq!(upstream.hear_text().await, frame);
        let said = json!({ "type": "response.output_text.delta", "delta": "hi" });
        for frame in [created(turn), said, completed(turn)] {
            upstream.say(&frame).await;
            assert_eq!(client.hear().await, frame);
        }
    }
    client.close().await;
    drop(upstream);

    let rows = billed(stage).await;
    let costs: Vec<_> = rows.iter().map(|row| row.cost.as_nano()).collect();
    assert_eq!(costs, [157_500, 157_500]);
    for row in &rows {
        assert_eq!(row.provider.as_deref(), Some("openai"));
        assert_eq!(row.model_asked, "gpt-5.2");
        assert_eq!(support::flags(row), [""; 0]);
    }
}

#[tokio::test]
async fn a_turn_that_the_server_begins_by_itself_is_booked_and_so_is_what_it_heard() {
    let provider = Provider::start().await;
    let stage = stage(&provider.url(), "").await;
    let (mut client, (mut upstream, path, _)) =
        tokio::join!(Side::connect(&stage, REALTIME), provider.accept());
    assert_eq!(path, "/v1/realtime?model=gpt-realtime");
    let session = json!({ "audio": { "input": { "transcription": { "model": "whisper-1" } } } });
    client
        .say(&json!({ "type": "session.update", "session": session }))
        .await;
    upstream.hear().await;
    let sound = json!({ "type": "input_audio_buffer.append", "audio": "AAAA" });
    client.say(&sound).await;
    assert_eq!(upstream.hear().await, sound);
    let heard = json!({
        "type": "conversation.item.input_audio_transcription.completed",
        "transcript": "hi", "usage": { "type": "duration", "seconds": 60 },
    });
    let done = json!({
        "type": "response.done",
        "response": {
            "id": "r1", "status": "completed",
            "usage": {
                "total_tokens": 30, "input_tokens": 20, "output_tokens": 10,
                "input_token_details": { "text_tokens": 20 },
                "output_token_details": { "text_tokens": 10 },
            },
        },
    });
    for frame in [created("r1"), heard, done] {
        upstream.say(&frame).await;
        assert_eq!(client.hear().await, frame);
    }
    client.close().await;
    let rows = billed(stage).await;
    assert_eq!(rows.len(), 1, "{rows:#?}");
    assert_eq!(rows[0].model_asked, "gpt-realtime");
    assert_eq!(rows[0].usage.total_tokens(), 30);
}

#[tokio::test]
async fn a_live_conversation_names_its_model_in_its_first_frame() {
    let provider = Provider::start().await;
    let stage = stage(&provider.url(), "").await;
    let (mut client, (mut upstream, path, _)) =
        tokio::join!(Side::connect(&stage, LIVE), provider.accept());
    assert!(path.ends_with("BidiGenerateContent"), "{path}");
    let setup = json!({ "setup": { "model": "models/gemini-2.5-flash" } });
    client.say(&setup).await;
    assert_eq!(upstream.hear().await, setup);
    client
        .say(&json!({ "clientContent": { "turns": [], "turnComplete": true } }))
        .await;
    upstream.hear().await;
    let said = json!({ "serverContent": { "modelTurn": { "parts": [{ "text": "hi" }] } } });
    let ended = json!({
        "serverContent": { "turnComplete": true },
        "usageMetadata": { "promptTokenCount": 100, "responseTokenCount": 10 },
    });
    for frame in [said, ended] {
        upstream.say(&frame).await;
        assert_eq!(client.hear().await, frame);
    }
    client.close().await;
    let rows = billed(stage).await;
    assert_eq!(rows.len(), 1, "{rows:#?}");
    assert_eq!(rows[0].model_asked, "gemini-2.5-flash");
    assert_eq!(rows[0].usage.total_tokens(), 110);
}

#[tokio::test]
async fn a_provider_that_goes_away_ends_the_conversation_and_its_turn_is_booked_by_estimate() {
    let provider = Provider::start().await;
    let stage = stage(&provider.url(), "").await;
    let (mut client, (mut upstream, ..)) =
        tokio::join!(Side::connect(&stage, RESPONSES), provider.accept());
    client.say(&ask("first")).await;
    upstream.hear().await;
    upstream.say(&created("first")).await;
    client.hear().await;
    drop(upstream);
    let last = client.hear().await;
    assert_eq!(last["type"], "error", "{last}");
    assert!(client.hear_close().await.is_some());
    let rows = billed(stage).await;
    assert_eq!(rows.len(), 1);
    assert!(support::flags(&rows[0]).contains(&"estimated"), "{rows:#?}");
}

#[tokio::test]
async fn an_error_inside_a_turn_ends_it_and_one_without_a_lane_is_about_the_only_ask() {
    let provider = Provider::start().await;
    let stage = stage(&provider.url(), "").await;
    let (mut client, (mut upstream, ..)) =
        tokio::join!(Side::connect(&stage, RESPONSES), provider.accept());
    let error = json!({ "type": "error", "status": 400, "error": { "code": "x" } });
    // Refused before it began: free.
    let mut laned = ask("one");
    laned["stream_id"] = json!("a");
    client.say(&laned).await;
    upstream.hear().await;
    upstream.say(&error).await;
    client.hear().await;
    // Failed while it ran: what it may have cost.
    client.say(&ask("two")).await;
    upstream.hear().await;
    for frame in [created("two"), error] {
        upstream.say(&frame).await;
        client.hear().await;
    }
    client.close().await;
    let rows = billed(stage).await;
    assert_eq!(rows.len(), 1, "{rows:#?}");
    assert_eq!(support::flags(&rows[0]), ["estimated"]);
}

#[tokio::test]
async fn what_a_provider_says_of_our_key_never_reaches_the_client() {
    let provider = Provider::start().await;
    let stage = stage(&provider.url(), "").await;
    let (mut client, (mut upstream, ..)) =
        tokio::join!(Side::connect(&stage, RESPONSES), provider.accept());
    let about_us = json!({
        "type": "error",
        "error": { "code": "invalid_api_key", "message": format!("Incorrect key {CREDENTIAL}") },
    });
    upstream.say(&about_us).await;
    let told = client.hear().await;
    let text = told["error"]["message"].as_str().unwrap();
    assert!(text.contains("refused this gateway's credential"), "{text}");
    assert!(client.hear_close().await.is_some());
}

#[tokio::test]
async fn a_turn_goes_on_from_a_response_of_its_own_project_and_from_no_other() {
    let provider = Provider::start().await;
    let stage = stage(&provider.url(), "").await;
    let (mut client, (mut upstream, ..)) =
        tokio::join!(Side::connect(&stage, RESPONSES), provider.accept());
    let mut next = ask("first");
    for id in ["resp_1", "resp_2", "resp_3"] {
        client.say(&next).await;
        upstream.hear().await;
        for frame in [created(id), completed(id)] {
            upstream.say(&frame).await;
            client.hear().await;
        }
        next["previous_response_id"] = json!(id);
    }
    next["previous_response_id"] = json!("resp_of_others");
    client.say(&next).await;
    let refusal = client.hear().await;
    assert_eq!(refusal["status"], 404, "{refusal}");
    let mut background = ask("later");
    background["background"] = json!(true);
    client.say(&background).await;
    assert_eq!(client.hear().await["status"], 400);
    client.close().await;
    assert_eq!(billed(stage).await.len(), 3);
}
