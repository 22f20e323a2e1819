//! The programs compared: how each is started and reached. All are pinned to CPU 0, and stop when
//! they are dropped.

use anyhow::{Context, Result, bail};
use std::{
    fs,
    io::{BufRead, BufReader},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
};

/// A program under load.
#[derive(Debug)]
pub struct Target {
    /// Its name in the table.
    pub name: &'static str,
    /// Kept so that it stops with the run.
    pub process: Option<Running>,
    /// The process whose CPU time and memory are measured.
    pub pid: u32,
    /// Where it takes `/chat/completions`.
    pub url: String,
    /// The API key it wants.
    pub key: Option<String>,
}

/// A child process that is killed when the run ends.
#[derive(Debug)]
pub struct Running(Child);

impl Running {
    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Starts a program on one CPU.
///
/// # Errors
/// When it cannot be started.
pub fn start(cpu: u8, program: &Path, arguments: &[&str]) -> Result<Running> {
    let child = Command::new("taskset")
        .args(["-c", &cpu.to_string()])
        .arg(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("{} does not start", program.display()))?;
    Ok(Running(child))
}

/// A port nobody listens on.
///
/// # Errors
/// When there is none.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Tries to connect until somebody listens; a refused connection is the answer at once.
///
/// # Errors
/// When nobody does.
pub fn wait_for(port: u16) -> Result<()> {
    for _ in 0..100_000 {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return Ok(());
        }
        std::thread::yield_now();
    }
    bail!("nobody listens on port {port}")
}

/// The bare proxy.
///
/// # Errors
/// When it does not start.
pub fn bare(programs: &Path, mock_url: &str) -> Result<Target> {
    let port = free_port()?;
    let listen = format!("127.0.0.1:{port}");
    let process = start(
        0,
        &programs.join("bare-proxy"),
        &["--listen", &listen, "--upstream", mock_url],
    )?;
    wait_for(port)?;
    Ok(Target {
        name: "bare proxy",
        pid: process.pid(),
        process: Some(process),
        url: format!("http://{listen}/v1"),
        key: None,
    })
}

/// nginx with one worker, installed from the Debian package if it is missing.
///
/// # Errors
/// When it does not start.
pub fn nginx(scratch: &Path, mock_port: u16) -> Result<Target> {
    if Command::new("nginx")
        .arg("-v")
        .stderr(Stdio::null())
        .status()
        .is_err()
    {
        let installed = Command::new("apt-get")
            .args(["install", "-y", "-qq", "nginx-light"])
            .status()?;
        if !installed.success() {
            bail!("nginx is missing: install Debian's package nginx-light");
        }
    }
    let port = free_port()?;
    let folder = scratch.display();
    let configuration = format!(
        "daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.log;\n\
         events {{ worker_connections 4096; }}\n\
         http {{ access_log off; client_body_temp_path {folder}; proxy_temp_path {folder};\n\
           fastcgi_temp_path {folder}; uwsgi_temp_path {folder}; scgi_temp_path {folder};\n\
           upstream mock {{ server 127.0.0.1:{mock_port}; keepalive 1024; }}\n\
           server {{ listen 127.0.0.1:{port}; client_max_body_size 64m; keepalive_requests 1000000000;\n\
             location / {{ proxy_pass http://mock; proxy_http_version 1.1; proxy_set_header Connection '';\n\
               proxy_buffering off; proxy_request_buffering off; }} }} }}\n"
    );
    let file = scratch.join("nginx.conf");
    fs::write(&file, configuration)?;
    let process = start(0, Path::new("nginx"), &["-c", &file.display().to_string()])?;
    wait_for(port)?;
    Ok(Target {
        name: "nginx",
        pid: worker_of(process.pid())?,
        process: Some(process),
        url: format!("http://127.0.0.1:{port}/v1"),
        key: None,
    })
}

/// The only child of a process: nginx's worker does the work. It is forked after the socket is
/// open, so it may take a moment.
fn worker_of(parent: u32) -> Result<u32> {
    for _ in 0..1_000_000 {
        let children = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children"))?;
        if let Some(child) = children.split_whitespace().next() {
            return Ok(child.parse()?);
        }
        std::thread::yield_now();
    }
    bail!("nginx has no worker")
}

const KEY: &str = "benchmark-key-not-a-secret";

/// Tollgate with a fresh data directory.
///
/// # Errors
/// When it does not start.
pub fn tollgate(programs: &Path, scratch: &Path, mock_url: &str) -> Result<Target> {
    let data = scratch.join("data");
    if data.exists() {
        fs::remove_dir_all(&data)?;
    }
    let settings = scratch.join("tollgate.toml");
    fs::write(&settings, settings_text(mock_url))?;
    let mut child = Command::new("taskset")
        .args(["-c", "0"])
        .arg(programs.join("tollgate"))
        .args(["serve", "--listen", "127.0.0.1:0"])
        .args([
            Path::new("--config"),
            &settings,
            Path::new("--data-dir"),
            &data,
        ])
        .stdin(Stdio::null())
        .stdout(Stdio::from(fs::File::create(scratch.join("tollgate.out"))?))
        .stderr(Stdio::piped())
        .spawn()?;
    let mut lines = BufReader::new(child.stderr.take().context("no stderr")?);
    let process = Running(child);
    let url = loop {
        let mut line = String::new();
        if lines.read_line(&mut line)? == 0 {
            bail!("tollgate stopped before it listened");
        }
        if let Some((_, address)) = line.split_once("listening on ") {
            break address.trim().to_owned();
        }
    };
    // The log goes to a file as an operator's would; reading it here would cost CPU 1.
    let mut log = fs::File::create(scratch.join("tollgate.log"))?;
    std::thread::spawn(move || std::io::copy(&mut lines, &mut log));
    Ok(Target {
        name: "Tollgate",
        pid: process.pid(),
        process: Some(process),
        url: format!("{url}/proxy/openai/v1"),
        key: Some(KEY.to_owned()),
    })
}

/// Authentication, limits at four levels, pricing and recording all on.
fn settings_text(mock_url: &str) -> String {
    format!(
        r#"
[organization]
name = "Bench"
limits = {{ daily = "1000000.00", monthly = "2000000.00" }}
[[project]]
slug = "bench"
limits = {{ monthly = "1000000.00" }}
[[member]]
email = "bench@example.com"
role = "member"
limits = {{ monthly = "1000000.00" }}
[[provider]]
slug = "openai"
kind = "openai"
base_url = "{mock_url}/v1"
credential = {{ value = "upstream-credential" }}
[[api_key]]
name = "bench"
project = "bench"
member = "bench@example.com"
key = {{ value = "{KEY}" }}
limits = {{ daily = "1000000.00", total = "1000000.00", requests = {{ daily = 1000000000 }} }}
"#
    )
}
