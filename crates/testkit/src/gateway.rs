//! The real binary with a data directory of its own, on a free port.
//!
//! The contract with the binary: `tollgate serve --listen 127.0.0.1:0 --config F --data-dir D`
//! writes a line containing `listening on http://127.0.0.1:PORT` to stdout or stderr once it
//! accepts requests, and ends by itself after SIGTERM.
//!
//! Dropped, it is killed, and the test fails if a line of its log tells of a panic.

use rustix::process::{Pid, Signal, kill_process};
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::{ExitStatus, Output, Stdio},
    sync::Arc,
    time::Duration,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, BufReader},
    process::{Child, Command},
    sync::watch,
    task::JoinHandle,
    time::timeout,
};

/// How long the binary may take to listen or to stop; only a failing test waits that long.
const PATIENCE: Duration = Duration::from_secs(30);

const LISTENING: &str = "listening on http://";

/// A running gateway.
#[derive(Debug)]
pub struct Gateway {
    child: Child,
    url: String,
    launch: Launch,
    log: watch::Sender<Vec<String>>,
    readers: Vec<JoinHandle<()>>,
}

/// How to start one.
#[derive(Clone, Debug)]
pub struct Launch {
    binary: PathBuf,
    /// `None`: as a newcomer starts it, who has written none and named no directory.
    settings: Option<String>,
    arguments: Vec<OsString>,
    environment: Vec<(String, String)>,
    directory: Arc<TempDir>,
}

impl Launch {
    /// `binary` is `env!("CARGO_BIN_EXE_tollgate")` in the tests of the crate that builds it;
    /// `settings` is the text of `tollgate.toml`.
    pub fn new(binary: impl AsRef<Path>, settings: &str) -> Self {
        Self {
            settings: Some(settings.to_owned()),
            ..Self::newcomer(binary)
        }
    }

    /// Without settings and in an empty directory, as it is started for the first time.
    pub fn newcomer(binary: impl AsRef<Path>) -> Self {
        Self {
            binary: binary.as_ref().to_owned(),
            settings: None,
            arguments: Vec::new(),
            environment: Vec::new(),
            directory: Arc::new(TempDir::new().expect("a temporary directory can be made")),
        }
    }

    /// Adds an argument after the usual ones.
    #[must_use]
    pub fn argument(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Sets a variable. Nothing but these is in the binary's environment.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same directory, other settings.
    #[must_use]
    pub fn with_settings(mut self, settings: &str) -> Self {
        self.settings = Some(settings.to_owned());
        self
    }

    /// Where it is started. Outlives the process, and goes when its last user does.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The data directory, in [`Launch::directory`].
    pub fn data_dir(&self) -> PathBuf {
        let name = match self.settings {
            Some(_) => "data",
            None => "tollgate-data",
        };
        self.directory().join(name)
    }

    /// Replaces the settings file at once, as an editor does, whether the gateway runs or not.
    pub fn write_settings(&self, settings: &str) {
        let fresh = self.directory().join("tollgate.toml.new");
        std::fs::write(&fresh, settings).expect("the settings can be written");
        std::fs::rename(&fresh, self.settings_file()).expect("the settings can be replaced");
    }

    /// Starts it and waits until it listens.
    pub async fn start(&self) -> Gateway {
        let mut gateway = self.spawn();
        let mut watch = gateway.log.subscribe();
        let listening = watch.wait_for(|log| listening_line(log).is_some());
        let url = match timeout(PATIENCE, listening).await {
            Ok(Ok(log)) => listening_line(&log),
            Ok(Err(_)) | Err(_) => None,
        };
        let Some(url) = url else {
            unreachable!("the gateway never listened: {:#?}", gateway.log_lines())
        };
        gateway.url = url;
        gateway
    }

    /// Runs it with settings it must refuse: its exit status and what it said.
    pub async fn fails(&self) -> (ExitStatus, Vec<String>) {
        self.spawn().exit().await
    }

    /// Runs another command of the binary (`["keys", "list"]`) on the same settings and data.
    pub async fn run(&self, words: &[&str]) -> Output {
        let output = self.command(words).output();
        let output = timeout(PATIENCE, output).await.expect("the command ends");
        output.expect("the binary can be started")
    }

    fn settings_file(&self) -> PathBuf {
        self.directory().join("tollgate.toml")
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command.args(words);
        if self.settings.is_some() {
            command.arg("--config").arg(self.settings_file());
            command.arg("--data-dir").arg(self.data_dir());
        }
        command
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(self.directory());
        command
    }

    fn spawn(&self) -> Gateway {
        if let Some(settings) = &self.settings {
            self.write_settings(settings);
        }
        let mut child = self
            .command(&["serve", "--listen", "127.0.0.1:0"])
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the binary can be started");
        let log = watch::Sender::new(Vec::new());
        let stdout = child.stdout.take().expect("stdout is piped");
        let stderr = child.stderr.take().expect("stderr is piped");
        let readers = vec![
            tokio::spawn(collect(stdout, log.clone())),
            tokio::spawn(collect(stderr, log.clone())),
        ];
        Gateway {
            child,
            url: String::new(),
            launch: self.clone(),
            log,
            readers,
        }
    }
}

impl Gateway {
    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where its database and hold file are.
    pub fn data_dir(&self) -> PathBuf {
        self.launch.data_dir()
    }

