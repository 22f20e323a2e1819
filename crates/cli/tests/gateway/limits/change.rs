//! Limits that change while requests run.

use crate::{
    outcome::Outcome,
    priced::{Api, Rules, bill},
};
use tollgate_testkit::{Ended, Upstream};

#[tokio::test]
async fn a_raised_limit_lets_the_next_request_pass() {
    let upstream = Upstream::provider().await;
    let stage = Rules::of_key("requests = { daily = 1 }")
        .stage(&upstream)
        .await;
    let ask = Api::Chat.ask(1, None);
    assert!(Outcome::of(ask.clone(), &stage).await.is_answered());
    Outcome::of(ask.clone(), &stage).await.refusal();
    Rules::of_key("requests = { daily = 2 }")
        .replace(&stage, &upstream)
        .await;
    assert!(Outcome::of(ask.clone(), &stage).await.is_answered());
    Outcome::of(ask.clone(), &stage).await.refusal();
    Rules::default().replace(&stage, &upstream).await;
    assert!(Outcome::of(ask, &stage).await.is_answered());
}

#[tokio::test]
async fn a_raised_limit_lets_in_those_who_wait() {
    let upstream = Upstream::provider().await;
    let waits = "[ledger]\nhold_wait = \"1m\"";
    let rules = |key| Rules {
        tables: waits,
        ..Rules::of_key(key)
    };
    let stage = rules("requests = { total = 1 }").stage(&upstream).await;
    let stalled = Api::Chat.ask(10, None).directed("[stall=1]").streamed(true);
    let mut running = stalled.send(&stage).await;
    running.chunk().await.unwrap().unwrap();
    let wider = rules("requests = { total = 2 }");
    let (outcome, ()) = tokio::join!(
        Outcome::of(Api::Chat.ask(1, None), &stage),
        wider.replace(&stage, &upstream),
    );
    assert!(outcome.is_answered(), "{outcome:?}");
}

#[tokio::test]
async fn a_lowered_limit_ends_streams_at_what_they_hold() {
    let upstream = Upstream::provider().await;
    let stage = Rules::of_key("daily = \"1.00\"").stage(&upstream).await;
    let mut running = Api::Messages
        .ask(5_000, None)
        .streamed(true)
        .send(&stage)
        .await;
    let request = crate::support::request_id(&running);
    running.chunk().await.unwrap().unwrap();
    Rules::of_key("daily = \"0.0001\"")
        .replace(&stage, &upstream)
        .await;
    let tail = running.text().await;
    assert!(
        tail.contains("event: error") && tail.contains("this key's daily $0.0001"),
        "{tail}"
    );
    let ended = upstream.wait_until_over(0).await.ended;
    assert_eq!(ended, Ended::ClientGone);
    let row = stage.row(request).await;
    assert!(bill(&upstream) <= row.cost.as_nano(), "{row:?}");
    let text = Outcome::of(Api::Chat.ask(1, Some(1)), &stage)
        .await
        .refusal();
    assert!(
        text.starts_with("spending limit reached: this key's daily $0.0001"),
        "{text}"
    );
}
