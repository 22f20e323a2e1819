//! Files with faults and the whole text that an operator reads about each.

use super::{environment, parse};
use crate::settings::environment::Environment;
use insta::assert_snapshot;

fn complaints(text: &str) -> String {
    complaints_in(text, &Environment::default())
}

fn complaints_in(text: &str, environment: &Environment) -> String {
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
on_ledger_outage = "alow"
[log]
filter = "a=b=c"
"#
    ), @r#"
    tollgate.toml:2:10: error: server.listen: `:8787` is not an IP address and a port
      help: write `0.0.0.0:8787` for every interface
    tollgate.toml:3:14: error: server.public_url: the scheme `ftp` is not supported
      help: begin with `https://` or `http://`
    tollgate.toml:4:7: error: server.tls.key: this key is missing
      help: add `key = …`: path
    tollgate.toml:4:23: error: server.tls.certificate: cannot read `no-such.pem`: no such file or directory
      help: name a file that the user running Tollgate may read
    tollgate.toml:5:14: error: server.body_limit: `many` is not a size
      help: write a whole number and a unit: `64MiB`, `500KB`
    tollgate.toml:6:16: error: server.head_timeout: `soon` is not a duration
      help: write a number and a unit: `500ms`, `30s`, `10m` or `1h`
    tollgate.toml:7:17: error: server.drain_timeout: `25h` is out of range
      help: write a duration from 1ms to 86400s
    tollgate.toml:9:7: error: storage.url: this is not the URL of an SQLite database
      help: write `sqlite:` and a path: `sqlite:tollgate.db`
    tollgate.toml:12:7: error: prices.url: `file` and `url` exclude each other
      help: take one of them out
    tollgate.toml:15:12: error: ledger.uncapped: `estimate` contradicts `ledger.estimate = "strict"`
      help: write `hold_max` or `refuse`, or take the key out
    tollgate.toml:16:20: error: ledger.on_ledger_outage: unknown value `alow`
      help: did you mean `allow`?
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
      help: write zero or more; leave the key out for no limit
    tollgate.toml:6:10: error: organization.limits.weekly: `ten` is not a decimal number of dollars, such as "20.00"
      help: write dollars as in `"20.00"`
    tollgate.toml:7:11: error: organization.limits.monthly: `0.0000000001` has more than nine decimals: a nano-dollar is the smallest amount
      help: write dollars as in `"20.00"`
    tollgate.toml:8:9: error: organization.limits.total: `9000000000` is out of range
      help: write at most "4611686018"
    tollgate.toml:9:22: error: organization.limits.requests.daily: -1 is out of range
      help: write a whole number from 0 to 4611686018427387904
    tollgate.toml:9:26: error: organization.limits.requests.wekly: unknown key
      help: did you mean `weekly`?
    tollgate.toml:10:20: error: organization.limits.tokens.total: 9223372036854775807 is out of range
      help: write a whole number from 0 to 4611686018427387904
    "#);
}

