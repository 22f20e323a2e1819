//! The plausible provider's own arithmetic: what a body reports is what the bill says, whole or
//! streamed. That its shapes are right is shown by the official SDKs in `conformance/`.

mod clouds;
mod objects;

use crate::{
    client::Client,
    upstream::{Ended, Upstream},
};
use serde_json::{Value, json};

const GEMINI: &str = "/v1beta/models/gemini-2.5-pro:generateContent";
const GEMINI_STREAM: &str = "/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse";

fn chat(prompt: &str, stream: bool) -> Value {
    json!({
        "model": "gpt-5.2", "stream": stream, "stream_options": { "include_usage": true },
        "messages": [{ "role": "user", "content": prompt }],
    })
}

/// The JSON of each `data:` line.
fn events(text: &str) -> Vec<Value> {
    text.lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .filter(|data| *data != "[DONE]")
        .map(|data| serde_json::from_str(data).unwrap())
        .collect()
}

async fn bill_of(path: &str, body: &Value) -> (String, u64, u64) {
    let upstream = Upstream::provider().await;
    let text = Client::new(upstream.url())
        .post(path, body)
        .await
        .text()
        .await;
    let request = upstream.wait_until_over(0).await;
    assert_eq!(request.ended, Ended::AsScripted);
    (text, request.input_tokens, request.output_tokens)
}

#[tokio::test]
async fn chat_reports_what_it_bills_whole_and_streamed() {
    let prompt = "[words=9] [think] [cached] twelve bytes";
    let (text, input, output) = bill_of("/v1/chat/completions", &chat(prompt, false)).await;
    let whole: Value = serde_json::from_str(&text).unwrap();
    // "user" and the prompt: 4 + 39 bytes.
    assert_eq!((input, output), (8 + 43 / 4, 9 + 24));
    assert_eq!(whole["usage"]["prompt_tokens"], input);
    assert_eq!(whole["usage"]["completion_tokens"], output);
    let cached = &whole["usage"]["prompt_tokens_details"]["cached_tokens"];
    assert_eq!(*cached, input / 2);
    let (text, input, output) = bill_of("/v1/chat/completions", &chat(prompt, true)).await;
    assert!(text.ends_with("data: [DONE]\n\n"));
    let last = events(&text).pop().unwrap();
    assert_eq!(last["choices"], json!([]));
    assert_eq!(last["usage"]["prompt_tokens"], input);
    assert_eq!(last["usage"]["completion_tokens"], output);
}

#[tokio::test]
async fn a_chat_stream_without_include_usage_never_mentions_usage() {
    let mut body = chat("hello", true);
    body["stream_options"] = Value::Null;
    let (text, _, _) = bill_of("/chat/completions", &body).await;
    assert!(!text.contains("usage"), "{text}");
}

#[tokio::test]
async fn messages_keep_cached_input_beside_the_input() {
    let body = json!({
        "model": "claude-sonnet-4-5", "max_tokens": 4, "stream": true,
        "messages": [{ "role": "user", "content": [
            { "type": "text", "text": "[words=9] [cached]" },
        ]}],
    });
    let (text, input, output) = bill_of("/v1/messages", &body).await;
    let events = events(&text);
    let usage = &events[0]["message"]["usage"];
    let read = usage["cache_read_input_tokens"].as_u64().unwrap();
    assert_eq!(usage["input_tokens"].as_u64().unwrap() + read, input);
    let end = &events[events.len() - 2];
    assert_eq!(end["usage"]["output_tokens"], output);
    assert_eq!(
        (output, &end["delta"]["stop_reason"]),
        (4, &json!("max_tokens"))
    );
    let (text, _, _) = bill_of("/v1/messages/count_tokens", &body).await;
    assert_eq!(text, json!({ "input_tokens": input }).to_string());
}

