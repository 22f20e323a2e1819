//! Token counts as Bedrock itself reports them, under the many names it has for them.

use crate::json::Count;
use http::HeaderMap;
use serde::Deserialize;
use tollgate_core::{unit::Unit, usage::Usage};

/// The usage of Converse and of Nova. Caches have two names each: older answers use the longer
/// one, some use both.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct TokenUsage {
    input_tokens: Count,
    output_tokens: Count,
    cache_read_input_tokens: Count,
    cache_read_input_token_count: Count,
    cache_write_input_tokens: Count,
    cache_write_input_token_count: Count,
    cache_details: Option<Vec<CacheDetail>>,
}

/// What was written to a cache for one term.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct CacheDetail {
    ttl: String,
    input_tokens: Count,
}

/// `amazon-bedrock-invocationMetrics`, on the last event of a stream of InvokeModel.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct InvocationMetrics {
    #[serde(rename = "inputTokenCount")]
    input: Count,
    #[serde(rename = "outputTokenCount")]
    output: Count,
    #[serde(rename = "cacheReadInputTokenCount")]
    read: Count,
    #[serde(rename = "cacheWriteInputTokenCount")]
    written: Count,
}

/// The counts themselves. `input` holds neither `read` nor `written`.
#[derive(Clone, Copy, Default)]
pub(super) struct Tokens {
    input: Count,
    output: Count,
    read: u64,
    written: u64,
    written_short: u64,
    written_long: u64,
}

impl TokenUsage {
    pub(super) fn tokens(&self) -> Tokens {
        let of_term = |term: &str| {
            let details = self.cache_details.iter().flatten();
            let counts = details.filter(|detail| detail.ttl == term);
            counts.fold(0_u64, |sum, detail| {
                sum.saturating_add(detail.input_tokens.0.unwrap_or(0))
            })
        };
        Tokens {
            input: self.input_tokens,
            output: self.output_tokens,
            read: larger(
                self.cache_read_input_tokens,
                self.cache_read_input_token_count,
            ),
            written: larger(
                self.cache_write_input_tokens,
                self.cache_write_input_token_count,
            ),
            written_short: of_term("5m"),
            written_long: of_term("1h"),
        }
    }
}

impl InvocationMetrics {
    pub(super) fn tokens(&self) -> Tokens {
        Tokens {
            input: self.input,
            output: self.output,
            read: self.read.0.unwrap_or(0),
            written: self.written.0.unwrap_or(0),
            ..Tokens::default()
        }
    }
}

impl Tokens {
    /// Of a model without a cache.
    pub(super) fn uncached(input: Option<u64>, output: Option<u64>) -> Self {
        Self {
            input: Count(input),
            output: Count(output),
            ..Self::default()
        }
    }

    /// The counts that stand in the head of a whole answer of InvokeModel.
    pub(super) fn of_headers(headers: &HeaderMap) -> Self {
        let count = |what: &str| {
            let value = headers.get(format!("x-amzn-bedrock-{what}-token-count"))?;
            value.to_str().ok()?.trim().parse().ok()
        };
        Self {
            input: Count(count("input")),
            output: Count(count("output")),
            read: count("cache-read-input").unwrap_or(0),
            written: count("cache-write-input").unwrap_or(0),
            ..Self::default()
        }
    }

    /// In our units, whose totals include their parts; `None` when nothing was reported.
    pub(super) fn usage(self) -> Option<Usage> {
        if self.input.0.is_none() && self.output.0.is_none() {
            return None;
        }
        let by_terms = self.written_short.saturating_add(self.written_long);
        let written = self.written.max(by_terms);
        let mut usage = Usage::NONE;
        usage.add(Unit::InputTokens, self.input.0.unwrap_or(0));
        usage.add(Unit::InputTokens, self.read);
        usage.add(Unit::InputTokens, written);
        usage.set(Unit::CacheReadTokens, self.read);
        usage.set(Unit::CacheWriteTokens, written);
        usage.set(Unit::CacheWrite5mTokens, self.written_short);
        usage.set(Unit::CacheWrite1hTokens, self.written_long);
        usage.set(Unit::OutputTokens, self.output.0.unwrap_or(0));
        Some(usage)
    }
}

fn larger(one: Count, other: Count) -> u64 {
    one.0.max(other.0).unwrap_or(0)
}
