//! Google's interactions API: `POST /interactions`. The model is in the body, server-sent events
//! are told apart by `event_type`, and the usage is that of `generateContent` under other names.
//! Google's servers take every member in snake case and in camel case: both are read, and one that
//! stands there in both is refused.

use crate::{
    edit::Edit,
    facts::RequestFacts,
    json::{self, Count, Members, Text},
    measure::{Measure, Read, Rules},
    objects::{Made, of_interaction},
    tap::{Carries, Progress, StreamReader},
};
use serde::{
    Deserialize,
    de::{self, IgnoredAny, MapAccess},
};
use serde_json::value::RawValue;
use std::collections::HashSet;
use tollgate_core::{
    error::Error,
    unit::Unit,
    usage::{Usage, UsageReport},
};

/// Facts of a request. One that names an agent and no model has no price and no bound.
pub(crate) fn facts(body: &[u8]) -> Result<RequestFacts, Error> {
    let mut request = Request {
        body,
        facts: RequestFacts {
            choices: 1,
            ..RequestFacts::default()
        },
        measure: Measure::default(),
        seen: HashSet::new(),
    };
    json::read_object(body, &mut request)?;
    let Request {
        mut facts, measure, ..
    } = request;
    if facts.model.is_empty() {
        return Err(json::no_model("put it into `model`"));
    }
    facts.text_bytes = measure.text_bytes;
    facts.media_tokens = measure.media_tokens;
    facts.unseen_input |= measure.unseen_input;
    facts.objects = measure.objects;
    Ok(facts)
}

struct Request<'de> {
    body: &'de [u8],
    facts: RequestFacts,
    measure: Measure,
    /// The members so far, in snake case.
    seen: HashSet<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Config {
    #[serde(alias = "maxOutputTokens")]
    max_output_tokens: Count,
}

impl<'de> Members<'de> for Request<'de> {
    fn member<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        let name = snake_case(key);
        if !self.seen.insert(name.clone()) {
            return Err(de::Error::custom(format_args!(
                "`{name}` is named twice: name it once"
            )));
        }
        match name.as_str() {
            "agent" => {
                if map.next_value::<Option<IgnoredAny>>()?.is_some() {
                    return Err(de::Error::custom(
                        "`agent` leaves the choice of the model to the provider: leave it out, \
                         and name one in `model`",
                    ));
                }
            }
            "model" => self.facts.name_model(self.body, map.next_value()?)?,
            "stream" => {
                self.facts.stream = map.next_value::<Option<bool>>()?.unwrap_or_default();
            }
            "background" => {
                self.facts.deferred = map.next_value::<Option<bool>>()?.unwrap_or_default();
            }
            "generation_config" => {
                let config: Option<Config> = map.next_value()?;
                let cap = config.and_then(|config| config.max_output_tokens.0);
                self.facts.output_cap = cap;
            }
            "service_tier" => {
                let tier: Option<Text<'de>> = map.next_value()?;
                let tier = tier.map(|Text(tier)| ("service_tier", tier.into_owned()));
                self.facts.context.extend(tier);
            }
            "previous_interaction_id" => {
                let id: Option<Text<'de>> = map.next_value()?;
                self.measure
                    .add_object(id.as_ref().map_or("", |Text(id)| id))?;
            }
            // The results of tools that Google runs are put into the context.
            "tools" => {
                let tools: Option<Vec<Tool<'de>>> = map.next_value()?;
                for tool in tools.into_iter().flatten() {
                    self.facts.unseen_input |= tool.r#type.is_none_or(|Text(t)| t != "function");
                    let bytes = u64::try_from(tool.parameters.map_or(0, |raw| raw.get().len()));
                    let bytes = bytes.unwrap_or(u64::MAX);
                    self.measure.text_bytes = self.measure.text_bytes.saturating_add(bytes);
                    for Text(text) in [tool.name, tool.description].into_iter().flatten() {
                        self.measure.add_text(&text);
                    }
                }
            }
            "store" | "response_modalities" | "labels" => {
                map.next_value::<IgnoredAny>()?;
            }
            // `input`, `system_instruction`, `response_format`, and whatever is new.
            _ => map.next_value_seed(self.measure.walk(Read::Inside(Content)))?,
        }
        Ok(())
    }
}

