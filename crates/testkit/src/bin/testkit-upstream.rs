//! The plausible provider as a process, for conformance tests in other languages and for trying
//! things by hand: `testkit-upstream [ADDRESS]`, by default a free port of 127.0.0.1.
//!
//! It writes `listening on http://ADDRESS` to stdout and serves until stdin is closed, so it never
//! outlives the script that started it.

use std::net::SocketAddr;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, stdin, stdout};
use tollgate_testkit::{Upstream, provider::Provider};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let address = match std::env::args().nth(1) {
        Some(address) => address.parse()?,
        None => SocketAddr::from(([127, 0, 0, 1], 0)),
    };
    let upstream = Upstream::start_at(address).await;
    let provider = Provider::default();
    upstream.answer_with(move |request| provider.answer(request));
    let mut out = stdout();
    let line = format!("listening on {}\n", upstream.url());
    out.write_all(line.as_bytes()).await?;
    out.flush().await?;
    stdin().read_to_end(&mut Vec::new()).await?;
    upstream.stop().await;
    Ok(())
}
