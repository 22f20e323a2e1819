//! What a scripted upstream says to one request: prelude, head, chunks with delays, and how it
//! stops. Nothing is corrected on the way out: an answer that lies about its length is sent as is.

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use std::{io::Write as _, time::Duration};

/// One answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// How long after the request was read.
    pub after: Duration,
    /// Raw bytes before the head: an interim response, garbage.
    pub prelude: Bytes,
    /// `None`: there is no head, the chunks are written to the socket as they are.
    pub head: Option<Head>,
    /// How the body's end is told.
    pub length: Length,
    /// The body, in the pieces it is written in.
    pub chunks: Vec<Chunk>,
    /// What happens after the last chunk.
    pub then: End,
    /// What this request costs by its input, on the upstream's bill.
    pub input_tokens: u64,
    /// Part of the input that was read from the cache.
    pub cached_tokens: u64,
}

/// Status and headers.
#[derive(Clone, Debug)]
pub struct Head {
    /// 100 to 999.
    pub status: u16,
    /// In the order and the case they are written in.
    pub headers: Vec<(String, String)>,
}

/// A piece of a body, written (and flushed) on its own.
#[derive(Clone, Debug)]
pub struct Chunk {
    /// How long after the piece before it.
    pub after: Duration,
    /// What is written.
    pub bytes: Bytes,
    /// What it adds to the upstream's bill once it is written.
    pub output_tokens: u64,
}

/// How the end of a body is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// `content-length`, true.
    Stated,
    /// `content-length`, this number instead of the true one.
    Wrong(u64),
    /// `transfer-encoding: chunked`.
    Chunked,
    /// Neither: the body ends with the connection.
    UntilClose,
    /// Neither is added: the headers say (or do not say) it themselves.
    Unstated,
}

/// What happens after the last chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The body ends as `length` says; the connection serves the next request.
    Clean,
    /// The connection is closed without the end of the body.
    Cut,
    /// The connection is reset (RST).
    Reset,
    /// Nothing more is sent; the connection stays open until the client leaves.
    Stall,
}

impl Answer {
    /// A whole body with a true length.
    pub fn new(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        Self {
            after: Duration::ZERO,
            prelude: Bytes::new(),
            head: Some(Head {
                status,
                headers: vec![("content-type".to_owned(), content_type.to_owned())],
            }),
            length: Length::Stated,
            chunks: vec![Chunk::now(body)],
            then: End::Clean,
            input_tokens: 0,
            cached_tokens: 0,
        }
    }

    /// A JSON document.
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::new(status, "application/json", body.to_string())
    }

    /// A chunked `text/event-stream`; each piece is one chunk, complete with its line ends.
    pub fn sse<T: Into<Bytes>>(pieces: impl IntoIterator<Item = T>) -> Self {
        Self {
            length: Length::Chunked,
            chunks: pieces.into_iter().map(Chunk::now).collect(),
            ..Self::new(200, "text/event-stream", "")
        }
    }

    /// Bytes straight on the socket, then the connection is closed.
    pub fn raw(bytes: impl Into<Bytes>) -> Self {
        Self {
            after: Duration::ZERO,
            prelude: Bytes::new(),
            head: None,
            length: Length::Unstated,
            chunks: vec![Chunk::now(bytes)],
            then: End::Cut,
            input_tokens: 0,
            cached_tokens: 0,
        }
    }

    /// Never says anything.
    pub fn silence() -> Self {
        Self::raw("").then(End::Stall)
    }

    /// Closes the connection instead of answering.
    pub fn hang_up() -> Self {
        Self::raw("")
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let head = self.head.as_mut().expect("a raw answer has no headers");
        head.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Ends in another way.
    #[must_use]
    pub fn then(mut self, end: End) -> Self {
        self.then = end;
        self
    }

    /// Tells the length in another way.
    #[must_use]
    pub fn length(mut self, length: Length) -> Self {
        self.length = length;
        self
    }

    /// Waits before the head.
    #[must_use]
    pub fn after(mut self, delay: Duration) -> Self {
        self.after = delay;
        self
    }

    /// Waits before each piece of the body.
    #[must_use]
    pub fn paced(mut self, gap: Duration) -> Self {
        for chunk in &mut self.chunks {
            chunk.after = gap;
        }
        self
    }

    /// Sends these bytes before the head, such as `HTTP/1.1 103 Early Hints\r\n\r\n`.
    #[must_use]
    pub fn prelude(mut self, bytes: impl Into<Bytes>) -> Self {
        self.prelude = bytes.into();
        self
    }

    /// Compresses the body as one gzip stream, flushed after each piece, and says so in the head.
    #[must_use]
    pub fn gzipped(mut self) -> Self {
        const TAKES_ALL: &str = "a vector takes all bytes";
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        let last = self.chunks.len().saturating_sub(1);
        for (index, chunk) in self.chunks.iter_mut().enumerate() {
            encoder.write_all(&chunk.bytes).expect(TAKES_ALL);
            if index == last {
                encoder.try_finish().expect(TAKES_ALL);
            } else {
                encoder.flush().expect(TAKES_ALL);
            }
            chunk.bytes = std::mem::take(encoder.get_mut()).into();
        }
        self.header("content-encoding", "gzip")
    }

    /// The bytes of the head as they go on the wire; empty for a raw answer.
    pub(crate) fn head_bytes(&self) -> Vec<u8> {
        let mut out = self.prelude.to_vec();
        let Some(head) = &self.head else { return out };
        let reason = http::StatusCode::from_u16(head.status)
            .ok()
            .and_then(|status| status.canonical_reason())
            .unwrap_or("Status");
        out.extend_from_slice(format!("HTTP/1.1 {} {reason}\r\n", head.status).as_bytes());
        for (name, value) in &head.headers {
            out.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        let told = match self.length {
            Length::Stated => {
                let total: usize = self.chunks.iter().map(|chunk| chunk.bytes.len()).sum();
                format!("content-length: {total}\r\n")
            }
            Length::Wrong(number) => format!("content-length: {number}\r\n"),
            Length::Chunked => "transfer-encoding: chunked\r\n".to_owned(),
            Length::UntilClose => "connection: close\r\n".to_owned(),
            Length::Unstated => String::new(),
        };
        out.extend_from_slice(told.as_bytes());
        out.extend_from_slice(b"\r\n");
        out
    }
}

impl Chunk {
    /// A piece without a delay that costs nothing.
    pub fn now(bytes: impl Into<Bytes>) -> Self {
        Self {
            after: Duration::ZERO,
            bytes: bytes.into(),
            output_tokens: 0,
        }
    }
}
