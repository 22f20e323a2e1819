//! The waiting place: who only stands behind the holds of others waits for them, for a while.

use crate::{
    outcome::Outcome,
    priced::{Api, Rules},
};
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;
use tollgate_testkit::Upstream;

/// Room for one request of 100 tokens that runs, and not for a second one; once the first has
/// settled for its 10 words, there is.
const ONE_AT_A_TIME: &str = "total = \"0.0016\"";

#[tokio::test]
async fn a_request_that_fits_once_another_has_settled_is_admitted_then() {
    let upstream = Upstream::provider().await;
    let stage = Arc::new(Rules::of_key(ONE_AT_A_TIME).stage(&upstream).await);
    let slow = Api::Messages
        .ask(10, Some(100))
        .directed("[pace=30]")
        .streamed(true);
    let mut running = slow.send(&stage).await;
    running.chunk().await.unwrap().unwrap();

    let second = Outcome::of(Api::Chat.ask(10, Some(100)), &stage).await;
    assert!(second.is_answered(), "{second:?}");
    let requests = upstream.requests();
    let settled = requests[0].ended_at.expect("the first is over");
    assert!(requests[1].at >= settled, "the second was sent after it");
    let text = running.text().await;
    assert!(
        text.contains("message_stop"),
        "the first was not disturbed: {text}"
    );
}

#[tokio::test]
async fn a_request_that_waits_in_vain_is_told_what_is_held() {
    let upstream = Upstream::provider().await;
    let rules = Rules {
        tables: "[ledger]\nhold_wait = \"300ms\"",
        ..Rules::of_key(ONE_AT_A_TIME)
    };
    let stage = rules.stage(&upstream).await;
    let stalled = Api::Chat
        .ask(10, Some(100))
        .directed("[stall=1]")
        .streamed(true);
    let mut running = stalled.send(&stage).await;
    running.chunk().await.unwrap().unwrap();

    let asked = Instant::now();
    let outcome = Outcome::of(Api::Chat.ask(10, Some(100)), &stage).await;
    assert!(asked.elapsed() >= Duration::from_millis(300));
    let text = outcome.refusal();
    assert!(
        text.starts_with(
            "spending limit held by running requests: this key's total $0.0016 (spent $0.00, held $0.001"
        ),
        "{text}"
    );
    assert!(
        outcome.body.contains("\"code\":\"limit_held\""),
        "{outcome:?}"
    );
    assert_eq!(upstream.requests().len(), 1);
}

#[tokio::test]
async fn a_request_that_what_is_spent_forbids_does_not_wait() {
    let upstream = Upstream::provider().await;
    let rules = Rules {
        // Longer than any test waits for an answer.
        tables: "[ledger]\nhold_wait = \"1m\"",
        ..Rules::of_key(ONE_AT_A_TIME)
    };
    let stage = rules.stage(&upstream).await;
    let stalled = Api::Chat
        .ask(10, Some(100))
        .directed("[stall=1]")
        .streamed(true);
    let mut running = stalled.send(&stage).await;
    running.chunk().await.unwrap().unwrap();
    let text = Outcome::of(Api::Chat.ask(200, Some(200)), &stage)
        .await
        .refusal();
    assert!(text.starts_with("spending limit reached"), "{text}");
}

#[tokio::test]
async fn a_caller_who_hangs_up_while_waiting_leaves_no_hold() {
    let upstream = Upstream::provider().await;
    let stage = Arc::new(Rules::of_key(ONE_AT_A_TIME).stage(&upstream).await);
    let slow = Api::Chat
        .ask(10, Some(100))
        .directed("[pace=30]")
        .streamed(true);
    let mut running = slow.send(&stage).await;
    running.chunk().await.unwrap().unwrap();

    let waiting = tokio::spawn({
        let stage = Arc::clone(&stage);
        async move { Api::Chat.ask(10, Some(100)).send(&stage).await.status }
    });
    // It waits: a request for one that needs less than what is left passes it by.
    let small = Outcome::of(Api::Chat.ask(1, Some(1)), &stage).await;
    assert!(small.is_answered(), "{small:?}");
    assert!(!waiting.is_finished());
    waiting.abort();
    running.text().await;

    // Only one of this size fits at a time: it does, so nobody else holds anything.
    let next = Outcome::of(Api::Chat.ask(10, Some(100)), &stage).await;
    assert!(next.is_answered(), "{next:?}");
    assert_eq!(upstream.requests().len(), 3, "who hung up was not sent");
}
