//! Batches: held by what their requests may use, settled by what they used.

use super::{deferred::settled, document, file, form, stage_of_two, stranger, upload};
use crate::support::{assert_refused, flags, request_id};
use serde_json::{Value, json};
use tollgate_testkit::{Answer, Client, Upstream};

const FILES: &str = "/proxy/late/v1/files";
const BATCHES: &str = "/proxy/late/v1/batches";
const MESSAGE_BATCHES: &str = "/proxy/late-claude/v1/messages/batches";

/// Two requests that may use a thousand tokens of output each.
fn lines() -> String {
    let line = json!({ "custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": {
        "model": "gpt-5.2", "messages": [{ "role": "user", "content": "hi" }],
        "max_completion_tokens": 1000 } });
    format!("{line}\n{line}\n")
}

fn batch(status: &str, usage: &Value) -> Answer {
    document(
        &json!({ "id": "batch_1", "object": "batch", "status": status, "model": "gpt-5.2",
        "output_file_id": "file-out", "error_file_id": null, "usage": usage }),
    )
}

fn of_file(id: &str) -> Value {
    json!({ "input_file_id": id, "endpoint": "/v1/chat/completions", "completion_window": "24h" })
}

#[tokio::test]
async fn a_batch_is_held_by_its_file_and_settled_by_its_usage() {
    let upstream = Upstream::start().await;
    let stage = stage_of_two(&upstream.url(), "").await;
    upstream.answer(file("file-in"));
    assert_eq!(
        upload(&stage, FILES, form("batch", &lines())).await.status,
        200
    );
    upstream.answer(batch("validating", &json!(null)));
    let asked = stage.client.post(BATCHES, &of_file("file-in")).await;
    assert_eq!(asked.status, 200);
    let request = request_id(&asked);
    let row = stage.row(request).await;
    assert_eq!(flags(&row), ["estimated", "deferred"]);
    // Two thousand tokens of output at the batch rate, and little input.
    let held = row.cost.as_nano();
    assert!((14_000_000..15_000_000).contains(&held), "{held}");

    let usage = json!({ "input_tokens": 20, "output_tokens": 20, "total_tokens": 40 });
    upstream.answer(batch("completed", &usage));
    let done = stage.client.get(&format!("{BATCHES}/batch_1")).await;
    assert_eq!(done.json().await["status"], "completed");
    let row = settled(&stage, request).await;
    assert_eq!(
        row.cost.as_nano(),
        157_500,
        "half of two requests of ten in and ten out"
    );
    // What the batch has left is the project's too.
    upstream.answer(Answer::new(200, "application/jsonl", "{}\n"));
    let output = format!("{FILES}/file-out/content");
    assert_eq!(stage.client.get(&output).await.text().await, "{}\n");
    assert_refused(stranger(&stage).get(&output).await, 404, "not_found").await;
    let books = stage.books().await;
    let requests: i64 = books
        .entries
        .iter()
        .map(|entry| entry.amount.requests)
        .sum();
    assert_eq!(requests, 2, "a limit on requests counts those of a batch");
}

