//! Transcripts of the built binary: what is typed, what is printed where, and the exit code.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

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
      serve   Run the gateway
      config  Check, show or look up settings
      keys    List, make and end API keys
      usage   Show what was used and what it cost

    Options:
      -h, --help     Print help
      -V, --version  Print version

    Global options:
          --config <FILE>   Settings file [default: tollgate.toml, if there is one] [env: TOLLGATE_CONFIG]
          --data-dir <DIR>  Directory of everything kept [default: tollgate-data] [env: TOLLGATE_DATA_DIR]
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

#[test]
fn config_check_says_what_is_declared_or_what_is_wrong() {
    let directory = tempfile::tempdir().unwrap();
    let run = |words| transcript(directory.path(), words);
    insta::assert_snapshot!(run(&["config", "check"]), @r#"
    exit code: 0
    --- stdout
    no settings file: first-run defaults (1 project, 1 provider, 1 API key)
    "#);

    let text = "[[project]]\nslug = \"a\"\n[[provider]]\nslug = \"openai\"\nkind = \"openai\"\n";
    fs::write(directory.path().join("tollgate.toml"), text).unwrap();
    insta::assert_snapshot!(run(&["config", "check"]), @r#"
    exit code: 0
    --- stdout
    tollgate.toml is good (1 project, 1 provider)
    --- stderr
    tollgate.toml:3:1: warning: provider[0]: no credential: the provider will refuse every request
      help: add `credential = { env = "NAME" }`
    "#);
    insta::assert_snapshot!(run(&["--quiet", "config", "check"]), @r#"
    exit code: 0
    --- stdout
    tollgate.toml is good (1 project, 1 provider)
    "#);

    let text = "[server]\nlisten = \"here\"\n[[proyect]]\n";
    fs::write(directory.path().join("bad.toml"), text).unwrap();
    insta::assert_snapshot!(run(&["config", "check", "--config", "bad.toml"]), @r#"
    exit code: 1
    --- stderr
    bad.toml:2:10: error: server.listen: `here` is not an IP address and a port
      help: write an IP address and a port: `127.0.0.1:8787`, `[::1]:8787`
    bad.toml:3:3: error: proyect: unknown key
      help: did you mean `project`?
    error: the settings cannot be used: 2 errors
    "#);
    insta::assert_snapshot!(run(&["config", "check", "--json", "--config", "bad.toml"]), @r#"
    exit code: 1
    --- stdout
    {
      "file": "bad.toml",
      "problems": [
        {
          "column": 10,
          "help": "write an IP address and a port: `127.0.0.1:8787`, `[::1]:8787`",
          "key": "server.listen",
          "line": 2,
          "message": "`here` is not an IP address and a port",
          "place": "bad.toml:2:10",
          "severity": "error"
        },
        {
          "column": 3,
          "help": "did you mean `project`?",
          "key": "proyect",
          "line": 3,
          "message": "unknown key",
          "place": "bad.toml:3:3",
          "severity": "error"
        }
      ],
      "valid": false
    }
    --- stderr
    error: the settings cannot be used
    "#);
    insta::assert_snapshot!(run(&["config", "check", "--config", "none.toml"]), @r#"
    exit code: 1
    --- stderr
    none.toml: error: cannot read the settings: no such file or directory
      help: name a file that exists and may be read: `--config FILE`
    error: the settings cannot be used: 1 error
    "#);
}

#[test]
fn config_show_tells_where_each_value_came_from() {
    let directory = tempfile::tempdir().unwrap();
    let text = "[[project]]\nslug = \"a\"\n[[api_key]]\nname = \"k\"\nproject = \"a\"\n\
        key = { value = \"correct-horse-battery\" }\n[server]\nlisten = \"127.0.0.1:1\"\n";
    fs::write(directory.path().join("tollgate.toml"), text).unwrap();
    let shown = transcript(
        directory.path(),
        &["config", "show", "--data-dir", "elsewhere"],
    );
    insta::assert_snapshot!(shown, @r#"
    exit code: 0
    --- stdout
    KEY                       VALUE                 FROM
    data_dir                  "elsewhere"           --data-dir
    server.listen             "127.0.0.1:1"         tollgate.toml:8:10
    server.body_limit         "64MiB"               default
    server.head_timeout       "30s"                 default
    server.body_idle_timeout  "30s"                 default
    server.request_deadline   "1h"                  default
    server.drain_timeout      "30s"                 default
    upstream.connect_timeout  "10s"                 default
    upstream.head_timeout     "10m"                 default
    upstream.idle_timeout     "10m"                 default
    storage.url               "sqlite:tollgate.db"  default
    prices.interval           "1h"                  default
    ledger.estimate           "normal"              default
    ledger.hold_wait          "2s"                  default
    ledger.on_ledger_outage   "block"               default
    log.format                "text"                default
    log.filter                "info"                default
    project[0].slug           "a"                   tollgate.toml:2:8
    api_key[0].name           "k"                   tollgate.toml:4:8
    api_key[0].project        "a"                   tollgate.toml:5:11
    api_key[0].key            { value = "…" }       tollgate.toml:6:7
    "#);
}

#[tokio::test]
async fn a_key_is_made_listed_switched_and_ended() {
    let directory = provisioned().await;
    let run = |words| transcript(directory.path(), words);
    insta::assert_snapshot!(run(&["keys", "list"]), @r#"
    exit code: 0
    --- stderr
    no API keys: make one with `tollgate keys create NAME`
    "#);
    insta::assert_snapshot!(run(&["keys", "create", "Laptop", "--limit-daily", "5.00"]), @r#"
    exit code: 0
    --- stdout
    tgk_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
    --- stderr
    This key is shown once and never again:
    "#);
    insta::assert_snapshot!(run(&[
        "keys", "create", "CI", "--member", "Dev@Example.com", "--expires", "2099-01-01",
        "--limit-requests", "daily=100", "--allow-model", "gpt-5.2", "--json",
    ]), @r#"
    exit code: 0
    --- stdout
    {
      "id": "key_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
      "key": "tgk_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
      "name": "CI",
      "project": "default"
    }
    "#);
    insta::assert_snapshot!(run(&["keys", "create", "Laptop"]), @r#"
    exit code: 1
    --- stderr
    error: project `default` already has an API key named `Laptop`: choose another name, or revoke it
    "#);
    insta::assert_snapshot!(run(&["keys", "create", "Late", "--expires", "2020-01-01"]), @r#"
    exit code: 1
    --- stderr
    error: --expires is not in the future
    "#);
    insta::assert_snapshot!(run(&["keys", "create", "Lost", "--project", "nowhere"]), @r#"
    exit code: 1
    --- stderr
    error: no project `nowhere`
    "#);
    insta::assert_snapshot!(run(&["keys", "list"]), @r#"
    exit code: 0
    --- stdout
    NAME    PROJECT  MEMBER           KEY        STATE   EXPIRES               ID
    Laptop  default  -                tgk_xxxx…  active  -                     key_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
    CI      default  dev@example.com  tgk_xxxx…  active  2099-01-01T00:00:00Z  key_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
    "#);
    insta::assert_snapshot!(run(&["keys", "disable", "Laptop"]), @r#"
    exit code: 0
    --- stdout
    API key `Laptop` (tgk_xxxx…) is disabled
    "#);
    insta::assert_snapshot!(run(&["keys", "unblock", "Laptop"]), @r#"
    exit code: 1
    --- stderr
    error: API key `Laptop` is disabled: there is nothing to unblock unless it is blocked
    "#);
    insta::assert_snapshot!(run(&["keys", "enable", "Laptop", "--json"]), @r#"
    exit code: 0
    --- stdout
    {
      "id": "key_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
      "name": "Laptop",
      "state": "active"
    }
    "#);
    insta::assert_snapshot!(run(&["keys", "revoke", "Laptop"]), @r#"
    exit code: 0
    --- stdout
    API key `Laptop` (tgk_xxxx…) is revoked
    "#);
    insta::assert_snapshot!(run(&["keys", "revoke", "Laptop"]), @r#"
    exit code: 1
    --- stderr
    error: there is no API key `Laptop`: see `tollgate keys list --all`
    "#);
    insta::assert_snapshot!(run(&["keys", "list", "--all"]), @r#"
    exit code: 0
    --- stdout
    NAME    PROJECT  MEMBER           KEY        STATE    EXPIRES               ID
    Laptop  default  -                tgk_xxxx…  revoked  -                     key_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
    CI      default  dev@example.com  tgk_xxxx…  active   2099-01-01T00:00:00Z  key_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
    "#);
}

#[tokio::test]
async fn a_made_key_is_whole_and_its_row_does_not_hold_it() {
    let directory = provisioned().await;
    let output = Command::new(env!("CARGO_BIN_EXE_tollgate"))
        .args(["keys", "create", "Laptop"])
        .current_dir(directory.path())
        .env_clear()
        .output()
        .unwrap();
    let key = String::from_utf8(output.stdout).unwrap();
    assert!(tollgate_core::api_key::is_well_formed(key.trim_end()));
    let database = fs::read(directory.path().join("tollgate-data/tollgate.db")).unwrap();
    let holds = |needle: &[u8]| {
        database
            .windows(needle.len())
            .any(|window| window == needle)
    };
    assert!(holds(b"Laptop") && !holds(key.trim_end().as_bytes()));
}

#[tokio::test]
async fn usage_of_nothing_says_so() {
    let directory = provisioned().await;
    let run = |words| transcript(directory.path(), words);
    let time = ["usage", "--since", "2026-11-01", "--until", "2026-12-01"];
    insta::assert_snapshot!(run(&time), @r#"
    exit code: 0
    --- stderr
    no usage from 2026-11-01T00:00:00Z to 2026-12-01T00:00:00Z
    "#);
    let json = [&time[..], &["--by", "day", "--json"]].concat();
    insta::assert_snapshot!(run(&json), @r#"
    exit code: 0
    --- stdout
    {
      "by": "day",
      "lines": [],
      "since": "2026-11-01T00:00:00Z",
      "total": {
        "cost": "0.00",
        "estimated_requests": 0,
        "input_tokens": 0,
        "output_tokens": 0,
        "requests": 0
      },
      "until": "2026-12-01T00:00:00Z"
    }
    "#);
    insta::assert_snapshot!(run(&["usage", "--since", "2026-12-01", "--until", "2026-11-01"]), @r#"
    exit code: 1
    --- stderr
    error: --since must be before --until: 2026-12-01T00:00:00Z is not before 2026-11-01T00:00:00Z
    "#);
}

#[test]
fn a_command_makes_no_store_of_its_own() {
    let directory = tempfile::tempdir().unwrap();
    insta::assert_snapshot!(transcript(directory.path(), &["keys", "list"]), @r#"
    exit code: 1
    --- stderr
    error: there is no database `tollgate-data/tollgate.db`: run `tollgate serve` once, or name its directory with `--data-dir`
    "#);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}
