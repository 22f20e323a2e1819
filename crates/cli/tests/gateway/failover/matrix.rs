//! Each fault at the first of two targets, and what comes of it for a plain request and for a
//! stream, in two dialects: the whole table, and what each of its words means for the client, the
//! upstreams and the books.

mod cell;

use super::{
    faults::{
        Fault, bad_gateway, busy_for_a_second, busy_for_an_hour, credential, cut_short,
        early_reset, early_stall, empty, error_first, error_later, filtered, filtered_request,
        garbage, garbled, healthy, internal, no_head, no_http, no_last_event, overloaded, redirect,
        reset, reset_before_head, stall, too_many, unprocessable, web_page,
    },
    group::{Dialect, assert_nothing_is_held, settings, stage},
};
use crate::{support::CREDENTIAL, tables::Tables};
use At::{Crowded, Hasty, NoTls, Refused, Says, Untrusted};
use Outcome::{AsIs, Breaks, Errs, Free, Never, Paid, Stalls, Theirs, Torn};
use cell::Cell;
use std::{collections::BTreeMap, sync::Arc};

/// A fault; how it is; its word in the log if another target is tried; what comes of it for a plain
/// request, and for a stream.
struct Row(&'static str, At, &'static str, Outcome, Outcome);

// In columns, to be read as a table.
#[rustfmt::skip]
const TABLE: [Row; 31] = [
    Row("connection refused",    Refused,                 "unreachable",     Free,      Free),
    Row("connect timeout",       Crowded,                 "connect_timeout", Free,      Free),
    Row("no TLS",                NoTls,                   "tls",             Free,      Free),
    Row("untrusted TLS",         Untrusted,               "tls",             Free,      Free),
    Row("500",                   Says(internal),          "500",             Free,      Free),
    Row("502",                   Says(bad_gateway),       "502",             Free,      Free),
    Row("503 for a second",      Says(busy_for_a_second), "503",             Free,      Free),
    Row("503 for an hour",       Says(busy_for_an_hour),  "503",             Free,      Free),
    Row("529",                   Says(overloaded),        "529",             Free,      Free),
    Row("429",                   Says(too_many),          "429",             Free,      Free),
    Row("401 to our credential", Says(credential),        "401",             Free,      Free),
    Row("redirect",              Says(redirect),          "307",             Free,      Free),
    Row("reset before the head", Says(reset_before_head), "reset",           Paid,      Paid),
    Row("not HTTP",              Says(no_http),           "garbled",         Paid,      Paid),
    Row("no head in time",       Hasty(no_head),          "head_timeout",    Paid,      Paid),
    Row("head, then reset",      Says(early_reset),       "broke_off",       Paid,      Paid),
    Row("head, then silence",    Hasty(early_stall),      "silent",          Paid,      Paid),
    Row("head, then nothing",    Says(empty),             "empty",           Paid,      Paid),
    Row("head, then a web page", Says(web_page),          "empty",           Paid,      Paid),
    Row("an error first",        Says(error_first),       "error_event",     Paid,      Paid),
    Row("an error later",        Says(error_later),       "-",               Never,     Theirs),
    Row("stall in the middle",   Hasty(stall),            "silent",          Paid,      Stalls),
    Row("reset in the middle",   Says(reset),             "broke_off",       Paid,      Breaks),
    Row("no last event",         Says(no_last_event),     "empty",           Paid,      Breaks),
    Row("garbage in the middle", Says(garbage),           "empty",           Paid,      AsIs),
    Row("garbled pieces",        Says(garbled),           "broke_off",       Paid,      Breaks),
    Row("cut short",             Says(cut_short),         "broke_off",       Paid,      Torn),
    Row("filtered answer",       Says(filtered),          "-",               AsIs,      AsIs),
    Row("filtered request",      Says(filtered_request),  "-",               Errs(400), Errs(400)),
    Row("another bad request",   Says(unprocessable),     "-",               Errs(422), Errs(422)),
    Row("none",                  Says(healthy),           "-",               AsIs,      AsIs),
];

