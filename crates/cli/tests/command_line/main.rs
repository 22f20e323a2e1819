//! Transcripts of the built binary: what is typed, what is printed where, and the exit code.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod config;
mod keys;
mod providers;
mod usage;

use std::{fs, path::Path, process::Command, sync::Arc};
use tempfile::TempDir;
use tollgate_core::{
    clock::ManualClock,
    declared::{Declared, DeclaredMember, DeclaredOrganization, DeclaredProject},
    entropy::FixedEntropy,
    member::Role,
};
use tollgate_store::{KEY_FILE, ManagedBy, MasterKey, Store};

/// Runs `tollgate` with these words in an empty environment. Ids and keys are redacted.
fn transcript(directory: &Path, words: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_tollgate"))
        .args(words)
        .current_dir(directory)
        .env_clear()
        .output()
        .unwrap();
    let mut lines = vec![format!("exit code: {}", output.status.code().unwrap())];
    for (name, stream) in [("stdout", output.stdout), ("stderr", output.stderr)] {
        let stream = String::from_utf8(stream).unwrap();
        if !stream.is_empty() {
            lines.push(format!("--- {name}"));
            lines.push(redact(stream.trim_end()));
        }
    }
    lines.join("\n")
}

/// Writes `x` over what differs from run to run, one for each character: columns stay aligned.
fn redact(text: &str) -> String {
    let is_end = |c: char| !c.is_alphanumeric() && c != '_';
    let mut redacted = String::new();
    for word in text.split_inclusive(is_end) {
        let differs = ["tgk_", "key_"]
            .iter()
            .any(|prefix| word.starts_with(prefix));
        let shown = |(index, c): (usize, char)| match c {
            c if index < 4 || is_end(c) || !differs => c,
            _ => 'x',
        };
        redacted.extend(word.chars().enumerate().map(shown));
    }
    redacted
}

/// A data directory as a server leaves it, with project `default` and a member.
async fn provisioned() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("tollgate-data");
    fs::create_dir(&data).unwrap();
    let entropy = FixedEntropy(7);
    let master_key = MasterKey::load_or_create(&data.join(KEY_FILE), &entropy).unwrap();
    let start = "2026-11-21T00:00:00Z".parse().unwrap();
    let clock = Arc::new(ManualClock::new(start));
    let database = data.join("tollgate.db");
    let store = Store::open(&database, &master_key, clock, Arc::new(entropy))
        .await
        .unwrap();
    let declared = Declared {
        organization: Some(DeclaredOrganization {
            name: "Acme".to_owned(),
            time_zone: "UTC".to_owned(),
            limits: Vec::new(),
        }),
        projects: vec![DeclaredProject {
            slug: "default".to_owned(),
            limits: Vec::new(),
        }],
        members: vec![DeclaredMember {
            email: "dev@example.com".to_owned(),
            role: Role::Member,
            limits: Vec::new(),
        }],
        ..Declared::default()
    };
    store.provision(&declared, ManagedBy::File).await.unwrap();
    store.close().await;
    directory
}

#[test]
fn help_lists_the_commands() {
    let directory = tempfile::tempdir().unwrap();
    insta::assert_snapshot!(transcript(directory.path(), &["--help"]), @r#"
    exit code: 0
    --- stdout
    A self-hosted gateway between applications and language models

    Usage: tollgate [OPTIONS] <COMMAND>

    Commands:
      serve      Run the gateway
      config     Check, show or look up settings
      keys       List, make and end API keys
      providers  List providers, or try one out
      usage      Show what was used and what it cost, answers of the simulated provider left out

    Options:
      -h, --help     Print help
      -V, --version  Print version

    Global options:
          --config <FILE>   Settings file [default: tollgate.toml] [env: TOLLGATE_CONFIG]
          --data-dir <DIR>  Where everything is kept [default: tollgate-data] [env: TOLLGATE_DATA_DIR]
      -q, --quiet           Print results and errors, nothing else
          --no-color        Print without colour [env: NO_COLOR]
    "#);
}

#[test]
fn wrong_usage_is_exit_code_2() {
    let directory = tempfile::tempdir().unwrap();
    let run = |words| transcript(directory.path(), words);
    insta::assert_snapshot!(run(&["kees"]), @r#"
    exit code: 2
    --- stderr
    error: unrecognized subcommand 'kees'

      tip: a similar subcommand exists: 'keys'

    Usage: tollgate [OPTIONS] <COMMAND>

    For more information, try '--help'.
    "#);
    insta::assert_snapshot!(run(&["keys", "create", "x", "--limit-daily", "five"]), @r#"
    exit code: 2
    --- stderr
    error: invalid value 'five' for '--limit-daily <DOLLARS>': `five` is not a decimal number of dollars, such as "20.00": write dollars as in `"20.00"`

    For more information, try '--help'.
    "#);
}
