//! The simulated provider behind the same interface as a socket: its chunks come in their own
//! time, and break off or stall when they were told to.

use super::answer::{Answer, AnswerBody, BodyError};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use http_body::Frame;
use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::time::{Instant, Sleep, sleep_until};
use tollgate_wire::simulated::{self, Chunks, End, SimulatedRequest};

/// Asks the simulated provider.
pub(crate) fn answer(request: &SimulatedRequest<'_>) -> Answer {
    let answer = simulated::answer(request);
    let mut headers = HeaderMap::new();
    for (name, value) in answer.headers {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    Answer {
        status: StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        headers,
        body: AnswerBody::Simulated(Box::new(SimulatedBody {
            chunks: answer.chunks,
            due: None,
        })),
    }
}

/// The body of a simulated answer.
pub(crate) struct SimulatedBody {
    chunks: Chunks,
    /// The next chunk and when it is due.
    due: Option<(Pin<Box<Sleep>>, Bytes)>,
}

impl SimulatedBody {
    pub(super) fn poll_data(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if self.due.is_none() {
            match self.chunks.next() {
                Some(chunk) if chunk.after == Duration::ZERO => {
                    return Poll::Ready(Some(Ok(Frame::data(chunk.bytes))));
                }
                Some(chunk) => {
                    let timer = Box::pin(sleep_until(Instant::now() + chunk.after));
                    self.due = Some((timer, chunk.bytes));
                }
                None => {
                    return match self.chunks.end() {
                        End::Clean => Poll::Ready(None),
                        End::Cut => Poll::Ready(Some(Err("simulated: the answer was cut".into()))),
                        // Nothing will ever come: the caller's own timeout decides.
                        End::Stall => Poll::Pending,
                    };
                }
            }
        }
        if let Some((timer, _)) = &mut self.due {
            ready!(timer.as_mut().poll(cx));
        }
        Poll::Ready(self.due.take().map(|(_, bytes)| Ok(Frame::data(bytes))))
    }
}
