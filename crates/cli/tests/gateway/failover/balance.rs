//! How targets share the load, and that each is asked for the model by its own name for it.

use super::{
    group::{Dialect, Target, served_by, settings, stage},
    load::load,
};
use crate::support::{KEY, Stage};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::time::{Instant, sleep};
use tollgate_testkit::{Client, Upstream};

/// Back at once.
const BRISK: &str = "[upstream]\nunhealthy_after = 1\nprobe_interval = \"200ms\"";

fn shared(first: &Upstream, second: &Upstream, weights: [&'static str; 2]) -> String {
    let targets = [
        Target::new("first", first.url()).place(weights[0]),
        Target::new("second", second.url()).place(weights[1]),
    ];
    settings(BRISK, "", &Dialect::Chat.group("group", &targets, ""))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn weights_of_three_to_one_give_three_quarters_of_ten_thousand_requests() {
    let (first, second) = (Upstream::provider().await, Upstream::provider().await);
    let settings = shared(&first, &second, ["weight = 3", "weight = 1"]);
    let stage = Arc::new(stage(&settings).await);
    let ended = load(&stage, 10_000, false).await;
    assert_eq!(ended.failures(), 0, "{ended:#?}");
    assert!((7_300..=7_700).contains(&ended.by("first")), "{ended:#?}");
    assert_eq!(ended.by("first"), first.requests().len());
    assert_eq!(ended.by("second"), second.requests().len());
}

/// Where the requests of a conversation go.
async fn target_of(stage: &Stage, session: &str) -> String {
    let client = Client::new(stage.gateway.url()).bearer(KEY);
    let client = client.header("x-claude-code-session-id", session);
    let path = Dialect::Chat.path("group");
    let answered = client.post(&path, &Dialect::Chat.body(false)).await;
    assert_eq!(answered.status, 200, "{answered:?}");
    served_by(&answered).to_owned()
}

#[tokio::test]
async fn a_conversation_keeps_its_target_also_while_another_target_is_out_and_after_it() {
    let (first, second) = (Upstream::provider().await, Upstream::provider().await);
    let stage = stage(&shared(&first, &second, ["weight = 1", "weight = 1"])).await;
    let mut home = BTreeMap::new();
    for n in 0..16 {
        let session = format!("session-{n}");
        let target = target_of(&stage, &session).await;
        home.insert(session, target);
    }
    let at = |slug| home.iter().filter(move |(_, target)| *target == slug);
    assert!(
        at("first").count() > 2 && at("second").count() > 2,
        "{home:?}"
    );
    for slug in ["first", "second"] {
        let (session, _) = at(slug).next().unwrap();
        for _ in 0..50 {
            assert_eq!(target_of(&stage, session).await, slug);
        }
    }

    let address = first.stop().await;
    for session in home.keys() {
        assert_eq!(target_of(&stage, session).await, "second", "{session}");
    }

    let first = Upstream::start_at(address).await;
    first.be_a_provider();
    let (witness, _) = at("first").next().unwrap();
    let back = Instant::now();
    while target_of(&stage, witness).await != "first" {
        assert!(
            back.elapsed() < Duration::from_secs(10),
            "it never comes home"
        );
        sleep(Duration::from_millis(10)).await;
    }
    for (session, target) in &home {
        assert_eq!(target_of(&stage, session).await, *target, "{session}");
    }
}

#[tokio::test]
async fn a_target_without_a_price_for_the_model_is_passed_over_and_the_next_gets_its_own_name() {
    let (first, second) = (Upstream::provider().await, Upstream::provider().await);
    let targets = [
        Target::new("first", first.url()),
        Target::new("second", second.url()).place("priority = 1, models = { \"chosen\" = \"m\" }"),
    ];
    for dialect in [Dialect::Chat, Dialect::Messages] {
        let stage = stage(&settings("", "", &dialect.group("group", &targets, ""))).await;
        let mut body = dialect.body(false);
        body["model"] = "chosen".into();
        let answered = stage.client.post(&dialect.path("group"), &body).await;
        assert_eq!(served_by(&answered), "second");
        let sent = second.requests().pop().expect("it was asked").json();
        body["model"] = "m".into();
        assert_eq!(sent, body, "nothing else is changed");
        let books = stage.books().await;
        assert_eq!(books.only().model_asked, "chosen");
    }
    assert_eq!(first.requests().len(), 0);
}
