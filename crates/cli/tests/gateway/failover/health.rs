//! Who is tried, and when again: `retry-after`, outages, recovery, a target that flaps.

use super::{
    faults,
    group::{Dialect, pair, served_by, settings, stage},
    load::{AT_ONCE, load},
};
use crate::support::{Stage, read};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::time::{Instant, sleep};
use tollgate_testkit::{Answer, Length, Upstream, provider::Provider};

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a busy machine may add to a time that is measured.
const SLACK: Duration = Duration::from_millis(500);

async fn two(tables: &str) -> (Upstream, Upstream, Stage) {
    let (first, second) = (Upstream::provider().await, Upstream::provider().await);
    let targets = pair(first.url(), second.url());
    let group = Dialect::Chat.group("group", &targets, "");
    let stage = stage(&settings(tables, "", &group)).await;
    (first, second, stage)
}

/// Asks once; who served.
async fn ask(stage: &Stage) -> String {
    let path = Dialect::Chat.path("group");
    let answered = stage.client.post(&path, &Dialect::Chat.body(false)).await;
    assert_eq!(answered.status, 200, "{answered:?}");
    served_by(&answered).to_owned()
}

/// Asks again and again until the first target serves; how long that took.
async fn until_first_serves(stage: &Stage) -> Duration {
    let asked = Instant::now();
    while ask(stage).await != "first" {
        assert!(asked.elapsed() < PATIENCE, "the first is never tried again");
        sleep(Duration::from_millis(10)).await;
    }
    asked.elapsed()
}

#[tokio::test]
async fn a_target_that_names_a_time_is_left_alone_until_then_and_used_again_after_it() {
    for status in [429, 503, 529] {
        // Of its own accord it would be looked at far later.
        let (first, _second, stage) = two("[upstream]\nprobe_interval = \"1h\"").await;
        first.answer(faults::status_until(Dialect::Chat, status, "1"));
        assert_eq!(ask(&stage).await, "second");
        assert_eq!(ask(&stage).await, "second");
        assert_eq!(first.requests().len(), 1, "it is left alone");
        until_first_serves(&stage).await;
        let [refused, again] = &first.requests()[..] else {
            unreachable!("one request was refused, one answered")
        };
        let alone = again.at.saturating_sub(refused.at);
        assert!(alone >= Duration::from_secs(1), "after {alone:?}");
        assert!(alone <= Duration::from_secs(1) + SLACK, "after {alone:?}");
    }
}

#[tokio::test]
async fn a_target_that_wants_an_hour_is_left_alone_for_as_long_as_the_settings_allow() {
    let (first, _second, stage) = two("[upstream]\nretry_after_max = \"500ms\"").await;
    first.answer(faults::status_until(Dialect::Chat, 503, "3600"));
    assert_eq!(ask(&stage).await, "second");
    let asked = Instant::now();
    while asked.elapsed() < Duration::from_millis(300) {
        assert_eq!(ask(&stage).await, "second");
    }
    assert_eq!(first.requests().len(), 1, "it is left alone");
    until_first_serves(&stage).await;
}

#[tokio::test]
async fn a_refused_credential_takes_the_target_out_at_once_and_alerts_the_operator() {
    let (first, _second, stage) = two("[upstream]\nunhealthy_after = 100").await;
    first.answer(faults::credential(Dialect::Chat, Answer::silence()));
    assert_eq!(ask(&stage).await, "second");
    assert_eq!(ask(&stage).await, "second");
    assert_eq!(first.requests().len(), 1, "it is not asked again");
    let line = stage.gateway.wait_for_line("refuses our credential").await;
    assert!(line.contains("ERROR") && line.contains("first"), "{line}");
}

#[tokio::test]
async fn a_target_whose_streams_break_off_is_taken_out_though_nothing_can_be_rescued() {
    let (first, _second, stage) = two("[upstream]\nunhealthy_after = 3").await;
    let provider = Provider::default();
    first.answer_with(move |request| faults::reset(Dialect::Chat, provider.answer(request)));
    let (path, body) = (Dialect::Chat.path("group"), Dialect::Chat.body(true));
    for slug in ["first", "first", "first", "second", "second"] {
        let answered = stage.client.post(&path, &body).await;
        assert_eq!(served_by(&answered), slug);
        let (text, _) = read(answered).await;
        assert_eq!(text.contains("broke off"), slug == "first", "{text}");
    }
}

#[tokio::test]
async fn recovery_is_noticed_within_one_probe_interval() {
    const INTERVAL: Duration = Duration::from_secs(1);
    let (mut first, _second, stage) = two("[upstream]\nprobe_interval = \"1s\"").await;
    for _ in 0..2 {
        assert_eq!(ask(&stage).await, "first");
        let address = first.stop().await;
        // Some more than take it out.
        for _ in 0..10 {
            assert_eq!(ask(&stage).await, "second");
        }
        first = Upstream::start_at(address).await;
        first.be_a_provider();
        let noticed = until_first_serves(&stage).await;
        assert!(noticed <= INTERVAL + SLACK, "after {noticed:?}");
    }
}

#[tokio::test]
async fn a_target_that_stays_dead_is_asked_once_per_probe_interval() {
    let (first, _second, stage) = two("[upstream]\nprobe_interval = \"300ms\"").await;
    first.always(faults::status(Dialect::Chat, 500));
    let stage = Arc::new(stage);
    let started = Instant::now();
    let ended = load(&stage, 1_000, false).await;
    let probes = started.elapsed().as_millis() / 300 + 1;
    assert_eq!(ended.by("second"), 1_000, "{ended:#?}");
    // Those that were on their way when it went out beside them.
    let asked = first.requests().len();
    let at_most = usize::try_from(probes).unwrap() + 3 + AT_ONCE;
    assert!(
        (3..=at_most).contains(&asked),
        "{asked}, not {at_most} at most"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_ten_thousand_requests_none_is_lost_when_one_of_two_targets_dies_under_them() {
    let (first, second, stage) = two("").await;
    let stage = Arc::new(stage);
    let dies = async {
        first.wait_for_requests(1_000).await;
        first.stop().await
    };
    let (ended, _address) = tokio::join!(load(&stage, 10_000, false), dies);
    assert_eq!(ended.failures(), 0, "{ended:#?}");
    assert!(ended.by("first") > 900, "{ended:#?}");
    assert_eq!(second.requests().len(), ended.by("second"));
    assert_eq!(ended.by("first") + ended.by("second"), 10_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_that_flaps_costs_clients_less_than_one_request_in_a_hundred() {
    let (first, _second, stage) = two("[upstream]\nprobe_interval = \"50ms\"").await;
    let (provider, asked) = (Provider::default(), AtomicUsize::new(0));
    // Every other moment it is ill, in every way that it can be before an answer.
    first.answer_with(move |request| {
        let number = asked.fetch_add(1, Ordering::Relaxed);
        let healthy = provider.answer(request);
        let dialect = Dialect::Chat;
        match (request.at.as_millis() / 250 % 2, number % 4) {
            (0, _) => healthy,
            (_, 0) => Answer::hang_up(),
            (_, 1) => faults::status(dialect, 500),
            (_, 2) if healthy.length == Length::Chunked => faults::error_first(dialect, healthy),
            _ => faults::early_reset(dialect, healthy),
        }
    });
    let stage = Arc::new(stage);
    let ended = load(&stage, 3_000, true).await;
    assert!(ended.failures() * 100 < 3_000, "{ended:#?}");
    assert!(
        ended.by("first") > 100,
        "it is used while it is well: {ended:#?}"
    );
    assert!(ended.by("second") > 100, "{ended:#?}");
}
