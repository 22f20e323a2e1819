//! Responses: whole answers and streams.
//!
//! Usage comes with the final event, which repeats the whole answer. Built-in tools are billed
//! beside it: searches per call, generated images at the image model.

use super::{About, content::TextBytes, cost::Cost};
use crate::{
    edit::Edit,
    json::{self, Count, Text},
    objects::{Made, of_response},
    tap::{Carries, Progress, StreamReader},
};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::value::RawValue;
use tollgate_core::{
    money::NanoUsd,
    unit::Unit,
    usage::{ExtraUsage, Usage, UsageReport},
};

mod tools;

/// The usage of a whole answer. A background answer that is still at work has none.
pub(crate) fn responses_usage(body: &[u8]) -> UsageReport {
    let mut seen = Seen::default();
    if let Some(response) = json::parse::<Response<'_>>(body) {
        let at_work = matches!(
            response.status.as_ref().map(|status| status.0.as_ref()),
            Some("queued" | "in_progress")
        );
        seen.note(&response);
        seen.complete = seen.usage.is_some() && !at_work;
    }
    seen.report()
}

/// A reader of a stream of responses events.
pub(crate) fn responses_reader() -> Box<dyn StreamReader> {
    Box::new(ResponsesReader::default())
}

#[derive(Deserialize)]
struct Response<'a> {
    #[serde(borrow)]
    model: Option<Text<'a>>,
    #[serde(borrow)]
    service_tier: Option<Text<'a>>,
    #[serde(borrow)]
    status: Option<Text<'a>>,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
    #[serde(borrow)]
    tool_usage: Option<&'a RawValue>,
    #[serde(borrow)]
    output: Option<&'a RawValue>,
    #[serde(borrow)]
    tools: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ResponsesUsage {
    input_tokens: Count,
    output_tokens: Count,
    total_tokens: Count,
    input_tokens_details: Option<InputDetails>,
    output_tokens_details: Option<OutputDetails>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(default)]
struct InputDetails {
    cached_tokens: Count,
    cache_write_tokens: Count,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(default)]
struct OutputDetails {
    reasoning_tokens: Count,
}

impl ResponsesUsage {
    fn usage(&self) -> Option<Usage> {
        let input = self.input_tokens.0?;
        let stated = self.output_tokens.0.unwrap_or(0);
        let output = stated.max(self.total_tokens.0.unwrap_or(0).saturating_sub(input));
        let details = self.input_tokens_details.unwrap_or_default();
        let reasoning = self
            .output_tokens_details
            .unwrap_or_default()
            .reasoning_tokens
            .0;
        let mut usage = Usage::NONE;
        usage.set(Unit::InputTokens, input);
        usage.set(Unit::OutputTokens, output);
        usage.set(Unit::CacheReadTokens, details.cached_tokens.0.unwrap_or(0));
        // By how long they are kept (30 minutes, 12 hours) the price data does not tell apart.
        usage.set(
            Unit::CacheWriteTokens,
            details.cache_write_tokens.0.unwrap_or(0),
        );
        usage.set(
            Unit::OutputReasoningTokens,
            reasoning.unwrap_or(output.saturating_sub(stated)),
        );
        Some(usage)
    }
}

#[derive(Default)]
struct Seen {
    about: About,
    usage: Option<Usage>,
    extra: Vec<ExtraUsage>,
    provider_cost: Option<NanoUsd>,
    complete: bool,
}

impl Seen {
    fn note(&mut self, response: &Response<'_>) {
        self.about
            .note(response.model.as_ref(), response.service_tier.as_ref());
        let Some(raw) = response.usage else {
            return;
        };
        let usage = serde_json::from_str::<ResponsesUsage>(raw.get());
        let Some(mut usage) = usage.ok().and_then(|usage| usage.usage()) else {
            return;
        };
        let tools = tools::ToolUse::read(response.tool_usage, response.output, response.tools);
        usage.set(Unit::WebSearches, tools.web_searches);
        usage.set(Unit::StorageSearches, tools.file_searches);
        self.usage = Some(usage);
        self.extra = tools.images.into_iter().collect();
        self.provider_cost = serde_json::from_str::<Cost<'_>>(raw.get())
            .ok()
            .and_then(|cost| cost.total());
    }

