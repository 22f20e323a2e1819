//! The beginning of an answer, as far as it is read before its head goes to the client.
//!
//! A stream's head is held, while there are targets to choose from, until its first content, for
//! some time and some bytes at most: up to there another target can be tried and nobody has seen
//! anything. A plain answer is read whole, up to a bound, so that one that breaks off can be
//! asked for elsewhere, and so that the cost can stand in a header.

use super::{
    Bounds,
    classify::{self, Failure},
};
use crate::{
    exchange::{Ending, Exchange},
    settings::{HEAD_HELD_FOR, HELD_BYTES_MAX, WHOLE_ANSWER_MAX},
    upstream::AnswerBody,
};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, header};
use http_body::Body;
use http_body_util::BodyExt;
use std::{collections::VecDeque, time::Duration};
use tokio::time::Instant;
use tollgate_core::{
    error::{Error, Kind},
    format::Format,
    usage::UsageReport,
};
use tollgate_wire::{
    envelope::AnswerForm,
    tap::{Framing, Plain, Tap, answers_in_json, blames_request, plain},
};

/// What of an answer's body was read before its head went out.
pub(crate) enum Start {
    /// A stream, tapped so far.
    Stream(Box<Opened>),
    /// A plain answer: its pieces, and whether that is all of it.
    Whole {
        pieces: VecDeque<Bytes>,
        ended: bool,
    },
}

/// A stream that has begun.
pub(crate) struct Opened {
    pub(crate) tap: Tap,
    pub(crate) framing: Framing,
    /// What the client is to get first.
    pub(crate) held: Vec<Bytes>,
}

/// Why an answer is given up, and what the caller is told if it was the only one.
pub(super) type GivenUp = (Failure, Error);

impl Opened {
    pub(super) fn new(tap: Tap, framing: Framing) -> Self {
        Self {
            tap,
            framing,
            held: Vec::with_capacity(2),
        }
    }
}

/// How a streamed answer is cut into events; `None` when it is no stream after all. Only JSON is
/// believed to be none: a stream under a wrong name is still to be read as it passes. But sounds,
/// pictures and transcripts come as such where the wish for a stream is not heeded.
pub(super) fn framing(format: Format, form: AnswerForm, headers: &HeaderMap) -> Option<Framing> {
    let is_json = is_of_type(headers, JSON);
    match (is_json, format, form) {
        (true, Format::GeminiGenerate, _) => Some(Framing::JsonArray),
        (true, ..) => None,
        (false, Format::OpenAiImages | Format::OpenAiSpeech | Format::OpenAiTranscription, _) => {
            is_of_type(headers, b"text/event-stream").then_some(Framing::Sse)
        }
        (false, _, AnswerForm::FramedEvents) => Some(Framing::FramedEvents),
        (false, Format::BedrockConverse | Format::BedrockInvoke, _) => Some(Framing::EventStream),
        (false, Format::OllamaNative, _) => Some(Framing::Lines),
        (false, ..) => Some(Framing::Sse),
    }
}

const JSON: &[u8] = b"application/json";

fn is_of_type(headers: &HeaderMap, wanted: &[u8]) -> bool {
    let kind = headers.get(header::CONTENT_TYPE);
    kind.and_then(|kind| kind.as_bytes().get(..wanted.len()))
        .is_some_and(|start| start.eq_ignore_ascii_case(wanted))
}

/// How much of a plain answer is read before its head goes out. JSON as far as its cost can stand
/// in a header; of anything else the first piece, for it is to be heard or seen while it comes.
pub(super) fn read_ahead(exchange: &Exchange, headers: &HeaderMap) -> usize {
    let (format, operation) = (exchange.format(), exchange.record.operation);
    if answers_in_json(format, operation) || is_of_type(headers, JSON) {
        WHOLE_ANSWER_MAX
    } else {
        0
    }
}

/// A whole answer that is none, although its status was good: an error, or nothing that can be read.
/// While there is another target that one is asked; else it is the client's as it came.
pub(super) fn not_an_answer(exchange: &Exchange, pieces: &VecDeque<Bytes>) -> Option<GivenUp> {
    if !answers_in_json(exchange.format(), exchange.record.operation) {
        return None;
    }
    let body = joined(pieces);
    match plain(&body) {
        Plain::Error if !blames_request(&body) => Some(no_content(Failure::ErrorEvent)),
        Plain::Nothing => Some(no_content(Failure::Empty)),
        Plain::Answer | Plain::Error => None,
    }
}