    /// The process id, for `/proc`.
    pub fn pid(&self) -> u32 {
        self.child.id().expect("the process runs")
    }

    /// Everything it has said so far, both streams, in the order the lines arrived.
    pub fn log_lines(&self) -> Vec<String> {
        self.log.borrow().clone()
    }

    /// Waits for a line that contains `needle`.
    pub async fn wait_for_line(&self, needle: &str) -> String {
        self.wait_for_lines(needle, 1).await.swap_remove(0)
    }

    /// Waits until so many lines contain `needle`, and gives them.
    pub async fn wait_for_lines(&self, needle: &str, count: usize) -> Vec<String> {
        let mut watch = self.log.subscribe();
        let enough = watch.wait_for(|log| lines_with(log, needle).len() >= count);
        match timeout(PATIENCE, enough).await {
            Ok(Ok(log)) => lines_with(&log, needle),
            Ok(Err(_)) | Err(_) => unreachable!(
                "not {count} lines with {needle:?} in {:#?}",
                self.log_lines()
            ),
        }
    }

    /// `kill -9`, as a crash does; the data directory stays for the next start.
    pub async fn kill(mut self) {
        self.child
            .kill()
            .await
            .expect("the process can be killed once");
    }

    /// SIGTERM, and waits until it has ended.
    pub async fn stop(self) -> ExitStatus {
        self.last_words().await.0
    }

    /// The same, and everything it has ever said.
    pub async fn last_words(self) -> (ExitStatus, Vec<String>) {
        self.signal(Signal::TERM);
        self.exit().await
    }

    /// Sends a signal (SIGHUP to reload).
    pub fn signal(&self, signal: Signal) {
        let raw = i32::try_from(self.pid()).expect("a process id is positive");
        let pid = Pid::from_raw(raw).expect("a process id is not zero");
        kill_process(pid, signal).expect("the process is ours");
    }

    async fn exit(mut self) -> (ExitStatus, Vec<String>) {
        let status = timeout(PATIENCE, self.child.wait())
            .await
            .expect("the gateway ends in time")
            .expect("the process can be waited for");
        for reader in std::mem::take(&mut self.readers) {
            reader.await.expect("the log is read to its end");
        }
        (status, self.log_lines())
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let lines = self.log.borrow();
        let panicked = lines.iter().any(|line| line.contains("panicked at"));
        assert!(!panicked, "the gateway panicked: {:#?}", *lines);
    }
}

fn lines_with(log: &[String], needle: &str) -> Vec<String> {
    let found = log.iter().filter(|line| line.contains(needle));
    found.cloned().collect()
}

fn listening_line(log: &[String]) -> Option<String> {
    log.iter().find_map(|line| {
        let (_, rest) = line.split_once(LISTENING)?;
        let address = rest.split_whitespace().next()?;
        Some(format!("http://{address}"))
    })
}

async fn collect(stream: impl AsyncRead + Unpin, log: watch::Sender<Vec<String>>) {
    let mut lines = BufReader::new(stream).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        log.send_modify(|log| log.push(line));
    }
}

#[cfg(test)]
mod tests;
