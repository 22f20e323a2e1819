//! Running other programs: their output is shown as it comes and kept to be counted.

use anyhow::Context as _;
use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// A program with its arguments.
pub(super) struct Task {
    command: Command,
    line: String,
}

/// How it ended.
pub(super) struct Ended {
    pub(super) success: bool,
    /// Everything it wrote, both streams.
    pub(super) text: String,
}

impl Task {
    /// `line` is split at spaces; no shell is involved.
    pub(super) fn new(root: &Path, line: &str) -> Self {
        let mut words = line.split_whitespace();
        let mut command = Command::new(words.next().unwrap_or_default());
        command.args(words).current_dir(root).stdin(Stdio::null());
        let tools = root.join("target/tools/bin");
        if tools.is_dir() {
            command.env("PATH", path_with(&tools));
        }
        Self {
            command,
            line: line.to_owned(),
        }
    }

    /// Adds arguments that may contain spaces.
    pub(super) fn arguments<'a>(mut self, more: impl IntoIterator<Item = &'a str>) -> Self {
        self.command.args(more);
        self
    }

    /// Runs it to its end.
    pub(super) fn run(mut self) -> anyhow::Result<Ended> {
        let (reader, writer) = std::io::pipe()?;
        self.command.stdout(writer.try_clone()?).stderr(writer);
        let mut child = self
            .command
            .spawn()
            .with_context(|| format!("`{}` could not be started", self.line))?;
        // The command holds the pipe's other end; the lines below end when nobody does.
        drop(self.command);
        let mut text = String::new();
        for line in BufReader::new(reader).lines() {
            let line = line?;
            println!("{line}");
            text.push_str(&line);
            text.push('\n');
        }
        let success = child.wait()?.success();
        Ok(Ended { success, text })
    }

    /// Runs it without showing anything; whether it succeeded.
    pub(super) fn quiet_success(mut self) -> bool {
        self.command.output().is_ok_and(|it| it.status.success())
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a task runs in the developer's own environment"
)]
fn path_with(tools: &Path) -> std::ffi::OsString {
    let old = std::env::var_os("PATH").unwrap_or_default();
    let mut path = tools.as_os_str().to_owned();
    path.push(":");
    path.push(old);
    path
}

/// How long something took.
pub(super) struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(
        clippy::disallowed_methods,
        reason = "shown to a person, decides nothing"
    )]
    pub(super) fn start() -> Self {
        Self(Instant::now())
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}
