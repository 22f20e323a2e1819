//! An upstream's answer: a head, and a body that is a socket's, a decoder's or the simulated
//! provider's.

use super::{failure::SendError, simulated::SimulatedBody};
use bytes::Bytes;
use flate2::write::GzDecoder;
use http::{HeaderMap, Response, StatusCode, header};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use std::{
    io::Write,
    pin::Pin,
    task::{Context, Poll},
};

/// Compressed bytes decoded at a time. Deflate grows data 1,032 times at most, so this bounds what
/// a hostile upstream can make us hold to 16 MiB.
const COMPRESSED_STEP: usize = 16 << 10;

/// The head of an answer, and its body to come.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: AnswerBody,
}

/// Where an answer's bytes come from.
pub(crate) enum AnswerBody {
    /// A socket.
    Upstream(Incoming),
    /// A socket whose server compressed although identity was asked for.
    Gzip(Box<Gunzip>),
    /// The simulated provider.
    Simulated(Box<SimulatedBody>),
    /// Nothing more: the upstream was cancelled.
    Ended,
}

/// What goes wrong inside a body.
pub(crate) type BodyError = Box<dyn std::error::Error + Send + Sync>;

impl Answer {
    /// Takes an HTTP answer; undoes gzip, refuses encodings that cannot be read.
    pub(crate) fn from_http(response: Response<Incoming>) -> Result<Self, SendError> {
        let (mut parts, body) = response.into_parts();
        let encoding = parts.headers.get(header::CONTENT_ENCODING).map(|value| {
            String::from_utf8_lossy(value.as_bytes())
                .trim()
                .to_ascii_lowercase()
        });
        let body = match encoding.as_deref() {
            None | Some("identity" | "") => AnswerBody::Upstream(body),
            Some("gzip" | "x-gzip") => {
                parts.headers.remove(header::CONTENT_ENCODING);
                parts.headers.remove(header::CONTENT_LENGTH);
                AnswerBody::Gzip(Box::new(Gunzip::new(body)))
            }
            Some(other) => {
                // An error is not billed, whatever it is written in.
                return Err(SendError::garbled(
                    parts.status.is_success(),
                    format!("content-encoding: {other}, which was not asked for"),
                ));
            }
        };
        Ok(Self {
            status: parts.status,
            headers: parts.headers,
            body,
        })
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match self.get_mut() {
            Self::Upstream(body) => Pin::new(body)
                .poll_frame(cx)
                .map(|frame| frame.map(|f| f.map_err(Into::into))),
            Self::Gzip(body) => body.poll_data(cx),
            Self::Simulated(body) => body.poll_data(cx),
            Self::Ended => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Upstream(body) => body.is_end_stream(),
            Self::Gzip(_) | Self::Simulated(_) => false,
            Self::Ended => true,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Upstream(body) => body.size_hint(),
            Self::Gzip(_) | Self::Simulated(_) => SizeHint::default(),
            Self::Ended => SizeHint::with_exact(0),
        }
    }
}

/// Decodes gzip while it comes.
pub(crate) struct Gunzip {
    compressed: Incoming,
    unread: Bytes,
    decoder: GzDecoder<Vec<u8>>,
    ended: bool,
}

impl Gunzip {
    fn new(compressed: Incoming) -> Self {
        Self {
            compressed,
            unread: Bytes::new(),
            decoder: GzDecoder::new(Vec::new()),
            ended: false,
        }
    }

    fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        loop {
            if !self.unread.is_empty() {
                let step = self.unread.split_to(self.unread.len().min(COMPRESSED_STEP));
                self.decoder.write_all(&step)?;
                self.decoder.flush()?;
            } else if self.ended {
                return Poll::Ready(None);
            } else {
                match std::task::ready!(Pin::new(&mut self.compressed).poll_frame(cx)) {
                    Some(Ok(frame)) => {
                        self.unread = frame.into_data().unwrap_or_default();
                        continue;
                    }
                    Some(Err(error)) => return Poll::Ready(Some(Err(error.into()))),
                    None => {
                        self.ended = true;
                        self.decoder.try_finish()?;
                    }
                }
            }
            let plain = std::mem::take(self.decoder.get_mut());
            if !plain.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(Bytes::from(plain)))));
            }
        }
    }
}
