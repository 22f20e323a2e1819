//! Responses in the background: refused, held, charged at an estimate, settled once.

use super::{document, response, stage_of_two};
use crate::support::{RESPONSES, Stage, assert_refused, flags, request_id};
use serde_json::{Value, json};
use tollgate_core::{id::RequestId, ledger::EntryKind};
use tollgate_store::UsageLine;
use tollgate_testkit::Upstream;

const LATE: &str = "/proxy/late/v1/responses";

/// Ten tokens in and ten out at `gpt-5.2`.
const COST: i64 = 157_500;

fn background() -> Value {
    json!({ "model": "gpt-5.2", "input": "hi", "background": true, "max_output_tokens": 1000 })
}

fn queued() -> Value {
    json!({ "id": "resp_1", "object": "response", "status": "queued", "background": true,
        "model": "gpt-5.2", "store": true, "output": [], "usage": null })
}

/// Waits until the row is no estimate any more.
pub(super) async fn settled(stage: &Stage, request: RequestId) -> UsageLine {
    let until = tokio::time::Instant::now() + std::time::Duration::from_secs(20);
    loop {
        let row = stage.row(request).await;
        if !flags(&row).contains(&"estimated") {
            return row;
        }
        assert!(
            tokio::time::Instant::now() < until,
            "it is settled: {row:#?}"
        );
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn deferred_work_is_refused_where_it_is_not_enabled() {
    let upstream = Upstream::start().await;
    let stage = stage_of_two(&upstream.url(), "").await;
    let refused = stage.client.post(RESPONSES, &background()).await;
    let text = assert_refused(refused, 400, "bad_request").await;
    assert!(text.contains("allow_deferred"), "{text}");
    let batch = json!({ "requests": [{ "custom_id": "a", "params": {
        "model": "claude-sonnet-4-5", "max_tokens": 10, "messages": [] } }] });
    let refused = stage
        .client
        .post("/proxy/anthropic/v1/messages/batches", &batch)
        .await;
    assert_refused(refused, 400, "invalid_request_error").await;
    assert_eq!(upstream.requests().len(), 0);
    stage.books().await.assert_nothing_posted();
}

#[tokio::test]
async fn a_background_response_is_charged_at_its_estimate_and_settled_once_however_often_it_is_read()
 {
    let upstream = Upstream::start().await;
    let stage = stage_of_two(&upstream.url(), "").await;
    upstream.answer(document(&queued()));
    let asked = stage.client.post(LATE, &background()).await;
    let request = request_id(&asked);
    assert_eq!(asked.json().await["status"], "queued");
    let row = stage.row(request).await;
    assert_eq!(flags(&row), ["estimated", "deferred"]);
    // A thousand tokens of output at fourteen dollars a million, and the input.
    assert_eq!(row.cost, row.held_cost);
    assert!(row.cost.as_nano() > 14_000_000, "{}", row.cost);

    let path = format!("{LATE}/resp_1");
    upstream.answer(document(&queued()));
    assert_eq!(
        stage.client.get(&path).await.json().await["status"],
        "queued"
    );
    for _ in 0..5 {
        upstream.answer(document(&response("resp_1")));
        assert_eq!(
            stage.client.get(&path).await.json().await["status"],
            "completed"
        );
    }
    let row = settled(&stage, request).await;
    assert_eq!((row.cost.as_nano(), row.usage.total_tokens()), (COST, 20));
    assert_eq!(flags(&row), ["deferred"]);
    let books = stage.books().await;
    let kinds: Vec<EntryKind> = books.entries.iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds, [EntryKind::Late, EntryKind::Expire]);
    let posted: i64 = books
        .entries
        .iter()
        .map(|entry| entry.amount.cost.as_nano())
        .sum();
    assert_eq!(posted, COST);
    let requests: i64 = books
        .entries
        .iter()
        .map(|entry| entry.amount.requests)
        .sum();
    assert_eq!(requests, 1);
}

#[tokio::test]
async fn the_limit_counts_the_estimate_and_then_the_bill() {
    let upstream = Upstream::start().await;
    let cap = "limits = { total = \"0.02\" }";
    let key = "key-canary-of-a-capped-caller-1f";
    let capped = format!(
        "[[api_key]]\nname = \"capped\"\nproject = \"stage\"\nkey = {{ value = \"{key}\" }}\n{cap}\n"
    );
    let stage = stage_of_two(&upstream.url(), &capped).await;
    let client = tollgate_testkit::Client::new(stage.gateway.url()).bearer(key);
    upstream.answer(document(&queued()));
    let asked = client.post(LATE, &background()).await;
    assert_eq!(asked.status, 200);
    let request = request_id(&asked);
    stage.row(request).await;
    let second = client.post(LATE, &background()).await;
    assert_refused(second, 402, "limit_reached").await;
    upstream.answer(document(&response("resp_1")));
    client.get(&format!("{LATE}/resp_1")).await.text().await;
    settled(&stage, request).await;
    // What the book counts follows a moment later.
    let until = tokio::time::Instant::now() + std::time::Duration::from_secs(20);
    loop {
        let mut next = queued();
        next["id"] = json!("resp_2");
        upstream.answer_with(move |_| document(&next));
        let third = client.post(LATE, &background()).await;
        if third.status == 200 {
            break;
        }
        assert!(
            tokio::time::Instant::now() < until,
            "the estimate is given back"
        );
    }
}

#[tokio::test]
async fn work_that_is_cancelled_or_deleted_is_asked_about_before_it_is_gone() {
    let upstream = Upstream::start().await;
    let stage = stage_of_two(&upstream.url(), "").await;
    upstream.answer(document(&queued()));
    let asked = stage.client.post(LATE, &background()).await;
    let request = request_id(&asked);
    stage.row(request).await;
    upstream.answer(document(&response("resp_1")));
    upstream.answer(document(&json!({ "id": "resp_1", "deleted": true })));
    let deleted = super::delete(&stage.client, &format!("{LATE}/resp_1")).await;
    assert_eq!(deleted.status, 200);
    assert_eq!(settled(&stage, request).await.cost.as_nano(), COST);
    let methods: Vec<String> = upstream
        .requests()
        .into_iter()
        .map(|sent| sent.method)
        .collect();
    assert_eq!(methods, ["POST", "GET", "DELETE"]);
}

#[tokio::test]
async fn a_background_stream_that_ends_is_settled_like_any_other() {
    let upstream = Upstream::start().await;
    let stage = stage_of_two(&upstream.url(), "").await;
    let event = |kind: &str, response: &Value| {
        let data = json!({ "type": kind, "response": response });
        format!("event: {kind}\ndata: {data}\n\n")
    };
    upstream.answer(tollgate_testkit::Answer::sse([
        event("response.created", &queued()),
        event("response.completed", &response("resp_1")),
    ]));
    let mut body = background();
    body["stream"] = json!(true);
    let asked = stage.client.post(LATE, &body).await;
    let request = request_id(&asked);
    asked.text().await;
    let row = stage.row(request).await;
    assert_eq!((row.cost.as_nano(), flags(&row).len()), (COST, 0));
    assert_eq!(stage.books().await.only().cost.as_nano(), COST);
}

#[tokio::test]
async fn work_that_nobody_reads_is_asked_about_also_after_a_restart() {
    let upstream = Upstream::start().await;
    let stage = stage_of_two(&upstream.url(), "").await;
    upstream.answer(document(&queued()));
    let request = request_id(&stage.client.post(LATE, &background()).await);
    stage.row(request).await;
    let Stage {
        launch, gateway, ..
    } = stage;
    let data_dir = gateway.data_dir();
    gateway.stop().await;
    // As if its first look were overdue.
    let store = crate::support::open_store(&data_dir).await;
    let overdue = tollgate_core::clock::Timestamp::UNIX_EPOCH;
    store.look_again(request, overdue).await.unwrap();
    store.close().await;

    upstream.answer(document(&response("resp_1")));
    let stage = crate::support::start(launch).await;
    assert_eq!(settled(&stage, request).await.cost.as_nano(), COST);
    let sent = upstream.requests().pop().unwrap();
    assert_eq!(
        (sent.method.as_str(), sent.path()),
        ("GET", "/v1/responses/resp_1")
    );
    let posted = stage.books().await.entries;
    let cost: i64 = posted.iter().map(|entry| entry.amount.cost.as_nano()).sum();
    assert_eq!((posted.len(), cost), (2, COST));
}
