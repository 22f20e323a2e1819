//! The plausible provider as a process, for conformance tests in other languages and for trying
//! things by hand: `testkit-upstream [DIRECTORY]`, on a free port of 127.0.0.1.
//!
//! It writes `listening on http://ADDRESS` to stdout and serves until stdin is closed, so it never
//! outlives the script that started it. Into the directory, if one is named, it puts a certificate
//! for loopback addresses, its key and its authority (`certificate.pem`, `key.pem`,
//! `authority.pem`); then it listens behind TLS too, and says so on a line before: `behind TLS at
//! https://ADDRESS`.

use std::{fmt::Write as _, path::PathBuf};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, stdin, stdout};
use tollgate_testkit::{Certificates, Upstream};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut upstream = Upstream::provider().await;
    let mut told = String::new();
    if let Some(directory) = std::env::args().nth(1).map(PathBuf::from) {
        let made = Certificates::for_loopback();
        std::fs::write(directory.join("authority.pem"), &made.authority_pem)?;
        std::fs::write(directory.join("certificate.pem"), &made.certificate_pem)?;
        std::fs::write(directory.join("key.pem"), &made.key_pem)?;
        writeln!(
            told,
            "behind TLS at {}",
            upstream.listen_tls_too(&made).await
        )?;
    }
    writeln!(told, "listening on {}", upstream.url())?;
    let mut out = stdout();
    out.write_all(told.as_bytes()).await?;
    out.flush().await?;
    stdin().read_to_end(&mut Vec::new()).await?;
    upstream.stop().await;
    Ok(())
}
