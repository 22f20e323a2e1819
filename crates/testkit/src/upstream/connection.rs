//! One connection of the upstream: read a request, write what the script says, watch whether the
//! client is still there while nothing is to be written.

use super::{Ended, Received, Shared, control, socket::Socket};
use crate::answer::{Answer, End, Length};
use bytes::{Buf as _, Bytes, BytesMut};
use std::{io, pin::pin, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::sleep,
};

/// Far more than a provider accepts; a gateway that sends more has gone wrong.
const MAX_HEADERS: usize = 256;

pub(super) struct Connection {
    stream: Socket,
    read: BytesMut,
    shared: Arc<Shared>,
}

/// Head of a request.
struct Head {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    keep_alive: bool,
}

/// Nothing more can be said on this connection.
struct Gone;

impl From<io::Error> for Gone {
    fn from(_: io::Error) -> Self {
        Self
    }
}

impl Connection {
    pub(super) fn new(stream: Socket, shared: Arc<Shared>) -> Self {
        Self {
            stream,
            read: BytesMut::new(),
            shared,
        }
    }

    /// Serves requests until one side closes.
    pub(super) async fn serve(mut self) {
        while let Ok((request, keep_alive)) = self.read_request().await {
            if let Some(answer) = control::answer(&self.shared, &request) {
                if self.write_answer(&answer, None).await.is_err() {
                    break;
                }
                continue;
            }
            let (verified, answer) = self.shared.answer_to(&request);
            let index = self.log(Received {
                verified,
                input_tokens: answer.input_tokens,
                cached_tokens: answer.cached_tokens,
                ..request
            });
            let wrote = self.write_answer(&answer, Some(index)).await;
            let now = self.shared.started.elapsed();
            self.note(index, |request| {
                request.ended_at = Some(now);
                request.ended = match wrote {
                    Ok(()) => Ended::AsScripted,
                    Err(Gone) => Ended::ClientGone,
                };
            });
            let reusable = wrote.is_ok()
                && keep_alive
                && answer.then == End::Clean
                && answer.head.is_some()
                && answer.length != Length::UntilClose;
            if !reusable {
                if wrote.is_ok() && answer.then == End::Clean {
                    // Says goodbye where there is TLS; what is cut does not.
                    drop(self.stream.shutdown().await);
                }
                break;
            }
        }
    }

    async fn read_request(&mut self) -> Result<(Received, bool), Gone> {
        let head = loop {
            if let Some(head) = self.parse_head()? {
                break head;
            }
            self.fill().await?;
        };
        let find = |name: &str| {
            let mut named = head.headers.iter();
            named.find_map(|(key, value)| key.eq_ignore_ascii_case(name).then_some(value))
        };
        if find("expect").is_some() {
            self.stream
                .write_all(b"HTTP/1.1 100 Continue\r\n\r\n")
                .await?;
        }
        let body = if find("transfer-encoding").is_some() {
            self.read_chunked().await?
        } else if let Some(length) = find("content-length") {
            let length = self.number(length, 10)?;
            self.take(length).await?
        } else {
            Bytes::new()
        };
        let request = Received {
            body,
            at: self.shared.started.elapsed(),
            ..Received::new(head.method, head.target, head.headers)
        };
        Ok((request, head.keep_alive))
    }

    /// The head, once it is all there.
    fn parse_head(&mut self) -> Result<Option<Head>, Gone> {
        let mut slots = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut parsed = httparse::Request::new(&mut slots);
        let size = match parsed.parse(&self.read) {
            Ok(httparse::Status::Complete(size)) => size,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(error) => return Err(self.reject(&format!("the head is not HTTP: {error}"))),
        };
        let headers: Vec<_> = parsed
            .headers
            .iter()
            .map(|header| {
                let value = String::from_utf8_lossy(header.value).into_owned();
                (header.name.to_owned(), value)
            })
            .collect();
        let closes = headers.iter().any(|(name, value)| {
            name.eq_ignore_ascii_case("connection") && value.eq_ignore_ascii_case("close")
        });
        let head = Head {
            method: parsed.method.unwrap_or_default().to_owned(),
            target: parsed.path.unwrap_or_default().to_owned(),
            keep_alive: parsed.version == Some(1) && !closes,
            headers,
        };
        self.read.advance(size);
        Ok(Some(head))
    }

