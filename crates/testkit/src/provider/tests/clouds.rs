//! The clouds' and the other makers' manners: where usage stands, what a stream is framed in.

use super::{bill_of, chat, events};
use crate::{client::Client, upstream::Upstream};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

const CONVERSE: &str = "/bedrock/model/us.anthropic.claude-x-20250929-v1%3A0";

/// The events of AWS's binary frames, checksums verified: type and payload.
fn frames(mut bytes: &[u8]) -> Vec<(String, Value)> {
    let number =
        |bytes: &[u8], at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    let mut events = Vec::new();
    while !bytes.is_empty() {
        let (total, headers) = (number(bytes, 0) as usize, number(bytes, 4) as usize);
        assert_eq!(number(bytes, 8), crc32fast::hash(&bytes[..8]));
        assert_eq!(
            number(bytes, total - 4),
            crc32fast::hash(&bytes[..total - 4])
        );
        let head = String::from_utf8_lossy(&bytes[12..12 + headers]).into_owned();
        let kind = head.split(['\u{7}', ':']).find_map(|part| {
            let name: String = part.chars().filter(char::is_ascii_alphabetic).collect();
            let is_name = !["", "eventtype", "exceptiontype"].contains(&name.as_str());
            is_name.then_some(name)
        });
        let payload = serde_json::from_slice(&bytes[12 + headers..total - 4]).unwrap();
        events.push((kind.unwrap(), payload));
        bytes = &bytes[total..];
    }
    events
}

async fn frames_of(path: &str, body: &Value) -> (Vec<(String, Value)>, u64, u64) {
    let upstream = Upstream::provider().await;
    let answered = Client::new(upstream.url()).post(path, body).await;
    assert_eq!(
        answered.header("content-type"),
        Some("application/vnd.amazon.eventstream")
    );
    let bytes = answered.bytes().await;
    let request = upstream.wait_until_over(0).await;
    (frames(&bytes), request.input_tokens, request.output_tokens)
}

#[tokio::test]
async fn converse_ends_with_usage_that_keeps_cached_input_beside() {
    let body =
        json!({ "messages": [{ "role": "user", "content": [{ "text": "[words=3] [cached]" }] }] });
    let (events, input, output) = frames_of(&format!("{CONVERSE}/converse-stream"), &body).await;
    let kinds: Vec<_> = events.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds.first(), Some(&"messageStart"));
    assert_eq!(kinds[kinds.len() - 2..], ["messageStop", "metadata"]);
    assert!(
        events.iter().all(|(_, payload)| payload["p"].is_string()),
        "every event is padded"
    );
    let usage = &events.last().unwrap().1["usage"];
    assert_eq!(usage["inputTokens"].as_u64().unwrap() + input / 2, input);
    assert_eq!((usage["outputTokens"].as_u64(), output), (Some(3), 3));
    let (text, ..) = bill_of(&format!("{CONVERSE}/converse"), &body).await;
    let whole: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(whole["usage"], *usage);
}

#[tokio::test]
async fn invoked_models_speak_their_maker_s_words_inside_the_frames() {
    let body = json!({
        "anthropic_version": "bedrock-2023-05-31", "max_tokens": 9,
        "messages": [{ "role": "user", "content": "[words=3]" }],
    });
    let path = format!("{CONVERSE}/invoke-with-response-stream");
    let (events, input, _) = frames_of(&path, &body).await;
    let native: Vec<Value> = events
        .iter()
        .map(|(_, payload)| {
            BASE64_STANDARD
                .decode(payload["bytes"].as_str().unwrap())
                .unwrap()
        })
        .map(|bytes| serde_json::from_slice(&bytes).unwrap())
        .collect();
    assert_eq!(native[0]["message"]["model"], "claude-x-20250929");
    let last = native.last().unwrap();
    assert_eq!(last["type"], "message_stop");
    assert_eq!(
        last["amazon-bedrock-invocationMetrics"]["inputTokenCount"],
        input
    );
}

#[tokio::test]
async fn a_broken_frame_stream_ends_with_an_exception() {
    let body =
        json!({ "messages": [{ "role": "user", "content": [{ "text": "[words=9] [error=2]" }] }] });
    let (events, ..) = frames_of(&format!("{CONVERSE}/converse-stream"), &body).await;
    assert_eq!(events.last().unwrap().0, "modelStreamErrorException");
}

#[tokio::test]
async fn chat_usage_stands_where_each_house_puts_it() {
    let mut body = chat("[words=3]", true);
    body["stream_options"] = Value::Null;
    let (text, ..) = bill_of("/groq/openai/v1/chat/completions", &body).await;
    let last = events(&text).pop().unwrap();
    assert_eq!(last["x_groq"]["usage"]["completion_tokens"], 3);
    body.as_object_mut().unwrap().remove("stream_options");
    let (text, ..) = bill_of("/mistral/v1/chat/completions", &body).await;
    let last = events(&text).pop().unwrap();
    assert_eq!(last["choices"][0]["finish_reason"], "stop");
    assert_eq!(last["usage"]["completion_tokens"], 3);
    let azure = "/azure/openai/deployments/mine/chat/completions?api-version=1";
    let (text, ..) = bill_of(azure, &chat("[words=3]", true)).await;
    let (first, last) = (&events(&text)[0], events(&text).pop().unwrap());
    assert_eq!((&first["choices"], first.get("usage")), (&json!([]), None));
    assert_eq!(
        (&last["model"], &last["usage"]["completion_tokens"]),
        (&json!("mine"), &json!(3))
    );
    let vertex = "/google-vertex/v1/publishers/google/models/g:streamGenerateContent?alt=sse";
    let body = json!({ "contents": [{ "parts": [{ "text": "[words=3]" }] }] });
    let told: Vec<_> = events(&bill_of(vertex, &body).await.0)
        .iter()
        .map(|event| event["usageMetadata"]["candidatesTokenCount"].clone())
        .collect();
    assert_eq!(told, [Value::Null, Value::Null, Value::Null, json!(3)]);
}

#[tokio::test]
async fn ollama_streams_lines_unless_refused() {
    let mut body =
        json!({ "model": "m", "messages": [{ "role": "user", "content": "[words=3]" }] });
    let (text, input, _) = bill_of("/ollama/api/chat", &body).await;
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 4);
    assert_eq!(lines[3]["prompt_eval_count"], input);
    assert_eq!(
        (&lines[3]["done"], &lines[3]["eval_count"]),
        (&json!(true), &json!(3))
    );
    body["stream"] = json!(false);
    let (text, ..) = bill_of("/ollama/api/chat", &body).await;
    let whole: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(whole["message"]["content"], "word1 word2 word3");
}

#[tokio::test]
async fn vertex_counts_every_instance_and_the_sum_is_the_bill() {
    let path = "/google-vertex/v1/projects/p/locations/l/publishers/google/models/e:predict";
    let body = json!({ "instances": [{ "content": "one" }, { "content": "and another" }] });
    let (text, input, _) = bill_of(path, &body).await;
    let whole: Value = serde_json::from_str(&text).unwrap();
    let predictions = whole["predictions"].as_array().unwrap();
    let counts = predictions.iter().map(|prediction| {
        prediction["embeddings"]["statistics"]["token_count"]
            .as_u64()
            .unwrap()
    });
    assert_eq!((predictions.len(), counts.sum::<u64>()), (2, input));
}
