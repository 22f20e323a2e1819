//! A gateway follows its settings file and its store while it runs.

use crate::{
    priced::{Api, Rules, reload},
    support::{CHAT, KEY, Stage, chat, open_store},
};
use http::StatusCode;
use rustix::process::Signal;
use std::time::Duration;
use tokio::time::{Instant, sleep};
use tollgate_testkit::{Client, Upstream};

/// Asks again and again with this client until the status is `wanted`; how long that took.
async fn until(client: &Client, wanted: u16, at_most: Duration) -> Duration {
    let asked = Instant::now();
    loop {
        let status = client
            .post(CHAT, &Api::Chat.ask(1, None).body())
            .await
            .status;
        if status.as_u16() == wanted {
            return asked.elapsed();
        }
        assert!(asked.elapsed() < at_most, "still {status}, not {wanted}");
        sleep(Duration::from_millis(10)).await;
    }
}

async fn with_stream_running<T>(stage: &Stage, change: impl Future<Output = T>) -> T {
    let ask = Api::Chat.ask(30, None).directed("[pace=30]").streamed(true);
    let mut running = ask.send(stage).await;
    running.chunk().await.unwrap().unwrap();
    let changed = change.await;
    let text = running.text().await;
    assert!(
        text.contains("word30"),
        "the stream was not disturbed: {text}"
    );
    assert!(text.ends_with("data: [DONE]\n\n"), "{text}");
    changed
}

#[tokio::test]
async fn a_good_change_is_in_force_for_the_next_request_and_drops_no_stream() {
    let (old, new) = (Upstream::provider().await, Upstream::provider().await);
    let rules = Rules::default();
    let stage = rules.stage(&old).await;
    with_stream_running(&stage, async {
        // Without being told, it looks at the file.
        stage.launch.write_settings(&rules.settings(&new.url()));
        stage.gateway.wait_for_line("settings reloaded").await;
        let answered = Api::Chat.ask(1, None).send(&stage).await;
        assert_eq!(answered.status, 200);
    })
    .await;
    assert_eq!((old.requests().len(), new.requests().len()), (1, 1));
}

#[tokio::test]
async fn a_hangup_reloads_at_once_even_an_unchanged_file() {
    let upstream = Upstream::provider().await;
    let stage = Rules::default().stage(&upstream).await;
    let settings = Rules::default().settings(&upstream.url());
    for _ in 0..3 {
        reload(&stage, &settings).await;
    }
    with_stream_running(&stage, reload(&stage, &settings)).await;
}

