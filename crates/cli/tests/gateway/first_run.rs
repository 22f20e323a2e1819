//! The first five minutes: no settings, an empty directory, and a line to copy.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, process::Output};
use tokio::process::Command;
use tollgate_testkit::{Client, Gateway, gateway::Launch};

fn newcomer() -> Launch {
    Launch::newcomer(env!("CARGO_BIN_EXE_tollgate"))
}

fn mode(path: &Path) -> u32 {
    let metadata = fs::metadata(path).expect("it was made");
    metadata.permissions().mode() & 0o777
}

/// The command under "Try it:", as it is printed. (The two streams of the server are read side by
/// side: what is not indented like the command is from the other one.)
async fn printed_command(gateway: &Gateway) -> String {
    gateway.wait_for_line("-d '{").await;
    let log = gateway.log_lines();
    let from_here = log.iter().skip_while(|line| !line.contains("curl "));
    let indented = from_here.filter(|line| line.starts_with("    "));
    let mut command = String::new();
    for line in indented {
        command.push_str(line);
        command.push('\n');
        if !line.ends_with('\\') {
            break;
        }
    }
    command
}

/// Runs a command as somebody does who copies it into a shell.
async fn paste(command: &str) -> Output {
    let output = Command::new("sh").args(["-c", command]).output().await;
    output.expect("there is a shell")
}

/// The key in a text.
fn key_in(text: &str) -> &str {
    let start = text.find("tgk_").expect("a key is shown");
    let key = text.get(start..).expect("it is there");
    let end = key.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    key.get(..end.unwrap_or(key.len())).expect("it is there")
}

#[tokio::test]
async fn the_printed_line_works_as_it_is_printed() {
    let launch = newcomer();
    let gateway = launch.start().await;
    gateway
        .wait_for_line("starting with a simulated provider")
        .await;
    gateway
        .wait_for_line("API key \"Quick Start\" of project \"default\", shown this once")
        .await;
    let command = printed_command(&gateway).await;
    let output = paste(&command).await;
    assert!(output.status.success(), "{command}\n{output:?}");
    let answer = String::from_utf8(output.stdout).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").expect("head and body");
    let head = head.to_ascii_lowercase();
    assert!(head.starts_with("http/1.1 200 ok"), "{answer}");
    let cost = head
        .lines()
        .find_map(|line| line.strip_prefix("tollgate-cost: "));
    let cost = cost.and_then(|cost| cost.trim_end().strip_suffix("usd"));
    let cost: tollgate_core::money::NanoUsd = cost.expect("a cost").parse().expect("an amount");
    assert!(cost.as_nano() > 0, "{head}");
    assert!(head.contains("tollgate-simulated: true"), "{head}");
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(body["object"], "chat.completion");
    assert!(gateway.stop().await.success());
}

#[tokio::test]
async fn what_it_makes_is_its_owners_alone() {
    let launch = newcomer();
    let gateway = launch.start().await;
    let data_dir = launch.data_dir();
    assert_eq!(mode(&data_dir), 0o700);
    let files: Vec<_> = fs::read_dir(&data_dir)
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    assert!(
        files.contains(&data_dir.join(tollgate_store::KEY_FILE)),
        "{files:?}"
    );
    for file in files {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
    let beside = fs::read_dir(launch.directory()).unwrap().count();
    assert_eq!(beside, 1, "everything is in the data directory");
    gateway.kill().await;
}

#[tokio::test]
async fn a_second_start_shows_no_key_and_the_first_one_works_on() {
    let launch = newcomer();
    let gateway = launch.start().await;
    let command = printed_command(&gateway).await;
    assert!(gateway.stop().await.success());

    let gateway = launch.start().await;
    let client = Client::new(gateway.url()).bearer(key_in(&command));
    let body = serde_json::json!({ "model": "claude-sonnet-4-5", "max_tokens": 9,
        "messages": [{ "role": "user", "content": "again" }] });
    let answered = client.post("/proxy/anthropic/v1/messages", &body).await;
    assert_eq!(answered.status, 200);
    let (status, log) = gateway.last_words().await;
    assert!(status.success());
    let shown = |word: &str| log.iter().any(|line| line.contains(word));
    assert!(!shown("tgk_") && !shown("curl"), "{log:#?}");
    assert!(shown("listening on"), "{log:#?}");
}

#[tokio::test]
async fn a_second_server_on_the_same_data_is_refused_and_told_of_the_first() {
    let launch = newcomer();
    let gateway = launch.start().await;
    let (status, log) = launch.fails().await;
    assert_eq!(status.code(), Some(1), "{log:#?}");
    let holder = format!("process {}, listening on ", gateway.pid());
    let line = log
        .iter()
        .find(|line| line.starts_with("error: "))
        .expect("it says why");
    assert!(
        line.contains(&holder) && line.contains("--data-dir"),
        "{line}"
    );
    assert!(!log.iter().any(|line| line.contains("tgk_")), "{log:#?}");

    // The first one is not disturbed.
    let command = printed_command(&gateway).await;
    assert!(paste(&command).await.status.success());
    assert!(gateway.stop().await.success());
    // And when it has gone, the directory is free.
    launch.start().await.kill().await;
    launch.start().await.kill().await;
}

#[test]
fn the_readme_starts_this_binary() {
    let readme = include_str!("../../../../README.md");
    assert!(readme.contains("$ cargo run --release -- serve\n"));
    let manifest = include_str!("../../Cargo.toml");
    assert!(manifest.contains("default-run = \"tollgate\""));
    let workspace = include_str!("../../../../Cargo.toml");
    assert!(workspace.contains("default-members = [\"crates/cli\"]"));
}
