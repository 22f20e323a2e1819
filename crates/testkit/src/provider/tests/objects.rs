//! Forms, and objects that outlive their request.

use crate::{client::Client, upstream::Upstream};
use http::Method;
use serde_json::{Value, json};

const EDGE: &str = "edge";

fn form(fields: &[(&str, &str)], file: &str) -> (String, String) {
    let field = |(name, value): &(&str, &str)| format!("; name=\"{name}\"\r\n\r\n{value}");
    let kind = "Content-Type: text/plain";
    let mut parts: Vec<_> = fields.iter().map(field).collect();
    parts.push(format!(
        "; name=\"file\"; filename=\"a.txt\"\r\n{kind}\r\n\r\n{file}"
    ));
    let between = format!("\r\n--{EDGE}\r\nContent-Disposition: form-data");
    let body = format!("{between}{}\r\n--{EDGE}--\r\n", parts.join(&between));
    (format!("multipart/form-data; boundary={EDGE}"), body)
}

async fn post_form(upstream: &Upstream, path: &str, fields: &[(&str, &str)], file: &str) -> Value {
    let (kind, body) = form(fields, file);
    let client = Client::new(upstream.url()).header("content-type", &kind);
    client
        .send(Method::POST, path, body.into())
        .await
        .json()
        .await
}

#[tokio::test]
async fn a_recording_is_counted_in_seconds_or_in_tokens() {
    let upstream = Upstream::provider().await;
    let sound = "x".repeat(16_001);
    let path = "/openai/v1/audio/transcriptions";
    let told = post_form(&upstream, path, &[("model", "whisper-1")], &sound).await;
    assert_eq!(told["usage"], json!({ "type": "duration", "seconds": 2 }));
    let told = post_form(&upstream, path, &[("model", "gpt-4o-transcribe")], &sound).await;
    assert_eq!(told["usage"]["input_tokens"], 20);
    assert_eq!(upstream.wait_until_over(1).await.input_tokens, 20);
}

#[tokio::test]
async fn a_batch_does_what_its_file_says_and_is_billed_once() {
    let upstream = Upstream::provider().await;
    let body =
        json!({ "model": "gpt-5.2", "messages": [{ "role": "user", "content": "[words=3]" }] });
    let line = json!({
        "custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": body,
    });
    let file = format!("{line}\n{line}\n");
    let kept = post_form(
        &upstream,
        "/openai/v1/files",
        &[("purpose", "batch")],
        &file,
    )
    .await;
    let client = Client::new(upstream.url());
    let id = kept["id"].as_str().unwrap();
    let content = client
        .get(&format!("/openai/v1/files/{id}/content"))
        .await
        .text()
        .await;
    assert_eq!(content, file);
    let order = json!({ "input_file_id": id, "endpoint": "/v1/chat/completions" });
    let made = client.post("/openai/v1/batches", &order).await.json().await;
    assert_eq!(
        (&made["status"], &made["usage"]),
        (&json!("validating"), &Value::Null)
    );
    let path = format!("/openai/v1/batches/{}", made["id"].as_str().unwrap());
    let done = client.get(&path).await.json().await;
    assert_eq!(
        (&done["status"], &done["usage"]["output_tokens"]),
        (&json!("completed"), &json!(6))
    );
    let output = done["output_file_id"].as_str().unwrap();
    let lines = client
        .get(&format!("/openai/v1/files/{output}/content"))
        .await
        .text()
        .await;
    assert_eq!(lines.matches("word1 word2 word3").count(), 2);
    assert_eq!(upstream.bill()["-"].output_tokens, 6);
    assert_eq!(client.get("/openai/v1/batches/batch_9").await.status, 404);
}

#[tokio::test]
async fn anthropic_s_batches_leave_their_results_at_an_absolute_address() {
    let upstream = Upstream::provider().await;
    let client = Client::new(upstream.url());
    let params = json!({
        "model": "claude-sonnet-4-5", "max_tokens": 9,
        "messages": [{ "role": "user", "content": "[words=3]" }],
    });
    let order = json!({ "requests": [{ "custom_id": "a", "params": params }] });
    let made = client
        .post("/anthropic/v1/messages/batches", &order)
        .await
        .json()
        .await;
    assert_eq!(made["processing_status"], "in_progress");
    let path = format!(
        "/anthropic/v1/messages/batches/{}",
        made["id"].as_str().unwrap()
    );
    let done = client.get(&path).await.json().await;
    assert_eq!(
        done["results_url"],
        format!("{}{path}/results", upstream.url())
    );
    let line = client.get(&format!("{path}/results")).await.json().await;
    assert_eq!(line["result"]["message"]["usage"]["service_tier"], "batch");
    assert_eq!(upstream.bill()["-"].output_tokens, 3);
}

#[tokio::test]
async fn responses_are_stored_unless_told_otherwise_and_work_in_the_background_is_found_done() {
    let upstream = Upstream::provider().await;
    let client = Client::new(upstream.url());
    let path = "/openai/v1/responses";
    let ask = |more: Value| {
        let mut body = json!({ "model": "gpt-5.2", "input": "[words=3]" });
        let more = more.as_object().cloned().unwrap();
        body.as_object_mut().unwrap().extend(more);
        body
    };
    let made = client.post(path, &ask(json!({ "background": true }))).await;
    let made = made.json().await;
    assert_eq!(
        (&made["status"], &made["usage"]),
        (&json!("queued"), &Value::Null)
    );
    let stored = format!("{path}/{}", made["id"].as_str().unwrap());
    let done = client.get(&stored).await.json().await;
    assert_eq!(
        (&done["status"], &done["usage"]["output_tokens"]),
        (&json!("completed"), &json!(3))
    );
    let next = ask(json!({ "previous_response_id": made["id"], "store": false }));
    let next = client.post(path, &next).await.json().await;
    let unknown = format!("{path}/{}", next["id"].as_str().unwrap());
    assert_eq!(client.get(&unknown).await.status, 404);
    let lost = ask(json!({ "previous_response_id": next["id"] }));
    assert_eq!(client.post(path, &lost).await.status, 400);
    assert_eq!(upstream.bill()["-"].output_tokens, 6);
}
