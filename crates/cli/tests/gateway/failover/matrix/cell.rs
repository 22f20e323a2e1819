//! One row of the table in one of its four forms: the two targets, the request, and what is looked
//! at afterwards.

use super::{
    At::{self, Crowded, Hasty, NoTls, Refused, Says, Untrusted},
    Outcome::{self, AsIs, Breaks, Errs, Free, Never, Paid, Stalls, Theirs, Torn},
    Row,
};
use crate::{
    failover::{
        faults::{Fault, healthy},
        group::{Dialect, WORDS, pair, served_by},
        nowhere::Nowhere,
    },
    priced::bill,
    support::{Stage, flags, read, request_id},
};
use std::sync::Arc;
use tollgate_core::id::RequestId;
use tollgate_store::UsageLine;
use tollgate_testkit::{Ended, Upstream, provider::Provider};

/// The first target of a cell.
enum First {
    Upstream(Upstream),
    Nowhere(Nowhere),
}

/// A row in one of its four forms, with a group of its own.
pub(super) struct Cell {
    pub(super) slug: String,
    dialect: Dialect,
    stream: bool,
    at: At,
    pub(super) word: &'static str,
    pub(super) outcome: Outcome,
    first: First,
    second: Upstream,
}

/// What the client saw.
#[derive(Debug)]
struct Seen {
    status: u16,
    served_by: String,
    body: String,
    clean: bool,
}

impl Cell {
    pub(super) async fn of(row: &Row, dialect: Dialect, stream: bool) -> Option<Self> {
        let Row(name, at, word, plain, streamed) = *row;
        let outcome = if stream { streamed } else { plain };
        if outcome == Never {
            return None;
        }
        let first = match at {
            Refused => First::Nowhere(Nowhere::refusing().await),
            Crowded => First::Nowhere(Nowhere::crowded().await),
            NoTls => First::Nowhere(Nowhere::without_tls().await),
            Untrusted => First::Nowhere(Nowhere::untrusted().await),
            Says(fault) | Hasty(fault) => {
                let upstream = Upstream::start().await;
                let provider = Provider::default();
                upstream.answer_with(move |asked| fault(dialect, provider.answer(asked)));
                First::Upstream(upstream)
            }
        };
        Some(Self {
            slug: name.to_lowercase().replace(", ", "-").replace(' ', "-"),
            dialect,
            stream,
            at,
            word,
            outcome,
            first,
            second: Upstream::provider().await,
        })
    }

    pub(super) fn settings(&self) -> String {
        let url = match &self.first {
            First::Upstream(upstream) => upstream.url(),
            First::Nowhere(nowhere) => nowhere.url(),
        };
        let mut targets = pair(url, self.second.url());
        for target in &mut targets {
            target.slug = format!("{}-{}", self.slug, target.slug);
        }
        targets[0].lines = match self.at {
            Crowded => "connect_timeout = \"200ms\"",
            Hasty(_) => "head_timeout = \"1s\"\nidle_timeout = \"1s\"",
            Refused | NoTls | Untrusted | Says(_) => "",
        };
        self.dialect.group(&self.slug, &targets, "")
    }

    /// Asks, and compares.
    pub(super) async fn meet(self, stage: Arc<Stage>) -> (Self, RequestId) {
        let path = self.dialect.path(&self.slug);
        let answered = stage
            .client
            .post(&path, &self.dialect.body(self.stream))
            .await;
        let (status, request) = (answered.status.as_u16(), request_id(&answered));
        let served_by = served_by(&answered).to_owned();
        let cost = answered.header("tollgate-cost").map(str::to_owned);
        let (body, clean) = read(answered).await;
        let seen = Seen {
            status,
            served_by,
            body,
            clean,
        };
        self.check_client(&seen);
        self.check_targets(&seen);
        if let (First::Upstream(first), Hasty(_)) = (&self.first, self.at) {
            let given_up = first.wait_until_over(0).await;
            assert_eq!(
                given_up.ended,
                Ended::ClientGone,
                "nobody listens to it any more"
            );
        }
        let row = stage.row(request).await;
        self.check_books(&row);
        let told = (!self.stream && seen.status == 200).then(|| format!("{}USD", row.cost));
        assert_eq!(cost, told, "the client is told what is booked");
        (self, request)
    }

    fn check_client(&self, seen: &Seen) {
        let status = if let Errs(status) = self.outcome {
            status
        } else {
            200
        };
        assert_eq!(seen.status, status, "{seen:#?}");
        assert_eq!(seen.clean, self.outcome != Torn, "{seen:#?}");
        match self.outcome {
            Free | Paid => assert_eq!(seen.body, self.said(&self.second, healthy)),
            AsIs | Errs(_) | Theirs => assert_eq!(seen.body, self.said_by_first()),
            Torn => assert!(self.is_beginning(&seen.body), "{seen:#?}"),
            Breaks => self.check_error(&seen.body, "upstream_broken", "api_error"),
            Stalls => self.check_error(&seen.body, "upstream_timeout", "timeout_error"),
            Never => unreachable!("it was not asked"),
        }
    }

