//! A stream whose first bytes are awaited for a bounded time.
//!
//! The HTTP version of a connection is told from its first bytes, and hyper waits for them without
//! a bound: its timeouts start after. This one ends when the version is certain: after the whole
//! preface of HTTP/2, or at the first byte that does not belong to it.

use std::{
    future::Future as _,
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

/// The first bytes of every HTTP/2 connection (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The stream.
pub(super) struct Opening<S> {
    stream: S,
    /// What of the preface has not come; with the time there is for it.
    awaited: Option<(&'static [u8], Pin<Box<Sleep>>)>,
}

impl<S> Opening<S> {
    pub(super) fn new(stream: S, timeout: Duration) -> Self {
        Self {
            stream,
            awaited: Some((PREFACE, Box::pin(sleep(timeout)))),
        }
    }

    /// These bytes came: still awaited is what follows them in the preface, if anything does.
    fn came(&mut self, bytes: &[u8]) {
        if let Some((rest, _)) = &mut self.awaited {
            match rest.strip_prefix(bytes) {
                // No byte is the end of the stream.
                Some(after) if !after.is_empty() && !bytes.is_empty() => *rest = after,
                _ => self.awaited = None,
            }
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Opening<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        let Some((_, time)) = &mut self.awaited else {
            return read;
        };
        match read {
            Poll::Pending if time.as_mut().poll(cx).is_ready() => {
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
            Poll::Pending => Poll::Pending,
            Poll::Ready(read) => {
                self.came(buffer.filled().get(before..).unwrap_or_default());
                Poll::Ready(read)
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Opening<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
