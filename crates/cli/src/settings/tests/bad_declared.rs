//! Faults of what a file declares, with the whole text that an operator reads about each.

use super::{
    bad::{complaints, complaints_in},
    environment,
};
use insta::assert_snapshot;

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
      help: write `bearer`, `header:NAME`, `query:NAME`, or one of `aws-keys`, `aws-chain`, `google-service-account`, `google-default`, `entra`
    tollgate.toml:14:20: error: provider[2].prices.gpt.output: this key is missing
      help: add `output = "…"`
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
fn names_are_declared_once() {
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
targets = [{ provider = "sim" }]
[[routing_group]]
slug = "v1"
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
    tollgate.toml:18:1: error: routing_group[1].targets: this key is missing
      help: add `targets = [{ … }]`
    tollgate.toml:19:8: error: routing_group[1].slug: the slug `v1` is reserved
      help: choose another: this one stands for something else in paths
    tollgate.toml:24:1: error: api_key[1]: project `bot` already has a key `two`
      help: give one of them another name
    tollgate.toml:24:1: error: api_key[1]: this is the same secret as that of `two`
      help: give each key a secret of its own
    "#);
}

#[test]
fn references_to_nothing_are_reported() {
    assert_snapshot!(complaints(
        r#"[[project]]
slug = "bot"
[[member]]
email = "dev@example.com"
[[provider]]
slug = "sim"
kind = "simulated"
[[routing_group]]
slug = "group"
targets = [{ provider = "sym" }, { provider = "other", weight = -1 }, "sim"]
[[routing_group]]
slug = "none"
targets = []
[[api_key]]
name = "k"
project = "bott"
member = "dav@example.com"
routes = ["openai", "simm", "nothing", 3]
models = "gpt"
expires_at = 2027-01-01
"#
    ), @r#"
    tollgate.toml:10:25: error: routing_group[0].targets[0].provider: there is no provider `sym`
      help: did you mean `sim`?
    tollgate.toml:10:47: error: routing_group[0].targets[1].provider: there is no provider `other`
      help: declare it in a `[[provider]]` table
    tollgate.toml:10:65: error: routing_group[0].targets[1].weight: `-1` is not a whole number in range
      help: write one from 0 to 4294967295
    tollgate.toml:10:71: error: routing_group[0].targets[2]: expected a table, found a string
      help: write `{ key = value, … }`
    tollgate.toml:11:1: error: routing_group[1].targets: there is no target
      help: add at least one: `{ provider = "slug" }`
    tollgate.toml:16:11: error: api_key[0].project: there is no project `bott`
      help: did you mean `bot`?
    tollgate.toml:17:10: error: api_key[0].member: there is no member `dav@example.com`
      help: did you mean `dev@example.com`?
    tollgate.toml:18:21: error: api_key[0].routes[1]: there is no route `simm`
      help: did you mean `sim`?
    tollgate.toml:18:29: error: api_key[0].routes[2]: there is no route `nothing`
      help: declare it in a `[[provider]]` or `[[routing_group]]` table
    tollgate.toml:18:40: error: api_key[0].routes[3]: expected a string, found an integer
      help: quote it: `"3"`
    tollgate.toml:19:10: error: api_key[0].models: expected an array of strings
      help: write `["one", "two"]`
    tollgate.toml:20:14: error: api_key[0].expires_at: `2027-01-01` is not a date and time with an offset
      help: write it as in `2027-01-01T00:00:00Z`
    "#);
}

#[test]
fn targets_that_cannot_stand_together_are_reported() {
    assert_snapshot!(complaints(
        r#"[[provider]]
slug = "sim"
kind = "simulated"
[[provider]]
slug = "other"
kind = "simulated"
[[provider]]
slug = "local"
kind = "ollama"
[[routing_group]]
slug = "twice"
targets = [{ provider = "local" }, { provider = "local", priority = 1 }, { provider = "local" }]
[[routing_group]]
slug = "made-up"
targets = [{ provider = "sim" }, { provider = "other" }]
[[routing_group]]
slug = "mixed"
targets = [{ provider = "local" }, { provider = "sim", priority = 9, weight = 0 }]
time_budget = "0s"
"#
    ), @"
    tollgate.toml:12:87: error: routing_group[0].targets[2].provider: `local` already stands in priority 0
      help: take one of the two out, or give it another priority
    tollgate.toml:18:49: error: routing_group[2].targets[1].provider: `sim` cannot stand beside `local`: one of them makes its answers up
      help: give the simulated provider a group of its own: nothing falls back to it
    tollgate.toml:19:15: error: routing_group[2].time_budget: `0s` is out of range
      help: write a duration from 1ms to 24h
    ");
}

#[test]
fn what_is_missing_is_named() {
    assert_snapshot!(complaints(
        "[[project]]\n[[provider]]\n[[routing_group]]\nslug = \"g\"\n[[api_key]]\n[server.tls]\n"
    ), @r#"
    tollgate.toml:1:1: error: project[0].slug: this key is missing
      help: add `slug = "…"`
    tollgate.toml:2:1: error: provider[0].slug: this key is missing
      help: add `slug = "…"`
    tollgate.toml:2:1: error: provider[0].kind: this key is missing
      help: add `kind = "…"`, one of `"openai"`, `"anthropic"`, `"google-gemini"`, `"google-vertex"`, `"azure"`, `"bedrock"`, `"bedrock-mantle"`, `"groq"`, `"mistral"`, `"huggingface"`, `"ollama"`, `"doubleword"`, `"openrouter"`, `"deepseek"`, `"xai"`, `"together"`, `"fireworks"`, `"cerebras"`, `"ovhcloud"`, `"openai-compatible"`, `"anthropic-compatible"`, `"simulated"`
    tollgate.toml:3:1: error: routing_group[0].targets: this key is missing
      help: add `targets = [{ … }]`
    tollgate.toml:5:1: error: api_key[0].name: this key is missing
      help: add `name = "…"`
    tollgate.toml:5:1: error: api_key[0].project: this key is missing
      help: add `project = "…"`
    tollgate.toml:6:1: error: server.tls.certificate: this key is missing
      help: add `certificate = "…"`
    tollgate.toml:6:1: error: server.tls.key: this key is missing
      help: add `key = "…"`
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
