//! The stage of every story here: a gateway in front of an upstream, a client with a key, and the
//! books to look into afterwards.
//!
//! Nothing waits "to be safe". While the gateway runs, a row is waited for ([`Stage::row`]); what
//! must *not* have been booked is looked for after a stop ([`Stage::books`]), which commits all
//! there is.

use serde_json::{Value, json};
use std::{
    iter::repeat_n, net::SocketAddr, path::Path, process::Command, sync::Arc, time::Duration,
};
use tollgate_cli::{clock::SystemClock, entropy::SystemEntropy};
use tollgate_core::{
    amount::Amount,
    id::{OrganizationId, RequestId},
    ledger::{Entry, EntryKind},
    money::NanoUsd,
};
use tollgate_store::{KEY_FILE, MasterKey, Store, UsageLine};
use tollgate_testkit::{
    Client, Gateway,
    client::{Answered, raw::RawClient},
    gateway::Launch,
};

/// The key that [`Stage::client`] presents.
pub(crate) const KEY: &str = "key-canary-of-the-caller-51f0c2";

/// What the gateway presents to every upstream.
pub(crate) const CREDENTIAL: &str = "sk-canary-of-the-operator-9d3e7a";

/// Where chat, messages, responses and generate-content requests go.
pub(crate) const CHAT: &str = "/proxy/openai/v1/chat/completions";
pub(crate) const MESSAGES: &str = "/proxy/anthropic/v1/messages";
pub(crate) const RESPONSES: &str = "/proxy/openai/v1/responses";
pub(crate) const GEMINI: &str = "/proxy/google/v1beta/models/gemini-2.5-flash:generateContent";

/// An event of a chat stream that reports ten tokens in and ten out: $0.0001575 for `gpt-5.2`.
pub(crate) const USAGE_EVENT: &str =
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":10}}\n\n";

/// How long a row is waited for; only a failing test waits that long.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running gateway and its client.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) launch: Launch,
    pub(crate) gateway: Gateway,
    pub(crate) client: Client,
}

/// What a stopped gateway has left.
#[derive(Debug)]
pub(crate) struct Books {
    /// Of the usage table, latest first.
    pub(crate) rows: Vec<UsageLine>,
    /// Of the ledger, latest first.
    pub(crate) entries: Vec<Entry>,
    /// Everything it said.
    pub(crate) log: Vec<String>,
}

/// A gateway in front of `upstream`, with [`settings`].
pub(crate) async fn stage(upstream: &str, extra: &str) -> Stage {
    start(Launch::new(
        env!("CARGO_BIN_EXE_tollgate"),
        &settings(upstream, extra),
    ))
    .await
}

/// The gateway of this launch: the first, or one more on the same data.
pub(crate) async fn start(launch: Launch) -> Stage {
    let gateway = launch.start().await;
    let client = Client::new(gateway.url()).bearer(KEY);
    Stage {
        launch,
        gateway,
        client,
    }
}

/// Runs `tollgate` with these words on the settings and the data of a launch, as an operator does
/// on the gateway's machine; gives what it printed.
pub(crate) fn command(launch: &Launch, words: &[&str]) -> String {
    let directory = launch.data_dir();
    let settings = directory.with_file_name("tollgate.toml");
    let output = Command::new(env!("CARGO_BIN_EXE_tollgate"))
        .args(words)
        .args(["--config".as_ref(), settings.as_os_str()])
        .args(["--data-dir".as_ref(), directory.as_os_str()])
        .env_clear()
        .output()
        .expect("the binary can be started");
    let told = |bytes| String::from_utf8(bytes).expect("it tells text");
    assert!(output.status.success(), "{}", told(output.stderr));
    told(output.stdout)
}

