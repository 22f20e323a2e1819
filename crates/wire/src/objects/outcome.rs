//! How work that goes on after its answer stands: what the object tells of it.

use super::results::processing;
use crate::{
    json::{self, Count, Text},
    openai,
};
use serde::Deserialize;
use tollgate_core::{
    format::Format,
    unit::Unit,
    usage::{Usage, UsageReport},
};

/// Where the work stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It goes on, or the answer does not tell.
    Running,
    /// It has ended.
    Ended(Bill),
}

/// What ended work is billed by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bill {
    /// By this usage.
    Report(Box<UsageReport>),
    /// Nothing was done.
    Nothing,
    /// By the usages in its results: at OpenAI in this file, at Anthropic behind the object's path
    /// with `/results`.
    Results(Option<String>),
    /// By what nobody tells.
    Unknown,
}

/// What an answer to a request about the object of deferred work tells of it.
pub fn outcome(format: Format, body: &[u8]) -> Outcome {
    let told = match format {
        Format::OpenAiResponses => response(body),
        Format::OpenAiBatches => openai_batch(body),
        Format::AnthropicBatches => anthropic_batch(body),
        _ => None,
    };
    told.map_or(Outcome::Running, Outcome::Ended)
}

#[derive(Deserialize)]
struct Status<'a> {
    #[serde(borrow)]
    status: Option<Text<'a>>,
}

fn response(body: &[u8]) -> Option<Bill> {
    let Text(status) = json::parse::<Status<'_>>(body)?.status?;
    let report = || {
        let report = openai::responses_usage(body);
        report.complete.then(|| Bill::Report(Box::new(report)))
    };
    match status.as_ref() {
        "completed" | "incomplete" | "cancelled" => Some(report().unwrap_or(Bill::Unknown)),
        "failed" => Some(report().unwrap_or(Bill::Nothing)),
        _ => None,
    }
}

#[derive(Deserialize)]
struct OpenAiBatch<'a> {
    #[serde(borrow)]
    status: Option<Text<'a>>,
    #[serde(borrow)]
    model: Option<Text<'a>>,
    usage: Option<BatchUsage>,
    #[serde(borrow)]
    output_file_id: Option<Text<'a>>,
    request_counts: Option<OpenAiCounts>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct OpenAiCounts {
    completed: Count,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct BatchUsage {
    input_tokens: Count,
    output_tokens: Count,
    input_tokens_details: Option<Cached>,
    output_tokens_details: Option<Reasoning>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Cached {
    cached_tokens: Count,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Reasoning {
    reasoning_tokens: Count,
}

fn openai_batch(body: &[u8]) -> Option<Bill> {
    let batch: OpenAiBatch<'_> = json::parse(body)?;
    let Text(status) = batch.status.as_ref()?;
    match status.as_ref() {
        // Its file was refused: no request was made.
        "failed" => return Some(Bill::Nothing),
        "completed" | "expired" | "cancelled" => {}
        _ => return None,
    }
    if let Some(report) = report_of_batch(&batch) {
        return Some(Bill::Report(Box::new(report)));
    }
    if let Some(Text(file)) = batch.output_file_id {
        return Some(Bill::Results(Some(file.into_owned())));
    }
    let completed = batch.request_counts.and_then(|counts| counts.completed.0);
    Some(match completed {
        Some(0) => Bill::Nothing,
        _ => Bill::Unknown,
    })
}

/// The usage of a batch of one model. It is not there in older versions of the API, and names no
/// model where there are several.
fn report_of_batch(batch: &OpenAiBatch<'_>) -> Option<UsageReport> {
    let Text(model) = batch.model.as_ref()?;
    let reported = batch.usage.as_ref()?;
    let input = reported.input_tokens.0?;
    let mut usage = Usage::NONE;
    usage.set(Unit::InputTokens, input);
    usage.set(Unit::OutputTokens, reported.output_tokens.0.unwrap_or(0));
    let cached = reported.input_tokens_details.as_ref();
    let cached = cached.and_then(|details| details.cached_tokens.0);
    usage.set(Unit::CacheReadTokens, cached.unwrap_or(0));
    let reasoning = reported.output_tokens_details.as_ref();
    let reasoning = reasoning.and_then(|details| details.reasoning_tokens.0);
    usage.set(Unit::OutputReasoningTokens, reasoning.unwrap_or(0));
    (!usage.is_none()).then(|| UsageReport {
        model: Some(model.to_string()),
        usage: Some(usage),
        context: vec![processing()],
        complete: true,
        ..UsageReport::default()
    })
}

#[derive(Deserialize)]
struct AnthropicBatch<'a> {
    #[serde(borrow)]
    processing_status: Option<Text<'a>>,
    request_counts: Option<AnthropicCounts>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct AnthropicCounts {
    succeeded: Count,
}

fn anthropic_batch(body: &[u8]) -> Option<Bill> {
    let batch: AnthropicBatch<'_> = json::parse(body)?;
    let Text(status) = batch.processing_status?;
    if status != "ended" {
        return None;
    }
    let succeeded = batch.request_counts.and_then(|counts| counts.succeeded.0);
    Some(match succeeded {
        Some(0) => Bill::Nothing,
        _ => Bill::Results(None),
    })
}
