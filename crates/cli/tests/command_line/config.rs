//! `tollgate config check|show`.

use super::transcript;
use std::fs;

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
    KEY                              VALUE                 FROM
    data_dir                         "elsewhere"           --data-dir
    server.listen                    "127.0.0.1:1"         tollgate.toml:8:10
    server.body_limit                "64MiB"               default
    server.upload_limit              "512MiB"              default
    server.head_timeout              "30s"                 default
    server.body_idle_timeout         "30s"                 default
    server.request_deadline          "1h"                  default
    server.drain_timeout             "30s"                 default
    upstream.connect_timeout         "10s"                 default
    upstream.head_timeout            "10m"                 default
    upstream.idle_timeout            "10m"                 default
    upstream.unhealthy_after         3                     default
    upstream.probe_interval          "10s"                 default
    upstream.retry_after_max         "5m"                  default
    upstream.allow_private_networks  false                 default
    storage.url                      "sqlite:tollgate.db"  default
    prices.interval                  "1h"                  default
    ledger.estimate                  "normal"              default
    ledger.hold_wait                 "2s"                  default
    log.format                       "text"                default
    log.filter                       "info"                default
    project[0].slug                  "a"                   tollgate.toml:2:8
    api_key[0].name                  "k"                   tollgate.toml:4:8
    api_key[0].project               "a"                   tollgate.toml:5:11
    api_key[0].key                   { value = "…" }       tollgate.toml:6:7
    "#);
}
