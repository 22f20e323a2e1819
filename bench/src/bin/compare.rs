//! Measures Tollgate beside nginx and a bare proxy in one run on one machine, and prints ratios.
//!
//! Every target gets CPU 0 alone; the mock upstream and the load share CPU 1. CPU time per request
//! (from `/proc`, kernel time included) is the figure to compare: latencies on a shared machine are
//! mostly the cost of waking an idle processor. Rounds are interleaved and the median is taken, so
//! that a busy neighbour hits all targets alike. `--rounds 3 --seconds 5 --only NAME`.

use anyhow::{Context, Result};
use serde_json::Value;
use std::{
    fs,
    io::Write,
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};
use tollgate_bench::{
    Arguments,
    report::{Samples, tables},
    target::{self, Target},
};

/// One measurement: its name and the load generator's arguments.
struct Load {
    name: &'static str,
    arguments: &'static [&'static str],
    /// What the mock streams: chunks and the pause between them.
    mock: (u64, u64),
}

const LOADS: [Load; 5] = [
    Load {
        name: "1 KB, saturated",
        arguments: &[
            "--mode",
            "closed",
            "--connections",
            "32",
            "--body-bytes",
            "1024",
        ],
        mock: (100, 20),
    },
    Load {
        name: "100 KB, saturated",
        arguments: &[
            "--mode",
            "closed",
            "--connections",
            "32",
            "--body-bytes",
            "102400",
        ],
        mock: (100, 20),
    },
    Load {
        name: "1 KB, 1,000/s",
        arguments: &["--mode", "rate", "--connections", "32", "--rps", "1000"],
        mock: (100, 20),
    },
    Load {
        name: "400 streams of 100 chunks",
        arguments: &[
            "--mode",
            "stream",
            "--connections",
            "400",
            "--ramp-ms",
            "2000",
        ],
        mock: (100, 20),
    },
    Load {
        name: "1,000 slow streams",
        arguments: &[
            "--mode",
            "hold",
            "--connections",
            "1000",
            "--ramp-ms",
            "4000",
        ],
        mock: (600, 1_000),
    },
];

fn main() -> Result<()> {
    let arguments = Arguments::parse(std::env::args().skip(1))?;
    let programs = std::env::current_exe()?
        .parent()
        .context("no program folder")?
        .to_owned();
    let scratch = programs.join("bench");
    fs::create_dir_all(&scratch)?;
    let mock_port = target::free_port()?;
    let mock_url = format!("http://127.0.0.1:{mock_port}");
    let mock = target::start(
        1,
        &programs.join("mock-upstream"),
        &["--listen", &format!("127.0.0.1:{mock_port}")],
    )?;
    target::wait_for(mock_port)?;
    let mut targets = vec![
        Target {
            name: "direct",
            pid: mock.pid(),
            process: None,
            url: format!("{mock_url}/v1"),
            key: None,
        },
        target::bare(&programs, &mock_url)?,
        target::nginx(&scratch, mock_port)?,
        target::tollgate(&programs, &scratch, &mock_url)?,
    ];
    if let Some(only) = arguments.text("only") {
        targets.retain(|target| target.name == only || target.name == "bare proxy");
    }
    let mut samples = Samples::new();
    for _ in 0..arguments.number("rounds", 3)? {
        for (l, load) in LOADS.iter().enumerate() {
            script_mock(mock_port, load.mock)?;
            for (t, target) in targets.iter().enumerate() {
                let sample = measure(&programs, load, target, arguments.number("seconds", 5)?)
                    .with_context(|| format!("{} through {}", load.name, target.name))?;
                samples.entry((l, t)).or_default().push(sample);
            }
        }
    }
    writeln!(std::io::stdout(), "{}", tables(&targets, &samples))?;
    Ok(())
}

fn script_mock(port: u16, (chunks, delay_ms): (u64, u64)) -> Result<()> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    write!(
        stream,
        "POST /_mock?chunks={chunks}&delay_ms={delay_ms} HTTP/1.1\r\nhost: mock\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
    )?;
    std::io::copy(&mut stream, &mut std::io::sink())?;
    Ok(())
}

fn measure(programs: &Path, load: &Load, target: &Target, seconds: u64) -> Result<Value> {
    let loadgen: PathBuf = programs.join("loadgen");
    let mut command = Command::new("taskset");
    command
        .args(["-c", "1"])
        .arg(loadgen)
        .args(load.arguments)
        .args(["--url", &format!("{}/chat/completions", target.url)])
        .args([
            "--pid",
            &target.pid.to_string(),
            "--seconds",
            &seconds.to_string(),
        ])
        .stderr(Stdio::inherit());
    if let Some(key) = &target.key {
        command.args(["--key", key]);
    }
    let output = command.output()?;
    serde_json::from_slice(&output.stdout).context("the load generator printed no report")
}
