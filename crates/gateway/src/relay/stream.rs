//! Streamed answers: every chunk passes as it came, tapped on its way.
//!
//! The hold is topped up when content was seen and when the clock says so. A stream ends in one of
//! four ways: whole (its format's end marker was seen), broken by the upstream, cut by a limit, or
//! left by its client. Only the first ends cleanly; of the second and third the client is told by
//! the format's own error event where one may stand, else by a broken connection.

use super::{ResponseBody, broken, overdue, silent};
use crate::{
    attempt::Opened,
    exchange::{Ending, Exchange, LOOK_AGAIN},
    health::Sign,
    objects,
    reserve::Reservation,
    upstream::{Answer, AnswerBody, BodyError},
};
use bytes::Bytes;
use http_body::Body;
use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::{Instant, Sleep, sleep_until};
use tollgate_core::{
    amount::Amount,
    error::Error,
    provider::{OnClientGone, Provider},
    record::RecordFlags,
    unit::Unit,
};
use tollgate_wire::{
    error::{StreamForm, stream_event},
    tap::{Framing, Tap},
};

/// How long, and how much, is read for its usage after the client has gone.
const DRAIN_TIME: Duration = Duration::from_mins(10);
const DRAIN_BYTES: usize = 64 << 20;

/// A stream on its way; taken out of its box when it has ended.
pub(crate) struct Stream(Option<Box<Flow>>);

struct Flow {
    exchange: Exchange,
    upstream: AnswerBody,
    tap: Tap,
    form: StreamForm,
    /// What the tap let through, and how much of it the client has got.
    out: Vec<Bytes>,
    given: usize,
    /// The last bytes are in `out`; after them comes the end, or this error.
    end: Option<Result<(), BodyError>>,
    trued_up: bool,
    content_bytes: u64,
    last_data: Instant,
    /// The longest silence.
    idle: Duration,
    alarm: Pin<Box<Sleep>>,
    drains: bool,
}

/// The body of a stream that begins now, with what was held of it.
pub(super) fn begin(
    mut exchange: Exchange,
    provider: &Provider,
    opened: Opened,
    answer: Answer,
) -> ResponseBody {
    exchange.answered(answer.status.as_u16());
    let format = exchange.format();
    let now = Instant::now();
    let mut flow = Flow {
        form: match opened.framing {
            Framing::Sse | Framing::FramedEvents => StreamForm::Sse(format),
            Framing::Lines => StreamForm::Lines,
            Framing::EventStream => StreamForm::EventStream,
            Framing::JsonArray => StreamForm::GeminiArray {
                unopened: opened.held.iter().all(Bytes::is_empty),
            },
        },
        tap: opened.tap,
        upstream: answer.body,
        out: opened.held,
        given: 0,
        end: None,
        trued_up: false,
        content_bytes: 0,
        last_data: now,
        idle: exchange.idle_timeout(provider),
        alarm: Box::pin(sleep_until(now)),
        drains: provider.on_client_gone == OnClientGone::Drain,
        exchange,
    };
    flow.set_alarm(now);
    flow.keep_up();
    ResponseBody::Stream(Stream(Some(Box::new(flow))))
}

impl Stream {
    pub(super) fn poll_data(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, BodyError>>> {
        let Some(flow) = &mut self.0 else {
            return Poll::Ready(None);
        };
        loop {
            if let Some(data) = flow.next_out() {
                return Poll::Ready(Some(Ok(data)));
            }
            if let Some(end) = flow.end.take() {
                flow.exchange.close();
                self.0 = None;
                return Poll::Ready(end.err().map(Err));
            }
            if Instant::now() >= flow.exchange.deadline() {
                // Also when there is always something to pass on: a client may read slowly.
                flow.out_of_time();
                continue;
            }
            match Pin::new(&mut flow.upstream).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    if let Ok(data) = frame.into_data() {
                        flow.data(data);
                    }
                }
                Poll::Ready(Some(Err(error))) => flow.upstream_ended(Some(&error)),
                Poll::Ready(None) => flow.upstream_ended(None),
                Poll::Pending => {
                    if flow.alarm.as_mut().poll(cx).is_pending() {
                        return Poll::Pending;
                    }
                    flow.alarmed();
                }
            }
        }
    }
}