    async fn read_chunked(&mut self) -> Result<Bytes, Gone> {
        let mut body = BytesMut::new();
        loop {
            let line = self.read_line().await?;
            let size = line.split(';').next().unwrap_or_default();
            let size = self.number(size.trim(), 16)?;
            if size == 0 {
                while !self.read_line().await?.is_empty() {}
                return Ok(body.freeze());
            }
            let data = self.take(size).await?;
            body.extend_from_slice(&data);
            if !self.read_line().await?.is_empty() {
                return Err(self.reject("a chunk is longer than its size"));
            }
        }
    }

    async fn read_line(&mut self) -> Result<String, Gone> {
        loop {
            if let Some(end) = self.read.windows(2).position(|pair| pair == b"\r\n") {
                let line = self.take(end).await?;
                self.read.advance(2);
                return Ok(String::from_utf8_lossy(&line).into_owned());
            }
            self.fill().await?;
        }
    }

    async fn take(&mut self, length: usize) -> Result<Bytes, Gone> {
        while self.read.len() < length {
            self.fill().await?;
        }
        Ok(self.read.split_to(length).freeze())
    }

    async fn fill(&mut self) -> Result<(), Gone> {
        match self.stream.read_buf(&mut self.read).await? {
            0 => Err(Gone),
            _ => Ok(()),
        }
    }

    fn number(&self, digits: &str, radix: u32) -> Result<usize, Gone> {
        usize::from_str_radix(digits, radix)
            .map_err(|_| self.reject(&format!("{digits:?} is not a length")))
    }

    fn reject(&self, complaint: &str) -> Gone {
        self.shared.complain(complaint.to_owned());
        Gone
    }

    async fn write_answer(&mut self, answer: &Answer, index: Option<usize>) -> Result<(), Gone> {
        self.idle(answer.after).await?;
        self.stream.write_all(&answer.head_bytes()).await?;
        for chunk in &answer.chunks {
            self.idle(chunk.after).await?;
            if answer.length == Length::Chunked && !chunk.bytes.is_empty() {
                let size = format!("{:x}\r\n", chunk.bytes.len());
                let frame = [size.as_bytes(), &chunk.bytes, b"\r\n"].concat();
                self.stream.write_all(&frame).await?;
            } else {
                self.stream.write_all(&chunk.bytes).await?;
            }
            self.stream.flush().await?;
            if let Some(index) = index {
                self.note(index, |request| {
                    request.written += u64::try_from(chunk.bytes.len()).unwrap_or(u64::MAX);
                    request.output_tokens += chunk.output_tokens;
                });
            }
        }
        match answer.then {
            End::Clean if answer.length == Length::Chunked => {
                self.stream.write_all(b"0\r\n\r\n").await?;
            }
            End::Clean | End::Cut => {}
            End::Reset => self.stream.reset_on_close()?,
            End::Stall => self.idle(Duration::MAX).await?,
        }
        self.stream.flush().await?;
        Ok(())
    }

    /// Waits, and notices if the client leaves meanwhile (or has left already).
    async fn idle(&mut self, duration: Duration) -> Result<(), Gone> {
        if duration.is_zero() {
            // The shortest timer takes a millisecond, and an answer may have thousands of pieces.
            return match self.stream.try_read(&mut self.read) {
                Some(Ok(0) | Err(_)) => Err(Gone),
                Some(Ok(_)) | None => Ok(()),
            };
        }
        let mut over = pin!(sleep(duration));
        loop {
            tokio::select! {
                biased;
                read = self.stream.read_buf(&mut self.read) => {
                    if read? == 0 {
                        return Err(Gone);
                    }
                }
                () = &mut over => return Ok(()),
            }
        }
    }

    fn log(&self, request: Received) -> usize {
        let mut index = 0;
        self.shared.log.send_modify(|log| {
            index = log.len();
            log.push(request);
        });
        index
    }

    fn note(&self, index: usize, change: impl FnOnce(&mut Received)) {
        self.shared
            .log
            .send_modify(|log| change(log.get_mut(index).expect("the log only grows")));
    }
}
