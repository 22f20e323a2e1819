//! The harness against shell scripts that stand in for the binary.

use super::*;
use std::{fs, os::unix::fs::PermissionsExt as _};

/// A program that runs `script`; `$3`, `$5` and `$7` are address, settings and data directory.
fn binary(directory: &TempDir, script: &str) -> PathBuf {
    let path = directory.path().join("tollgate");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

fn launch(directory: &TempDir, script: &str) -> Launch {
    Launch::new(binary(directory, script), "[server]\n").variable("PATH", "/usr/bin:/bin")
}

#[tokio::test]
async fn the_address_is_read_from_the_log_and_the_arguments_are_the_contract() {
    let directory = TempDir::new().unwrap();
    let script = "cat $5; echo $3; echo 'INFO listening on http://127.0.0.1:4711 ready' >&2";
    let gateway = launch(&directory, &format!("{script}; exec sleep 60"))
        .start()
        .await;
    assert_eq!(gateway.url(), "http://127.0.0.1:4711");
    gateway.wait_for_line("127.0.0.1:0").await;
    gateway.wait_for_line("[server]").await;
    gateway.kill().await;
}

#[tokio::test]
async fn what_was_written_before_a_crash_is_there_after_it() {
    let directory = TempDir::new().unwrap();
    let script = "mkdir -p $7; cat $7/file; echo kept >> $7/file
        echo listening on http://127.0.0.1:1; exec sleep 60";
    let launch = launch(&directory, script);
    launch.start().await.kill().await;
    let gateway = launch.start().await;
    gateway.wait_for_line("kept").await;
    let status = gateway.stop().await;
    assert!(!status.success(), "sleep dies of SIGTERM");
}

#[tokio::test]
async fn refused_settings_give_the_status_and_every_line() {
    let directory = TempDir::new().unwrap();
    let (status, lines) = launch(&directory, "echo no such key >&2; exit 2")
        .fails()
        .await;
    assert_eq!(status.code(), Some(2));
    assert_eq!(lines, ["no such key"]);
}

#[tokio::test]
#[should_panic(expected = "the gateway panicked")]
async fn a_panic_in_the_log_fails_the_test() {
    let directory = TempDir::new().unwrap();
    let script = "echo 'thread main panicked at src/x.rs:1' >&2
        echo listening on http://127.0.0.1:1; exec sleep 60";
    let gateway = launch(&directory, script).start().await;
    gateway.wait_for_line("panicked").await;
}

#[tokio::test]
async fn a_newcomer_names_neither_settings_nor_directory() {
    let directory = TempDir::new().unwrap();
    let script = "echo \"got: $*\" >&2; mkdir tollgate-data; echo listening on http://127.0.0.1:1
        exec sleep 60";
    let launch = Launch::newcomer(binary(&directory, script)).variable("PATH", "/usr/bin:/bin");
    let gateway = launch.start().await;
    gateway
        .wait_for_line("got: serve --listen 127.0.0.1:0")
        .await;
    assert!(launch.data_dir().is_dir());
    gateway.kill().await;
}

#[tokio::test]
async fn settings_can_be_replaced_and_other_commands_see_them() {
    let directory = TempDir::new().unwrap();
    let launch = launch(&directory, "echo $1 $2; cat $4");
    launch.write_settings("[log]\n");
    let output = launch.run(&["keys", "list"]).await;
    assert_eq!(output.stdout, b"keys list\n[log]\n");
}
