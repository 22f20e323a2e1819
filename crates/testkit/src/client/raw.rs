//! A client for requests no library would send: halves of requests, two lengths, HTTP/1.0, bytes
//! one at a time, and a hand on the plug.

use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{sleep, timeout},
};

/// How long a test waits for bytes; only a failing test waits that long.
const PATIENCE: Duration = Duration::from_secs(20);

/// One TCP connection.
#[derive(Debug)]
pub struct RawClient {
    stream: TcpStream,
    read: Vec<u8>,
}

impl RawClient {
    /// Connects, without Nagle's delay.
    pub async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address)
            .await
            .expect("somebody listens there");
        stream
            .set_nodelay(true)
            .expect("a connected socket takes options");
        Self {
            stream,
            read: Vec::new(),
        }
    }

    /// Writes these bytes; whether they could be written (the other side may have closed).
    pub async fn write(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.stream.write_all(bytes.as_ref()).await.is_ok()
    }

    /// Writes the bytes one by one with this gap, as a slow-loris does; how many were written
    /// before the other side closed.
    pub async fn trickle(&mut self, bytes: impl AsRef<[u8]>, gap: Duration) -> usize {
        let mut written = 0;
        for byte in bytes.as_ref() {
            if !self.write([*byte]).await {
                break;
            }
            written += 1;
            sleep(gap).await;
        }
        written
    }

    /// Writes a request with these header lines and a true `content-length`.
    pub async fn request(&mut self, line: &str, headers: &[&str], body: &str) -> bool {
        let mut bytes = format!("{line}\r\ncontent-length: {}\r\n", body.len());
        for header in headers {
            bytes.push_str(header);
            bytes.push_str("\r\n");
        }
        bytes.push_str("\r\n");
        bytes.push_str(body);
        self.write(bytes).await
    }

    /// Reads until the text so far contains `needle`; what was read, or an error text that says
    /// what came instead (the end, a reset, nothing).
    pub async fn read_until(&mut self, needle: &str) -> Result<String, String> {
        loop {
            let so_far = String::from_utf8_lossy(&self.read).into_owned();
            if so_far.contains(needle) {
                return Ok(so_far);
            }
            match timeout(PATIENCE, self.stream.read_buf(&mut self.read)).await {
                Ok(Ok(0)) => return Err(format!("closed after {so_far:?}")),
                Ok(Ok(_)) => {}
                Ok(Err(error)) => return Err(format!("{error} after {so_far:?}")),
                Err(_) => return Err(format!("nothing more after {so_far:?}")),
            }
        }
    }

    /// What has come and was not yet given by this: whatever lay in the socket at one moment; empty
    /// at the end.
    pub async fn read_once(&mut self) -> Vec<u8> {
        let read = timeout(PATIENCE, self.stream.read_buf(&mut self.read)).await;
        read.expect("something comes in time")
            .expect("the connection stands");
        std::mem::take(&mut self.read)
    }

    /// Forgets what was read, so that the next answer is looked for in what comes from now on.
    pub fn forget(&mut self) {
        self.read.clear();
    }

    /// Reads until the other side closes (or resets): everything, and whether it was orderly.
    pub async fn read_to_end(&mut self) -> (String, bool) {
        let ended = timeout(PATIENCE, self.stream.read_to_end(&mut self.read)).await;
        let orderly = ended.expect("the connection is closed in time").is_ok();
        (String::from_utf8_lossy(&self.read).into_owned(), orderly)
    }

    /// Says that no more will be written, and goes on reading.
    pub async fn finish_writing(&mut self) {
        self.stream
            .shutdown()
            .await
            .expect("the connection is still open");
    }

    /// Pulls the plug: the other side sees a reset.
    pub fn reset(self) {
        self.stream
            .set_zero_linger()
            .expect("a connected socket takes options");
    }
}
