//! A routing group in the settings file, in one dialect, and how it is asked.

use crate::{
    priced::{PRICES, dollars, reload},
    support::{KEY, Stage, provider, request_id, start},
};
use serde_json::{Value, json};
use tollgate_core::id::RequestId;
use tollgate_testkit::{client::Answered, gateway::Launch};

/// What a healthy target says: `word1 word2 word3 word4 word5`.
pub(super) const WORDS: u64 = 5;

/// The dialects in which groups are tried here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    Chat,
    Messages,
}

/// A provider and its place in a group.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// The provider's slug.
    pub(super) slug: String,
    /// Where it is, without the dialect's own path.
    pub(super) url: String,
    /// Further lines of the provider.
    pub(super) lines: &'static str,
    /// What stands beside the provider in the target.
    pub(super) place: &'static str,
}

impl Target {
    pub(super) fn new(slug: &str, url: String) -> Self {
        Self {
            slug: slug.to_owned(),
            url,
            lines: "",
            place: "",
        }
    }

    #[must_use]
    pub(super) fn lines(self, lines: &'static str) -> Self {
        Self { lines, ..self }
    }

    #[must_use]
    pub(super) fn place(self, place: &'static str) -> Self {
        Self { place, ..self }
    }
}

/// `first` and `second`, tried in this order.
pub(super) fn pair(first: String, second: String) -> [Target; 2] {
    [
        Target::new("first", first).place("priority = 0"),
        Target::new("second", second).place("priority = 1"),
    ]
}

impl Dialect {
    /// The tables of a group and of its providers. `lines` are further lines of the group.
    pub(super) fn group(self, slug: &str, targets: &[Target], lines: &str) -> String {
        let (kind, base) = match self {
            Self::Chat => ("openai", "/v1"),
            Self::Messages => ("anthropic", ""),
        };
        let mut text = String::new();
        let mut elements = Vec::new();
        for target in targets {
            let Target {
                slug, url, place, ..
            } = target;
            let more = format!("{}\n{PRICES}", target.lines);
            text.push_str(&provider(slug, kind, &format!("{url}{base}"), &more));
            let comma = if place.is_empty() { "" } else { ", " };
            elements.push(format!("{{ provider = \"{slug}\"{comma}{place} }}"));
        }
        let elements = elements.join(", ");
        format!("{text}\n[[routing_group]]\nslug = \"{slug}\"\ntargets = [{elements}]\n{lines}\n")
    }

    /// Where a route is asked.
    pub(super) fn path(self, route: &str) -> String {
        match self {
            Self::Chat => format!("/proxy/{route}/v1/chat/completions"),
            Self::Messages => format!("/proxy/{route}/v1/messages"),
        }
    }

    /// A request for [`WORDS`] words; as a stream such that every byte of it passes as it comes.
    pub(super) fn body(self, stream: bool) -> Value {
        self.prompt(&format!("[words={WORDS}]"), stream)
    }

    /// The same with this prompt.
    pub(super) fn prompt(self, prompt: &str, stream: bool) -> Value {
        let turn = json!([{ "role": "user", "content": prompt }]);
        match (self, stream) {
            (Self::Chat, false) => json!({
                "model": "m", "messages": turn, "max_completion_tokens": 100,
            }),
            (Self::Chat, true) => json!({
                "model": "m", "messages": turn, "max_completion_tokens": 100,
                "stream": true, "stream_options": { "include_usage": true },
            }),
            (Self::Messages, stream) => json!({
                "model": "m", "messages": turn, "max_tokens": 100, "stream": stream,
            }),
        }
    }
}

/// The text of `tollgate.toml`: one key under these limits, and these groups.
pub(super) fn settings(tables: &str, limits: &str, groups: &str) -> String {
    format!(
        "{tables}

[[project]]
slug = \"stage\"

[[api_key]]
name = \"caller\"
project = \"stage\"
key = {{ value = \"{KEY}\" }}
limits = {{ {limits} }}
{groups}"
    )
}

/// A gateway with these settings.
pub(super) async fn stage(settings: &str) -> Stage {
    start(Launch::new(env!("CARGO_BIN_EXE_tollgate"), settings)).await
}

/// Who served.
pub(super) fn served_by(answered: &Answered) -> &str {
    answered.header("tollgate-provider").unwrap_or("nobody")
}

/// Shows that no hold is left, once the rows of `ended` are written and nothing runs: with one
/// nano-dollar less than a further request wants it is refused because of what is *spent*; with
/// that nano-dollar it passes. `settings` makes the settings under a limit.
pub(super) async fn assert_nothing_is_held(
    stage: &Stage,
    ended: &[RequestId],
    settings: impl Fn(&str) -> String,
    (path, body): (&str, &Value),
) {
    let answered = stage.client.post(path, body).await;
    assert_eq!(answered.status, 200, "{answered:?}");
    let like = request_id(&answered);
    answered.bytes().await;
    let like = stage.row(like).await;
    let mut spent = like.cost.as_nano();
    for request in ended {
        spent += stage.row(*request).await.cost.as_nano();
    }
    let wanted = like.held_cost.as_nano();
    for (cap, status) in [(spent + wanted - 1, 402), (spent + wanted, 200)] {
        let cap = format!("total = \"{}\"", dollars(cap));
        reload(stage, &settings(&cap)).await;
        let answered = stage.client.post(path, body).await;
        assert_eq!(answered.status, status, "under {cap}");
        let text = answered.text().await;
        let spent_says_no = text.contains("spending limit reached");
        assert_eq!(spent_says_no, status == 402, "{text}");
    }
}