#[tokio::test]
async fn a_bad_file_is_reported_with_line_and_fix_and_changes_nothing() {
    let upstream = Upstream::provider().await;
    let stage = Rules::default().stage(&upstream).await;
    let good = Rules::default().settings(&upstream.url());
    let bad = good.replace("project = \"stage\"", "project = \"stagge\"");
    let wrong = bad
        .lines()
        .position(|line| line.contains("stagge"))
        .unwrap()
        + 1;

    stage.launch.write_settings(&bad);
    stage
        .gateway
        .wait_for_line("the settings were not reloaded, the old stay in force")
        .await;
    let place = format!("tollgate.toml:{wrong}:11: error: api_key[0].project: ");
    let line = stage.gateway.wait_for_line(&place).await;
    assert!(line.ends_with("there is no project `stagge`"), "{line}");
    stage
        .gateway
        .wait_for_line("  help: did you mean `stage`?")
        .await;
    let answered = stage
        .client
        .post(CHAT, &Api::Chat.ask(1, None).body())
        .await;
    assert_eq!(answered.status, 200, "the old settings stay in force");

    // Nor does a file that is gone.
    std::fs::remove_file(stage.launch.directory().join("tollgate.toml")).unwrap();
    stage.gateway.signal(Signal::HUP);
    stage
        .gateway
        .wait_for_line("cannot read the settings")
        .await;
    assert_eq!(
        stage
            .client
            .post(CHAT, &Api::Chat.ask(1, None).body())
            .await
            .status,
        200
    );

    reload(&stage, &good).await;
    assert_eq!(
        stage
            .client
            .post(CHAT, &Api::Chat.ask(1, None).body())
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn what_belongs_to_the_process_takes_a_restart_and_the_log_says_so() {
    let upstream = Upstream::provider().await;
    let stage = Rules::default().stage(&upstream).await;
    let rules = Rules {
        tables: "[ledger]\nhold_wait = \"1s\"",
        ..Rules::default()
    };
    rules.replace(&stage, &upstream).await;
    stage
        .gateway
        .wait_for_line("[ledger] changed: that takes a restart")
        .await;
}

#[tokio::test]
async fn a_key_taken_out_of_the_file_stops_working_and_comes_back() {
    let upstream = Upstream::provider().await;
    let stage = Rules::default().stage(&upstream).await;
    let with_key = Rules::default().settings(&upstream.url());
    let other = with_key.replace(KEY, "another-key-of-the-operator");
    let other = other.replace("name = \"caller\"", "name = \"other\"");
    until(&stage.client, 200, Duration::ZERO).await;

    stage.launch.write_settings(&other);
    until(&stage.client, 403, Duration::from_secs(2)).await;
    let refused = stage.client.post(CHAT, &chat("hi")).await;
    let text = refused.text().await;
    assert!(text.contains("the API key `caller` is disabled"), "{text}");
    stage
        .gateway
        .wait_for_line("API key `caller` is no longer declared: disabled")
        .await;
    let client = Client::new(stage.gateway.url()).bearer("another-key-of-the-operator");
    until(&client, 200, Duration::ZERO).await;

    stage.launch.write_settings(&with_key);
    until(&stage.client, 200, Duration::from_secs(2)).await;
}

#[tokio::test]
async fn a_key_declared_without_a_secret_is_not_made_where_nobody_would_see_it() {
    let upstream = Upstream::provider().await;
    let stage = Rules::default().stage(&upstream).await;
    let mut settings = Rules::default().settings(&upstream.url());
    settings.push_str("\n[[api_key]]\nname = \"newcomer\"\nproject = \"stage\"\n");
    reload(&stage, &settings).await;
    let warning = "API key `newcomer` of project `stage` is declared without a key";
    stage.gateway.wait_for_line(warning).await;
    let known = async || {
        let store = open_store(&stage.gateway.data_dir()).await;
        let listed = store.list_api_keys().await.unwrap();
        let names = listed.into_iter().map(|listing| listing.key.name);
        names.collect::<Vec<_>>()
    };
    assert_eq!(known().await, ["caller"]);

    // One that exists stays, and needs no secret to be declared.
    let without = settings.replace(&format!("key = {{ value = \"{KEY}\" }}"), "");
    reload(&stage, &without).await;
    assert_eq!(known().await, ["caller"]);
    until(&stage.client, 200, Duration::ZERO).await;
}

#[tokio::test]
async fn a_key_made_beside_a_running_server_works_and_dies_within_a_second() {
    const ONE_SECOND: Duration = Duration::from_secs(1);
    let upstream = Upstream::provider().await;
    let stage = Rules::default().stage(&upstream).await;
    let words = [
        "keys",
        "create",
        "CI",
        "--project",
        "stage",
        "--limit-requests",
        "total=2",
    ];
    let made = stage.launch.run(&words).await;
    assert!(made.status.success(), "{made:?}");
    let key = String::from_utf8(made.stdout).unwrap();
    let client = Client::new(stage.gateway.url()).bearer(key.trim_end());
    until(&client, 200, ONE_SECOND).await;
    let ask = Api::Chat.ask(1, None).body();
    let statuses = [
        client.post(CHAT, &ask).await.status,
        client.post(CHAT, &ask).await.status,
    ];
    assert_eq!(
        statuses,
        [StatusCode::OK, StatusCode::PAYMENT_REQUIRED],
        "its limit counts"
    );

    let revoked = stage.launch.run(&["keys", "revoke", "CI"]).await;
    assert!(revoked.status.success(), "{revoked:?}");
    until(&client, 401, ONE_SECOND).await;
    let text = client.post(CHAT, &ask).await.text().await;
    assert!(
        text.contains("the API key is not known to this gateway"),
        "{text}"
    );
    until(&stage.client, 200, Duration::ZERO).await;
}