impl Drop for Stream {
    /// The client has gone. Where the provider bills on anyway, the rest is read for its usage,
    /// unless the gateway is stopping: nobody would wait for it.
    fn drop(&mut self) {
        if let Some(flow) = self.0.take()
            && flow.drains
            && flow.end.is_none()
            && !flow.exchange.gateway.is_draining()
        {
            let gateway = Arc::clone(&flow.exchange.gateway);
            gateway.spawn(drain(flow));
        }
    }
}

async fn drain(mut flow: Box<Flow>) {
    use http_body_util::BodyExt;
    flow.exchange.record.flags.add(RecordFlags::CLIENT_GONE);
    let until = flow.exchange.deadline().min(Instant::now() + DRAIN_TIME);
    let mut bytes = 0;
    while bytes < DRAIN_BYTES && !flow.tap.progress().terminal {
        match tokio::time::timeout_at(until, flow.upstream.frame()).await {
            Ok(Some(Ok(frame))) => {
                if let Ok(data) = frame.into_data() {
                    bytes += data.len();
                    flow.read(data);
                    flow.out.clear();
                }
            }
            Ok(Some(Err(_)) | None) | Err(_) => break,
        }
    }
    flow.tap.read_last();
    flow.note_usage();
}

impl Flow {
    fn next_out(&mut self) -> Option<Bytes> {
        let data = self.out.get_mut(self.given).map(std::mem::take);
        self.given += 1;
        if data.is_none() {
            self.out.clear();
            self.given = 0;
        }
        data
    }

    /// One chunk came.
    fn data(&mut self, data: Bytes) {
        self.last_data = Instant::now();
        if let StreamForm::GeminiArray { unopened } = &mut self.form {
            *unopened &= data.is_empty();
        }
        self.read(data);
        self.keep_up();
    }

    /// Has the hold follow what was read.
    fn keep_up(&mut self) {
        objects::note(&mut self.exchange, self.tap.made());
        let progress = self.tap.progress();
        if !self.trued_up
            && let Some(input) = progress.input_tokens
        {
            self.trued_up = true;
            self.true_up(input);
            self.set_alarm(self.last_data);
        }
        if progress.content_bytes > self.content_bytes {
            self.content_bytes = progress.content_bytes;
            self.hold_for(progress.content_bytes);
        }
    }

    /// Tops the hold up for what was seen; cuts the stream when what is left is for its tail.
    fn hold_for(&mut self, content_bytes: u64) {
        let held = self.exchange.reservation.as_mut();
        if let Some(Err(refusal)) = held.map(|held| held.observe(content_bytes)) {
            self.break_off(&refusal.to_error());
        }
    }

    fn read(&mut self, data: Bytes) {
        let exchange = &mut self.exchange;
        let mut price = |report: &_| exchange.cost_text(report);
        self.tap.feed(data, &mut price, &mut self.out);
    }

    /// Input counted by the upstream replaces the estimate in the hold. Not where the model reads
    /// more than the request shows: server tools make the input grow after it was first counted.
    fn true_up(&mut self, input_tokens: u64) {
        let exchange = &mut self.exchange;
        if !exchange.shows_all_input {
            return;
        }
        let report = self.tap.report();
        let Some(mut report_of_input) = report.usage.is_some().then_some(report) else {
            return;
        };
        if let Some(usage) = &mut report_of_input.usage {
            usage.set(Unit::OutputTokens, 0);
            usage.set(Unit::OutputReasoningTokens, 0);
        }
        let Some(cost) = exchange.cost_of(&report_of_input) else {
            return;
        };
        let tokens = i64::try_from(input_tokens).unwrap_or(i64::MAX);
        if let Some(reservation) = &mut exchange.reservation {
            reservation.true_up(Amount {
                cost,
                requests: 1,
                tokens,
            });
        }
        // If it is more than was held for it, the rest is asked for now.
        self.hold_for(self.content_bytes);
    }

