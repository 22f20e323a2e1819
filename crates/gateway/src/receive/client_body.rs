//! The body that a client sends, whatever server it comes from.
//!
//! It can be taken out of its request and handed on. One that nobody wants any more may be read
//! away: many clients write all of a body before they look at the answer, and closing on them would
//! reset the connection.

use crate::upstream::BodyError;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use std::{
    fmt::Display,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    runtime::Handle,
    time::{Instant, timeout_at},
};

/// How much of a refused body is read, for how long in all and in silence.
const READ_AWAY_BYTES: usize = 256 << 20;
const READ_AWAY_TIME: Duration = Duration::from_secs(10);
const READ_AWAY_SILENCE: Duration = Duration::from_secs(1);

type Inner = Pin<Box<dyn Body<Data = Bytes, Error = BodyError> + Send>>;

/// See the [module](self).
pub(crate) struct ClientBody {
    /// `None` once it was handed on or given up.
    inner: Option<Inner>,
}

impl ClientBody {
    pub(crate) fn new<B>(body: B) -> Self
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Display,
    {
        Self {
            inner: Some(Box::pin(body.map_err(|error| error.to_string().into()))),
        }
    }

    /// The body itself; what stays is empty.
    pub(crate) fn take(&mut self) -> Self {
        Self {
            inner: self.inner.take(),
        }
    }

    /// Reads on for a moment, beside everything else, and throws away what comes.
    pub(crate) fn read_away(self) {
        let left = self.inner.filter(|body| !body.is_end_stream());
        if let (Some(body), Ok(runtime)) = (left, Handle::try_current()) {
            runtime.spawn(read_away(body));
        }
    }
}

async fn read_away(mut body: Inner) {
    let until = Instant::now() + READ_AWAY_TIME;
    let mut left = READ_AWAY_BYTES;
    while let Ok(Some(Ok(frame))) =
        timeout_at(until.min(Instant::now() + READ_AWAY_SILENCE), body.frame()).await
    {
        let bytes = frame.data_ref().map_or(0, Bytes::len);
        match left.checked_sub(bytes) {
            Some(rest) => left = rest,
            None => break,
        }
    }
}

impl Body for ClientBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let Some(inner) = &mut self.inner else {
            return Poll::Ready(None);
        };
        let polled = inner.as_mut().poll_frame(cx);
        if let Poll::Ready(None | Some(Err(_))) = polled {
            // Nothing more will come.
            self.inner = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let inner = self.inner.as_ref();
        inner.map_or(SizeHint::with_exact(0), Body::size_hint)
    }
}
