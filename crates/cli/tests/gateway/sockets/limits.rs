//! Limits in conversations: what has no room is refused before it begins, and what was billed is
//! booked all the same.

use super::{
    LIVE, REALTIME, RESPONSES, ask, billed, completed, created,
    peer::{Provider, Side},
};
use crate::support::stage;
use serde_json::json;

#[tokio::test]
async fn a_spent_limit_refuses_the_next_turn_in_the_protocol_and_the_next_conversation() {
    let provider = Provider::start().await;
    let limited = "[organization]\nname = \"Acme\"\nlimits = { total = \"0.0015\" }\n";
    let stage = stage(&provider.url(), limited).await;
    let (mut client, (mut upstream, ..)) =
        tokio::join!(Side::connect(&stage, RESPONSES), provider.accept());
    client.say(&ask("first")).await;
    upstream.hear().await;
    let mut dear = completed("first");
    dear["response"]["usage"]["output_tokens"] = json!(100);
    dear["response"]["usage"]["total_tokens"] = json!(110);
    for frame in [created("first"), dear] {
        upstream.say(&frame).await;
        client.hear().await;
    }
    client.say(&ask("second")).await;
    let refusal = client.hear().await;
    assert_eq!(refusal["type"], "error", "{refusal}");
    assert_eq!(refusal["status"], 402);
    let text = refusal["error"]["message"].as_str().unwrap();
    assert!(text.contains("spending limit reached"), "{text}");
    // Nothing of it went upstream: what comes next there is what the client says next.
    let word = json!({ "type": "response.cancel" });
    client.say(&word).await;
    assert_eq!(upstream.hear().await, word);
    client.close().await;
    assert_eq!(billed(stage).await.len(), 1);
}

#[tokio::test]
async fn a_limit_on_requests_counts_the_conversation_and_its_turns() {
    let provider = Provider::start().await;
    let limited = "[organization]\nname = \"Acme\"\nlimits = { requests = { total = 2 } }\n";
    let stage = stage(&provider.url(), limited).await;
    let (mut client, (mut upstream, ..)) =
        tokio::join!(Side::connect(&stage, RESPONSES), provider.accept());
    client.say(&ask("first")).await;
    upstream.hear().await;
    for frame in [created("first"), completed("first")] {
        upstream.say(&frame).await;
        client.hear().await;
    }
    client.say(&ask("second")).await;
    assert_eq!(client.hear().await["status"], 402);
    let (status, text) = Side::try_connect(&stage, RESPONSES).await.err().unwrap();
    assert_eq!(status.as_u16(), 402, "{text}");
    assert!(text.contains("request limit"), "{text}");
}

#[tokio::test]
async fn a_model_without_a_price_ends_a_live_conversation_before_its_first_turn() {
    let provider = Provider::start().await;
    let stage = stage(&provider.url(), "").await;
    let (mut client, (mut upstream, ..)) =
        tokio::join!(Side::connect(&stage, LIVE), provider.accept());
    client
        .say(&json!({ "setup": { "model": "models/no-such-model" } }))
        .await;
    let refusal = client.hear().await;
    let text = refusal["error"]["message"].as_str().unwrap();
    assert!(text.contains("Unable to calculate spend"), "{text}");
    assert!(client.hear_close().await.is_some());
    upstream.hear_close().await;
    assert!(billed(stage).await.is_empty());
}

#[tokio::test]
async fn a_live_conversation_without_room_for_a_turn_ends_before_one_begins() {
    let provider = Provider::start().await;
    let limited = "[organization]\nname = \"Acme\"\nlimits = { total = \"0.0001\" }\n";
    let stage = stage(&provider.url(), limited).await;
    let (mut client, (mut upstream, ..)) =
        tokio::join!(Side::connect(&stage, LIVE), provider.accept());
    client
        .say(&json!({ "setup": { "model": "models/gemini-2.5-flash" } }))
        .await;
    let refusal = client.hear().await;
    let text = refusal["error"]["message"].as_str().unwrap();
    assert!(text.contains("spending limit"), "{text}");
    assert!(client.hear_close().await.is_some());
    assert!(
        upstream.hear_close().await.is_some(),
        "no frame came before"
    );
    assert!(billed(stage).await.is_empty());
}

#[tokio::test]
async fn input_that_no_turn_could_pay_for_is_refused_and_the_conversation_goes_on() {
    let provider = Provider::start().await;
    let limited = "[organization]\nname = \"Acme\"\nlimits = { total = \"0.05\" }\n";
    let stage = stage(&provider.url(), limited).await;
    let (mut client, (mut upstream, ..)) =
        tokio::join!(Side::connect(&stage, REALTIME), provider.accept());
    let small = json!({ "type": "input_audio_buffer.append", "audio": "AAAA" });
    client.say(&small).await;
    assert_eq!(upstream.hear().await, small);
    let large = json!({ "type": "input_audio_buffer.append", "audio": "A".repeat(4_000_000) });
    client.say(&large).await;
    assert_eq!(client.hear().await["status"], 402);
    client.say(&small).await;
    assert_eq!(
        upstream.hear().await,
        small,
        "nothing of the large one came"
    );
}

#[tokio::test]
async fn a_turn_that_nobody_saw_begin_is_booked_even_past_the_limit() {
    let provider = Provider::start().await;
    let limited = "[organization]\nname = \"Acme\"\nlimits = { total = \"0.05\" }\n";
    let stage = stage(&provider.url(), limited).await;
    let (mut client, (mut upstream, ..)) =
        tokio::join!(Side::connect(&stage, REALTIME), provider.accept());
    let done = json!({
        "type": "response.done",
        "response": {
            "id": "r1", "status": "completed",
            "usage": {
                "total_tokens": 101_000, "input_tokens": 100_000, "output_tokens": 1_000,
                "input_token_details": { "text_tokens": 100_000 },
                "output_token_details": { "text_tokens": 1_000 },
            },
        },
    });
    upstream.say(&done).await;
    assert_eq!(client.hear().await, done);
    client.close().await;
    let refused = loop {
        // The books follow the goodbye by a moment.
        match Side::try_connect(&stage, REALTIME).await {
            Err(refused) => break refused,
            Ok(mut again) => {
                let (_side, ..) = provider.accept().await;
                again.close().await;
            }
        }
    };
    assert_eq!(refused.0.as_u16(), 402, "{}", refused.1);
    let rows = billed(stage).await;
    assert_eq!(rows.len(), 1, "{rows:#?}");
    assert!(rows[0].cost.as_nano() > 50_000_000, "{rows:#?}");
    assert_eq!(rows[0].usage.total_tokens(), 101_000);
}

#[tokio::test]
async fn a_client_cannot_name_another_model_to_be_priced_at() {
    let provider = Provider::start().await;
    let stage = stage(&provider.url(), "").await;
    let (mut client, (mut upstream, ..)) =
        tokio::join!(Side::connect(&stage, REALTIME), provider.accept());
    for session in [
        json!({ "model": "gpt-4o-mini-realtime-preview" }),
        json!({ "audio": { "input": { "transcription": { "model": "no-such-model" } } } }),
    ] {
        let update = json!({ "type": "session.update", "session": session });
        client.say(&update).await;
        assert_eq!(client.hear().await["type"], "error", "{update}");
    }
    let word = json!({ "type": "input_audio_buffer.clear" });
    client.say(&word).await;
    assert_eq!(upstream.hear().await, word, "nothing of it came");
}
