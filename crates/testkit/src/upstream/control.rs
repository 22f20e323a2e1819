//! The upstream's other door, for test scripts in other languages.
//!
//! - `GET /_requests[?since=N]`: what was received (from index N on), with the answers' ends.
//! - `GET /_bill`: what would be charged, by credential.
//! - `POST /_script`: queues an answer, in the form of [`Scripted`].
//! - `POST /_demand`: demands a credential under a path, in the form of [`Demanded`].
//! - `GET /_accounts`: whom the token endpoints know; asked for, they issue tokens.

use super::{Bill, Received, Shared};
use crate::{
    answer::{Answer, Chunk, End},
    demand::Demand,
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use std::{collections::BTreeMap, time::Duration};

/// As long as Google's.
const TOKEN_LIFETIME: Duration = Duration::from_secs(3599);

/// An answer, written down.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scripted {
    /// For requests to this path only.
    path: Option<String>,
    /// How many requests get it.
    #[serde(default = "once")]
    times: usize,
    #[serde(default = "ok")]
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// The body: text as it is, anything else as JSON. With `pieces`, the first piece.
    #[serde(default)]
    body: Value,
    /// A chunked body instead.
    #[serde(default)]
    pieces: Vec<String>,
    /// Before the head.
    #[serde(default)]
    after_ms: u64,
    /// Before each piece.
    #[serde(default)]
    pace_ms: u64,
    #[serde(default)]
    then: Then,
}

/// A demand, written down.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Demanded {
    under: String,
    demand: Demand,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Then {
    #[default]
    Clean,
    Cut,
    Reset,
    Stall,
}

fn once() -> usize {
    1
}

fn ok() -> u16 {
    200
}

/// The answer to a request that comes through this door.
pub(super) fn answer(shared: &Shared, request: &Received) -> Option<Answer> {
    let (status, body) = match request.path() {
        "/_requests" => {
            let since = request.query("since").and_then(|since| since.parse().ok());
            let log = shared.log.borrow();
            let told: Vec<_> = log.iter().skip(since.unwrap_or(0)).map(told).collect();
            (200, json!(told))
        }
        "/_bill" => (200, json!(Bill::of(&shared.log.borrow()))),
        "/_script" => done(request, |scripted: Scripted| scripted.queue(shared)),
        "/_demand" => done(request, |demanded: Demanded| {
            shared.script(|script| script.demands.push((demanded.under, demanded.demand)));
        }),
        "/_accounts" => {
            let accounts = shared.issuer(TOKEN_LIFETIME).accounts();
            let entra = json!({
                "tenant_id": accounts.entra.tenant_id,
                "client_id": accounts.entra.client_id,
                "client_secret": accounts.entra.client_secret,
            });
            let told = json!({
                "service_account": accounts.service_account,
                "authorized_user": accounts.authorized_user,
                "entra": entra,
            });
            (200, told)
        }
        path if path.starts_with("/_") => (404, json!({ "error": "no such control" })),
        _ => return None,
    };
    Some(Answer::json(status, &body))
}

/// Does what the body says.
fn done<T: DeserializeOwned>(request: &Received, act: impl FnOnce(T)) -> (u16, Value) {
    match serde_json::from_slice(&request.body) {
        Ok(said) => {
            act(said);
            (200, json!({}))
        }
        Err(error) => (400, json!({ "error": error.to_string() })),
    }
}

fn told(request: &Received) -> Value {
    json!({
        "method": request.method,
        "target": request.target,
        "headers": request.headers,
        "credential": request.credential(),
        "body": String::from_utf8_lossy(&request.body),
        "verified": request.verified,
        "at_ms": request.at.as_millis(),
        "ended": request.ended,
        "ended_ms": request.ended_at.map(|at| at.as_millis()),
        "written": request.written,
        "input_tokens": request.input_tokens,
        "cached_tokens": request.cached_tokens,
        "output_tokens": request.output_tokens,
    })
}

impl Scripted {
    fn queue(self, shared: &Shared) {
        let answer = self.answer();
        let answers = std::iter::repeat_n(answer, self.times);
        shared.script(|script| match self.path {
            Some(path) => script.by_path.entry(path).or_default().extend(answers),
            None => script.queue.extend(answers),
        });
    }

    fn answer(&self) -> Answer {
        let (content_type, body) = match &self.body {
            Value::String(text) => ("text/plain", text.clone()),
            Value::Null => ("text/plain", String::new()),
            json => ("application/json", json.to_string()),
        };
        let mut answer = if self.pieces.is_empty() {
            Answer::new(self.status, content_type, body)
        } else {
            let mut answer = Answer::sse(Vec::<&str>::new());
            answer.chunks = self.pieces.iter().cloned().map(Chunk::now).collect();
            answer
        };
        if let Some(head) = &mut answer.head {
            head.status = self.status;
            let named = |name: &str| {
                self.headers
                    .keys()
                    .any(|key| key.eq_ignore_ascii_case(name))
            };
            if named("content-type") {
                head.headers.clear();
            }
        }
        for (name, value) in &self.headers {
            answer = answer.header(name, value);
        }
        answer
            .after(Duration::from_millis(self.after_ms))
            .paced(Duration::from_millis(self.pace_ms))
            .then(match self.then {
                Then::Clean => End::Clean,
                Then::Cut => End::Cut,
                Then::Reset => End::Reset,
                Then::Stall => End::Stall,
            })
    }
}
