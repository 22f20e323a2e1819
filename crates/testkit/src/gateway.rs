//! The real binary with a data directory of its own, on a free port.
//!
//! The contract with the binary: `tollgate serve --config F --data-dir D --listen 127.0.0.1:0`
//! writes a line containing `listening on http://127.0.0.1:PORT` to stdout or stderr once it
//! accepts requests, and ends by itself after SIGTERM.
//!
//! Dropped, it is killed, and the test fails if a line of its log tells of a panic.

use rustix::process::{Pid, Signal, kill_process};
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
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
    directory: Arc<TempDir>,
    log: watch::Sender<Vec<String>>,
    readers: Vec<JoinHandle<()>>,
}

/// How to start one.
#[derive(Clone, Debug)]
pub struct Launch {
    binary: PathBuf,
    settings: String,
    arguments: Vec<OsString>,
    environment: Vec<(String, String)>,
    directory: Arc<TempDir>,
}

impl Launch {
    /// `binary` is `env!("CARGO_BIN_EXE_tollgate")` in the tests of the crate that builds it;
    /// `settings` is the text of `tollgate.toml`.
    pub fn new(binary: impl AsRef<Path>, settings: &str) -> Self {
        Self {
            binary: binary.as_ref().to_owned(),
            settings: settings.to_owned(),
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

    /// The data directory; it outlives the process, and goes when its last user does.
    pub fn data_dir(&self) -> PathBuf {
        self.directory.path().join("data")
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
        let mut gateway = self.spawn();
        let status = gateway.exit().await;
        for reader in std::mem::take(&mut gateway.readers) {
            reader.await.expect("the log is read to its end");
        }
        (status, gateway.log_lines())
    }

    fn spawn(&self) -> Gateway {
        let settings = self.directory.path().join("tollgate.toml");
        std::fs::write(&settings, &self.settings).expect("the settings file can be written");
        let mut child = Command::new(&self.binary)
            .arg("serve")
            .arg("--config")
            .arg(&settings)
            .arg("--data-dir")
            .arg(self.data_dir())
            .args(["--listen", "127.0.0.1:0"])
            .args(&self.arguments)
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(self.directory.path())
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
            directory: Arc::clone(&self.directory),
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
        self.directory.path().join("data")
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
        let find = |log: &[String]| log.iter().find(|line| line.contains(needle)).cloned();
        let mut watch = self.log.subscribe();
        let waited = timeout(PATIENCE, watch.wait_for(|log| find(log).is_some())).await;
        let line = match waited {
            Ok(Ok(log)) => find(&log),
            Ok(Err(_)) | Err(_) => None,
        };
        match line {
            Some(line) => line,
            None => unreachable!("no line with {needle:?} in {:#?}", self.log_lines()),
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
    pub async fn stop(mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.exit().await
    }

    /// Sends a signal (SIGHUP to reload).
    pub fn signal(&self, signal: Signal) {
        let raw = i32::try_from(self.pid()).expect("a process id is positive");
        let pid = Pid::from_raw(raw).expect("a process id is not zero");
        kill_process(pid, signal).expect("the process is ours");
    }

    async fn exit(&mut self) -> ExitStatus {
        timeout(PATIENCE, self.child.wait())
            .await
            .expect("the gateway ends in time")
            .expect("the process can be waited for")
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
