//! What an upstream keeps of a request and of its own answer, and the bill that follows from it.

use bytes::Bytes;
use serde::Serialize;
use std::{collections::BTreeMap, time::Duration};

/// A request as it came off the socket, and what became of the answer.
#[derive(Clone, Debug)]
pub struct Received {
    /// As sent.
    pub method: String,
    /// Path and query, as sent.
    pub target: String,
    /// In the order and the case they were sent.
    pub headers: Vec<(String, String)>,
    /// De-chunked, not decompressed.
    pub body: Bytes,
    /// When its last byte was read, since the upstream's start.
    pub at: Duration,
    /// Whether its credential met the demand on its path; `None` when nothing was demanded.
    pub verified: Option<bool>,
    /// How the answer ended.
    pub ended: Ended,
    /// When it ended, since the upstream's start.
    pub ended_at: Option<Duration>,
    /// Bytes of the answer's body (framing not counted) that were handed to the socket.
    pub written: u64,
    /// What the request's input costs.
    pub input_tokens: u64,
    /// Part of it that was read from the cache.
    pub cached_tokens: u64,
    /// What was written of the output.
    pub output_tokens: u64,
}

/// How an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// It has not.
    Open,
    /// Every piece was written and the script's end was reached.
    AsScripted,
    /// The client closed the connection first.
    ClientGone,
}

impl Received {
    /// Just arrived, without a body.
    pub(crate) fn new(method: String, target: String, headers: Vec<(String, String)>) -> Self {
        Self {
            method,
            target,
            headers,
            body: Bytes::new(),
            at: Duration::ZERO,
            verified: None,
            ended: Ended::Open,
            ended_at: None,
            written: 0,
            input_tokens: 0,
            cached_tokens: 0,
            output_tokens: 0,
        }
    }

    /// The target without its query.
    pub fn path(&self) -> &str {
        self.target
            .split_once('?')
            .map_or(self.target.as_str(), |(path, _)| path)
    }

    /// The value of a query parameter, not decoded.
    pub fn query(&self, name: &str) -> Option<&str> {
        let (_, query) = self.target.split_once('?')?;
        query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .find_map(|(key, value)| (key == name).then_some(value))
    }

    /// The first header with this name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("the upstream got a JSON body")
    }

    /// The secret it came with, wherever a provider would look for it, or the name of the keys that
    /// signed it; `-` without one.
    pub fn credential(&self) -> &str {
        self.header("authorization")
            .map(|value| match value.split_once("Credential=") {
                Some((_, signed)) => signed.split('/').next().unwrap_or(signed),
                None => value.strip_prefix("Bearer ").unwrap_or(value),
            })
            .or_else(|| self.header("x-api-key"))
            .or_else(|| self.header("x-goog-api-key"))
            .or_else(|| self.header("api-key"))
            .or_else(|| self.query("key"))
            .unwrap_or("-")
    }
}

/// What a provider would charge one credential: the input of each request and the output written
/// until the connection was closed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Bill {
    /// Requests.
    pub requests: u64,
    /// Requests whose client left before the end.
    pub cancelled: u64,
    /// Tokens.
    pub input_tokens: u64,
    /// Tokens.
    pub output_tokens: u64,
}

impl Bill {
    pub(super) fn of(log: &[Received]) -> BTreeMap<String, Self> {
        let mut bills = BTreeMap::<String, Self>::new();
        for request in log {
            let bill = bills.entry(request.credential().to_owned()).or_default();
            bill.requests += 1;
            bill.cancelled += u64::from(request.ended == Ended::ClientGone);
            bill.input_tokens += request.input_tokens;
            bill.output_tokens += request.output_tokens;
        }
        bills
    }
}