#[tokio::test]
async fn a_batch_whose_requests_nobody_knows_or_may_make_is_refused() {
    let key = "key-canary-of-a-narrow-caller-2b";
    let narrow = format!(
        "[[api_key]]\nname = \"narrow\"\nproject = \"stage\"\nkey = {{ value = \"{key}\" }}
models = [\"gpt-5.2-mini\"]\n"
    );
    let upstream = Upstream::start().await;
    let stage = stage_of_two(&upstream.url(), &narrow).await;
    for (id, purpose, content) in [
        ("file-plain", "user_data", lines()),
        ("file-bad", "batch", "{\"not\":\"a request\"}".to_owned()),
        ("file-in", "batch", lines()),
    ] {
        upstream.answer(file(id));
        assert_eq!(
            upload(&stage, FILES, form(purpose, &content)).await.status,
            200
        );
    }
    let unseen = stage.client.post(BATCHES, &of_file("file-plain")).await;
    let text = assert_refused(unseen, 400, "bad_request").await;
    assert!(text.contains("upload it through this gateway"), "{text}");
    let bad = stage.client.post(BATCHES, &of_file("file-bad")).await;
    let text = assert_refused(bad, 400, "bad_request").await;
    assert!(text.contains("line 1 of the file"), "{text}");
    let foreign = stranger(&stage).post(BATCHES, &of_file("file-in")).await;
    assert_refused(foreign, 404, "not_found").await;
    let narrow = Client::new(stage.gateway.url()).bearer(key);
    let refused = narrow.post(BATCHES, &of_file("file-in")).await;
    let text = assert_refused(refused, 404, "model_not_found").await;
    assert!(text.contains("`gpt-5.2` of this batch"), "{text}");
    assert_eq!(upstream.requests().len(), 3, "no batch went upstream");
}

fn message_batch(status: &str, results_url: &Value) -> Value {
    json!({ "id": "msgbatch_1", "type": "message_batch", "processing_status": status,
        "request_counts": { "processing": 0, "succeeded": 1, "errored": 1 },
        "results_url": results_url })
}

fn results() -> Answer {
    let succeeded = json!({ "custom_id": "a", "result": { "type": "succeeded", "message": {
        "id": "msg_1", "type": "message", "model": "claude-sonnet-4-5", "content": [],
        "usage": { "input_tokens": 1000, "output_tokens": 100, "service_tier": "batch" } } } });
    let errored = json!({ "custom_id": "b", "result": { "type": "errored" } });
    Answer::new(
        200,
        "application/x-jsonl",
        format!("{succeeded}\n{errored}\n"),
    )
}

#[tokio::test]
async fn the_results_of_a_message_batch_are_fetched_here_and_bill_it() {
    let upstream = Upstream::start().await;
    let stage = stage_of_two(&upstream.url(), "").await;
    let params = json!({ "model": "claude-sonnet-4-5", "max_tokens": 1000,
        "messages": [{ "role": "user", "content": "hi" }] });
    let body = json!({ "requests": [{ "custom_id": "a", "params": params },
        { "custom_id": "b", "params": params }] });
    upstream.answer(document(&message_batch("in_progress", &json!(null))));
    let asked = stage.client.post(MESSAGE_BATCHES, &body).await;
    let request = request_id(&asked);
    let told = asked.json().await;
    assert_eq!(told["results_url"], json!(null));
    assert_eq!(flags(&stage.row(request).await), ["estimated", "deferred"]);

    let theirs = "https://api.anthropic.com/v1/messages/batches/msgbatch_1/results";
    let path = "/v1/messages/batches/msgbatch_1";
    upstream.answer_at(path, document(&message_batch("ended", &json!(theirs))));
    upstream.answer_at(&format!("{path}/results"), results());
    upstream.answer_at(&format!("{path}/results"), results());
    let ended = stage
        .client
        .get(&format!("{MESSAGE_BATCHES}/msgbatch_1"))
        .await;
    let url = ended.json().await["results_url"]
        .as_str()
        .unwrap()
        .to_owned();
    let here = format!(
        "{}{MESSAGE_BATCHES}/msgbatch_1/results",
        stage.gateway.url()
    );
    assert_eq!(url, here, "a client follows it with the key it has for us");

    let row = settled(&stage, request).await;
    // A thousand tokens in at $1.50 and a hundred out at $7.50 a million: half the usual rates.
    assert_eq!(row.cost.as_nano(), 1_500_000 + 750_000);
    let local = url.strip_prefix(stage.gateway.url()).unwrap();
    let read = stage.client.get(local).await.text().await;
    assert_eq!(read.lines().count(), 2);
    let foreign = stranger(&stage).get(local).await;
    assert_refused(foreign, 404, "not_found_error").await;
}

#[tokio::test]
async fn a_list_of_message_batches_leads_nobody_past_the_gateway() {
    let upstream = Upstream::start().await;
    let stage = stage_of_two(&upstream.url(), "").await;
    let params = json!({ "model": "claude-sonnet-4-5", "max_tokens": 10, "messages": [] });
    let body = json!({ "requests": [{ "custom_id": "a", "params": params }] });
    upstream.answer(document(&message_batch("in_progress", &json!(null))));
    assert_eq!(stage.client.post(MESSAGE_BATCHES, &body).await.status, 200);
    let mut own = message_batch("ended", &json!("https://api.anthropic.com/own"));
    own["id"] = json!("msgbatch_1");
    let mut foreign = message_batch("ended", &json!("https://api.anthropic.com/foreign"));
    foreign["id"] = json!("msgbatch_2");
    upstream.answer(document(
        &json!({ "data": [foreign, own], "has_more": false,
        "first_id": "msgbatch_2", "last_id": "msgbatch_1" }),
    ));
    let listed = stage.client.get(MESSAGE_BATCHES).await.text().await;
    assert!(
        !listed.contains("api.anthropic.com") && !listed.contains("msgbatch_2"),
        "{listed}"
    );
    assert!(listed.contains(&format!(
        "{}{MESSAGE_BATCHES}/msgbatch_1/results",
        stage.gateway.url()
    )));
}
