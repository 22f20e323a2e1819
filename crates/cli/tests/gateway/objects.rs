//! Objects that live at a provider: whose they are, where requests that name them go, what of a
//! list is shown; uploads that pass while they come; work that is billed later.

mod batches;
mod deferred;
mod ownership;
mod uploads;

use crate::support::{KEY, Stage, provider, settings, start};
use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};
use tollgate_testkit::{Answer, Client, client::Answered, gateway::Launch};

/// The key of another project.
const STRANGER: &str = "key-canary-of-a-stranger-77ab01";

const FILES: &str = "/proxy/openai/v1/files";

/// A gateway whose providers may be asked for deferred work, with a key of another project.
async fn stage_of_two(upstream: &str, extra: &str) -> Stage {
    let late = "allow_deferred = true";
    let providers = [
        provider("late", "openai", &format!("{upstream}/v1"), late),
        provider("late-claude", "anthropic", upstream, late),
    ]
    .concat();
    let more = format!(
        "{providers}
[[project]]
slug = \"elsewhere\"

[[api_key]]
name = \"stranger\"
project = \"elsewhere\"
key = {{ value = \"{STRANGER}\" }}

{extra}
"
    );
    start(Launch::new(
        env!("CARGO_BIN_EXE_tollgate"),
        &settings(upstream, &more),
    ))
    .await
}

/// A client with the other project's key.
fn stranger(stage: &Stage) -> Client {
    Client::new(stage.gateway.url()).bearer(STRANGER)
}

/// A form that uploads a file.
fn form(purpose: &str, file: &str) -> Bytes {
    let part = |disposition: &str, content: &str| {
        format!("--edge\r\nContent-Disposition: form-data; {disposition}\r\n\r\n{content}\r\n")
    };
    let purpose = part("name=\"purpose\"", purpose);
    let file = part("name=\"file\"; filename=\"in.jsonl\"", file);
    format!("{purpose}{file}--edge--\r\n").into()
}

/// Uploads a form with the caller's key.
async fn upload(stage: &Stage, path: &str, form: Bytes) -> Answered {
    let client = Client::new(stage.gateway.url())
        .bearer(KEY)
        .header("content-type", "multipart/form-data; boundary=edge");
    client.send(Method::POST, path, form).await
}

async fn delete(client: &Client, path: &str) -> Answered {
    client.send(Method::DELETE, path, Bytes::new()).await
}

fn file(id: &str) -> Answer {
    Answer::json(
        200,
        &json!({ "id": id, "object": "file", "purpose": "batch" }),
    )
}

fn document(body: &Value) -> Answer {
    Answer::json(200, body)
}

/// A whole response of ten tokens in and ten out.
fn response(id: &str) -> Value {
    json!({
        "id": id, "object": "response", "status": "completed", "model": "gpt-5.2",
        "store": true, "output": [],
        "usage": { "input_tokens": 10, "output_tokens": 10, "total_tokens": 20 },
    })
}