    fn report(&self) -> UsageReport {
        UsageReport {
            model: self.about.model.clone(),
            usage: self.usage.clone(),
            context: self.about.context(),
            extra: self.extra.clone(),
            provider_cost: self.provider_cost,
            complete: self.complete,
        }
    }
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(rename = "type", borrow)]
    kind: Option<Text<'a>>,
    #[serde(default)]
    delta: TextBytes,
    #[serde(borrow)]
    response: Option<&'a RawValue>,
    error: Option<IgnoredAny>,
}

#[derive(Default)]
struct ResponsesReader {
    seen: Seen,
    progress: Progress,
    made: Vec<Made>,
}

impl StreamReader for ResponsesReader {
    fn event(&mut self, _name: &[u8], data: &[u8]) -> Carries {
        let Some(event) = json::parse::<Event<'_>>(data) else {
            return Carries::Content;
        };
        let kind = event.kind.as_ref().map_or("", |kind| kind.0.as_ref());
        match kind {
            "response.output_text.delta"
            | "response.refusal.delta"
            | "response.function_call_arguments.delta"
            | "response.custom_tool_call_input.delta"
            | "response.mcp_call_arguments.delta"
            | "response.code_interpreter_call_code.delta"
            | "response.audio.transcript.delta"
            // Thinking word for word; `reasoning_summary_text` only retells it.
            | "response.reasoning_text.delta" => {
                self.progress.content_bytes =
                    self.progress.content_bytes.saturating_add(event.delta.0);
                self.progress.started = true;
                Carries::Content
            }
            "response.created" | "response.queued" | "response.in_progress" => {
                self.response(event.response);
                Carries::Content
            }
            "response.completed" | "response.incomplete" | "response.failed" => {
                self.progress.terminal = true;
                self.progress.failed |= kind == "response.failed";
                self.progress.started |= kind != "response.failed";
                self.response(event.response);
                self.seen.complete = self.seen.usage.is_some();
                if self.seen.complete { Carries::Usage } else { Carries::Content }
            }
            "error" => self.fail(),
            "" if event.error.is_some() => self.fail(),
            // Codex is told its rate limits, other servers say that they are alive.
            // So do items and parts that open before anything is said in them.
            ""
            | "keepalive"
            | "codex.rate_limits"
            | "response.output_item.added"
            | "response.content_part.added" => Carries::Content,
            _ => {
                self.progress.started = true;
                Carries::Content
            }
        }
    }

    fn progress(&self) -> Progress {
        self.progress
    }

    fn report(&self) -> UsageReport {
        self.seen.report()
    }

    fn made(&self) -> &[Made] {
        &self.made
    }

    fn cost_edit(&self, data: &[u8], cost: &str) -> Option<Edit> {
        json::cost_edit(data, &["response", "usage"], cost)
    }
}

impl ResponsesReader {
    fn response(&mut self, raw: Option<&RawValue>) {
        for made in raw
            .map(|raw| of_response(raw.get().as_bytes()))
            .into_iter()
            .flatten()
        {
            if !self.made.contains(&made) {
                self.made.push(made);
            }
        }
        let response = raw.and_then(|raw| serde_json::from_str::<Response<'_>>(raw.get()).ok());
        if let Some(response) = response {
            self.seen.note(&response);
        }
        if let Some(usage) = &self.seen.usage {
            self.progress.input_tokens = Some(usage.get(Unit::InputTokens));
        }
    }

    fn fail(&mut self) -> Carries {
        self.progress.terminal = true;
        self.progress.failed = true;
        Carries::Content
    }
}
