//! Load: keeps `--connections` kept-alive connections busy for `--seconds` and prints one JSON
//! line. Modes: `closed` (one request after another), `rate` (`--rps`, open loop: lateness
//! counts), `stream` (one stream after another) and `hold` (every connection holds one stream
//! open). CPU and memory are those of `--pid`, over the measured part only.

use anyhow::{Context, Result, bail};
use serde_json::json;
use std::{
    io::Write,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, sleep, sleep_until},
};
use tollgate_bench::{Arguments, process};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Closed,
    Rate,
    Stream,
    Hold,
}

struct Plan {
    mode: Mode,
    address: String,
    request: Vec<u8>,
    connections: u64,
    /// Time between two requests of one connection, for `rate`.
    interval: Duration,
}

#[derive(Default)]
struct Counts {
    measuring: AtomicBool,
    stop: AtomicBool,
    requests: AtomicU64,
    reads: AtomicU64,
    open: AtomicU64,
    failures: AtomicU64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments = Arguments::parse(std::env::args().skip(1))?;
    let plan = Arc::new(plan(&arguments)?);
    let pid = arguments.number("pid", 0)?;
    let counts = Arc::new(Counts::default());
    let before_load = process(pid).unwrap_or_default();
    let ramp = Duration::from_millis(arguments.number("ramp-ms", 0)?);
    let mut workers = Vec::new();
    for index in 0..plan.connections {
        let (plan, counts) = (Arc::clone(&plan), Arc::clone(&counts));
        let share = u32::try_from(index)?;
        let start = ramp / u32::try_from(plan.connections)? * share
            + plan.interval / u32::try_from(plan.connections)? * share;
        workers.push(tokio::spawn(async move {
            sleep(start).await;
            let mut latencies = Vec::new();
            if worker(&plan, &counts, &mut latencies).await.is_err() {
                counts.failures.fetch_add(1, Ordering::Relaxed);
            }
            latencies
        }));
    }
    sleep(ramp + Duration::from_secs(arguments.number("warmup", 2)?)).await;
    counts.measuring.store(true, Ordering::Relaxed);
    let (began, before) = (Instant::now(), process(pid).unwrap_or_default());
    sleep(Duration::from_secs(arguments.number("seconds", 6)?)).await;
    counts.measuring.store(false, Ordering::Relaxed);
    let (lasted, after) = (began.elapsed(), process(pid).unwrap_or_default());
    counts.stop.store(true, Ordering::Relaxed);
    let mut latencies = Vec::new();
    for worker in workers {
        if plan.mode == Mode::Hold {
            worker.abort();
        } else if let Ok(Ok(mine)) = tokio::time::timeout(Duration::from_secs(30), worker).await {
            latencies.extend(mine);
        }
    }
    latencies.sort_unstable();
    let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let report = json!({
        "requests": read(&counts.requests),
        "reads": read(&counts.reads),
        "open": read(&counts.open),
        "failures": read(&counts.failures),
        "elapsed_us": u64::try_from(lasted.as_micros())?,
        "cpu_us": after.cpu_us.saturating_sub(before.cpu_us),
        "rss_before_kib": before_load.rss_kib,
        "rss_kib": after.rss_kib,
        "p50_us": percentile(&latencies, 50),
        "p99_us": percentile(&latencies, 99),
    });
    writeln!(std::io::stdout(), "{report}")?;
    Ok(())
}

fn percentile(sorted: &[u64], percent: usize) -> u64 {
    sorted
        .get((sorted.len() * percent / 100).min(sorted.len().saturating_sub(1)))
        .copied()
        .unwrap_or(0)
}

