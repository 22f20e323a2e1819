//! Answers that are not streamed.
//!
//! Up to a bound they are read whole before the head goes out, so that the cost can stand in a
//! header and a truncated answer can still become an honest error. Larger ones pass while they
//! come; their pieces are kept (shared, not copied) until the end, when the usage is read.

use super::{ResponseBody, broken, overdue, silent};
use crate::{
    attempt::joined,
    exchange::{Ending, Exchange},
    headers,
    health::Sign,
    objects,
    settings::MEASURED_ANSWER_MAX,
    upstream::{Answer, AnswerBody, BodyError},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use http_body::{Body, SizeHint};
use std::{
    collections::VecDeque,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::time::{Instant, Sleep, sleep_until};
use tollgate_core::{
    error::Error,
    money::NanoUsd,
    provider::{Provider, ReportCost},
    usage::{Usage, UsageReport},
};
use tollgate_wire::tap::{insert_cost_in_body, read_body, read_head};

/// What of an answer was read, and whether that is all of it.
pub(super) struct Read {
    pub(super) pieces: VecDeque<Bytes>,
    pub(super) ended: bool,
}

/// The body of an answer of which so much was read; writes the cost headers when that is all.
pub(super) fn begin(
    mut exchange: Exchange,
    provider: &Provider,
    read: Read,
    answer: Answer,
    to_client: &mut HeaderMap,
) -> ResponseBody {
    exchange.answered(answer.status.as_u16());
    let success = answer.status.is_success();
    let by_head = read_head(exchange.format(), &answer.headers);
    let Read { pieces, ended } = read;
    if !ended {
        let idle = exchange.idle_timeout(provider);
        let seen = pieces.iter().map(Bytes::len).sum();
        return ResponseBody::Passing(Box::new(Passing {
            by_head: success.then_some(by_head),
            upstream: answer.body,
            waiting: pieces.clone(),
            // Only what is billed is kept to be measured.
            measured: exchange.record.operation.is_billed().then(|| pieces.into()),
            seen,
            alarm: Box::pin(sleep_until(exchange.deadline().min(Instant::now() + idle))),
            idle,
            exchange: Some(exchange),
        }));
    }
    exchange.report_provider(Sign::Whole);
    let body = joined(&pieces);
    if success {
        measure(&mut exchange, by_head, &body);
    }
    exchange.close();
    if !success {
        return ResponseBody::whole(body);
    }
    let cost = exchange.record.cost;
    let reports = exchange.record.operation.is_billed() && exchange.pricing.is_some();
    match provider.report_cost {
        ReportCost::Off => {}
        ReportCost::Header | ReportCost::Body if !reports => {}
        ReportCost::Header => write_cost(to_client, cost),
        ReportCost::Body => {
            write_cost(to_client, cost);
            let text = cost.to_string();
            if let Some(pieces) = insert_cost_in_body(exchange.format(), &body, &text) {
                return ResponseBody::Whole(pieces.into());
            }
        }
    }
    ResponseBody::whole(body)
}

/// Reads the usage of a whole answer: from its body, or where that says nothing from its head.
fn measure(exchange: &mut Exchange, by_head: UsageReport, body: &[u8]) {
    objects::note_body(exchange, body);
    let by_body = read_body(exchange.format(), exchange.record.operation, body);
    let said = [by_body, by_head]
        .into_iter()
        .find(|report| report.usage.is_some());
    let report = said.unwrap_or_else(|| by_request(exchange));
    exchange.ending = if report.usage.is_some() {
        Ending::Reported(Box::new(report))
    } else {
        Ending::Unknown
    };
}

/// What the request alone tells of the usage: all there is to pay for, or nothing.
fn by_request(exchange: &Exchange) -> UsageReport {
    let counted = exchange.counted.as_deref();
    let pricing = exchange.pricing.as_ref();
    let model = pricing.and_then(|pricing| pricing.model.as_ref());
    let tells_all = |counted: &&Usage| {
        let at = exchange.record.received_at;
        model.is_some_and(|model| model.is_priced_by(counted, &[], at))
    };
    let counted = counted
        .filter(|counted| !counted.is_none())
        .filter(tells_all);
    UsageReport {
        complete: counted.is_some(),
        usage: counted.cloned(),
        ..UsageReport::default()
    }
}

fn write_cost(to_client: &mut HeaderMap, cost: NanoUsd) {
    if let Ok(value) = HeaderValue::try_from(format!("{cost}USD")) {
        to_client.insert(headers::COST, value.clone());
        to_client.insert(headers::COST_COMPATIBLE, value);
    }
}

/// A large answer on its way.
pub(crate) struct Passing {
    exchange: Option<Exchange>,
    upstream: AnswerBody,
    /// Read before the head went out, not yet sent.
    waiting: VecDeque<Bytes>,
    /// Everything so far, for the usage; `None` once it is more than is kept.
    measured: Option<Vec<Bytes>>,
    seen: usize,
    /// What the head says of the usage; `None` for an error.
    by_head: Option<UsageReport>,
    alarm: Pin<Box<Sleep>>,
    idle: Duration,
}

impl Passing {
    pub(super) fn poll_data(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, BodyError>>> {
        if let Some(piece) = self.waiting.pop_front() {
            return Poll::Ready(Some(Ok(self.give(piece))));
        }
        loop {
            // Also when there is always something to pass on: a client may read slowly.
            if let Some(error) = self.overdue() {
                return Poll::Ready(Some(Err(self.end(&error).into())));
            }
            let Poll::Ready(frame) = Pin::new(&mut self.upstream).poll_frame(cx) else {
                ready!(self.alarm.as_mut().poll(cx));
                if self.overdue().is_some() {
                    continue;
                }
                return Poll::Ready(Some(Err(self.broken(&silent(self.idle)).into())));
            };
            match frame {
                None => {
                    self.finish();
                    return Poll::Ready(None);
                }
                Some(Ok(frame)) => {
                    let deadline = self.exchange.as_ref().map(Exchange::deadline);
                    let silence = Instant::now() + self.idle;
                    let alarm = deadline.map_or(silence, |deadline| deadline.min(silence));
                    self.alarm.as_mut().reset(alarm);
                    if let Ok(data) = frame.into_data() {
                        self.keep(&data);
                        return Poll::Ready(Some(Ok(self.give(data))));
                    }
                }
                Some(Err(error)) => {
                    let ours = broken(error.to_string());
                    return Poll::Ready(Some(Err(self.broken(&ours).into())));
                }
            }
        }
    }

    /// Whoever reads a body of known length does not ask again after its last byte: the end is
    /// noticed when that is given, not when it is asked for.
    fn give(&mut self, piece: Bytes) -> Bytes {
        if self.waiting.is_empty() && self.upstream.is_end_stream() {
            self.finish();
        }
        piece
    }

    pub(super) fn size_hint(&self) -> SizeHint {
        let waiting: usize = self.waiting.iter().map(Bytes::len).sum();
        let waiting = u64::try_from(waiting).unwrap_or(u64::MAX);
        self.upstream
            .size_hint()
            .exact()
            .map_or_else(SizeHint::default, |rest| {
                SizeHint::with_exact(rest.saturating_add(waiting))
            })
    }

    fn keep(&mut self, data: &Bytes) {
        self.seen += data.len();
        if self.seen > MEASURED_ANSWER_MAX {
            self.measured = None;
        } else if let Some(measured) = &mut self.measured {
            measured.push(data.clone());
        }
    }

    fn finish(&mut self) {
        if let Some(mut exchange) = self.exchange.take() {
            exchange.report_provider(Sign::Whole);
            if let (Some(by_head), Some(pieces)) = (self.by_head.take(), self.measured.take()) {
                measure(&mut exchange, by_head, &pieces.concat());
            }
            exchange.close();
        }
    }

    /// The request has lived its longest, which is not the provider's doing.
    fn overdue(&self) -> Option<Error> {
        let exchange = self.exchange.as_ref()?;
        let is_over = Instant::now() >= exchange.deadline();
        is_over.then(|| overdue(exchange.gateway.settings().request_deadline))
    }

    /// The provider broke its answer off.
    fn broken(&mut self, error: &Error) -> String {
        if let Some(exchange) = &self.exchange {
            exchange.report_provider(Sign::BrokeOff);
        }
        self.end(error)
    }

    /// Ends the exchange with an error that the client meets as a broken connection.
    fn end(&mut self, error: &Error) -> String {
        if let Some(mut exchange) = self.exchange.take() {
            exchange.failed(error);
            exchange.close();
        }
        error.message().to_owned()
    }
}