    /// The upstream sent its last byte, or broke off.
    fn upstream_ended(&mut self, error: Option<&BodyError>) {
        self.tap.read_last();
        let progress = self.tap.progress();
        if self.is_whole() || error.is_none() && progress.failed {
            self.tap.finish(&mut self.out);
            if progress.failed {
                self.exchange.record.flags.add(RecordFlags::BROKEN);
            }
            self.sign();
            self.note_usage();
            self.end = Some(Ok(()));
            return;
        }
        let context = error.map_or_else(
            || "it ended without its end marker".to_owned(),
            ToString::to_string,
        );
        self.sign();
        self.break_off(&broken(context));
    }

    /// Its end marker was seen: what becomes of the connection after it does not matter.
    fn is_whole(&self) -> bool {
        let progress = self.tap.progress();
        progress.terminal && !progress.failed
    }

    /// Reports what the provider did with the stream that is over. An error about the request is
    /// an answer like any other.
    fn sign(&self) {
        if self.is_whole() {
            self.exchange.report_provider(Sign::Whole);
        } else if !self.tap.blames_request() {
            self.exchange.report_provider(Sign::BrokeOff);
        }
    }

    /// Ends the stream with `error`: said in the stream where an event may stand, else by breaking
    /// the connection. The upstream is cancelled and the request settled at once, however slowly
    /// the client reads what is left for it.
    fn break_off(&mut self, error: &Error) {
        self.note_usage();
        self.upstream = AnswerBody::Ended;
        self.exchange.failed(error);
        self.end = Some(if self.tap.is_between_events() {
            let exchange = &self.exchange;
            let event = stream_event(error, self.form, exchange.request_id(), exchange.caller);
            self.out.push(event);
            Ok(())
        } else {
            Err(error.message().to_owned().into())
        });
        self.exchange.close();
    }

    fn note_usage(&mut self) {
        let report = self.tap.report();
        if report.usage.is_some() || report.provider_cost.is_some() {
            self.exchange.ending = Ending::Reported(Box::new(report));
        }
    }

    /// Nothing came for a while.
    fn alarmed(&mut self) {
        if self.tap.progress().terminal {
            // The answer is whole; an upstream that does not close is not waited for.
            self.upstream_ended(None);
            return;
        }
        let now = Instant::now();
        if now.duration_since(self.last_data) >= self.idle {
            self.sign();
            self.break_off(&silent(self.idle));
            return;
        }
        if now >= self.exchange.deadline() {
            self.out_of_time();
            return;
        }
        let asked = self.exchange.reservation.as_mut().map(Reservation::top_up);
        if let Some(Err(refusal)) = asked {
            self.break_off(&refusal.to_error());
            return;
        }
        self.set_alarm(now);
    }

    /// The request has lived its longest, which is not the provider's doing.
    fn out_of_time(&mut self) {
        if self.is_whole() {
            self.upstream_ended(None);
        } else {
            let error = overdue(self.exchange.gateway.settings().request_deadline);
            self.break_off(&error);
        }
    }

    /// Wakes us when the hold may need more, or the silence is too long.
    fn set_alarm(&mut self, now: Instant) {
        let silence = self.last_data + self.idle;
        let quiet = self
            .exchange
            .reservation
            .as_ref()
            .and_then(Reservation::quiet_until);
        let quiet = quiet.map(|until| until.max(now + LOOK_AGAIN));
        let deadline = self.exchange.deadline();
        let at = quiet
            .map_or(silence, |quiet| quiet.min(silence))
            .min(deadline);
        self.alarm.as_mut().reset(at);
    }
}

impl Drop for Flow {
    /// The usage seen so far counts, whoever let go of the stream.
    fn drop(&mut self) {
        if self.end.is_none() {
            self.note_usage();
            if self.tap.progress().terminal {
                // Clients may hang up as soon as they have seen the end marker.
                self.sign();
                self.exchange.close();
            }
        }
    }
}
