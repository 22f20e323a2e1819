//! Images: whole answers and streams.
//!
//! Answers name no model: they are priced at the requested one. Of a stream every finished picture
//! has an event with its own usage; a partial picture has none. Who writes a drawing (SVG) is
//! another model, and its tokens come beside.

use super::cost::Cost;
use crate::{
    edit::Edit,
    json::{self, Count, Text},
    tap::{Carries, Progress, StreamReader},
};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::value::RawValue;
use tollgate_core::{
    money::NanoUsd,
    unit::Unit,
    usage::{ExtraUsage, Usage, UsageReport},
};

/// The usage of a whole answer.
pub(crate) fn images_usage(body: &[u8]) -> UsageReport {
    let mut seen = Seen::default();
    if let Some(answer) = json::parse::<Answer<'_>>(body) {
        seen.note(&answer);
    }
    let complete = seen.usage.is_some();
    seen.report(complete)
}

/// A reader of a stream of pictures.
pub(crate) fn images_reader() -> Box<dyn StreamReader> {
    Box::new(ImagesReader::default())
}

/// A whole answer or an event.
#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(rename = "type", borrow)]
    kind: Option<Text<'a>>,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
    #[serde(borrow)]
    svg_usage: Option<SvgUsage<'a>>,
    error: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct SvgUsage<'a> {
    #[serde(borrow)]
    model: Option<Text<'a>>,
    #[serde(default)]
    input_tokens: Count,
    #[serde(default)]
    output_tokens: Count,
    #[serde(default)]
    reasoning_tokens: Count,
}

/// The tokens of pictures, as this format and the image tool of Responses count them.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct ImageUsage {
    input_tokens: Count,
    input_tokens_details: Option<ByModality>,
    output_tokens: Count,
    output_tokens_details: Option<ByModality>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(default)]
struct ByModality {
    #[serde(rename = "text_tokens")]
    text: Count,
    #[serde(rename = "image_tokens")]
    image: Count,
    #[serde(rename = "cached_tokens")]
    cached: Count,
}

impl ImageUsage {
    /// `None` when nothing was counted.
    pub(super) fn usage(&self) -> Option<Usage> {
        let input = self.input_tokens_details.unwrap_or_default();
        // Output that is not told apart is pictures, which are dearer than text everywhere.
        let output = self.output_tokens_details.unwrap_or(ByModality {
            image: self.output_tokens,
            ..ByModality::default()
        });
        let mut usage = Usage::NONE;
        for (unit, count) in [
            (Unit::InputTokens, self.input_tokens),
            (Unit::InputTextTokens, input.text),
            (Unit::InputImageTokens, input.image),
            (Unit::CacheReadTokens, input.cached),
            (Unit::OutputTokens, self.output_tokens),
            (Unit::OutputTextTokens, output.text),
            (Unit::OutputImageTokens, output.image),
        ] {
            usage.set(unit, count.0.unwrap_or(0));
        }
        (!usage.is_none()).then_some(usage)
    }
}

#[derive(Default)]
struct Seen {
    usage: Option<Usage>,
    extra: Vec<ExtraUsage>,
    provider_cost: Option<NanoUsd>,
}

impl Seen {
    /// Takes in an answer or an event; says whether it carries usage.
    fn note(&mut self, answer: &Answer<'_>) -> bool {
        self.extra
            .extend(answer.svg_usage.as_ref().and_then(SvgUsage::extra));
        let Some(raw) = answer.usage else {
            return false;
        };
        let counted = serde_json::from_str::<ImageUsage>(raw.get());
        let Some(counted) = counted.ok().and_then(|counted| counted.usage()) else {
            return false;
        };
        let cost = serde_json::from_str::<Cost<'_>>(raw.get());
        if let Some(cost) = cost.ok().and_then(|cost| cost.total()) {
            let sum = self.provider_cost.unwrap_or(NanoUsd::ZERO);
            self.provider_cost = sum.checked_add(cost);
        }
        self.usage.get_or_insert(Usage::NONE).add_all(&counted);
        true
    }

    fn report(&self, complete: bool) -> UsageReport {
        UsageReport {
            usage: self.usage.clone(),
            extra: self.extra.clone(),
            provider_cost: self.provider_cost,
            complete,
            ..UsageReport::default()
        }
    }
}

impl SvgUsage<'_> {
    fn extra(&self) -> Option<ExtraUsage> {
        let mut usage = Usage::NONE;
        for (unit, count) in [
            (Unit::InputTokens, self.input_tokens),
            (Unit::OutputTokens, self.output_tokens),
            (Unit::OutputReasoningTokens, self.reasoning_tokens),
        ] {
            usage.set(unit, count.0.unwrap_or(0));
        }
        let model = self.model.as_ref().map(|model| model.0.to_string());
        (!usage.is_none()).then_some(ExtraUsage { model, usage })
    }
}

#[derive(Default)]
struct ImagesReader {
    seen: Seen,
    progress: Progress,
}

impl StreamReader for ImagesReader {
    fn event(&mut self, name: &[u8], data: &[u8]) -> Carries {
        if data.starts_with(b"[DONE]") {
            self.progress.terminal = true;
            return Carries::Content;
        }
        let Some(event) = json::parse::<Answer<'_>>(data) else {
            return Carries::Content;
        };
        let kind = event.kind.as_ref().map_or("", |kind| kind.0.as_ref());
        if event.error.is_some() || kind == "error" || name == b"error" {
            self.progress.failed = true;
            self.progress.terminal = true;
            return Carries::Content;
        }
        self.progress.started = true;
        self.progress.terminal |= kind.rsplit('.').next() == Some("completed");
        if !self.seen.note(&event) {
            return Carries::Content;
        }
        if let Some(usage) = &self.seen.usage {
            self.progress.input_tokens = Some(usage.get(Unit::InputTokens));
        }
        Carries::Usage
    }

    fn progress(&self) -> Progress {
        self.progress
    }

    fn report(&self) -> UsageReport {
        let ended = self.progress.terminal && !self.progress.failed;
        self.seen.report(ended && self.seen.usage.is_some())
    }

    fn cost_edit(&self, data: &[u8], cost: &str) -> Option<Edit> {
        json::cost_edit(data, &["usage"], cost)
    }
}
