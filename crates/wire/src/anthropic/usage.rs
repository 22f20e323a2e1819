//! What a Messages answer used: the usage object, how the one at the end of a stream is merged into
//! the one at its start, and what becomes of its iterations.

use crate::{json::Count, openai::Cost};
use serde::Deserialize;
use serde_json::value::RawValue;
use tollgate_core::{
    money::NanoUsd,
    unit::Unit,
    usage::{ExtraUsage, Usage, UsageReport},
};

/// Usage of a whole answer.
pub(crate) fn usage(body: &[u8]) -> UsageReport {
    let Ok(message) = serde_json::from_slice::<Message<'_>>(body) else {
        return UsageReport::default();
    };
    let mut tally = Tally::default();
    tally.start(message);
    tally.report(true)
}

/// The parts of a message, whole or just begun, that matter here.
#[derive(Deserialize)]
pub(super) struct Message<'a> {
    #[serde(default)]
    model: Option<String>,
    #[serde(default, borrow)]
    usage: Option<&'a RawValue>,
}

/// A usage object as it stands on the wire; every field may be absent or null.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Reported {
    #[serde(flatten)]
    counts: Counts,
    server_tool_use: Option<ServerToolUse>,
    service_tier: Option<String>,
    speed: Option<String>,
    inference_geo: Option<String>,
    iterations: Option<Vec<Iteration>>,
}

/// The counts that a usage object and an iteration have in common.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(default)]
struct Counts {
    input_tokens: Count,
    output_tokens: Count,
    cache_creation_input_tokens: Count,
    cache_read_input_tokens: Count,
    cache_creation: Option<CacheCreation>,
    output_tokens_details: Option<OutputDetails>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(default)]
struct CacheCreation {
    ephemeral_5m_input_tokens: Count,
    ephemeral_1h_input_tokens: Count,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(default)]
struct OutputDetails {
    thinking_tokens: Count,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(default)]
struct ServerToolUse {
    web_search_requests: Count,
}

/// One run of a model inside the request.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Iteration {
    r#type: String,
    model: Option<String>,
    #[serde(flatten)]
    counts: Counts,
}

/// What has been reported so far.
#[derive(Default)]
pub(super) struct Tally {
    model: Option<String>,
    counts: Counts,
    searches: Count,
    service_tier: Option<String>,
    speed: Option<String>,
    inference_geo: Option<String>,
    iterations: Vec<Iteration>,
    /// OpenRouter's bill.
    cost: Option<NanoUsd>,
}

impl Tally {
    /// Takes a message, or the beginning of one.
    pub(super) fn start(&mut self, message: Message<'_>) {
        self.model = message.model.filter(|model| !model.is_empty());
        if let Some(usage) = message.usage {
            self.merge(usage);
        }
    }

    /// Takes a later usage object of the same stream. Its counts are totals, so they replace the
    /// earlier ones; but some servers fill in the truth only at the start and others only at the
    /// end, with zeros in the other place, so a zero never replaces anything. False when this is no
    /// usage object.
    pub(super) fn merge(&mut self, raw: &RawValue) -> bool {
        let Ok(usage) = serde_json::from_str::<Reported>(raw.get()) else {
            return false;
        };
        self.counts.merge(usage.counts);
        if let Some(tools) = usage.server_tool_use {
            newer(&mut self.searches, tools.web_search_requests);
        }
        self.service_tier = usage.service_tier.or(self.service_tier.take());
        self.speed = usage.speed.or(self.speed.take());
        self.inference_geo = usage.inference_geo.or(self.inference_geo.take());
        self.iterations = usage
            .iterations
            .unwrap_or(std::mem::take(&mut self.iterations));
        let cost = serde_json::from_str::<Cost<'_>>(raw.get()).ok();
        self.cost = cost.and_then(|cost| cost.total()).or(self.cost);
        true
    }

    /// Input tokens, cache included; `None` until the upstream has counted any.
    pub(super) fn input_tokens(&self) -> Option<u64> {
        Some(self.counts.usage().get(Unit::InputTokens)).filter(|tokens| *tokens > 0)
    }

    /// The report; `whole` says that nothing more will come.
    pub(super) fn report(&self, whole: bool) -> UsageReport {
        let mut report = UsageReport {
            model: self.model.clone(),
            context: self.context(),
            provider_cost: self.cost,
            ..UsageReport::default()
        };
        if self.counts.input_tokens.0.is_none() && self.counts.output_tokens.0.is_none() {
            return report;
        }
        report.complete = whole;
        let (main, extra) = self.split_iterations();
        let mut usage = main.usage();
        usage.set(Unit::WebSearches, self.searches.0.unwrap_or(0));
        report.usage = Some(usage);
        report.extra = extra
            .map(|run| ExtraUsage {
                model: run.model.clone(),
                usage: run.counts.usage(),
            })
            .collect();
        report
    }