#[tokio::test]
async fn gemini_keeps_thoughts_beside_the_candidates() {
    let body = json!({ "contents": [{ "parts": [{ "text": "[think] [words=3]" }] }] });
    for path in [GEMINI, GEMINI_STREAM] {
        let (text, input, output) = bill_of(path, &body).await;
        let last = events(&text)
            .pop()
            .unwrap_or_else(|| serde_json::from_str(&text).unwrap());
        assert_eq!(last["usageMetadata"]["promptTokenCount"], input);
        assert_eq!(last["usageMetadata"]["candidatesTokenCount"], 3);
        assert_eq!(last["usageMetadata"]["thoughtsTokenCount"], 24);
        assert_eq!(output, 27);
        assert_eq!(last["candidates"][0]["finishReason"], "STOP");
    }
}

#[tokio::test]
async fn responses_number_their_events_and_end_with_usage() {
    let body = json!({ "model": "gpt-5.2", "stream": true, "input": "[words=5]" });
    let (text, input, output) = bill_of("/v1/responses", &body).await;
    let events = events(&text);
    for (number, event) in events.iter().enumerate() {
        assert_eq!(event["sequence_number"], number);
    }
    let last = events.last().unwrap();
    assert_eq!(last["type"], "response.completed");
    assert_eq!(last["response"]["usage"]["input_tokens"], input);
    assert_eq!(last["response"]["usage"]["output_tokens"], output);
}

#[tokio::test]
async fn a_tool_is_called_once_and_its_answer_quoted() {
    let tool = json!({ "type": "function", "function": {
        "name": "weather",
        "parameters": {
            "type": "object", "required": ["city", "days"],
            "properties": { "city": { "type": "string" }, "days": { "type": "integer" } },
        },
    }});
    let mut body = chat("[tool] what is it like?", false);
    body["tools"] = json!([tool]);
    let (text, _, _) = bill_of("/v1/chat/completions", &body).await;
    let whole: Value = serde_json::from_str(&text).unwrap();
    let call = &whole["choices"][0]["message"]["tool_calls"][0];
    assert_eq!(
        call["function"]["arguments"],
        r#"{"city":"Paris","days":7}"#
    );
    let result = json!({ "role": "tool", "tool_call_id": "call_1", "content": "sunny" });
    body["messages"].as_array_mut().unwrap().push(result);
    let (text, _, _) = bill_of("/v1/chat/completions", &body).await;
    assert!(text.contains("The tool said: sunny"), "{text}");
}

#[tokio::test]
async fn streams_break_where_the_prompt_says() {
    let upstream = Upstream::provider().await;
    let client = Client::new(upstream.url());
    let body = chat("[words=50] [cut=3]", true);
    let answered = client.post("/v1/chat/completions", &body).await;
    assert!(answered.try_bytes().await.is_err());
    let request = upstream.wait_until_over(0).await;
    assert_eq!(request.output_tokens, 3);
    let body = chat("[words=50] [error=2]", true);
    let text = client
        .post("/v1/chat/completions", &body)
        .await
        .text()
        .await;
    assert!(text.contains(r#""type":"server_error""#) && !text.contains("[DONE]"));
}

#[tokio::test]
async fn failures_wear_the_dialect_and_cost_nothing() {
    let upstream = Upstream::provider().await;
    let client = Client::new(upstream.url()).bearer("sk");
    let body = json!({
        "model": "m", "contents": [{ "parts": [{ "text": "[fail=429]" }] }],
        "messages": [{ "role": "user", "content": "[fail=429]" }],
    });
    for (path, place, word) in [
        ("/v1/chat/completions", "/error/code", "rate_limit_exceeded"),
        ("/v1/messages", "/error/type", "rate_limit_error"),
        (GEMINI, "/error/status", "RESOURCE_EXHAUSTED"),
    ] {
        let answered = client.post(path, &body).await;
        assert_eq!(answered.status, 429);
        assert_eq!(answered.json().await.pointer(place), Some(&json!(word)));
    }
    let bill = upstream.bill()["sk"];
    assert_eq!(
        (bill.requests, bill.input_tokens, bill.output_tokens),
        (3, 0, 0)
    );
}
