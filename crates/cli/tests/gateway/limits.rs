//! Limits under load: however many requests come at once, the provider's bill stays within them.
//!
//! The bill is the provider's own: what it wrote until the connection closed, at prices of its own
//! (see [`crate::priced`]). Nothing of it is asked of the gateway.

mod change;
mod cut;
mod scopes;
mod waiting;

use crate::{
    outcome::Outcome,
    priced::{Api, Ask, Rules, bill, dollars},
    support::Stage,
    tables::Tables,
};
use std::sync::Arc;
use tollgate_testkit::{Ended, Upstream};

/// Requests of every dialect, half of them streams, for 40 words each.
fn mixed(count: usize) -> impl Iterator<Item = Ask> {
    (0..count).map(|n| {
        let api = Api::ALL.into_iter().cycle().nth(n).expect("it goes round");
        api.ask(40, Some(40)).streamed(n / 4 % 2 == 0)
    })
}

/// What one of them costs: 11 tokens of input, 40 of output.
const EACH: i64 = 11 * 1_000 + 40 * 10_000;

fn split(outcomes: Vec<Outcome>) -> (Vec<Outcome>, Vec<Outcome>) {
    outcomes.into_iter().partition(Outcome::is_answered)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_at_once_stay_within_a_limit_for_a_hundred() {
    const CAP: i64 = 41_000_000;
    let upstream = Upstream::provider().await;
    let cap = format!("total = \"{}\"", dollars(CAP));
    let stage = Arc::new(Rules::of_key(&cap).stage(&upstream).await);
    let (answered, refused) = split(Outcome::of_all(mixed(500), &stage).await);

    let billed = bill(&upstream);
    assert!(billed <= CAP, "billed {billed} against {CAP}");
    assert_eq!(upstream.requests().len(), answered.len());
    // As many as there is room for while the others run, at least: 64 tokens are held for what
    // surrounds the text, beside half a token for each of its bytes.
    let at_least = usize::try_from(CAP / (EACH + 70_000)).unwrap();
    let at_most = usize::try_from(CAP / EACH).unwrap();
    assert!(
        (at_least..=at_most).contains(&answered.len()),
        "{}",
        answered.len()
    );
    for outcome in &refused {
        let text = outcome.refusal();
        let told = text.starts_with("spending limit reached: this key's total $0.041 (spent $0.0")
            || text.starts_with("spending limit held by running requests: this key's total $0.041");
        assert!(told && text.contains("; resets never; "), "{text}");
    }

    let like = answered.iter().find(|outcome| !outcome.ask.stream).unwrap();
    assert_nothing_is_held(&stage, &upstream, like, answered.len()).await;
    let tables = Tables::of(Arc::into_inner(stage).unwrap()).await;
    assert_eq!(tables.assert_sound(), answered.len() + 1);
    assert_eq!(tables.of_kind("expire"), [] as [&crate::tables::Entry; 0]);
    assert_eq!(tables.spent(), bill(&upstream));
}

/// Shows that no hold is left, by a request like this one: with one nano-dollar less than what it
/// wants it is refused, because of what is *spent*; with that nano-dollar it passes.
async fn assert_nothing_is_held(stage: &Stage, upstream: &Upstream, like: &Outcome, ended: usize) {
    let wanted = stage.row(like.request_id()).await.held_cost.as_nano();
    let spent = Tables::after(&stage.gateway.data_dir(), ended)
        .await
        .spent();
    for (cap, status) in [(spent + wanted - 1, 402), (spent + wanted, 200)] {
        let cap = format!("total = \"{}\"", dollars(cap));
        Rules::of_key(&cap).replace(stage, upstream).await;
        let outcome = Outcome::of(like.ask.clone(), stage).await;
        assert_eq!(outcome.status, status, "{outcome:?}");
        if status == 402 {
            let text = outcome.refusal();
            assert!(text.starts_with("spending limit reached"), "{text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limit_of_37_requests_admits_37_of_200_at_once() {
    let upstream = Upstream::provider().await;
    let rules = Rules {
        project: "requests = { total = 37 }",
        ..Rules::default()
    };
    let stage = Arc::new(rules.stage(&upstream).await);
    let (answered, refused) = split(Outcome::of_all(mixed(200), &stage).await);
    assert_eq!((answered.len(), upstream.requests().len()), (37, 37));
    for outcome in &refused {
        let text = outcome.refusal();
        assert!(text.contains("this project's total limit"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limit_on_tokens_is_kept_by_200_at_once() {
    let upstream = Upstream::provider().await;
    let rules = Rules {
        organization: "tokens = { daily = 5000 }",
        ..Rules::default()
    };
    let stage = Arc::new(rules.stage(&upstream).await);
    let (answered, refused) = split(Outcome::of_all(mixed(200), &stage).await);
    let bills = upstream.bill();
    let tokens: u64 = bills
        .values()
        .map(|b| b.input_tokens + b.output_tokens)
        .sum();
    assert!((4_000..=5_000).contains(&tokens), "{tokens}");
    assert_eq!(answered.len() + refused.len(), 200);
    for outcome in &refused {
        let text = outcome.refusal();
        assert!(text.contains("the organization's daily limit"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_streams_that_share_a_limit_are_cut_within_it() {
    const CAP: i64 = 200_000_000;
    let upstream = Upstream::provider().await;
    let cap = format!("monthly = \"{}\"", dollars(CAP));
    let rules = Rules {
        tables: "[ledger]\nhold_wait = \"300ms\"",
        ..Rules::of_key(&cap)
    };
    let stage = Arc::new(rules.stage(&upstream).await);
    let asks = (0..60).map(|n| Api::ALL[n % 4].ask(5_000, None).streamed(true));
    let (streams, refused) = split(Outcome::of_all(asks, &stage).await);
    // 25, unless the machine is so slow that silence, which counts, takes up the room of others.
    assert!(streams.len() >= 5, "{} of 60 began", streams.len());
    for stream in &streams {
        let text = stream.cut();
        assert!(text.contains("this key's monthly $0.20"), "{text}");
    }
    for outcome in &refused {
        outcome.refusal();
    }
    for index in 0..streams.len() {
        let request = upstream.wait_until_over(index).await;
        assert_eq!(
            request.ended,
            Ended::ClientGone,
            "the upstream is cancelled"
        );
    }
    let billed = bill(&upstream);
    // No tail was longer than the two seconds of output that are kept for it.
    assert!(billed <= CAP, "billed {billed} against {CAP}");

    let tables = Tables::of(Arc::into_inner(stage).unwrap()).await;
    assert_eq!(tables.assert_sound(), streams.len());
    // What is booked covers it; silence counts, so on a slow machine it may be far more.
    assert!(tables.spent() >= billed, "{tables:?}");
}
