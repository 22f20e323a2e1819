//! Chat completions: whole answers and streams, of OpenAI and everybody who imitates it.
//!
//! In a stream the last usage that is not null counts, wherever it stands (a chunk of its own, the
//! last content chunk, Groq's `x_groq`); usages are never added up, for Groq sends it twice and
//! others send a running total.

use super::{
    About,
    audio::Seconds,
    content::{Choices, Indices},
    cost::Cost,
};
use crate::{
    edit::Edit,
    json::{self, Count, Text},
    tap::{Carries, Progress, StreamReader},
};
use bytes::Bytes;
use serde::{Deserialize, de::IgnoredAny};
use serde_json::value::RawValue;
use tollgate_core::{
    money::NanoUsd,
    unit::Unit,
    usage::{ExtraUsage, Usage, UsageReport},
};

/// The usage of a whole chat completion.
pub(crate) fn chat_usage(body: &[u8]) -> UsageReport {
    let mut seen = Seen::default();
    if let Some(answer) = json::parse::<Answer<'_>>(body) {
        seen.note(&answer);
    }
    let complete = seen.usage.is_some();
    seen.report(complete)
}

/// A reader of a chat stream.
pub(crate) fn chat_reader() -> Box<dyn StreamReader> {
    Box::new(ChatReader::default())
}

/// A whole answer or a chunk.
#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    model: Option<Text<'a>>,
    #[serde(borrow)]
    service_tier: Option<Text<'a>>,
    choices: Option<Choices>,
    // Raw, so that a usage of a strange shape does not hide the rest of the chunk.
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
    #[serde(borrow)]
    usage_breakdown: Option<Breakdown<'a>>,
    #[serde(borrow)]
    x_groq: Option<XGroq<'a>>,
    error: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct XGroq<'a> {
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
    #[serde(borrow)]
    usage_breakdown: Option<Breakdown<'a>>,
    /// The stream was stopped early.
    error: Option<IgnoredAny>,
}

/// Groq's compound models: what each model behind them used. It replaces the usage of the whole.
#[derive(Deserialize)]
struct Breakdown<'a> {
    #[serde(borrow, default)]
    models: Vec<ModelUsage<'a>>,
}

#[derive(Deserialize)]
struct ModelUsage<'a> {
    #[serde(borrow)]
    model: Text<'a>,
    usage: ChatUsage,
}

/// The usage object of chat completions.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
struct ChatUsage {
    prompt_tokens: Count,
    completion_tokens: Count,
    total_tokens: Count,
    prompt_tokens_details: Option<PromptDetails>,
    completion_tokens_details: Option<CompletionDetails>,
    /// DeepSeek; the same as `cached_tokens` where both are given.
    prompt_cache_hit_tokens: Count,
    /// Mistral. Its total counts the sound's tokens too, which are neither prompt nor completion.
    prompt_audio_seconds: Seconds,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
struct PromptDetails {
    #[serde(rename = "cached_tokens")]
    cached: Count,
    #[serde(rename = "cache_write_tokens")]
    cache_write: Count,
    #[serde(rename = "audio_tokens")]
    audio: Count,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
struct CompletionDetails {
    #[serde(rename = "reasoning_tokens")]
    reasoning: Count,
    #[serde(rename = "audio_tokens")]
    audio: Count,
}

impl ChatUsage {
    /// `None` when the input is not counted: then there is nothing to price by.
    fn usage(&self) -> Option<Usage> {
        let input = self.prompt_tokens.0?;
        let completion = self.completion_tokens.0.unwrap_or(0);
        // xAI and Gemini leave thinking out of `completion_tokens`; the total has it everywhere.
        let heard = self.prompt_audio_seconds.counted();
        let total = self.total_tokens.0.filter(|_| heard.is_none());
        let total = total.unwrap_or(0);
        let output = completion.max(total.saturating_sub(input));
        let prompt = self.prompt_tokens_details.unwrap_or_default();
        let details = self.completion_tokens_details.unwrap_or_default();
        let cached = prompt.cached.0.or(self.prompt_cache_hit_tokens.0);
        let reasoning = details
            .reasoning
            .0
            .unwrap_or(output.saturating_sub(completion));
        let mut usage = heard.unwrap_or_default();
        usage.set(Unit::InputTokens, input);
        usage.set(Unit::OutputTokens, output);
        usage.set(Unit::CacheReadTokens, cached.unwrap_or(0));
        usage.set(Unit::CacheWriteTokens, prompt.cache_write.0.unwrap_or(0));
        usage.set(Unit::InputAudioTokens, prompt.audio.0.unwrap_or(0));
        usage.set(Unit::OutputAudioTokens, details.audio.0.unwrap_or(0));
        usage.set(Unit::OutputReasoningTokens, reasoning);
        Some(usage)
    }
}

/// What has been seen of an answer.
#[derive(Default)]
struct Seen {
    about: About,
    usage: Option<Usage>,
    extra: Vec<ExtraUsage>,
    provider_cost: Option<NanoUsd>,
}

impl Seen {
    /// Takes in an answer or a chunk; says whether it carries usage.
    fn note(&mut self, answer: &Answer<'_>) -> bool {
        self.about
            .note(answer.model.as_ref(), answer.service_tier.as_ref());
        let groq = answer.x_groq.as_ref();
        let raw = answer.usage.or(groq.and_then(|groq| groq.usage));
        let breakdown = answer.usage_breakdown.as_ref();
        let breakdown = breakdown.or(groq.and_then(|groq| groq.usage_breakdown.as_ref()));
        if let Some(breakdown) = breakdown.filter(|breakdown| !breakdown.models.is_empty()) {
            self.extra = breakdown
                .models
                .iter()
                .filter_map(ModelUsage::extra)
                .collect();
        }
        let Some(raw) = raw else {
            return false;
        };
        let usage = serde_json::from_str::<ChatUsage>(raw.get());
        let Some(usage) = usage.ok().and_then(|usage| usage.usage()) else {
            return false;
        };
        // Ollama fills the usage of a text completion's chunks with zeros until the last.
        if usage.is_none() {
            self.usage.get_or_insert(usage);
            return false;
        }
        self.usage = Some(usage);
        self.provider_cost = serde_json::from_str::<Cost<'_>>(raw.get())
            .ok()
            .and_then(|cost| cost.total());
        true
    }

