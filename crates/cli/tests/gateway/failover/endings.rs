//! What ends the search for a target other than an answer: nobody is left, the time is up, a limit
//! has no room for another attempt, everybody is full.

use super::{
    faults,
    group::{Dialect, WORDS, pair, served_by, settings, stage},
    nowhere::Nowhere,
};
use crate::support::{Stage, assert_refused, flags, read, request_id};
use std::time::Duration;
use tokio::time::Instant;
use tollgate_testkit::{Answer, Upstream, provider::Provider};

const DIALECTS: [Dialect; 2] = [Dialect::Chat, Dialect::Messages];

/// A gateway with the group `group` of two such targets; `lines` are further lines of the group.
async fn two(dialect: Dialect, urls: [String; 2], tables: &str, lines: &str) -> Stage {
    let [first, second] = urls;
    let group = dialect.group("group", &pair(first, second), lines);
    stage(&settings(tables, "", &group)).await
}

#[tokio::test]
async fn when_nobody_answers_the_last_error_of_a_provider_passes_byte_for_byte() {
    for dialect in DIALECTS {
        for stream in [false, true] {
            let (first, second) = (Upstream::start().await, Upstream::start().await);
            let stage = two(dialect, [first.url(), second.url()], "", "").await;
            let (path, body) = (dialect.path("group"), dialect.body(stream));

            first.answer(faults::status(dialect, 500));
            let last = faults::status_until(dialect, 503, "7").header("x-request-id", "theirs");
            second.answer(last.clone());
            let answered = stage.client.post(&path, &body).await;
            assert_eq!(answered.status, 503);
            assert_eq!(served_by(&answered), "second");
            assert_eq!(answered.header("retry-after"), Some("7"));
            assert_eq!(answered.header("x-request-id"), Some("theirs"));
            assert_eq!(answered.bytes().await, last.chunks[0].bytes);

            // Also if somebody was tried after it who said nothing that may be shown.
            let last = faults::status(dialect, 502);
            first.answer(last.clone());
            second.answer(faults::credential(dialect, Answer::silence()));
            let answered = stage.client.post(&path, &body).await;
            assert_eq!(answered.status, 502);
            assert_eq!(served_by(&answered), "first");
            assert_eq!(answered.bytes().await, last.chunks[0].bytes);

            let books = stage.books().await;
            assert_eq!(books.rows.len(), 2);
            assert_eq!(books.rows[0].provider.as_deref(), Some("first"));
            for (row, entry) in books.rows.iter().zip(&books.entries) {
                assert_eq!((row.attempts, flags(row)), (2, vec![]), "{row:#?}");
                assert_eq!((row.cost.as_nano(), entry.amount.requests), (0, 1));
            }
        }
    }
}

#[tokio::test]
async fn when_nobody_is_there_the_client_gets_502_and_the_operator_reads_why_of_each() {
    for (dialect, word) in [
        (Dialect::Chat, "upstream_unreachable"),
        (Dialect::Messages, "api_error"),
    ] {
        let (first, second) = (Nowhere::refusing().await, Nowhere::without_tls().await);
        let stage = two(dialect, [first.url(), second.url()], "", "").await;
        let answered = stage
            .client
            .post(&dialect.path("group"), &dialect.body(true))
            .await;
        let text = assert_refused(answered, 502, word).await;
        assert!(!text.contains("127.0.0.1"), "{text}");
        let books = stage.books().await;
        books.assert_nothing_posted();
        let line = books
            .log
            .iter()
            .find(|line| line.contains("first:unreachable"));
        let line = line.expect("the operator is told");
        for told in [
            "first:unreachable,second:tls",
            "first: unreachable: ",
            "second: tls: ",
        ] {
            assert!(line.contains(told), "{told} in {line}");
        }
    }
}

#[tokio::test]
async fn when_nobody_answers_in_time_the_client_gets_504_and_each_attempt_is_booked() {
    let first = Upstream::start().await;
    let second = Upstream::start().await;
    first.answer(Answer::silence());
    second.answer(Answer::silence());
    let hasty = "[upstream]\nhead_timeout = \"200ms\"";
    let stage = two(Dialect::Chat, [first.url(), second.url()], hasty, "").await;
    let (path, body) = (Dialect::Chat.path("group"), Dialect::Chat.body(false));
    assert_refused(
        stage.client.post(&path, &body).await,
        504,
        "upstream_timeout",
    )
    .await;
    let books = stage.books().await;
    let row = books.only();
    assert_eq!(flags(row), ["estimated", "abandoned"]);
    let (cost, abandoned) = (row.cost.as_nano(), row.abandoned_cost.as_nano());
    assert!(0 < abandoned && abandoned < cost, "{row:#?}");
    assert_eq!((row.attempts, row.status), (2, 504));
}

