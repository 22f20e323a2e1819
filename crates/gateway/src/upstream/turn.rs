//! Whose turn it is while a request is sent: the upstream's, which must take the body and begin its
//! answer within a time, or the client's, whose body is passed on while it comes. A provider is not
//! to be blamed for the time that a client takes; how long a client may be silent is its own bound.

use super::{answer::BodyError, body::RequestBody};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use std::{
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::{Instant, sleep_until};

/// Since when the upstream is the one that is waited for; `None` while the client is.
#[derive(Clone, Debug)]
pub(super) struct Turn(Arc<Mutex<Option<Instant>>>);

impl Turn {
    /// The upstream's, from now on.
    pub(super) fn begin() -> Self {
        Self(Arc::new(Mutex::new(Some(Instant::now()))))
    }

    /// The same body. One that is passed on says from now on whose turn it is.
    pub(super) fn watch(&self, body: RequestBody) -> RequestBody {
        match body {
            whole @ RequestBody::Segments(_) => whole,
            RequestBody::Passing(body) => RequestBody::Passing(Box::pin(Watched {
                body,
                turn: self.clone(),
            })),
        }
    }

    /// Waits until it has been the upstream's turn for `limit` without a break.
    pub(super) async fn overdue(&self, limit: Duration) {
        loop {
            let now = Instant::now();
            // While it is the client's, its turn cannot be over sooner.
            let until = self.lock().unwrap_or(now) + limit;
            if until <= now {
                return;
            }
            sleep_until(until).await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Watched {
    body: Pin<Box<dyn Body<Data = Bytes, Error = BodyError> + Send>>,
    turn: Turn,
}

impl Body for Watched {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let polled = self.body.as_mut().poll_frame(cx);
        *self.turn.lock() = polled.is_ready().then(Instant::now);
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Watched {
    /// Sent, or not wanted.
    fn drop(&mut self) {
        *self.turn.lock() = Some(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt as _;
    use tokio::{sync::mpsc, time::sleep};

    const LIMIT: Duration = Duration::from_secs(10);

    struct Slow(mpsc::Receiver<Bytes>);

    impl Body for Slow {
        type Data = Bytes;
        type Error = BodyError;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
            let data = self.0.poll_recv(cx);
            data.map(|data| data.map(|data| Ok(Frame::data(data))))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_whole_body_is_the_upstreams_from_the_beginning() {
        let (turn, began) = (Turn::begin(), Instant::now());
        let _body = turn.watch(RequestBody::default());
        turn.overdue(LIMIT).await;
        assert_eq!(began.elapsed().as_secs(), LIMIT.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn the_upstreams_time_begins_when_the_client_has_sent_all() {
        let (client, body) = mpsc::channel(1);
        let (turn, began) = (Turn::begin(), Instant::now());
        let mut body = turn.watch(RequestBody::Passing(Box::pin(Slow(body))));
        let sends = async move {
            for _ in 0..6 {
                sleep(LIMIT).await;
                client.send(Bytes::from_static(b"x")).await.unwrap();
            }
        };
        let takes = async move { while body.frame().await.is_some() {} };
        tokio::join!(sends, takes, turn.overdue(LIMIT));
        assert_eq!(began.elapsed().as_secs(), 7 * LIMIT.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn an_upstream_that_takes_no_more_of_the_body_is_not_waited_for() {
        let (client, body) = mpsc::channel(2);
        let turn = Turn::begin();
        let mut body = turn.watch(RequestBody::Passing(Box::pin(Slow(body))));
        client.send(Bytes::from_static(b"x")).await.unwrap();
        sleep(LIMIT / 2).await;
        body.frame().await.unwrap().unwrap();
        let taken = Instant::now();
        turn.overdue(LIMIT).await;
        assert_eq!(taken.elapsed().as_secs(), LIMIT.as_secs());
    }
}