    /// The counts to price at the answering model, and the runs to price beside them.
    ///
    /// The counts at the top hold the `message` runs only: compaction and advisors come on top.
    /// Where a fallback model took over, the top shows its last run, and each run is priced at its
    /// own model instead. A run of a kind not known here is priced when it names another model:
    /// what runs at another model cannot be in counts that are priced at this one.
    fn split_iterations(&self) -> (&Counts, impl Iterator<Item = &Iteration>) {
        let own = |run: &Iteration| run.model.is_none() || run.model == self.model;
        let fell_back = self
            .iterations
            .iter()
            .any(|run| run.r#type == "fallback_message");
        let main = if fell_back {
            self.iterations.iter().rposition(own)
        } else {
            None
        };
        let counts = main
            .and_then(|index| self.iterations.get(index))
            .map_or(&self.counts, |run| &run.counts);
        let extra = self
            .iterations
            .iter()
            .enumerate()
            .filter_map(move |(index, run)| {
                let beside = if fell_back {
                    main != Some(index)
                } else {
                    match run.r#type.as_str() {
                        "message" => false,
                        "compaction" | "advisor_message" => true,
                        _ => !own(run),
                    }
                };
                beside.then_some(run)
            });
        (counts, extra)
    }

    fn context(&self) -> Vec<(&'static str, String)> {
        let batch = self.service_tier.as_deref() == Some("batch");
        [
            ("service_tier", self.service_tier.clone()),
            // How the price data calls it.
            ("processing", batch.then(|| "batch".to_owned())),
            ("speed", self.speed.clone()),
            ("inference_geo", self.inference_geo.clone()),
        ]
        .into_iter()
        .filter_map(|(what, word)| Some((what, word?)))
        .collect()
    }
}

impl Counts {
    fn merge(&mut self, later: Self) {
        newer(&mut self.input_tokens, later.input_tokens);
        newer(&mut self.output_tokens, later.output_tokens);
        newer(
            &mut self.cache_creation_input_tokens,
            later.cache_creation_input_tokens,
        );
        newer(
            &mut self.cache_read_input_tokens,
            later.cache_read_input_tokens,
        );
        if let Some(later) = later.cache_creation {
            let kept = self.cache_creation.get_or_insert_default();
            newer(
                &mut kept.ephemeral_5m_input_tokens,
                later.ephemeral_5m_input_tokens,
            );
            newer(
                &mut kept.ephemeral_1h_input_tokens,
                later.ephemeral_1h_input_tokens,
            );
        }
        if let Some(later) = later.output_tokens_details {
            let kept = self.output_tokens_details.get_or_insert_default();
            newer(&mut kept.thinking_tokens, later.thinking_tokens);
        }
    }

    /// In our units, whose totals include their parts. A part larger than its total (which the end
    /// of a stream may raise without repeating the parts, but no server should lower) lifts it.
    fn usage(&self) -> Usage {
        let of = |count: Count| count.0.unwrap_or(0);
        let split = self.cache_creation.unwrap_or_default();
        let short = of(split.ephemeral_5m_input_tokens);
        let long = of(split.ephemeral_1h_input_tokens);
        let written = of(self.cache_creation_input_tokens).max(short.saturating_add(long));
        let read = of(self.cache_read_input_tokens);
        let thinking = of(self
            .output_tokens_details
            .unwrap_or_default()
            .thinking_tokens);
        let mut usage = Usage::NONE;
        usage.add(Unit::InputTokens, of(self.input_tokens));
        usage.add(Unit::InputTokens, written);
        usage.add(Unit::InputTokens, read);
        usage.set(Unit::CacheReadTokens, read);
        usage.set(Unit::CacheWriteTokens, written);
        usage.set(Unit::CacheWrite5mTokens, short);
        usage.set(Unit::CacheWrite1hTokens, long);
        usage.set(Unit::OutputTokens, of(self.output_tokens).max(thinking));
        usage.set(Unit::OutputReasoningTokens, thinking);
        usage
    }
}

/// Replaces a count by a later one that says something.
fn newer(kept: &mut Count, later: Count) {
    if kept.0.is_none() || later.0.is_some_and(|count| count > 0) {
        *kept = later;
    }
}
