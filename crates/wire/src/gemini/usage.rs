//! What a Gemini answer used: `usageMetadata` in our units, the searches behind its grounding, and
//! whether it is whole.

use crate::json::{Count, Text};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet};
use tollgate_core::{
    unit::Unit,
    usage::{Usage, UsageReport},
};

/// Usage of a whole answer.
pub(crate) fn usage(body: &[u8]) -> UsageReport {
    let mut tally = Tally::default();
    if let Ok(chunk) = serde_json::from_slice::<Chunk<'_>>(body) {
        tally.take(chunk);
    }
    tally.report()
}

/// Usage of one turn of a live conversation: its `usageMetadata`, where output is a response's and
/// not the candidates'.
pub(crate) fn live_usage(metadata: &str) -> UsageReport {
    let Ok(metadata) = serde_json::from_str::<Metadata>(metadata) else {
        return UsageReport::default();
    };
    let counted = metadata.prompt_token_count.0.is_some();
    UsageReport {
        usage: counted.then(|| metadata.usage()),
        context: metadata.context(),
        complete: counted,
        ..UsageReport::default()
    }
}

/// One `GenerateContentResponse`: a whole answer, or a piece of a streamed one.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Chunk<'a> {
    #[serde(borrow)]
    pub(super) candidates: Option<Vec<Candidate<'a>>>,
    prompt_feedback: Option<PromptFeedback>,
    usage_metadata: Option<Metadata>,
    model_version: Option<String>,
    /// Stands alone: the stream has failed.
    pub(super) error: Option<IgnoredAny>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Candidate<'a> {
    index: Count,
    #[serde(borrow)]
    finish_reason: Option<Text<'a>>,
    pub(super) content: Option<Content<'a>>,
    grounding_metadata: Option<Grounding>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Content<'a> {
    #[serde(borrow)]
    pub(super) parts: Option<Vec<Part<'a>>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Part<'a> {
    #[serde(borrow)]
    text: Option<Text<'a>>,
    /// The text is a summary of thinking.
    thought: Option<bool>,
    function_call: Option<&'a RawValue>,
    executable_code: Option<&'a RawValue>,
}

