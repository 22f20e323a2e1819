//! Answers that are not streamed.
//!
//! Up to a bound they are read whole before the head goes out, so that the cost can stand in a
//! header and a truncated answer can still become an honest error. Larger ones pass while they
//! come; their pieces are kept (shared, not copied) until the end, when the usage is read.

use super::{ResponseBody, broken, silent};
use crate::{
    attempt::{credential_refused, is_google_credential_error},
    exchange::{Ending, Exchange},
    headers,
    select::Attempt,
    settings::{MEASURED_ANSWER_MAX, WHOLE_ANSWER_MAX},
    upstream::{Answer, AnswerBody, BodyError},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode};
use http_body::{Body, SizeHint};
use http_body_util::BodyExt;
use std::{
    collections::VecDeque,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::time::{Instant, Sleep, sleep_until};
use tollgate_core::{error::Error, money::NanoUsd, provider::ReportCost};
use tollgate_wire::tap::{insert_cost_in_body, read_body};

/// Reads the answer as far as the bound; writes the cost headers when that was all of it.
pub(super) async fn begin(
    mut exchange: Exchange,
    attempt: &Attempt,
    mut answer: Answer,
    to_client: &mut HeaderMap,
) -> Result<ResponseBody, (Error, Box<Exchange>)> {
    let idle = exchange.gateway.settings().upstream_idle_timeout;
    let (pieces, ended) = match read(&mut answer.body, &mut exchange, idle).await {
        Ok(read) => read,
        Err(error) => return Err((error, Box::new(exchange))),
    };
    if !ended {
        exchange.answered(answer.status.as_u16());
        let seen = pieces.iter().map(Bytes::len).sum();
        return Ok(ResponseBody::Passing(Box::new(Passing {
            success: answer.status.is_success(),
            upstream: answer.body,
            waiting: pieces.clone(),
            measured: Some(pieces.into()),
            seen,
            alarm: Box::pin(sleep_until(exchange.deadline().min(Instant::now() + idle))),
            idle,
            exchange: Some(exchange),
        })));
    }
    let body = joined(pieces);
    if !answer.status.is_success() {
        return refused(exchange, attempt, answer.status, body);
    }
    measure(&mut exchange, &body);
    exchange.answered(answer.status.as_u16());
    exchange.close();
    let cost = exchange.record.cost;
    let reports = exchange.record.operation.is_billed() && exchange.pricing.is_some();
    match attempt.provider.report_cost {
        ReportCost::Off => {}
        ReportCost::Header | ReportCost::Body if !reports => {}
        ReportCost::Header => write_cost(to_client, cost),
        ReportCost::Body => {
            write_cost(to_client, cost);
            let text = cost.to_string();
            if let Some(pieces) = insert_cost_in_body(exchange.format(), &body, &text) {
                return Ok(ResponseBody::Whole(pieces.into()));
            }
        }
    }
    Ok(ResponseBody::whole(body))
}

fn refused(
    mut exchange: Exchange,
    attempt: &Attempt,
    status: StatusCode,
    body: Bytes,
) -> Result<ResponseBody, (Error, Box<Exchange>)> {
    if is_google_credential_error(attempt.provider.kind, status, &body) {
        let error = credential_refused(&attempt.provider.slug, status);
        return Err((error, Box::new(exchange)));
    }
    exchange.answered(status.as_u16());
    exchange.close();
    Ok(ResponseBody::whole(body))
}

/// The pieces of a body, and whether that is all of it. While they come the hold is topped up by
/// the clock, as for a stream: what was asked for as one may arrive like this.
async fn read(
    body: &mut AnswerBody,
    exchange: &mut Exchange,
    idle: Duration,
) -> Result<(VecDeque<Bytes>, bool), Error> {
    let mut pieces = VecDeque::new();
    let mut total = 0;
    while total <= WHOLE_ANSWER_MAX {
        let silence = Instant::now() + idle;
        match exchange.while_held(body.frame(), silence).await? {
            None => return Ok((pieces, true)),
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    total += data.len();
                    pieces.push_back(data);
                }
            }
            Some(Err(error)) => return Err(broken(error.to_string())),
        }
    }
    Ok((pieces, body.is_end_stream()))
}

fn joined(mut pieces: VecDeque<Bytes>) -> Bytes {
    match pieces.len() {
        0 | 1 => pieces.pop_front().unwrap_or_default(),
        _ => Vec::from(pieces).concat().into(),
    }
}

/// Reads the usage of a whole answer.
fn measure(exchange: &mut Exchange, body: &[u8]) {
    let report = read_body(exchange.format(), exchange.record.operation, body);
    exchange.ending = if report.usage.is_some() {
        Ending::Reported(Box::new(report))
    } else {
        Ending::Unknown
    };
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
    success: bool,
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
            let Poll::Ready(frame) = Pin::new(&mut self.upstream).poll_frame(cx) else {
                ready!(self.alarm.as_mut().poll(cx));
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
            if let (true, Some(pieces)) = (self.success, self.measured.take()) {
                measure(&mut exchange, &pieces.concat());
            }
            exchange.close();
        }
    }

    /// Ends the exchange with an error that the client meets as a broken connection.
    fn broken(&mut self, error: &Error) -> String {
        if let Some(mut exchange) = self.exchange.take() {
            exchange.failed(error);
            exchange.close();
        }
        error.message().to_owned()
    }
}