#[tokio::test]
async fn the_time_budget_of_a_group_ends_the_search_with_504() {
    let budget = "time_budget = \"500ms\"";
    for dialect in DIALECTS {
        for stream in [false, true] {
            let word = match dialect {
                Dialect::Chat => "upstream_timeout",
                Dialect::Messages => "timeout_error",
            };
            // The first would not be given up for minutes: nobody else gets his turn.
            let (first, second) = (Upstream::start().await, Upstream::provider().await);
            first.answer(Answer::silence());
            let stage = two(dialect, [first.url(), second.url()], "", budget).await;
            let (path, body) = (dialect.path("group"), dialect.body(stream));
            let asked = Instant::now();
            assert_refused(stage.client.post(&path, &body).await, 504, word).await;
            assert!(asked.elapsed() >= Duration::from_millis(500));
            assert!(
                asked.elapsed() < Duration::from_secs(5),
                "{:?}",
                asked.elapsed()
            );
            assert_eq!(second.requests().len(), 0);
            let books = stage.books().await;
            assert_eq!(flags(books.only()), ["estimated"]);
        }
    }
}

#[tokio::test]
async fn the_time_budget_is_over_at_the_first_content() {
    let (first, second) = (Upstream::provider().await, Upstream::start().await);
    let budget = "time_budget = \"400ms\"";
    let stage = two(Dialect::Chat, [first.url(), second.url()], "", budget).await;
    let body = Dialect::Chat.prompt("[words=8] [pace=100]", true);
    let answered = stage.client.post(&Dialect::Chat.path("group"), &body).await;
    let (text, clean) = read(answered).await;
    assert!(
        clean && text.contains("word8") && text.ends_with("[DONE]\n\n"),
        "{text}"
    );
}

#[tokio::test]
async fn a_target_without_content_is_given_up_after_the_first_content_timeout() {
    for dialect in DIALECTS {
        let (first, second) = (Upstream::start().await, Upstream::provider().await);
        let provider = Provider::default();
        first.answer_with(move |asked| faults::early_stall(dialect, provider.answer(asked)));
        let hasty = "[upstream]\nfirst_content_timeout = \"300ms\"";
        let stage = two(dialect, [first.url(), second.url()], hasty, "").await;
        let answered = stage
            .client
            .post(&dialect.path("group"), &dialect.body(true))
            .await;
        assert_eq!(served_by(&answered), "second");
        assert!(answered.text().await.contains("word5"));
        let books = stage.books().await;
        assert_eq!(flags(books.only()), ["estimated", "abandoned"]);
    }
}

#[tokio::test]
async fn a_limit_without_room_for_another_attempt_is_402_and_the_abandoned_one_is_booked() {
    for (dialect, word, cap) in [
        (Dialect::Chat, "insufficient_quota", "max_completion_tokens"),
        (Dialect::Messages, "billing_error", "max_tokens"),
    ] {
        let (first, second) = (Upstream::provider().await, Upstream::provider().await);
        first.answer(Answer::hang_up());
        let group = dialect.group("group", &pair(first.url(), second.url()), "");
        // Room for one attempt of 100 tokens, and not for two.
        let stage = stage(&settings("", "total = \"0.0015\"", &group)).await;
        let answered = stage
            .client
            .post(&dialect.path("group"), &dialect.body(false))
            .await;
        assert_eq!(answered.status, 402, "{answered:?}");
        let text = answered.text().await;
        assert!(text.contains(word), "{text}");
        assert_eq!(second.requests().len(), 0);

        // What is spent leaves room for a small one, so nothing more is held.
        let mut small = dialect.body(false);
        small[cap] = 10.into();
        let answered = stage.client.post(&dialect.path("group"), &small).await;
        assert_eq!(answered.status, 200, "{answered:?}");

        let books = stage.books().await;
        assert_eq!((books.rows.len(), books.entries.len()), (2, 2));
        let (row, entry) = (&books.rows[1], &books.entries[1]);
        assert_eq!(flags(row), ["estimated", "abandoned"]);
        assert_eq!(
            (row.cost, entry.amount.cost),
            (row.abandoned_cost, row.cost)
        );
        assert!(row.cost.as_nano() > 0, "{row:#?}");
        assert_eq!((row.attempts, row.status), (1, 402));
        assert_eq!(entry.amount.requests, 1);
    }
}

#[tokio::test]
async fn a_target_that_is_full_is_passed_over_and_without_another_the_client_may_come_again() {
    let (first, second) = (Upstream::provider().await, Upstream::provider().await);
    let targets = pair(first.url(), second.url()).map(|target| target.lines("max_concurrency = 1"));
    let group = Dialect::Chat.group("group", &targets, "");
    let stage = stage(&settings("", "", &group)).await;
    let path = Dialect::Chat.path("group");
    let slow = Dialect::Chat.prompt("[words=3] [stall=1]", true);
    let at_first = stage.client.post(&path, &slow).await;
    assert_eq!(served_by(&at_first), "first");
    let at_second = stage.client.post(&path, &slow).await;
    assert_eq!(served_by(&at_second), "second");

    let refused = stage.client.post(&path, &Dialect::Chat.body(false)).await;
    assert_eq!(refused.status, 503, "{refused:?}");
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(refused.header("x-should-retry"), None);
    assert_eq!((first.requests().len(), second.requests().len()), (1, 1));

    // A place is free as soon as its request is over.
    let id = request_id(&at_second);
    drop(at_second);
    second.wait_until_over(0).await;
    stage.row(id).await;
    let answered = stage.client.post(&path, &Dialect::Chat.body(false)).await;
    assert_eq!(served_by(&answered), "second");
    assert!(answered.text().await.contains(&format!("word{WORDS}")));
    drop(at_first);
}
