//! Whose limits, in what, over how long: all of them count, the smallest wins, and a refusal says
//! what its reader may know.

use crate::{
    outcome::Outcome,
    priced::{Api, Rules},
};
use tollgate_testkit::{Client, Upstream};

/// Scope, and how a refusal calls it; whether its figures are told.
const SCOPES: [(&str, &str, bool); 4] = [
    ("organization", "the organization's", false),
    ("project", "this project's", false),
    ("member", "your", true),
    ("key", "this key's", true),
];

/// A limit that one request of 11 + 1 tokens has used up, one with room, and how it is called.
const UNITS: [(&str, &str, &str, &str); 3] = [
    (
        "{window} = \"0.00002\"",
        "{window} = \"1.00\"",
        "spending limit",
        "$0.00002 (spent $0.000021)",
    ),
    (
        "requests = { {window} = 1 }",
        "requests = { {window} = 100 }",
        "request limit",
        "1 requests (spent 1 requests)",
    ),
    (
        "tokens = { {window} = 12 }",
        "tokens = { {window} = 100000 }",
        "token limit",
        "12 tokens (spent 12 tokens)",
    ),
];

const WINDOWS: [&str; 4] = ["daily", "weekly", "monthly", "total"];

/// Rules in which this scope has `limit`, and all others have `room`.
fn rules<'r>(scope: &str, limit: &'r str, room: &'r str) -> Rules<'r> {
    let of = |other: &str| if other == scope { limit } else { room };
    Rules {
        organization: of("organization"),
        project: of("project"),
        member: of("member"),
        key: of("key"),
        tables: "",
    }
}

#[tokio::test]
async fn the_smallest_of_all_limits_refuses_and_is_named() {
    let upstream = Upstream::provider().await;
    let stage = Rules::default().stage(&upstream).await;
    let ask = Api::Chat.ask(1, Some(1));
    assert_eq!(Outcome::of(ask.clone(), &stage).await.status, 200);

    // A limit set later begins with what was spent before: each is used up already.
    let mut windows = WINDOWS.into_iter().cycle();
    for (scope, whose, is_own) in SCOPES {
        for (spent, room, what, figures) in UNITS {
            let window = windows.next().unwrap();
            let (spent, room) = (
                spent.replace("{window}", window),
                room.replace("{window}", window),
            );
            rules(scope, &spent, &room).replace(&stage, &upstream).await;
            for api in Api::ALL {
                let text = Outcome::of(api.ask(1, Some(1)), &stage).await.refusal();
                let limit = if is_own { figures } else { "limit" };
                let told = format!("{what} reached: {whose} {window} {limit}; resets ");
                assert!(text.starts_with(&told), "{text}\nshould begin with: {told}");
                assert!(is_own || !text.contains("spent"), "{text}");
                let never = text.contains("; resets never; ");
                assert_eq!(never, window == "total", "{text}");
            }
        }
        // With room everywhere it passes: nothing of the refused ones is left.
        rules("", "", "requests = { total = 100 }")
            .replace(&stage, &upstream)
            .await;
    }
    assert_eq!(Outcome::of(ask, &stage).await.status, 200);
    assert_eq!(
        upstream.requests().len(),
        2,
        "what was refused was not sent"
    );
}

#[tokio::test]
async fn a_codex_gets_the_answer_after_which_it_stops() {
    let upstream = Upstream::provider().await;
    let mut stage = Rules::of_key("total = \"0.00\"").stage(&upstream).await;
    stage.client = Client::header(stage.client, "originator", "codex_cli_rs");
    let outcome = Outcome::of(Api::Responses.ask(1, None).streamed(true), &stage).await;
    assert_eq!(outcome.status, 429, "{outcome:?}");
    assert!(
        outcome.body.contains("\"type\":\"usage_limit_reached\""),
        "{outcome:?}"
    );
    let header = |name| {
        outcome
            .headers
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    assert_eq!(header("x-should-retry"), Some("false"));
    assert_eq!(header("retry-after"), None);
    let shown = header("x-codex-promo-message").unwrap();
    assert!(
        shown.starts_with("spending limit reached: this key's total $0.00"),
        "{shown}"
    );
}
