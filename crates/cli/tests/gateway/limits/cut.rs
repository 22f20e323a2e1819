//! A stream that reaches its limit ends there: with the error of its dialect, the upstream
//! cancelled, and its tail paid for.

use crate::{
    outcome::Outcome,
    priced::{Api, Rules, bill},
    support::flags,
    tables::Tables,
};
use tollgate_testkit::{Ended, Upstream};

/// 1,000 tokens of output: 400 of them are kept for the tail.
const CAP: i64 = 10_000_000;

#[tokio::test]
async fn a_stream_is_cut_in_every_dialect() {
    for api in Api::ALL {
        let upstream = Upstream::provider().await;
        let stage = Rules::of_key("daily = \"0.01\"").stage(&upstream).await;
        let outcome = Outcome::of(api.ask(5_000, None).streamed(true), &stage).await;
        let text = outcome.cut();
        assert!(
            text.starts_with("spending limit reached: this key's daily $0.01 (spent $0.0"),
            "{text}"
        );
        assert!(outcome.body.contains("word1"), "it had begun");
        let request = upstream.wait_until_over(0).await;
        assert_eq!(
            request.ended,
            Ended::ClientGone,
            "the upstream is cancelled"
        );

        let billed = bill(&upstream);
        assert!(billed <= CAP, "{api:?}: {billed} billed");
        let row = stage.row(outcome.request_id()).await;
        let posted = row.cost.as_nano();
        assert!(
            posted >= billed,
            "{api:?}: {billed} billed, {posted} posted"
        );
        let told = ["estimated", "cut"]
            .iter()
            .all(|word| flags(&row).contains(word));
        assert!(told, "{row:?}");
        assert_eq!(row.error.as_deref(), Some("limit_reached"));

        let text = Outcome::of(api.ask(1_000, Some(1_000)), &stage)
            .await
            .refusal();
        assert!(text.starts_with("spending limit reached"), "{text}");
        let tables = Tables::of(stage).await;
        assert_eq!((tables.assert_sound(), tables.spent()), (1, posted));
    }
}

#[tokio::test]
async fn a_stream_within_its_stated_cap_is_never_cut() {
    let upstream = Upstream::provider().await;
    let stage = Rules::of_key("daily = \"0.01\"").stage(&upstream).await;
    let ask = Api::Chat
        .ask(5_000, Some(900))
        .directed("[pace=0]")
        .streamed(true);
    let outcome = Outcome::of(ask, &stage).await;
    assert!(outcome.body.ends_with("data: [DONE]\n\n"), "{outcome:?}");
    assert_eq!(
        stage.row(outcome.request_id()).await.cost.as_nano(),
        bill(&upstream)
    );
}
