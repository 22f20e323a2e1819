//! What the benchmark programs share: arguments, and the CPU time and memory of a process.

pub mod report;
pub mod target;

use anyhow::{Context, Result, bail};
use std::{collections::HashMap, fs};

/// `--name value` pairs of the command line.
#[derive(Debug)]
pub struct Arguments(HashMap<String, String>);

impl Arguments {
    /// Reads the pairs.
    ///
    /// # Errors
    /// When a name lacks its dashes or its value.
    pub fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Self> {
        let mut pairs = HashMap::new();
        let mut arguments = arguments.into_iter();
        while let Some(name) = arguments.next() {
            let Some(name) = name.strip_prefix("--") else {
                bail!("`{name}`: expected --name value")
            };
            let value = arguments
                .next()
                .with_context(|| format!("--{name} lacks its value"))?;
            pairs.insert(name.to_owned(), value);
        }
        Ok(Self(pairs))
    }

    /// The text given for `name`.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The number given for `name`, or `default`.
    ///
    /// # Errors
    /// When the value is not a number.
    pub fn number(&self, name: &str, default: u64) -> Result<u64> {
        self.text(name).map_or(Ok(default), |text| {
            text.parse()
                .with_context(|| format!("--{name} {text}: not a number"))
        })
    }
}

/// CPU time and memory of a process, from `/proc` (Linux).
#[derive(Clone, Copy, Debug, Default)]
pub struct Process {
    /// User and system time in microseconds.
    pub cpu_us: u64,
    /// Resident memory in KiB.
    pub rss_kib: u64,
}

/// Reads `/proc/PID`; clock ticks are 10 ms on every Linux that Rust supports.
///
/// # Errors
/// When the process is gone.
pub fn process(pid: u64) -> Result<Process> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let after_name = stat
        .rsplit_once(')')
        .context("/proc/PID/stat has no name")?
        .1;
    let field = |index: usize| -> Result<u64> {
        Ok(after_name
            .split_whitespace()
            .nth(index)
            .context("a field is missing")?
            .parse()?)
    };
    // Fields 14 and 15 of proc(5), counted from the state, which is field 3.
    let ticks = field(11)? + field(12)?;
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let rss = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|rest| rest.split_whitespace().next())
        .context("/proc/PID/status has no VmRSS")?;
    Ok(Process {
        cpu_us: ticks * 10_000,
        rss_kib: rss.parse()?,
    })
}
