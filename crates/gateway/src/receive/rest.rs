//! The rest of a long body, passed on while it comes.
//!
//! It can be sent once. Until the first attempt asks for it, it is untouched and another attempt may
//! have it; from then on there is no other. What ends it early (a client that breaks off, falls
//! silent or sends too much) ends the upstream's request too, and is remembered as the reason.

use super::{ClientBody, slow, too_large};
use crate::upstream::BodyError;
use bytes::{Buf, Bytes};
use http_body::{Body, Frame, SizeHint};
use std::{
    collections::VecDeque,
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::time::{Instant, Sleep, sleep_until};
use tollgate_core::error::{Error, Kind};
use tollgate_wire::{
    facts::FormRest,
    objects::{BatchWork, FileScan},
};

/// See the [module](self). Shared between the attempts of one request.
#[derive(Clone)]
pub(crate) struct Rest(Arc<Mutex<Coming>>);

struct Coming {
    body: ClientBody,
    /// How many bytes may still come.
    room: u64,
    limit: u64,
    idle: Duration,
    /// Runs while a frame is waited for.
    alarm: Option<Pin<Box<Sleep>>>,
    scan: Option<FileScan>,
    /// Looks for what would change the price after it was decided.
    watch: Option<FormRest>,
    touched: bool,
    failure: Option<Error>,
}

/// What a rest is held to.
#[derive(Clone, Copy, Debug)]
pub(super) struct RestBounds {
    /// The largest body, for the message.
    pub(super) limit: u64,
    /// How many bytes of it may still come.
    pub(super) room: u64,
    /// Longest silence of the client.
    pub(super) idle: Duration,
}

impl Rest {
    pub(super) fn new(
        body: ClientBody,
        bounds: RestBounds,
        (scan, watch): (Option<FileScan>, Option<FormRest>),
    ) -> Self {
        Self(Arc::new(Mutex::new(Coming {
            body,
            room: bounds.room,
            limit: bounds.limit,
            idle: bounds.idle,
            alarm: None,
            scan,
            watch,
            touched: false,
            failure: None,
        })))
    }

    /// Whether an attempt has begun to send it: no other can.
    pub(crate) fn is_touched(&self) -> bool {
        self.lock().touched
    }

    /// Why it ended early, if it did: that is the client's doing, not the upstream's.
    pub(crate) fn failure(&self) -> Option<Error> {
        self.lock().failure.clone()
    }

    /// Whether its next bytes were waited for when it was last asked for them: the client is slower
    /// than the upstream.
    pub(crate) fn is_awaited(&self) -> bool {
        self.lock().alarm.is_some()
    }

    /// What the file that passed asks for, if it is one of batch requests.
    pub(crate) fn work(&self) -> Option<BatchWork> {
        self.lock().scan.take()?.finish()
    }

    /// A body that begins with `segments` and goes on with the rest.
    pub(crate) fn behind(&self, segments: Vec<Bytes>) -> Passing {
        Passing {
            segments: segments.into(),
            rest: self.clone(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Coming> {
        // A poll that panicked leaves a body that is at worst shorter.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Rest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rest(…)")
    }
}

impl Coming {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BodyError>>> {
        self.touched = true;
        loop {
            if let Some(failure) = &self.failure {
                return Poll::Ready(Some(Err(failure.message().into())));
            }
            let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) else {
                ready!(self.poll_alarm(cx));
                self.fail(slow(self.idle));
                continue;
            };
            self.alarm = None;
            match frame {
                None => return Poll::Ready(None),
                Some(Err(error)) => self.fail(
                    Error::new(Kind::BadRequest, "the request body broke off")
                        .with_context(error.to_string()),
                ),
                Some(Ok(frame)) => {
                    let Ok(data) = frame.into_data() else {
                        continue;
                    };
                    let length = u64::try_from(data.len()).unwrap_or(u64::MAX);
                    let Some(room) = self.room.checked_sub(length) else {
                        self.fail(too_large(self.limit));
                        continue;
                    };
                    self.room = room;
                    if let Some(scan) = &mut self.scan {
                        scan.feed(&data);
                    }
                    let seen = self.watch.as_mut().map(|watch| watch.feed(&data));
                    if let Some(Err(late)) = seen {
                        self.fail(late);
                        continue;
                    }
                    return Poll::Ready(Some(Ok(data)));
                }
            }
        }
    }

    /// The client is silent from the first time that it is waited for: as long as the upstream
    /// does not ask, it has nothing to say.
    fn poll_alarm(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let idle = self.idle;
        let alarm = self
            .alarm
            .get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + idle)));
        alarm.as_mut().poll(cx)
    }

    fn fail(&mut self, error: Error) {
        self.failure = Some(error);
    }
}

impl Drop for Coming {
    /// The upstream did not want the rest.
    fn drop(&mut self) {
        let is_silent = |error: &Error| error.kind() == Kind::RequestTimeout;
        if !self.failure.as_ref().is_some_and(is_silent) {
            self.body.take().read_away();
        }
    }
}

/// A body of which the beginning is here and the rest still comes.
pub(crate) struct Passing {
    segments: VecDeque<Bytes>,
    rest: Rest,
}

impl Body for Passing {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if let Some(segment) = self.segments.pop_front() {
            return Poll::Ready(Some(Ok(Frame::data(segment))));
        }
        let polled = self.rest.lock().poll(cx);
        polled.map(|data| data.map(|data| data.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.segments.is_empty() && self.rest.lock().body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let here = self.segments.iter().map(Buf::remaining);
        let here = u64::try_from(here.fold(0_usize, usize::saturating_add)).unwrap_or(u64::MAX);
        let coming = self.rest.lock().body.size_hint().exact();
        coming.map_or_else(SizeHint::default, |coming| {
            SizeHint::with_exact(coming.saturating_add(here))
        })
    }
}