/// The text of `tollgate.toml`: one key, and at `upstream` one provider of each maker. `extra` are
/// further tables, of any kind but these.
pub(crate) fn settings(upstream: &str, extra: &str) -> String {
    let providers = [
        ("openai", "openai", "/v1"),
        ("anthropic", "anthropic", ""),
        ("google", "google-gemini", ""),
    ];
    let mut text = String::new();
    for (slug, kind, base) in providers {
        text.push_str(&provider(slug, kind, &format!("{upstream}{base}"), ""));
    }
    format!(
        "{text}
[[project]]
slug = \"stage\"

[[api_key]]
name = \"caller\"
project = \"stage\"
key = {{ value = \"{KEY}\" }}

{extra}
"
    )
}

/// A `[[provider]]` with our credential; `more` are further lines of it.
pub(crate) fn provider(slug: &str, kind: &str, base_url: &str, more: &str) -> String {
    format!(
        "
[[provider]]
slug = \"{slug}\"
kind = \"{kind}\"
base_url = \"{base_url}\"
credential = {{ value = \"{CREDENTIAL}\" }}
{more}
"
    )
}

/// A chat request for an answer of a few words.
pub(crate) fn chat(prompt: &str) -> Value {
    json!({
        "model": "gpt-5.2",
        "messages": [{ "role": "user", "content": prompt }],
        "max_completion_tokens": 100,
    })
}

/// The same as a stream.
pub(crate) fn chat_stream(prompt: &str) -> Value {
    let mut body = chat(prompt);
    body["stream"] = json!(true);
    body
}

/// The same with the usage asked for, so that the gateway asks for nothing in the client's name and
/// every byte passes as it comes.
pub(crate) fn chat_stream_with_usage() -> Value {
    let mut body = chat_stream("hi");
    body["stream_options"] = json!({ "include_usage": true });
    body
}

/// A messages request.
pub(crate) fn message(prompt: &str) -> Value {
    json!({
        "model": "claude-sonnet-4-5",
        "max_tokens": 100,
        "messages": [{ "role": "user", "content": prompt }],
    })
}

/// The same as a stream.
pub(crate) fn message_stream(prompt: &str) -> Value {
    let mut body = message(prompt);
    body["stream"] = json!(true);
    body
}

/// A generate-content request.
pub(crate) fn contents(prompt: &str) -> Value {
    json!({ "contents": [{ "role": "user", "parts": [{ "text": prompt }] }] })
}

/// The id of the request behind an answer.
pub(crate) fn request_id(answered: &Answered) -> RequestId {
    let id = answered.header("tollgate-request-id");
    id.expect("every answer names its request")
        .parse()
        .expect("it is an id")
}

impl Stage {
    /// A connection to the gateway for bytes of any kind.
    pub(crate) async fn raw(&self) -> RawClient {
        RawClient::connect(self.address()).await
    }

    /// Where the gateway listens.
    pub(crate) fn address(&self) -> SocketAddr {
        let address = self.gateway.url().trim_start_matches("http://");
        address.parse().expect("the gateway tells its address")
    }

    /// Waits until the row of this request is written, and gives it.
    pub(crate) async fn row(&self, request: RequestId) -> UsageLine {
        let store = open_store(&self.gateway.data_dir()).await;
        let find = async {
            loop {
                let row = store.usage_of_request(request).await;
                if let Some(row) = row.expect("the store can be read") {
                    return row;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let row = tokio::time::timeout(PATIENCE, find).await;
        row.expect("the request is posted")
    }

    /// Stops the gateway and opens its books.
    pub(crate) async fn books(self) -> Books {
        let data_dir = self.gateway.data_dir();
        let (status, log) = self.gateway.last_words().await;
        assert!(status.success(), "the gateway stops cleanly: {log:#?}");
        let store = open_store(&data_dir).await;
        let organization = organization(&store).await;
        let rows = store.latest_usage(organization, 10_000).await;
        let entries = store.latest_entries(organization, 10_000).await;
        Books {
            rows: rows.expect("the rows can be read"),
            entries: entries.expect("the ledger can be read"),
            log,
        }
    }
}

impl Books {
    /// No limit has counted anything; whether there is a row or not.
    pub(crate) fn assert_nothing_posted(&self) {
        let amounts = self.entries.iter().map(|entry| entry.amount);
        let costs = self.rows.iter().map(|row| row.cost);
        assert!(amounts.eq(repeat_n(Amount::ZERO, self.entries.len())));
        assert!(costs.eq(repeat_n(NanoUsd::ZERO, self.rows.len())));
    }

    /// The row of the only request, which was settled exactly once, as the row says.
    pub(crate) fn only(&self) -> &UsageLine {
        let ([row], [entry]) = (&*self.rows, &*self.entries) else {
            unreachable!("one request, settled once: {self:#?}")
        };
        assert_eq!(entry.kind, EntryKind::Settle);
        assert_eq!(entry.request, row.request);
        assert_eq!((entry.amount.cost, entry.amount.requests), (row.cost, 1));
        row
    }
}

/// The answer is a refusal of ours, whole, in the caller's dialect: `word` stands where that
/// dialect names the error. Gives its text.
pub(crate) async fn assert_refused(answered: Answered, status: u16, word: &str) -> String {
    assert_eq!(answered.status, status, "{answered:?}");
    let _id = request_id(&answered);
    assert_eq!(answered.header("content-type"), Some("application/json"));
    assert_eq!(answered.header("retry-after"), None);
    let final_ones = [400, 401, 402, 403, 404, 413];
    let advice = final_ones.contains(&status).then_some("false");
    assert_eq!(answered.header("x-should-retry"), advice);
    let body = answered.json().await;
    let error = &body["error"];
    let named = if body["type"] == "error" {
        &error["type"]
    } else if error["status"].is_string() {
        &error["status"]
    } else {
        &error["code"]
    };
    assert_eq!(named, word, "{body}");
    error["message"].as_str().expect("it has a text").to_owned()
}

/// The row has an estimate, something and no more than was held, and these flags.
pub(crate) fn assert_estimated(row: &UsageLine, words: &[&str]) {
    assert_eq!(flags(row), words);
    let (cost, held) = (row.cost.as_nano(), row.held_cost.as_nano());
    assert!(0 < cost && cost <= held, "{row:#?}");
}

/// What came of a body, and whether it ended as a whole body does.
pub(crate) async fn read(mut answered: Answered) -> (String, bool) {
    let mut body = Vec::new();
    while let Some(chunk) = answered.chunk().await {
        match chunk {
            Ok(chunk) => body.extend_from_slice(&chunk),
            Err(_broken) => return (String::from_utf8_lossy(&body).into_owned(), false),
        }
    }
    (String::from_utf8_lossy(&body).into_owned(), true)
}

/// The words of a row's flags.
pub(crate) fn flags(row: &UsageLine) -> Vec<&'static str> {
    row.flags.words().collect()
}

/// The store of a data directory, beside the server that uses it or after it.
pub(crate) async fn open_store(data_dir: &Path) -> Store {
    let entropy = SystemEntropy;
    let key = MasterKey::load_or_create(&data_dir.join(KEY_FILE), &entropy);
    let (clock, entropy) = (Arc::new(SystemClock), Arc::new(entropy));
    let database = data_dir.join("tollgate.db");
    let key = key.expect("the key file can be read");
    Store::open(&database, &key, clock, entropy)
        .await
        .expect("the store can be opened")
}

/// The only organisation there is.
pub(crate) async fn organization(store: &Store) -> OrganizationId {
    let snapshot = store.snapshot().await.expect("the settings can be read");
    let mut ids = snapshot.organizations.keys();
    *ids.next().expect("there is an organisation")
}
