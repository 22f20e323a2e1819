//! Conversations over WebSockets: frames pass as they are, every turn is held, booked and limited.

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
async fn a_refused_handshake_is_tried_elsewhere_and_told_when_there_is_nowhere_else() {
    let (sick, well) = (Provider::start().await, Provider::start().await);
    let group = format!(
        "{}{}\n[[routing_group]]\nslug = \"both\"\ntargets = [\n  {{ provider = \"sick\" }},\n  \
         {{ provider = \"well\", priority = 1 }},\n]\n",
        support::provider("sick", "openai", &format!("{}/v1", sick.url()), ""),
        support::provider("well", "openai", &format!("{}/v1", well.url()), ""),
    );
    let stage = stage(&sick.url(), &group).await;
    let sorry = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 5\r\n\r\nsorry";
    let ((), mut client, (mut upstream, ..)) = tokio::join!(
        sick.refuse(sorry),
        Side::connect(&stage, "/proxy/both/v1/responses"),
        well.accept()
    );
    client.say(&ask("hi")).await;
    upstream.hear().await;
    client.close().await;
    let ((), refused) = tokio::join!(
        sick.refuse(sorry),
        Side::try_connect(&stage, "/proxy/sick/v1/responses")
    );
    let (status, text) = refused.err().unwrap();
    assert_eq!((status.as_u16(), text.as_str()), (503, "sorry"));
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
    assert!(upstream.hear_close().await.is_some(), "no frame came before");
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
    assert_eq!(upstream.hear().await, small, "nothing of the large one came");
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
async fn a_handshake_is_refused_as_any_request_would_be() {
    let provider = Provider::start().await;
    let stage = stage(&provider.url(), "").await;
    for (answer, status, told) in [
        ("401 Unauthorized", 502, "refused this gateway's credential"),
        ("302 Found\r\nlocation: http://elsewhere.invalid/", 502, "redirect"),
        ("400 Bad Request", 400, "sk-canary"),
    ] {
        let body = "{\"error\":\"sk-canary\"}";
        let length = body.len();
        let answer = format!("HTTP/1.1 {answer}\r\ncontent-length: {length}\r\n\r\n{body}");
        let ((), refused) = tokio::join!(
            provider.refuse(&answer),
            Side::try_connect(&stage, RESPONSES)
        );
        let (code, text) = refused.err().unwrap();
        assert_eq!(code.as_u16(), status, "{text}");
        assert!(text.contains(told), "{text}");
        assert_eq!(text.contains("sk-canary"), status == 400, "{text}");
    }
}

#[tokio::test]
async fn codex_is_sent_back_to_http_where_nobody_speaks_the_socket() {
    let provider = Provider::start().await;
    let groq = support::provider("groq", "groq", &provider.url(), "");
    let stage = stage(&provider.url(), &groq).await;
    let path = "/proxy/groq/openai/v1/responses";
    let (status, text) = Side::try_connect(&stage, path).await.err().unwrap();
    assert_eq!(status.as_u16(), 404, "{text}");
    assert!(text.contains("does not speak"), "{text}");
    let codex = [("originator", "codex_cli_rs")];
    let (status, _) = Side::connect_with(&stage, path, &codex)
        .await
        .err()
        .unwrap();
    assert_eq!(status.as_u16(), 426);
}

#[tokio::test]
async fn what_is_no_handshake_is_told_what_to_do() {
    let provider = Provider::start().await;
    let stage = stage(&provider.url(), "").await;
    let client = stage.client.clone().header("upgrade", "websocket");
    let answered = client.get(REALTIME).await;
    let text = support::assert_refused(answered, 400, "bad_request").await;
    assert!(text.contains("WebSocket"), "{text}");
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