impl Part<'_> {
    /// Bytes of what the model says: text, calls and code, not thinking, not media.
    pub(super) fn content_bytes(&self) -> u64 {
        if self.thought == Some(true) {
            return 0;
        }
        let text = self.text.as_ref().map_or(0, |Text(text)| text.len());
        let written = [self.function_call, self.executable_code]
            .into_iter()
            .flatten();
        let bytes = written.fold(text, |bytes, raw| bytes.saturating_add(raw.get().len()));
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Grounding {
    web_search_queries: Option<Vec<String>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PromptFeedback {
    block_reason: Option<String>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Metadata {
    prompt_token_count: Count,
    cached_content_token_count: Count,
    tool_use_prompt_token_count: Count,
    #[serde(alias = "responseTokenCount")]
    candidates_token_count: Count,
    thoughts_token_count: Count,
    prompt_tokens_details: Option<Vec<Modality>>,
    cache_tokens_details: Option<Vec<Modality>>,
    #[serde(alias = "responseTokensDetails")]
    candidates_tokens_details: Option<Vec<Modality>>,
    tool_use_prompt_tokens_details: Option<Vec<Modality>>,
    traffic_type: Option<String>,
    service_tier: Option<String>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Modality {
    modality: String,
    token_count: Count,
}

/// What has been reported so far.
#[derive(Default)]
pub(super) struct Tally {
    model: Option<String>,
    metadata: Metadata,
    /// By candidate: whether it has finished.
    finished: BTreeMap<u64, bool>,
    blocked: bool,
    /// What was searched for: each query once, since later pieces repeat those of earlier ones.
    queries: BTreeSet<String>,
}

impl Tally {
    /// Takes a piece. Counts are totals: of each, the last one holds.
    pub(super) fn take(&mut self, chunk: Chunk<'_>) {
        self.model = chunk.model_version.or(self.model.take());
        self.blocked |= chunk
            .prompt_feedback
            .is_some_and(|found| found.block_reason.is_some());
        for candidate in chunk.candidates.into_iter().flatten() {
            let reason = candidate.finish_reason.as_ref();
            let finishes = reason.is_some_and(|Text(word)| word != "FINISH_REASON_UNSPECIFIED");
            let finished = self
                .finished
                .entry(candidate.index.0.unwrap_or(0))
                .or_default();
            *finished |= finishes;
            let grounding = candidate.grounding_metadata.unwrap_or_default();
            let asked = grounding.web_search_queries.into_iter().flatten();
            self.queries.extend(asked.filter(|query| !query.is_empty()));
        }
        if let Some(metadata) = chunk.usage_metadata {
            self.metadata.merge(metadata);
        }
    }

    /// Whether the answer is whole: every candidate seen has finished, or there will be none.
    pub(super) fn is_whole(&self) -> bool {
        let all_finished = self.finished.values().all(|finished| *finished);
        self.blocked || (all_finished && !self.finished.is_empty())
    }

    /// Input tokens, cache included; `None` until the upstream has counted any.
    pub(super) fn input_tokens(&self) -> Option<u64> {
        self.metadata.prompt_token_count.0?;
        Some(self.metadata.usage().get(Unit::InputTokens))
    }

    /// Whether the final usage was seen.
    pub(super) fn is_complete(&self) -> bool {
        self.is_counted() && self.is_whole()
    }

    fn is_counted(&self) -> bool {
        self.metadata.prompt_token_count.0.is_some()
            || self.metadata.candidates_token_count.0.is_some()
    }

    /// The report so far.
    pub(super) fn report(&self) -> UsageReport {
        let mut usage = self.metadata.usage();
        usage.set(Unit::WebSearches, self.searches());
        UsageReport {
            model: self.model.clone(),
            usage: self.is_counted().then_some(usage),
            context: self.metadata.context(),
            complete: self.is_complete(),
            ..UsageReport::default()
        }
    }

    /// Searches as Google is reported to bill them (no usage field says so): up to Gemini 2.x once
    /// for a grounded answer, whatever it asked; from 3 on each different query that is not empty.
    fn searches(&self) -> u64 {
        let queries = u64::try_from(self.queries.len()).unwrap_or(u64::MAX);
        let model = self.model.as_deref().unwrap_or_default();
        if model.starts_with("gemini-1") || model.starts_with("gemini-2") {
            queries.min(1)
        } else {
            queries
        }
    }
}

impl Metadata {
    fn merge(&mut self, later: Self) {
        for (kept, later) in [
            (&mut self.prompt_token_count, later.prompt_token_count),
            (
                &mut self.cached_content_token_count,
                later.cached_content_token_count,
            ),
            (
                &mut self.tool_use_prompt_token_count,
                later.tool_use_prompt_token_count,
            ),
            (
                &mut self.candidates_token_count,
                later.candidates_token_count,
            ),
            (&mut self.thoughts_token_count, later.thoughts_token_count),
        ] {
            *kept = Count(later.0.or(kept.0));
        }
        for (kept, later) in [
            (&mut self.prompt_tokens_details, later.prompt_tokens_details),
            (&mut self.cache_tokens_details, later.cache_tokens_details),
            (
                &mut self.candidates_tokens_details,
                later.candidates_tokens_details,
            ),
            (
                &mut self.tool_use_prompt_tokens_details,
                later.tool_use_prompt_tokens_details,
            ),
        ] {
            *kept = later.or(kept.take());
        }
        self.traffic_type = later.traffic_type.or(self.traffic_type.take());
        self.service_tier = later.service_tier.or(self.service_tier.take());
    }

    /// In our units. Cached tokens are inside the prompt's count, thinking and what tools brought
    /// in are not inside any.
    fn usage(&self) -> Usage {
        let of = |count: Count| count.0.unwrap_or(0);
        let mut usage = Usage::NONE;
        usage.add(Unit::InputTokens, of(self.prompt_token_count));
        usage.add(Unit::InputTokens, of(self.tool_use_prompt_token_count));
        usage.set(Unit::InputToolTokens, of(self.tool_use_prompt_token_count));
        usage.set(Unit::CacheReadTokens, of(self.cached_content_token_count));
        usage.add(Unit::OutputTokens, of(self.candidates_token_count));
        usage.add(Unit::OutputTokens, of(self.thoughts_token_count));
        usage.set(Unit::OutputReasoningTokens, of(self.thoughts_token_count));
        for (details, units) in [
            (&self.prompt_tokens_details, INPUT),
            (&self.tool_use_prompt_tokens_details, INPUT),
            (&self.tool_use_prompt_tokens_details, INPUT_TOOL),
            (&self.cache_tokens_details, CACHE_READ),
            (&self.candidates_tokens_details, OUTPUT),
        ] {
            for part in details.iter().flatten() {
                if let Some(unit) = units.of(&part.modality) {
                    usage.add(unit, of(part.token_count));
                }
            }
        }
        usage
    }

    /// What changes the rates, in the words of the price data.
    fn context(&self) -> Vec<(&'static str, String)> {
        let traffic = self.traffic_type.as_deref();
        // Vertex says by the kind of traffic what AI Studio says by the tier.
        let tier = match traffic {
            Some("ON_DEMAND_PRIORITY") => Some("priority".to_owned()),
            Some("ON_DEMAND_FLEX") => Some("flex".to_owned()),
            _ => self
                .service_tier
                .as_ref()
                .map(|tier| tier.to_ascii_lowercase()),
        };
        let tier = tier.map(|tier| ("service_tier", tier));
        let traffic = traffic.map(|traffic| ("traffic_type", traffic.to_owned()));
        tier.into_iter().chain(traffic).collect()
    }
}

/// The units of one list of counts by modality.
#[derive(Clone, Copy)]
struct ByModality {
    text: Unit,
    audio: Unit,
    image: Unit,
    video: Unit,
}

impl ByModality {
    /// Documents are priced as the images of their pages.
    fn of(self, modality: &str) -> Option<Unit> {
        match modality {
            "TEXT" => Some(self.text),
            "AUDIO" => Some(self.audio),
            "IMAGE" | "DOCUMENT" => Some(self.image),
            "VIDEO" => Some(self.video),
            _ => None,
        }
    }
}

const INPUT: ByModality = ByModality {
    text: Unit::InputTextTokens,
    audio: Unit::InputAudioTokens,
    image: Unit::InputImageTokens,
    video: Unit::InputVideoTokens,
};
const INPUT_TOOL: ByModality = ByModality {
    text: Unit::InputTextToolTokens,
    audio: Unit::InputAudioToolTokens,
    image: Unit::InputImageToolTokens,
    video: Unit::InputVideoToolTokens,
};
const CACHE_READ: ByModality = ByModality {
    text: Unit::CacheTextReadTokens,
    audio: Unit::CacheAudioReadTokens,
    image: Unit::CacheImageReadTokens,
    video: Unit::CacheVideoReadTokens,
};
const OUTPUT: ByModality = ByModality {
    text: Unit::OutputTextTokens,
    audio: Unit::OutputAudioTokens,
    image: Unit::OutputImageTokens,
    video: Unit::OutputVideoTokens,
};
