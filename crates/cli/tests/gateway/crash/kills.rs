//! Kill after kill at moments nobody chose, under load.

use super::{number_sent, numbered, numbers};
use crate::{
    priced::Rules,
    support::{Stage, start},
    tables::Tables,
};
use rustix::process::Signal;
use std::{collections::BTreeSet, sync::Arc};
use tokio::task::JoinSet;
use tollgate_testkit::Upstream;

const KILLS: u64 = 10;
const REQUESTS_PER_LIFE: u64 = 40;

/// Sends the requests of one life, all at once; gives the numbers of those that were answered to
/// their end.
fn load(stage: &Arc<Stage>, life: u64) -> JoinSet<Option<u64>> {
    let first = life * REQUESTS_PER_LIFE + 1;
    let mut running = JoinSet::new();
    for n in first..first + REQUESTS_PER_LIFE {
        let stage = Arc::clone(stage);
        running.spawn(async move {
            let ask = numbered(n).streamed(n % 2 == 0);
            let answered = ask.try_send(&stage).await.ok()?;
            assert_eq!(answered.status, 200);
            answered.try_bytes().await.ok()?;
            Some(n)
        });
    }
    running
}

/// Numbers that look random, and are the same in every run.
fn scattered(seed: u64) -> u64 {
    let mut z = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z ^ (z >> 31)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_ten_kills_every_request_has_one_end() {
    let upstream = Upstream::provider().await;
    let rules = Rules {
        organization: "monthly = \"1000.00\"",
        project: "tokens = { weekly = 100000000 }",
        member: "requests = { daily = 100000 }",
        ..Rules::of_key("total = \"1000.00\"")
    };
    let mut stage = Arc::new(rules.stage(&upstream).await);
    let mut answered = BTreeSet::new();
    for life in 0..KILLS {
        let before = upstream.requests().len();
        let running = load(&stage, life);
        // Somewhere between the first request and the last one.
        let until = usize::try_from(scattered(life) % REQUESTS_PER_LIFE).unwrap();
        upstream.wait_for_requests(before + until).await;
        stage.gateway.signal(Signal::KILL);
        answered.extend(running.join_all().await.into_iter().flatten());
        let dead = Arc::into_inner(stage).unwrap();
        dead.gateway.kill().await;
        stage = Arc::new(start(dead.launch).await);
    }
    let tables = Tables::of(Arc::into_inner(stage).unwrap()).await;
    tables.assert_sound();
    let booked = numbers(&tables.entries);
    let sent: BTreeSet<u64> = upstream.requests().iter().map(number_sent).collect();
    let free: Vec<_> = sent.difference(&booked).collect();
    assert_eq!(free, [] as [&u64; 0], "sent upstream, and in no entry");
    let settled = numbers(tables.of_kind("settle"));
    let lost: Vec<_> = answered.difference(&settled).collect();
    assert_eq!(
        lost,
        [] as [&u64; 0],
        "answered, and not booked at what it cost"
    );
    let ended = (settled.len(), booked.len() - settled.len());
    assert!(ended.0 > 0 && ended.1 > 0, "settled and expired: {ended:?}");
}
