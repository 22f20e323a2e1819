//! Processes that die: nothing that was spent is lost, nothing is booked twice, and what ran is
//! charged at what it held.
//!
//! Every request here can be told from its figures alone, because a request whose process died has
//! left nothing else: number `n` asks for `n` words and states a cap of `CAP_BASE + n`. So its
//! tokens are `IN + n` when it was settled, and `HELD + n` when its hold was charged.

mod disk_full;
mod drain;
mod kills;

use crate::{
    outcome::Outcome,
    priced::{Api, Ask, Rules},
    support::start,
    tables::{Entry, Tables, UNSETTLED},
};
use serde_json::Value;
use std::collections::BTreeSet;
use tollgate_testkit::{Received, Upstream};

const CAP_BASE: u64 = 300;

/// What the provider counts: 8, and a quarter of the bytes of the prompt and of `user`.
const IN: u64 = 8 + (22 + 4) / 4;

/// What is held beside `n`: 64 tokens around the text, and half a token for each byte of the message
/// with its keys (`role`, `user`, `content`, the prompt), rounded up.
const HELD: u64 = 64 + (4_u64 + 4 + 7 + 22).div_ceil(2) + CAP_BASE;

/// Request number `n`, from 1 to 499. Every prompt has the same length.
fn numbered(n: u64) -> Ask {
    assert!((1..500).contains(&n), "a stream may hold what it states");
    Ask {
        prompt: format!("[words={n:05}][whole=1]"),
        ..Api::Chat.ask(n, Some(CAP_BASE + n))
    }
}

/// The same as a stream that stops after its first word and stays open.
fn stalled(n: u64) -> Ask {
    let ask = numbered(n).streamed(true);
    Ask {
        prompt: ask.prompt.replace("[whole=1]", "[stall=1]"),
        ..ask
    }
}

/// The number of a request that the upstream got.
fn number_sent(request: &Received) -> u64 {
    let body = request.json();
    let cap = body.get("max_completion_tokens").and_then(Value::as_u64);
    cap.expect("the cap is sent on") - CAP_BASE
}

/// The number of the request that an entry is about.
fn number_booked(entry: &Entry) -> u64 {
    let tokens = u64::try_from(entry.tokens).expect("tokens are not negative");
    if entry.kind == "settle" {
        return tokens - IN;
    }
    assert_eq!(entry.flags, UNSETTLED, "{entry:?}");
    tokens - HELD
}

/// The numbers of entries, each of which must be another.
fn numbers<'e>(entries: impl IntoIterator<Item = &'e Entry>) -> BTreeSet<u64> {
    let mut numbers = BTreeSet::new();
    for entry in entries {
        let number = number_booked(entry);
        assert!(numbers.insert(number), "booked twice: {entry:?}");
    }
    numbers
}

#[tokio::test]
async fn streams_that_a_kill_interrupts_are_charged_what_they_held() {
    const SETTLED: u64 = 20;
    const RUNNING: u64 = 50;
    let upstream = Upstream::provider().await;
    let rules = Rules::of_key("requests = { total = 70 }, daily = \"100.00\"");
    let stage = rules.stage(&upstream).await;
    for n in 1..=SETTLED {
        let answered = numbered(n).streamed(n % 2 == 0).send(&stage).await;
        assert_eq!(answered.status, 200);
        answered.bytes().await;
    }
    let mut running = Vec::new();
    for n in SETTLED + 1..=SETTLED + RUNNING {
        let mut answered = stalled(n).send(&stage).await;
        answered.chunk().await.unwrap().unwrap();
        running.push(answered);
    }
    stage.gateway.kill().await;

    let stage = start(stage.launch).await;
    stage
        .gateway
        .wait_for_line("the last process did not stop cleanly")
        .await;
    // The limit of 70 requests still holds.
    Outcome::of(numbered(71), &stage).await.refusal();
    let launch = stage.launch.clone();
    let tables = Tables::of(stage).await;
    assert_eq!(tables.assert_sound(), upstream.requests().len());
    let (settled, expired) = (tables.of_kind("settle"), tables.of_kind("expire"));
    assert_eq!(numbers(settled), (1..=SETTLED).collect());
    assert_eq!(
        numbers(expired),
        (SETTLED + 1..=SETTLED + RUNNING).collect()
    );

    let again = start(launch).await;
    Outcome::of(numbered(72), &again).await.refusal();
    let log = again.gateway.log_lines();
    assert!(
        !log.iter().any(|line| line.contains("did not stop cleanly")),
        "{log:#?}"
    );
    let after = Tables::of(again).await;
    assert_eq!(
        after.entries, tables.entries,
        "a second start changes nothing"
    );
    assert_eq!(after.accounts, tables.accounts);
}