    /// The client got what came, and then, once, our own error in the words of its dialect.
    fn check_error(&self, text: &str, of_chat: &str, of_messages: &str) {
        let (start, pointer, word) = match self.dialect {
            Dialect::Chat => ("data: {\"error\":{", "/error/code", of_chat),
            Dialect::Messages => ("event: error\ndata: {", "/error/type", of_messages),
        };
        let at = text.find(start);
        let at = at.unwrap_or_else(|| unreachable!("no error event in {text}"));
        let (before, event) = text.split_at(at);
        assert!(self.is_beginning(before), "{text}");
        let data = event.split_once("data: ").unwrap().1;
        let data = data.strip_suffix("\n\n").expect("the event is whole");
        let data: serde_json::Value = serde_json::from_str(data).expect("nothing follows it");
        assert_eq!(data.pointer(pointer), Some(&word.into()), "{data}");
    }

    /// Whether this is the beginning, and not the whole, of what a healthy target says.
    fn is_beginning(&self, text: &str) -> bool {
        let First::Upstream(first) = &self.first else {
            return false;
        };
        let whole = self.said(first, healthy);
        text.contains("word2") && whole.len() > text.len() && whole.starts_with(text)
    }

    fn said_by_first(&self) -> String {
        match (&self.first, self.at) {
            (First::Upstream(first), Says(fault) | Hasty(fault)) => self.said(first, fault),
            _ => unreachable!("nobody is there to say anything"),
        }
    }

    /// The whole body of the answer to the first request, with this fault.
    fn said(&self, upstream: &Upstream, fault: Fault) -> String {
        let healthy = Provider::default().answer(&upstream.requests()[0]);
        let chunks = fault(self.dialect, healthy).chunks;
        let chunks: Vec<_> = chunks.iter().map(|chunk| &*chunk.bytes).collect();
        String::from_utf8_lossy(&chunks.concat()).into_owned()
    }

    /// What the first would charge for the whole answer, in nano-dollars.
    fn whole_bill(&self) -> i64 {
        let First::Upstream(first) = &self.first else {
            return 0;
        };
        let input = first.requests()[0].input_tokens;
        i64::try_from(input * 1_000 + WORDS * 10_000).unwrap()
    }

    /// Who was asked, how often, and who served.
    fn check_targets(&self, seen: &Seen) {
        let at_first = match &self.first {
            First::Upstream(first) => first.requests().len(),
            First::Nowhere(_) => 0,
        };
        let at_second = self.second.requests().len();
        let rescued = self.outcome.is_rescued();
        let arrives = matches!(self.at, Says(_) | Hasty(_));
        let expected = (usize::from(arrives), usize::from(rescued));
        assert_eq!((at_first, at_second), expected, "{seen:#?}");
        let who = if rescued { "second" } else { "first" };
        assert_eq!(seen.served_by, format!("{}-{who}", self.slug));
    }

    fn check_books(&self, row: &UsageLine) {
        let (cost, abandoned) = (row.cost.as_nano(), row.abandoned_cost.as_nano());
        assert_eq!(flags(row), self.outcome.flags(), "{row:#?}");
        assert_eq!(abandoned > 0, self.outcome == Paid, "{row:#?}");
        match self.outcome {
            Free => assert_eq!(cost, bill(&self.second), "{row:#?}"),
            Paid => assert_eq!(cost - abandoned, bill(&self.second), "{row:#?}"),
            AsIs => assert_eq!(cost, self.whole_bill(), "{row:#?}"),
            Errs(_) => assert_eq!(cost, 0, "{row:#?}"),
            Theirs | Breaks | Stalls | Torn => {
                assert!(0 < cost && cost <= row.held_cost.as_nano(), "{row:#?}");
            }
            Never => unreachable!("it was not asked"),
        }
        let rescued = self.outcome.is_rescued();
        let who = if rescued { "second" } else { "first" };
        let slug = format!("{}-{who}", self.slug);
        assert_eq!(row.provider.as_ref(), Some(&slug), "{row:#?}");
        assert_eq!(row.attempts, 1 + u32::from(rescued), "{row:#?}");
        let error = match self.outcome {
            Breaks | Torn => Some("upstream_broken"),
            Stalls => Some("upstream_timeout"),
            _ => None,
        };
        assert_eq!(row.error.as_deref(), error, "{row:#?}");
    }
}