/// `generationConfig` as `generation_config`.
fn snake_case(key: &str) -> String {
    let mut name = String::with_capacity(key.len() + 4);
    for letter in key.chars() {
        if letter.is_ascii_uppercase() {
            name.push('_');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}

#[derive(Deserialize)]
struct Tool<'a> {
    #[serde(default, borrow)]
    r#type: Option<Text<'a>>,
    #[serde(default, borrow)]
    name: Option<Text<'a>>,
    #[serde(default, borrow)]
    description: Option<Text<'a>>,
    #[serde(default, borrow)]
    parameters: Option<&'a RawValue>,
}

#[derive(Clone, Copy)]
struct Content;

impl Rules for Content {
    fn read(self, key: &str) -> Read<Self> {
        match key {
            "data" => Read::Media(self),
            "uri" | "file_uri" | "fileUri" => Read::Url(self),
            "mime_type" | "mimeType" | "id" | "call_id" | "callId" => Read::Skip,
            "arguments" | "result" => Read::Text,
            _ => Read::Inside(self),
        }
    }
}

/// An interaction: a whole answer, or what the last event of a stream carries.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Interaction<'a> {
    #[serde(borrow)]
    model: Option<Text<'a>>,
    #[serde(borrow)]
    status: Option<Text<'a>>,
    #[serde(borrow)]
    service_tier: Option<Text<'a>>,
    usage: Option<Counts>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Counts {
    total_input_tokens: Count,
    total_cached_tokens: Count,
    total_output_tokens: Count,
    total_thought_tokens: Count,
    total_tool_use_tokens: Count,
    grounding_tool_count: Option<Vec<Grounding>>,
}

#[derive(Deserialize)]
struct Grounding {
    count: Count,
}

impl Counts {
    /// In our units: thinking and what tools brought in are counted beside the totals.
    fn usage(&self) -> Usage {
        let of = |count: Count| count.0.unwrap_or(0);
        let mut usage = Usage::NONE;
        usage.add(Unit::InputTokens, of(self.total_input_tokens));
        usage.add(Unit::InputTokens, of(self.total_tool_use_tokens));
        usage.set(Unit::InputToolTokens, of(self.total_tool_use_tokens));
        usage.set(Unit::CacheReadTokens, of(self.total_cached_tokens));
        usage.add(Unit::OutputTokens, of(self.total_output_tokens));
        usage.add(Unit::OutputTokens, of(self.total_thought_tokens));
        usage.set(Unit::OutputReasoningTokens, of(self.total_thought_tokens));
        for grounding in self.grounding_tool_count.iter().flatten() {
            usage.add(Unit::WebSearches, of(grounding.count));
        }
        usage
    }
}

impl Interaction<'_> {
    fn report(&self) -> UsageReport {
        let status = self.status.as_ref().map(|Text(status)| &**status);
        // Work goes on, or waits for a hop that will be billed by itself.
        let runs_on = matches!(status, Some("queued" | "in_progress"));
        let usage = self.usage.as_ref().map(Counts::usage);
        let tier = self.service_tier.as_ref();
        UsageReport {
            model: self.model.as_ref().map(|Text(model)| model.to_string()),
            complete: usage.is_some() && !runs_on,
            usage,
            context: tier
                .map(|Text(tier)| ("service_tier", tier.to_ascii_lowercase()))
                .into_iter()
                .collect(),
            ..UsageReport::default()
        }
    }
}

/// The usage of a whole answer.
pub(crate) fn usage(body: &[u8]) -> UsageReport {
    json::parse::<Interaction<'_>>(body)
        .unwrap_or_default()
        .report()
}

/// A reader of a stream of events.
pub(crate) fn reader() -> Box<dyn StreamReader> {
    Box::new(Reader::default())
}

#[derive(Default)]
struct Reader {
    progress: Progress,
    report: UsageReport,
    made: Option<Made>,
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(rename = "event_type", default, borrow)]
    kind: Option<Text<'a>>,
    #[serde(default, borrow)]
    interaction: Option<&'a RawValue>,
    #[serde(default, borrow)]
    delta: Option<&'a RawValue>,
    #[serde(default)]
    error: Option<IgnoredAny>,
}

impl StreamReader for Reader {
    fn event(&mut self, name: &[u8], data: &[u8]) -> Carries {
        let Some(event) = json::parse::<Event<'_>>(data) else {
            return Carries::Content;
        };
        let kind = event.kind.as_ref();
        let kind = kind.map_or(name, |Text(kind)| kind.as_bytes());
        self.progress.failed |= event.error.is_some() || kind == b"error";
        if let Some(delta) = event.delta {
            self.progress.started = true;
            let bytes = u64::try_from(delta.get().len()).unwrap_or(u64::MAX);
            self.progress.content_bytes = self.progress.content_bytes.saturating_add(bytes);
        }
        let told = event.interaction.map(|raw| raw.get().as_bytes());
        self.made = self.made.take().or_else(|| of_interaction(told?));
        let interaction = event
            .interaction
            .and_then(|raw| json::parse::<Interaction<'_>>(raw.get().as_bytes()));
        if let Some(interaction) = interaction {
            self.report = interaction.report();
            if kind == b"interaction.completed" {
                self.progress.terminal = true;
                self.progress.started = true;
                return Carries::Usage;
            }
        }
        Carries::Content
    }

    fn progress(&self) -> Progress {
        Progress {
            input_tokens: self
                .report
                .usage
                .as_ref()
                .map(|usage| usage.get(Unit::InputTokens)),
            ..self.progress
        }
    }

    fn report(&self) -> UsageReport {
        UsageReport {
            complete: self.report.complete && self.progress.terminal && !self.progress.failed,
            ..self.report.clone()
        }
    }

    fn made(&self) -> &[Made] {
        self.made.as_slice()
    }

    fn cost_edit(&self, _: &[u8], _: &str) -> Option<Edit> {
        None
    }
}

#[cfg(test)]
mod tests;
