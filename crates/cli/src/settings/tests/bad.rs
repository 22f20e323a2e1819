//! Faults of the file and of the tables about the process, with the whole text that an operator
//! reads about each.

use super::{environment, parse};
use crate::settings::environment::Environment;
use insta::assert_snapshot;

pub(super) fn complaints(text: &str) -> String {
    complaints_in(text, &Environment::default())
}

pub(super) fn complaints_in(text: &str, environment: &Environment) -> String {
    match parse(text, environment) {
        Ok(settings) => {
            let file = settings.file.as_deref();
            let warnings = settings.warnings.iter();
            let warnings: Vec<String> = warnings.map(|problem| problem.display(file)).collect();
            format!("good\n{}", warnings.join("\n"))
        }
        Err(error) => error.to_string(),
    }
}

#[test]
fn all_syntax_errors_are_reported() {
    assert_snapshot!(complaints("[server]\nlisten = here\nlisten = 1\n[log\n"), @r#"
    tollgate.toml:2:10: error: string values must be quoted, expected literal string
      help: put the value between quotes: `key = "value"`
    tollgate.toml:3:1: error: duplicate key
      help: take one of the two out, or write `[[…]]` for one more of a kind
    tollgate.toml:4:5: error: unclosed table, expected `]`
      help: correct it there: https://toml.io describes the format
    "#);
}

#[test]
fn an_unknown_key_names_the_likely_one() {
    assert_snapshot!(complaints(
        "data-dir = \"x\"\n[server]\nlissten = \"x\"\ndata_dir = \"y\"\n[providr]\n[session]\n[telemetry]\n"
    ), @r#"
    tollgate.toml:1:1: error: data-dir: unknown key
      help: did you mean `data_dir`?
    tollgate.toml:3:1: error: server.lissten: unknown key
      help: did you mean `listen`?
    tollgate.toml:4:1: error: server.data_dir: unknown key
      help: move `data_dir = "y"` above the first table
    tollgate.toml:5:2: error: providr: unknown key
      help: did you mean `provider`?
    tollgate.toml:6:2: error: session: unknown key
      help: take it out: this version has no limits for agent sessions yet
    tollgate.toml:7:2: error: telemetry: unknown key
      help: take it out: this version has no export of telemetry yet
    "#);
}

#[test]
fn wrong_types_say_what_to_write() {
    assert_snapshot!(complaints(
        r#"server = 3
log = { format = 1, filter = ["info"] }
provider = { slug = "a" }
member = [ "x" ]
[organization]
name = true
limits = { daily = 5.00, weekly = 7, requests = { daily = "9", total = 1.5 } }
[[project]]
slug = 2026-01-01
"#
    ), @r#"
    tollgate.toml:1:10: error: server: expected a table, found an integer
      help: write `[server]` on a line of its own, or `server = { … }`
    tollgate.toml:2:18: error: log.format: expected a string, found an integer
      help: quote it: `"1"`
    tollgate.toml:2:30: error: log.filter: expected a string, found an array
      help: write a string
    tollgate.toml:3:12: error: provider: expected an array of tables, found a table
      help: write `[[provider]]` above each of them
    tollgate.toml:4:12: error: member[0]: expected a table, found a string
      help: write `{ key = value, … }`
    tollgate.toml:6:8: error: organization.name: expected a string, found a boolean
      help: quote it: `"true"`
    tollgate.toml:7:20: error: organization.limits.daily: money is a decimal string, not a number
      help: quote it: `"5.00"`
    tollgate.toml:7:35: error: organization.limits.weekly: money is a decimal string, not a number
      help: quote it: `"7"`
    tollgate.toml:7:59: error: organization.limits.requests.daily: expected a whole number, found a string
      help: write it without quotes and decimals: `1000`
    tollgate.toml:7:72: error: organization.limits.requests.total: expected a whole number, found a float
      help: write it without quotes and decimals: `1000`
    tollgate.toml:9:8: error: project[0].slug: expected a string, found a date
      help: quote it: `"2026-01-01"`
    "#);
}

#[test]
fn bad_values_of_the_process() {
    assert_snapshot!(complaints(
        r#"[server]
listen = ":8787"
public_url = "ftp://example.com"
tls = { certificate = "no-such.pem" }
body_limit = "many"
head_timeout = "soon"
drain_timeout = "25h"
[storage]
url = "postgres://me:hunter2@db/x"
[prices]
file = "tollgate.toml"
url = "https://example.com/data.json"
[ledger]
estimate = "strict"
uncapped = "estimate"
[log]
format = "jsn"
filter = "a=b=c"
"#
    ), @r#"
    tollgate.toml:2:10: error: server.listen: `:8787` is not an IP address and a port
      help: write `0.0.0.0:8787` for every interface
    tollgate.toml:3:14: error: server.public_url: the scheme `ftp` is not supported
      help: begin with `https://` or `http://`
    tollgate.toml:4:7: error: server.tls.key: this key is missing
      help: add `key = "…"`
    tollgate.toml:4:23: error: server.tls.certificate: cannot read `no-such.pem`: no such file or directory
      help: name a file that the user running Tollgate may read
    tollgate.toml:5:14: error: server.body_limit: `many` is not a size
      help: write a whole number and a unit: `64MiB`, `500KB`
    tollgate.toml:6:16: error: server.head_timeout: `soon` is not a duration
      help: write a number and a unit: `500ms`, `30s`, `10m` or `1h`
    tollgate.toml:7:17: error: server.drain_timeout: `25h` is out of range
      help: write a duration from 1ms to 24h
    tollgate.toml:9:7: error: storage.url: this is not the URL of an SQLite file
      help: write `sqlite:` and a path: `sqlite:tollgate.db`
    tollgate.toml:12:7: error: prices.url: `file` and `url` exclude each other
      help: take one of them out
    tollgate.toml:15:12: error: ledger.uncapped: `estimate` contradicts `ledger.estimate = "strict"`
      help: write `hold_max` or `refuse`, or take the key out
    tollgate.toml:17:10: error: log.format: unknown value `jsn`
      help: did you mean `json`?
    tollgate.toml:18:10: error: log.filter: `a=b=c` is not a log filter: error parsing level filter: expected one of "off", "error", "warn", "info", "debug", "trace", or a number 0-5
      help: write a level (`error`, `warn`, `info`, `debug`, `trace`) or directives
    "#);
}

#[test]
fn bad_limits_and_time_zones() {
    assert_snapshot!(complaints(
        r#"[organization]
name = " "
time_zone = "Europe/Berln"
[organization.limits]
daily = "-1"
weekly = "ten"
monthly = "0.0000000001"
total = "9000000000"
requests = { daily = -1, wekly = 3 }
tokens = { total = 9223372036854775807 }
"#
    ), @r#"
    tollgate.toml:2:8: error: organization.name: this is blank
      help: give it a name
    tollgate.toml:3:13: error: organization.time_zone: unknown time zone `Europe/Berln`
      help: did you mean `Europe/Berlin`?
    tollgate.toml:5:9: error: organization.limits.daily: `-1` is negative
      help: write zero or more; leave it out for no limit
    tollgate.toml:6:10: error: organization.limits.weekly: `ten` is not a decimal number of dollars, such as "20.00"
      help: write dollars as in `"20.00"`
    tollgate.toml:7:11: error: organization.limits.monthly: `0.0000000001` has more than nine decimals: a nano-dollar is the smallest amount
      help: write dollars as in `"20.00"`
    tollgate.toml:8:9: error: organization.limits.total: `9000000000` is out of range
      help: write at most "4611686018"
    tollgate.toml:9:22: error: organization.limits.requests.daily: `-1` is not a whole number in range
      help: write one from 0 to 4611686018427387904
    tollgate.toml:9:26: error: organization.limits.requests.wekly: unknown key
      help: did you mean `weekly`?
    tollgate.toml:10:20: error: organization.limits.tokens.total: `9223372036854775807` is not a whole number in range
      help: write one from 0 to 4611686018427387904
    "#);
}

#[test]
fn a_bad_variable_is_named_instead_of_a_line() {
    assert_snapshot!(complaints_in(
        "[server]\nlisten = \"127.0.0.1:1\"\n",
        &environment(&[
            ("TOLLGATE_SERVER_LISTEN", "nowhere"),
            ("TOLLGATE_ORGANIZATION_LIMITS_DAILY", "5 dollars"),
            ("TOLLGATE_ORGANIZATION_LIMITS_REQUESTS_DAILY", "1e3"),
        ])
    ), @r#"
    TOLLGATE_ORGANIZATION_LIMITS_DAILY: error: organization.limits.daily: `5 dollars` is not a decimal number of dollars, such as "20.00"
      help: write dollars as in `"20.00"`
    TOLLGATE_ORGANIZATION_LIMITS_REQUESTS_DAILY: error: organization.limits.requests.daily: `1e3` is not a whole number in range
      help: write one from 0 to 4611686018427387904
    TOLLGATE_SERVER_LISTEN: error: server.listen: `nowhere` is not an IP address and a port
      help: write an IP address and a port: `127.0.0.1:8787`, `[::1]:8787`
    "#);
}

#[test]
fn a_proxy_is_a_url_and_one_with_a_password_is_a_secret() {
    let secrets = environment(&[
        ("PROXY", "http://me:hunter2@proxy.example.com:3128"),
        ("SOCKS", "socks5://me:hunter2@proxy.example.com"),
    ]);
    let upstream = |keys: &str| {
        let text = format!("[upstream]\n{keys}");
        let complaints = complaints_in(&text, &secrets);
        assert!(!complaints.contains("hunter2"), "{complaints}");
        complaints
    };
    let good = parse("[upstream]\nproxy = { env = \"PROXY\" }\n", &secrets).unwrap();
    let proxy = good.upstream.proxy.as_ref().unwrap();
    assert!(proxy.expose().contains("hunter2"));
    assert!(!format!("{good:?}").contains("hunter2"));
    assert_eq!(
        upstream("proxy = \"http://proxy.example.com:3128\"\n"),
        "good\n"
    );
    let bad = [
        "proxy = \"http://me:hunter2@proxy.example.com:3128\"",
        "proxy = { env = \"SOCKS\" }",
        "proxy = \"proxy.example.com\"",
        "proxy = \"http://proxy.example.com/path\"",
        "no_proxy = [\"http://internal\", \"10.0.0.0/8\"]",
        "no_proxy = [\"internal.example.com\"]",
    ];
    assert_snapshot!(bad.map(upstream).join("\n"), @r#"
    tollgate.toml:2:9: error: upstream.proxy: this URL holds a user or a password
      help: name where it is instead: `proxy = { env = "NAME" }`
    tollgate.toml:2:9: error: upstream.proxy: a proxy is spoken to over `http` or `https`
      help: write it as in `http://proxy.example.com:3128`
    tollgate.toml:2:9: error: upstream.proxy: this is not a URL: relative URL without a base
      help: write it as in `http://proxy.example.com:3128`
    tollgate.toml:2:9: error: upstream.proxy: the URL of a proxy ends with its host and port
      help: write it as in `http://proxy.example.com:3128`
    tollgate.toml:1:1: warning: upstream: `no_proxy` has no effect without `proxy`
      help: take it out
    tollgate.toml:2:13: error: upstream.no_proxy[0]: `http://internal` is neither a host nor a network
      help: write a name, an address or a network: `internal.example.com`, `10.0.0.0/8`
    good
    tollgate.toml:1:1: warning: upstream: `no_proxy` has no effect without `proxy`
      help: take it out
    "#);
}