/// Holds a stream until its first content.
///
/// # Errors
/// The refusal of a limit, which ends the search.
pub(super) async fn hold_head(
    exchange: &mut Exchange,
    body: &mut AnswerBody,
    opened: &mut Opened,
    idle: Duration,
    bounds: Bounds,
) -> Result<Result<(), GivenUp>, Error> {
    let impatience = exchange.gateway.settings().first_content_timeout;
    let let_go = Instant::now() + impatience.unwrap_or(HEAD_HELD_FOR);
    let mut seen = 0;
    loop {
        let silence = Instant::now() + idle;
        let until = silence.min(let_go).min(bounds.until);
        let Some(frame) = exchange.while_held(body.frame(), until).await? else {
            let now = Instant::now();
            let patient = now >= let_go && (impatience.is_none() || !bounds.more);
            if patient && now < bounds.until {
                return Ok(Ok(()));
            }
            note_usage(exchange, &opened.tap.report());
            return Ok(Err(no_content(bounds.silent())));
        };
        let data = match frame {
            None => {
                *body = AnswerBody::Ended;
                return Ok(ended(exchange, opened));
            }
            Some(Err(error)) => {
                note_usage(exchange, &opened.tap.report());
                return Ok(Err((Failure::BrokeOff, broken(error.to_string()))));
            }
            Some(Ok(frame)) => frame.into_data().unwrap_or_default(),
        };
        seen += data.len();
        let mut price = |report: &UsageReport| exchange.cost_text(report);
        opened.tap.feed(data, &mut price, &mut opened.held);
        let progress = opened.tap.progress();
        let is_error = progress.failed && !progress.started;
        if bounds.more && is_error && !opened.tap.blames_request() {
            note_usage(exchange, &opened.tap.report());
            return Ok(Err(no_content(Failure::ErrorEvent)));
        }
        let begun = progress.started || progress.failed;
        if begun || seen > HELD_BYTES_MAX || is_answer(opened) {
            return Ok(Ok(()));
        }
    }
}

/// A stream that ended before any content: an answer all the same if it says how it ended, as one
/// that a content filter kept empty does.
fn ended(exchange: &mut Exchange, opened: &mut Opened) -> Result<(), GivenUp> {
    opened.tap.read_last();
    if is_answer(opened) {
        return Ok(());
    }
    note_usage(exchange, &opened.tap.report());
    Err(no_content(Failure::Empty))
}

/// Whether the stream is whole and somebody said something in it.
fn is_answer(opened: &Opened) -> bool {
    let report = opened.tap.report();
    opened.tap.progress().terminal && (report.model.is_some() || report.usage.is_some())
}

/// What an answer that is given up reported counts.
fn note_usage(exchange: &mut Exchange, report: &UsageReport) {
    if report.usage.is_some() || report.provider_cost.is_some() {
        exchange.ending = Ending::Reported(Box::new(report.clone()));
    }
}

fn no_content(failure: Failure) -> GivenUp {
    let (kind, message) = match failure {
        Failure::Silent | Failure::OutOfTime => (
            Kind::UpstreamTimeout,
            "the provider fell silent before its answer had any content",
        ),
        Failure::ErrorEvent => (
            Kind::UpstreamBroken,
            "the provider's answer began with an error",
        ),
        _ => (
            Kind::UpstreamBroken,
            "the provider's answer ended before it had any content",
        ),
    };
    (failure, Error::new(kind, message))
}

/// Reads a plain answer until more than `read_ahead` bytes of it are there. While it comes the hold
/// is topped up by the clock, as for a stream: what was asked for as one may arrive like this.
///
/// # Errors
/// The refusal of a limit, which ends the search.
pub(super) async fn whole(
    exchange: &mut Exchange,
    body: &mut AnswerBody,
    (read_ahead, idle): (usize, Duration),
    bounds: Bounds,
) -> Result<Result<(VecDeque<Bytes>, bool), GivenUp>, Error> {
    let mut pieces = VecDeque::new();
    let read = read(exchange, body, &mut pieces, (read_ahead, idle), bounds).await?;
    Ok(read.map(|ended| (pieces, ended)))
}

/// The same, into `pieces`, where what came stays also if no more comes. Whether that is all.
///
/// # Errors
/// The refusal of a limit, which ends the search.
pub(super) async fn read(
    exchange: &mut Exchange,
    body: &mut AnswerBody,
    pieces: &mut VecDeque<Bytes>,
    (read_ahead, idle): (usize, Duration),
    bounds: Bounds,
) -> Result<Result<bool, GivenUp>, Error> {
    let mut total = 0;
    while total <= read_ahead {
        let until = bounds.until.min(Instant::now() + idle);
        match exchange.while_held(body.frame(), until).await? {
            Some(None) => return Ok(Ok(true)),
            Some(Some(Ok(frame))) => {
                if let Ok(data) = frame.into_data() {
                    total += data.len();
                    pieces.push_back(data);
                }
            }
            Some(Some(Err(error))) => {
                return Ok(Err((Failure::BrokeOff, broken(error.to_string()))));
            }
            None => {
                let error = classify::sent_nothing(exchange.started.elapsed());
                return Ok(Err((bounds.silent(), error)));
            }
        }
    }
    Ok(Ok(body.is_end_stream()))
}

/// All pieces in one.
pub(crate) fn joined(pieces: &VecDeque<Bytes>) -> Bytes {
    if pieces.len() <= 1 {
        return pieces.front().cloned().unwrap_or_default();
    }
    let mut all = BytesMut::with_capacity(pieces.iter().map(Bytes::len).sum());
    for piece in pieces {
        all.extend_from_slice(piece);
    }
    all.freeze()
}

/// The upstream's answer ended before it was whole.
pub(crate) fn broken(context: impl Into<String>) -> Error {
    Error::new(Kind::UpstreamBroken, "the provider's answer broke off").with_context(context)
}