    fn report(&self, complete: bool) -> UsageReport {
        let usage = if self.extra.is_empty() {
            self.usage.clone()
        } else {
            Some(Usage::NONE)
        };
        UsageReport {
            model: self.about.model.clone(),
            usage,
            context: self.about.context(),
            extra: self.extra.clone(),
            provider_cost: self.provider_cost,
            complete,
        }
    }
}

impl ModelUsage<'_> {
    fn extra(&self) -> Option<ExtraUsage> {
        let usage = self.usage.usage()?;
        Some(ExtraUsage {
            model: Some(self.model.0.to_string()),
            usage,
        })
    }
}

#[derive(Default)]
struct ChatReader {
    seen: Seen,
    progress: Progress,
    /// The choices that the stream spoke of, and those that ended.
    choices: Indices,
    finished: Indices,
}

impl StreamReader for ChatReader {
    fn event(&mut self, _name: &[u8], data: &[u8]) -> Carries {
        // The SDKs look at the beginning only.
        if data.starts_with(b"[DONE]") {
            self.progress.terminal = true;
            return Carries::Content;
        }
        let Some(chunk) = json::parse::<Answer<'_>>(data) else {
            return Carries::Content;
        };
        let stopped = chunk
            .x_groq
            .as_ref()
            .is_some_and(|groq| groq.error.is_some());
        if chunk.error.is_some() || stopped {
            self.progress.failed = true;
            self.progress.terminal = true;
        }
        let choices = chunk.choices.unwrap_or_default();
        self.progress.content_bytes = self
            .progress
            .content_bytes
            .saturating_add(choices.content_bytes);
        self.progress.started |= choices.any_content;
        self.choices.extend(choices.seen);
        self.finished.extend(choices.finished);
        if !self.seen.note(&chunk) {
            return Carries::Content;
        }
        if let Some(usage) = &self.seen.usage {
            self.progress.input_tokens = Some(usage.get(Unit::InputTokens));
        }
        // Azure's first chunk has no choices either: it is the usage that makes the difference.
        if choices.count == 0 && chunk.usage.is_some() && chunk.error.is_none() {
            Carries::UsageOnly
        } else {
            Carries::Usage
        }
    }

    fn progress(&self) -> Progress {
        let mut progress = self.progress;
        // Some imitations leave out the `[DONE]`: a usage is an end too, once every choice seen is
        // finished (some report a running usage while others still go on).
        let finished = self.choices.some_and_all_in(self.finished);
        let counted = self
            .seen
            .usage
            .as_ref()
            .is_some_and(|usage| !usage.is_none());
        progress.terminal |= finished && counted;
        progress
    }

    fn report(&self) -> UsageReport {
        let progress = self.progress();
        let complete = self.seen.usage.is_some() && progress.terminal && !progress.failed;
        self.seen.report(complete)
    }

    fn cost_edit(&self, data: &[u8], cost: &str) -> Option<Edit> {
        if json::object_at(data, &["usage"]).is_some() {
            return json::cost_edit(data, &["usage"], cost);
        }
        groq_cost_edit(data, cost)
    }
}

/// Groq's own chunk has its usage in `x_groq`, but the cost is looked for in a `usage` of the
/// chunk's own: it gets one, a copy with the cost in it.
fn groq_cost_edit(data: &[u8], cost: &str) -> Option<Edit> {
    let place = json::object_at(data, &["x_groq", "usage"])?;
    let copied = Bytes::copy_from_slice(data.get(place)?);
    let whole = 0..copied.len();
    let member = json::cost_member(cost);
    let priced = json::insert_member(json::COST_RULE, &copied, whole, &member)?;
    let priced = crate::edit::apply(&copied, vec![priced]).concat();
    let member = format!("\"usage\":{}", std::str::from_utf8(&priced).ok()?);
    json::insert_member(json::COST_RULE, data, json::top(data)?, &member)
}
