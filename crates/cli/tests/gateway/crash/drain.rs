//! SIGTERM: what runs may finish, nothing new comes in, and nothing is left to be settled.

use crate::{
    priced::{Api, Rules, bill},
    support::{KEY, start},
    tables::Tables,
};
use rustix::process::Signal;
use tokio::net::TcpStream;
use tollgate_testkit::{Client, Upstream};

#[tokio::test]
async fn a_running_stream_finishes_and_new_connections_are_refused() {
    let upstream = Upstream::provider().await;
    let stage = Rules::default().stage(&upstream).await;
    let ask = Api::Chat.ask(50, None).directed("[pace=10]").streamed(true);
    let mut running = ask.send(&stage).await;
    running.chunk().await.unwrap().unwrap();
    let address = stage.address();

    stage.gateway.signal(Signal::TERM);
    stage.gateway.wait_for_line("stopping").await;
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    let text = running.text().await;
    assert!(
        text.contains("word50") && text.ends_with("data: [DONE]\n\n"),
        "{text}"
    );
    // Ends with exit code 0.
    let tables = Tables::of(stage).await;
    assert_eq!(tables.assert_sound(), 1);
    assert_eq!(
        tables.of_kind("settle")[0].flags,
        0,
        "settled at what was reported"
    );
    assert_eq!(tables.spent(), bill(&upstream));
}

#[tokio::test]
async fn a_stream_that_outlives_the_drain_is_settled_as_seen() {
    let upstream = Upstream::provider().await;
    let rules = Rules {
        tables: "[server]\ndrain_timeout = \"1s\"",
        ..Rules::default()
    };
    let stage = rules.stage(&upstream).await;
    let ask = Api::Chat.ask(50, None).directed("[stall=5]").streamed(true);
    let mut running = ask.send(&stage).await;
    running.chunk().await.unwrap().unwrap();
    let launch = stage.launch.clone();
    let tables = Tables::of(stage).await;
    assert_eq!(tables.assert_sound(), 1, "{tables:?}");
    let settled = tables.of_kind("settle");
    assert!(settled[0].cost >= bill(&upstream), "{settled:?}");
    assert_eq!(settled[0].flags & 2, 2, "flagged as an estimate");

    let again = start(launch).await;
    let log = again.gateway.log_lines();
    assert!(
        !log.iter().any(|line| line.contains("did not stop cleanly")),
        "{log:#?}"
    );
    assert_eq!(
        Tables::of(again).await,
        tables,
        "nothing was left to be settled"
    );
}

#[tokio::test]
async fn a_second_signal_ends_the_drain_and_every_stream_is_settled() {
    for http2 in [false, true] {
        let upstream = Upstream::provider().await;
        let rules = Rules {
            tables: "[server]\ndrain_timeout = \"1h\"",
            ..Rules::default()
        };
        let stage = rules.stage(&upstream).await;
        let url = stage.gateway.url();
        let client = if http2 {
            Client::http2(url)
        } else {
            Client::new(url)
        };
        let client = client.bearer(KEY);
        let ask = Api::Chat.ask(50, None).directed("[stall=5]").streamed(true);
        let mut running = client.post(ask.path(), &ask.body()).await;
        running.chunk().await.unwrap().unwrap();
        stage.gateway.signal(Signal::TERM);
        stage.gateway.wait_for_line("stopping: running").await;
        // The second.
        let tables = Tables::of(stage).await;
        assert_eq!(tables.assert_sound(), 1, "{tables:?}");
        assert_eq!(tables.of_kind("settle").len(), 1, "{tables:?}");
    }
}
