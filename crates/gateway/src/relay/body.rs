//! The body of an answer to a client.

use super::{stream::Stream, whole::Passing};
use crate::upstream::BodyError;
use bytes::{Buf, Bytes};
use http_body::{Body, Frame, SizeHint};
use std::{
    collections::VecDeque,
    pin::Pin,
    task::{Context, Poll},
};

/// What a client is sent.
pub(crate) enum ResponseBody {
    /// Known bytes, in pieces.
    Whole(VecDeque<Bytes>),
    /// A large answer that passes while it comes.
    Passing(Box<Passing>),
    /// A stream.
    Stream(Stream),
}

impl ResponseBody {
    /// A body of these bytes.
    pub(crate) fn whole(bytes: Bytes) -> Self {
        Self::Whole(VecDeque::from([bytes]))
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let data = match self.get_mut() {
            Self::Whole(pieces) => Poll::Ready(pieces.pop_front().map(Ok)),
            Self::Passing(passing) => passing.poll_data(cx),
            Self::Stream(stream) => stream.poll_data(cx),
        };
        data.map(|data| data.map(|data| data.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(pieces) => pieces.iter().all(|piece| !piece.has_remaining()),
            Self::Passing(_) | Self::Stream(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(pieces) => {
                let bytes = pieces
                    .iter()
                    .map(Buf::remaining)
                    .fold(0_usize, usize::saturating_add);
                SizeHint::with_exact(u64::try_from(bytes).unwrap_or(u64::MAX))
            }
            Self::Passing(passing) => passing.size_hint(),
            Self::Stream(_) => SizeHint::default(),
        }
    }
}
