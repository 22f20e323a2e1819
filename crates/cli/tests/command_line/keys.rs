//! `tollgate keys`: the life of a key.

use super::{provisioned, transcript};
use std::{fs, process::Command};

#[tokio::test]
async fn a_key_is_made_and_listed() {
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
}

#[tokio::test]
async fn a_key_is_switched_off_and_on_and_ended() {
    let directory = provisioned().await;
    let run = |words| transcript(directory.path(), words);
    run(&["keys", "create", "Laptop"]);
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
    NAME    PROJECT  MEMBER  KEY        STATE    EXPIRES  ID
    Laptop  default  -       tgk_xxxx…  revoked  -        key_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
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