/// Where the fault is.
#[derive(Clone, Copy)]
enum At {
    Refused,
    Crowded,
    NoTls,
    Untrusted,
    /// In the answer.
    Says(Fault),
    /// In the time that the answer takes: the target is not waited for as long as others.
    Hasty(Fault),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// The second target answers, and nobody sees or pays anything of the first.
    Free,
    /// The second target answers. The first may have been at work: its estimate is booked beside,
    /// told apart and flagged.
    Paid,
    /// What the first says is the client's, byte for byte, and costs what it reports.
    AsIs,
    /// The first's error is the client's, byte for byte, and costs nothing.
    Errs(u16),
    /// What came of the stream, with the provider's own error event at its end.
    Theirs,
    /// What came of the stream, then our error event: the provider broke off.
    Breaks,
    /// What came of the stream, then our error event: the provider fell silent.
    Stalls,
    /// What came of the stream, and a broken connection, for it ended inside an event.
    Torn,
    /// There is no such thing.
    Never,
}

#[tokio::test]
async fn a_plain_chat_request_meets_each_fault_as_the_table_says() {
    meet_all(Dialect::Chat, false).await;
}

#[tokio::test]
async fn a_chat_stream_meets_each_fault_as_the_table_says() {
    meet_all(Dialect::Chat, true).await;
}

#[tokio::test]
async fn a_plain_messages_request_meets_each_fault_as_the_table_says() {
    meet_all(Dialect::Messages, false).await;
}

#[tokio::test]
async fn a_messages_stream_meets_each_fault_as_the_table_says() {
    meet_all(Dialect::Messages, true).await;
}

/// All rows at once, each with a group of its own at one gateway.
async fn meet_all(dialect: Dialect, stream: bool) {
    let mut cells = Vec::new();
    for row in &TABLE {
        cells.extend(Cell::of(row, dialect, stream).await);
    }
    let groups: String = cells.iter().map(Cell::settings).collect();
    let with_limits = |limits: &str| settings("[ledger]\nestimate = \"strict\"", limits, &groups);
    let stage = Arc::new(stage(&with_limits("")).await);
    let mut running = BTreeMap::new();
    for cell in cells {
        let stage = Arc::clone(&stage);
        running.insert(cell.slug.clone(), tokio::spawn(cell.meet(stage)));
    }
    let (mut met, mut failed) = (Vec::new(), Vec::new());
    for (slug, cell) in running {
        match cell.await {
            Ok(cell) => met.push(cell),
            Err(panicked) => failed.push((slug, panicked)),
        }
    }
    assert!(failed.is_empty(), "not as the table says: {failed:?}");

    let healthy = met.iter().find(|(cell, _)| cell.slug == "none").unwrap();
    let (path, body) = (dialect.path(&healthy.0.slug), dialect.body(stream));
    let requests: Vec<_> = met.iter().map(|(_, request)| *request).collect();
    assert_nothing_is_held(&stage, &requests, with_limits, (&path, &body)).await;

    let log = stage.gateway.log_lines();
    let directory = stage.launch.clone();
    let books = Arc::into_inner(stage).unwrap().books().await;
    let log = [log, books.log].concat();
    assert!(
        !log.iter().any(|line| line.contains(CREDENTIAL)),
        "{log:#?}"
    );
    for (cell, _) in &met {
        let told = format!("{}-first:{}", cell.slug, cell.word);
        let is_told = log.iter().any(|line| line.contains(&told));
        assert_eq!(is_told, cell.outcome.is_rescued(), "{told} in {log:#?}");
    }
    // Each was counted once; beside them, two that passed to show that nothing is held.
    let tables = Tables::read(&directory.data_dir()).await;
    assert_eq!(tables.assert_sound(), met.len() + 2);
}

impl Outcome {
    fn is_rescued(self) -> bool {
        matches!(self, Free | Paid)
    }

    /// What stands in the row.
    fn flags(self) -> &'static [&'static str] {
        match self {
            Free | AsIs | Errs(_) | Never => &[],
            Paid => &["estimated", "abandoned"],
            Stalls => &["estimated"],
            Theirs | Breaks | Torn => &["estimated", "broken"],
        }
    }
}