#[test]
fn bad_providers() {
    assert_snapshot!(complaints(
        r#"[[provider]]
slug = "Open AI"
kind = "opnai"
unpriced = "ignore"
cancel_stops_billing = "yes"
[[provider]]
slug = "models"
kind = "openai-compatible"
[[provider]]
slug = "a"
kind = "openai"
base_url = "https://me:hunter2@example.com/v1"
credential = { value = "x", placement = "cookie" }
prices = { "gpt" = { input = 0.1, cache_reed = "1" } }
[[provider]]
slug = "b"
kind = "simulated"
base_url = "https://example.com?x=1"
"#
    ), @r#"
    tollgate.toml:2:8: error: provider[0].slug: `Open AI` is not a slug
      help: write 1 to 63 of a-z, 0-9, `-` and `_`, a letter or digit first
    tollgate.toml:3:8: error: provider[0].kind: unknown value `opnai`
      help: did you mean `openai`?
    tollgate.toml:4:12: error: provider[0].unpriced: unknown value `ignore`
      help: choose one of `refuse`, `allow`, `block_key`
    tollgate.toml:5:24: error: provider[0].cancel_stops_billing: expected a boolean, found a string
      help: write `true` or `false`, without quotes
    tollgate.toml:6:1: error: provider[1].base_url: this key is missing: this kind of provider has no address of its own
      help: add `base_url = "https://…"`
    tollgate.toml:7:8: error: provider[1].slug: the slug `models` is reserved
      help: choose another: this one stands for something else in paths
    tollgate.toml:12:12: error: provider[2].base_url: this URL holds credentials
      help: take them out of the URL: a provider's go under `credential`
    tollgate.toml:13:41: error: provider[2].credential.placement: unknown placement `cookie`
      help: write `bearer`, `header:NAME` or `query:NAME`
    tollgate.toml:14:20: error: provider[2].prices.gpt.output: this key is missing
      help: add `output = …`: decimal string of dollars
    tollgate.toml:14:30: error: provider[2].prices.gpt.input: money is a decimal string, not a number
      help: quote it: `"0.1"`
    tollgate.toml:14:35: error: provider[2].prices.gpt.cache_reed: unknown key
      help: did you mean `cache_read`?
    tollgate.toml:18:12: error: provider[3].base_url: the simulated provider sends nothing anywhere
      help: take the key out
    "#);
}

#[test]
fn bad_secrets_are_refused_and_never_repeated() {
    assert_snapshot!(complaints_in(
        r#"[[project]]
slug = "p"
[[api_key]]
name = "a"
project = "p"
key = "hunter2hunter2hunter2"
[[api_key]]
name = "b"
project = "p"
key = { env = "UNSET_KEY" }
[[api_key]]
name = "c"
project = "p"
key = { file = "/no/such/file" }
[[api_key]]
name = "d"
project = "p"
key = { value = 4711471147114711 }
[[api_key]]
name = "e"
project = "p"
key = { env = "A", value = "hunter2hunter2hunter2" }
[[api_key]]
name = "f"
project = "p"
key = {}
[[api_key]]
name = "g"
project = "p"
key = { value = "hunter2" }
[[api_key]]
name = "h"
project = "p"
key = { env = "BROKEN" }
[[api_key]]
name = "i"
project = "p"
key = { value = "hunter2 hunter2 hunter2" }
"#,
        &environment(&[("BROKEN", "tgk_hunter2hunter2hunter2")])
    ), @r#"
    tollgate.toml:6:7: error: api_key[0].key: expected a secret table, found a string
      help: write `{ env = "NAME" }`, `{ file = "path" }` or `{ value = "…" }`
    tollgate.toml:10:15: error: api_key[1].key.env: the environment variable `UNSET_KEY` is not set
      help: set it where Tollgate is started: `export UNSET_KEY=…`
    tollgate.toml:14:16: error: api_key[2].key.file: cannot read `/no/such/file`: no such file or directory
      help: name a file that the user running Tollgate may read
    tollgate.toml:18:17: error: api_key[3].key.value: expected a string that is not empty
      help: write the secret between quotes, or name a variable: `{ env = "NAME" }`
    tollgate.toml:22:7: error: api_key[4].key: this secret has more than one source
      help: write exactly one of `env = "NAME"`, `file = "path"`, `value = "…"`
    tollgate.toml:26:7: error: api_key[5].key: this secret has no source
      help: write exactly one of `env = "NAME"`, `file = "path"`, `value = "…"`
    tollgate.toml:30:7: error: api_key[6].key: this key has 7 characters
      help: use 16 to 512, chosen at random
    tollgate.toml:34:7: error: api_key[7].key: this key begins with `tgk_` but its check characters are wrong
      help: copy it again, or let Tollgate make one: take `key` out
    tollgate.toml:38:17: error: api_key[8].key.value: the secret holds a space or a character that is not visible ASCII
      help: such a secret cannot stand in a header: copy it again
    "#);
}

#[test]
fn duplicates_and_references_to_nothing() {
    assert_snapshot!(complaints(
        r#"[[project]]
slug = "bot"
[[project]]
slug = "bot"
[[member]]
email = "dev@example.com"
[[member]]
email = "DEV@example.com"
role = "admiral"
[[member]]
email = "nobody"
[[provider]]
slug = "sim"
kind = "simulated"
[[routing_group]]
slug = "sim"
targets = [{ provider = "sym" }, { provider = "other", weight = -1 }, "sim"]
[[routing_group]]
slug = "none"
targets = []
[[routing_group]]
slug = "v1"
[[api_key]]
name = "k"
project = "bott"
member = "dav@example.com"
routes = ["openai", "simm", 3]
models = "gpt"
expires_at = 2027-01-01
[[api_key]]
name = "two"
project = "bot"
key = { value = "correct-horse-battery" }
[[api_key]]
name = "two"
project = "bot"
key = { value = "correct-horse-battery" }
"#
    ), @r#"
    tollgate.toml:4:8: error: project[1].slug: `bot` is already declared in line 2
      help: give one of them another name
    tollgate.toml:8:9: error: member[1].email: `dev@example.com` is already declared in line 6
      help: give one of them another name
    tollgate.toml:9:8: error: member[1].role: unknown value `admiral`
      help: choose one of `owner`, `admin`, `member`, `viewer`
    tollgate.toml:11:9: error: member[2].email: `nobody` is not an e-mail address
      help: write it as in `dev@example.com`
    tollgate.toml:16:8: error: routing_group[0].slug: `sim` is already declared in line 13
      help: give one of them another name
    tollgate.toml:17:25: error: routing_group[0].targets[0].provider: there is no provider `sym`
      help: did you mean `sim`?
    tollgate.toml:17:47: error: routing_group[0].targets[1].provider: there is no provider `other`
      help: declare it in a `[[provider]]` table
    tollgate.toml:17:65: error: routing_group[0].targets[1].weight: -1 is out of range
      help: write a whole number from 0 to 4294967295
    tollgate.toml:17:71: error: routing_group[0].targets[2]: expected a table, found a string
      help: write `{ key = value, … }`
    tollgate.toml:18:1: error: routing_group[1].targets: there is no target
      help: add at least one: `{ provider = "slug" }`
    tollgate.toml:21:1: error: routing_group[2].targets: this key is missing
      help: add `targets = …`: array of tables
    tollgate.toml:22:8: error: routing_group[2].slug: the slug `v1` is reserved
      help: choose another: this one stands for something else in paths
    tollgate.toml:25:11: error: api_key[0].project: there is no project `bott`
      help: did you mean `bot`?
    tollgate.toml:26:10: error: api_key[0].member: there is no member `dav@example.com`
      help: did you mean `dev@example.com`?
    tollgate.toml:27:21: error: api_key[0].routes[1]: there is no provider `simm`
      help: did you mean `sim`?
    tollgate.toml:27:29: error: api_key[0].routes[2]: expected a string, found an integer
      help: quote it: `"3"`
    tollgate.toml:28:10: error: api_key[0].models: expected an array of strings
      help: write `["one", "two"]`
    tollgate.toml:29:14: error: api_key[0].expires_at: `2027-01-01` is not a date and time with an offset
      help: write it as in `2027-01-01T00:00:00Z`
    tollgate.toml:34:1: error: api_key[2]: project `bot` already has a key `two`
      help: give one of them another name
    tollgate.toml:34:1: error: api_key[2]: this is the same secret as that of `two`
      help: give each key a secret of its own
    "#);
}

#[test]
fn what_is_missing_is_named() {
    assert_snapshot!(complaints(
        "[[project]]\n[[provider]]\n[[routing_group]]\nslug = \"g\"\n[[api_key]]\n[server.tls]\n"
    ), @r#"
    tollgate.toml:1:1: error: project[0].slug: this key is missing
      help: add `slug = …`: slug
    tollgate.toml:2:1: error: provider[0].slug: this key is missing
      help: add `slug = …`: slug
    tollgate.toml:2:1: error: provider[0].kind: this key is missing
      help: add `kind = …`: "openai" or "anthropic" or "google-gemini" or "openai-compatible" or "anthropic-compatible" or "simulated"
    tollgate.toml:3:1: error: routing_group[0].targets: this key is missing
      help: add `targets = …`: array of tables
    tollgate.toml:5:1: error: api_key[0].name: this key is missing
      help: add `name = …`: string
    tollgate.toml:5:1: error: api_key[0].project: this key is missing
      help: add `project = …`: slug
    tollgate.toml:6:1: error: server.tls.certificate: this key is missing
      help: add `certificate = …`: path
    tollgate.toml:6:1: error: server.tls.key: this key is missing
      help: add `key = …`: path
    "#);
}

#[test]
fn what_is_probably_not_meant_is_a_warning() {
    assert_snapshot!(complaints_in(
        r#"[[provider]]
slug = "openai"
kind = "openai"
[[provider]]
slug = "lan"
kind = "openai-compatible"
base_url = "http://10.0.0.7/v1/"
credential = { env = "TOLLGATE_LAN_KEY" }
[[provider]]
slug = "local"
kind = "openai-compatible"
base_url = "http://localhost:11434/v1"
credential = { env = "TOLLGATE_LAN_KEY" }
[[provider]]
slug = "gemini"
kind = "anthropic-compatible"
base_url = "https://example.com"
"#,
        &environment(&[("TOLLGATE_LAN_KEY", "abc"), ("TOLLGATE_SERVER_LISTN", "x")])
    ), @r#"
    good
    tollgate.toml:1:1: warning: provider[0]: no credential: the provider will refuse every request
      help: add `credential = { env = "NAME" }`
    tollgate.toml:7:12: warning: provider[1].base_url: the credential goes over the network in the clear
      help: use `https://`
    tollgate.toml:14:1: warning: provider[3]: clients expect google.generate_content under `gemini`, which this kind does not speak
      help: choose another slug
    TOLLGATE_SERVER_LISTN: warning: unknown variable: it has no effect
      help: did you mean `TOLLGATE_SERVER_LISTEN`?
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
    TOLLGATE_ORGANIZATION_LIMITS_REQUESTS_DAILY: error: organization.limits.requests.daily: 1e3 is out of range
      help: write a whole number from 0 to 4611686018427387904
    TOLLGATE_SERVER_LISTEN: error: server.listen: `nowhere` is not an IP address and a port
      help: write an IP address and a port: `127.0.0.1:8787`, `[::1]:8787`
    "#);
}
