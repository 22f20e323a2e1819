//! What a whole answer of InvokeModel used, in the words of its maker; where the body says nothing
//! (Cohere's), its head may.

use super::super::counts::{TokenUsage, Tokens};
use crate::{
    anthropic,
    json::{self, Count},
    openai,
};
use http::HeaderMap;
use serde::Deserialize;
use serde_json::value::RawValue;
use tollgate_core::usage::UsageReport;

/// Usage of a whole answer, by its body.
pub(crate) fn usage(body: &[u8]) -> UsageReport {
    let Some(answer) = json::parse::<Answer<'_>>(body) else {
        return UsageReport::default();
    };
    if let Some(raw) = answer.usage {
        let common: Option<TokenUsage> = serde_json::from_str(raw.get()).ok();
        let report = report_of(common.unwrap_or_default().tokens());
        if report.complete {
            return report;
        }
        let anthropic = anthropic::usage(body);
        if anthropic.usage.is_some() {
            return anthropic;
        }
        return openai::chat_usage(body);
    }
    report_of(Tokens::uncached(
        answer
            .prompt_token_count
            .0
            .or(answer.input_text_token_count.0),
        answer.generation_token_count.0.or(answer.titan_output()),
    ))
}

/// Usage of a whole answer, by its head. Answers of some makers have no counts there.
pub(crate) fn usage_of_head(headers: &HeaderMap) -> UsageReport {
    report_of(Tokens::of_headers(headers))
}

fn report_of(tokens: Tokens) -> UsageReport {
    let usage = tokens.usage();
    UsageReport {
        complete: usage.is_some(),
        usage,
        ..UsageReport::default()
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Answer<'a> {
    /// Anthropic's, Nova's, and of all who answer like OpenAI's chat.
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
    /// Llama's.
    prompt_token_count: Count,
    generation_token_count: Count,
    /// Titan's, embeddings included.
    #[serde(rename = "inputTextTokenCount")]
    input_text_token_count: Count,
    #[serde(borrow)]
    results: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TitanResult {
    token_count: Count,
}

impl Answer<'_> {
    fn titan_output(&self) -> Option<u64> {
        let results: Vec<TitanResult> = serde_json::from_str(self.results?.get()).ok()?;
        let counts = results.iter().filter_map(|result| result.token_count.0);
        counts.reduce(u64::saturating_add)
    }
}