fn plan(arguments: &Arguments) -> Result<Plan> {
    let mode = match arguments.text("mode") {
        Some("closed") => Mode::Closed,
        Some("rate") => Mode::Rate,
        Some("stream") => Mode::Stream,
        Some("hold") => Mode::Hold,
        other => bail!("--mode {other:?}: closed, rate, stream or hold"),
    };
    let url = arguments.text("url").context("--url is missing")?;
    let rest = url
        .strip_prefix("http://")
        .context("--url must begin with http://")?;
    let (address, path) = rest.split_once('/').context("--url lacks a path")?;
    let filler =
        "x".repeat(usize::try_from(arguments.number("body-bytes", 1024)?)?.saturating_sub(120));
    let stream = if matches!(mode, Mode::Stream | Mode::Hold) {
        ",\"stream\":true"
    } else {
        ""
    };
    let body = format!(
        r#"{{"model":"gpt-5.2","max_tokens":2000,"messages":[{{"role":"user","content":"{filler}"}}]{stream}}}"#
    );
    let authorization = arguments.text("key").map_or_else(String::new, |key| {
        format!("authorization: Bearer {key}\r\n")
    });
    let request = format!(
        "POST /{path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n{authorization}content-length: {}\r\n\r\n{body}",
        body.len()
    );
    let connections = arguments.number("connections", 32)?;
    let interval = match (mode, arguments.number("rps", 1_000)?) {
        (Mode::Rate, rps) => Duration::from_micros(1_000_000 * connections / rps.max(1)),
        (Mode::Closed | Mode::Stream | Mode::Hold, _) => Duration::ZERO,
    };
    Ok(Plan {
        mode,
        address: address.to_owned(),
        request: request.into_bytes(),
        connections,
        interval,
    })
}

async fn worker(plan: &Plan, counts: &Counts, latencies: &mut Vec<u64>) -> Result<()> {
    let mut stream = TcpStream::connect(&plan.address).await?;
    stream.set_nodelay(true)?;
    let mut due = Instant::now();
    let mut buffer = vec![
        0_u8;
        if plan.mode == Mode::Hold {
            4 << 10
        } else {
            64 << 10
        }
    ];
    while !counts.stop.load(Ordering::Relaxed) {
        if plan.mode == Mode::Rate {
            sleep_until(due).await;
        } else {
            due = Instant::now();
        }
        stream.write_all(&plan.request).await?;
        counts.open.fetch_add(1, Ordering::Relaxed);
        let first = answer(&mut stream, &mut buffer, counts).await?;
        counts.open.fetch_sub(1, Ordering::Relaxed);
        if counts.measuring.load(Ordering::Relaxed) {
            counts.requests.fetch_add(1, Ordering::Relaxed);
            let until = if plan.mode == Mode::Stream {
                first
            } else {
                Instant::now()
            };
            latencies.push(u64::try_from(until.duration_since(due).as_micros())?);
        }
        due += plan.interval;
    }
    Ok(())
}

/// Reads one answer to its end; returns when its first byte came.
async fn answer(stream: &mut TcpStream, buffer: &mut [u8], counts: &Counts) -> Result<Instant> {
    let mut head = Vec::new();
    let mut first = None;
    let (mut left, mut ending): (Option<usize>, [u8; 5]) = (None, [0; 5]);
    loop {
        let read = stream.read(buffer).await?;
        let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else {
            bail!("the connection was closed");
        };
        first.get_or_insert_with(Instant::now);
        if counts.measuring.load(Ordering::Relaxed) {
            counts.reads.fetch_add(1, Ordering::Relaxed);
        }
        let body = if left.is_none() && ending == [0; 5] {
            head.extend_from_slice(bytes);
            let Some(end) = head.windows(4).position(|window| window == b"\r\n\r\n") else {
                continue;
            };
            let body = head.split_off(end + 4);
            let text = String::from_utf8_lossy(&head).to_ascii_lowercase();
            if !text.starts_with("http/1.1 200") {
                bail!("answered: {}", text.lines().next().unwrap_or_default());
            }
            left = text
                .lines()
                .find_map(|line| line.strip_prefix("content-length:"))
                .map(|length| length.trim().parse())
                .transpose()?;
            ending = [b' '; 5];
            body
        } else {
            bytes.to_vec()
        };
        if let Some(left) = &mut left {
            *left = left.saturating_sub(body.len());
            if *left == 0 {
                break;
            }
        } else {
            for byte in body.iter().skip(body.len().saturating_sub(5)) {
                ending.rotate_left(1);
                ending[4] = *byte;
            }
            if ending == *b"0\r\n\r\n" {
                break;
            }
        }
    }
    first.context("no byte came")
}
