//! The body of a request: segments that share the client's bytes, or one that is passed on while
//! it comes.

use super::answer::BodyError;
use bytes::{Buf, Bytes};
use http_body::{Body, Frame, SizeHint};
use std::{
    collections::VecDeque,
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

/// A body that goes upstream.
pub(crate) enum RequestBody {
    /// All of it is here.
    Segments(VecDeque<Bytes>),
    /// It is sent while it comes: it can be neither signed nor sent twice.
    Passing(Pin<Box<dyn Body<Data = Bytes, Error = BodyError> + Send>>),
}

impl RequestBody {
    /// All of it in one piece; nothing of one that is passed on.
    pub(crate) fn into_bytes(self) -> Bytes {
        match self {
            Self::Segments(segments) => match <[Bytes; 1]>::try_from(Vec::from(segments)) {
                Ok([only]) => only,
                Err(segments) => segments.concat().into(),
            },
            Self::Passing(_) => Bytes::new(),
        }
    }
}

impl Default for RequestBody {
    fn default() -> Self {
        Self::Segments(VecDeque::new())
    }
}

impl From<Vec<Bytes>> for RequestBody {
    fn from(segments: Vec<Bytes>) -> Self {
        Self::Segments(segments.into())
    }
}

impl From<Bytes> for RequestBody {
    fn from(whole: Bytes) -> Self {
        Self::Segments([whole].into())
    }
}

impl fmt::Debug for RequestBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Segments(segments) => f.debug_tuple("Segments").field(segments).finish(),
            Self::Passing(_) => f.write_str("Passing"),
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match self.get_mut() {
            Self::Segments(segments) => {
                Poll::Ready(segments.pop_front().map(|segment| Ok(Frame::data(segment))))
            }
            Self::Passing(body) => body.as_mut().poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Segments(segments) => segments.is_empty(),
            Self::Passing(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Segments(segments) => {
                let lengths = segments.iter().map(Buf::remaining);
                let bytes = lengths.fold(0_usize, usize::saturating_add);
                SizeHint::with_exact(u64::try_from(bytes).unwrap_or(u64::MAX))
            }
            Self::Passing(body) => body.size_hint(),
        }
    }
}
