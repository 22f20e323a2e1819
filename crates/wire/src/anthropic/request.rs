//! What a Messages request asks for. The same body without `max_tokens` asks for a token count.

use crate::{
    endpoint::Endpoint,
    facts::RequestFacts,
    json::{self, Count, Members, Text},
    measure::{Measure, Read, Rules},
    model_choice,
};
use serde::{
    Deserialize,
    de::{self, DeserializeSeed, IgnoredAny, MapAccess},
};
use serde_json::value::RawValue;
use tollgate_core::{error::Error, format::Operation};

/// Facts of a request in Vertex's envelope: the model is in the path, but for the counting of
/// tokens, which has it in the body; so is whether to stream.
pub(crate) fn raw_predict_facts(endpoint: &Endpoint, body: &[u8]) -> Result<RequestFacts, Error> {
    let mut facts = read(body)?;
    facts.stream = endpoint.stream;
    if endpoint.operation != Operation::CountTokens {
        facts.model_span = None;
        facts.model = endpoint.model.clone().unwrap_or_default();
    }
    if facts.model.is_empty() {
        return Err(json::no_model("put it into the path"));
    }
    Ok(facts)
}

/// Facts of a request to `/v1/messages` or `/v1/messages/count_tokens`.
///
/// A body without `max_tokens` is the provider's to refuse: here its bound is unknown.
pub(crate) fn facts(body: &[u8]) -> Result<RequestFacts, Error> {
    let facts = read(body)?;
    if facts.model.is_empty() {
        return Err(json::no_model("put it into `model`"));
    }
    Ok(facts)
}

/// What the body says, whether or not it names the model.
pub(crate) fn read(body: &[u8]) -> Result<RequestFacts, Error> {
    let mut request = Request {
        body,
        facts: RequestFacts::default(),
        measure: Measure::default(),
    };
    json::read_object(body, &mut request)?;
    let Request {
        mut facts, measure, ..
    } = request;
    facts.choices = 1;
    facts.text_bytes = measure.text_bytes;
    facts.media_tokens = measure.media_tokens;
    facts.unseen_input |= measure.unseen_input;
    facts.cache_write = measure.cache_write;
    facts.other_models = measure.other_models;
    facts.objects = measure.objects;
    Ok(facts)
}

struct Request<'de> {
    body: &'de [u8],
    facts: RequestFacts,
    measure: Measure,
}

impl<'de> Members<'de> for Request<'de> {
    fn member<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "model" => self.facts.name_model(self.body, map.next_value()?)?,
            "stream" => {
                self.facts.stream = map.next_value::<Option<bool>>()?.unwrap_or_default();
            }
            "max_tokens" => self.facts.output_cap = map.next_value::<Count>()?.0,
            "service_tier" => self.selects("service_tier", map.next_value()?),
            "speed" => self.selects("speed", map.next_value()?),
            "inference_geo" => self.selects("inference_geo", map.next_value()?),
            _ if model_choice::is_left_by(key) => model_choice::refuse(key, map.next_value()?)?,
            // What is stored at the provider, what its servers fetch, and what makes it run the
            // model again on a context of its own making: none of it shows in the body.
            "mcp_servers" => {
                let entries: Option<Vec<IgnoredAny>> = map.next_value()?;
                self.facts.unseen_input |= entries.is_some_and(|entries| !entries.is_empty());
            }
            "container" => {
                let container: Option<&'de RawValue> = map.next_value()?;
                self.facts.unseen_input |= container.is_some();
                self.stored(container, Place::Container)?;
            }
            "thread" => {
                let thread: Option<&'de RawValue> = map.next_value()?;
                self.facts.unseen_input |= thread.is_some();
                self.stored(thread, Place::Thread)?;
            }
            "compaction" => {
                let value: Option<IgnoredAny> = map.next_value()?;
                self.facts.unseen_input |= value.is_some();
            }
            "user_profile_id" | "workspace_id" | "billing_policy" => {
                operators_own(key, map.next_value()?)?;
            }
            "context_management" => {
                let management: Option<ContextManagement<'de>> = map.next_value()?;
                self.facts.unseen_input |= management.is_some_and(|found| found.compacts());
            }
            "tools" => map.next_value_seed(self.measure.walk(Read::Inside(Place::Tool)))?,
            "cache_control" => {
                map.next_value_seed(self.measure.walk::<Place>(Read::CacheControl))?;
            }
            "metadata" | "temperature" | "top_p" | "top_k" | "stop_sequences" | "thinking" => {
                map.next_value::<IgnoredAny>()?;
            }
            // `messages`, `system`, `tool_choice`, schemas of the output, and whatever is new.
            _ => map.next_value_seed(self.measure.walk(Read::Inside(Place::Message)))?,
        }
        Ok(())
    }
}

impl<'de> Request<'de> {
    /// What is stored at the provider, by its id or as an object that holds it: a container is
    /// `{"id":…,"skills":[…]}`.
    fn stored<E: de::Error>(&mut self, raw: Option<&RawValue>, place: Place) -> Result<(), E> {
        let Some(raw) = raw else { return Ok(()) };
        let mut json = serde_json::Deserializer::from_str(raw.get());
        let meter = self.measure.walk(Read::Object(place));
        meter.deserialize(&mut json).map_err(E::custom)
    }

    fn selects(&mut self, what: &'static str, word: Option<Text<'de>>) {
        if let Some(Text(word)) = word {
            self.facts.context.push((what, word.into_owned()));
        }
    }
}

/// Refuses what would move the bill or the scope inside the operator's account, as the headers of
/// these names would. Null says nothing.
fn operators_own<E: de::Error>(key: &str, value: Option<IgnoredAny>) -> Result<(), E> {
    match value {
        None => Ok(()),
        Some(IgnoredAny) => Err(E::custom(format_args!(
            "`{key}` is the choice of who runs this gateway: leave it out"
        ))),
    }
}

/// `context_management.edits`: clearing old tool results costs nothing, compacting runs the model
/// over the whole context once more.
#[derive(Deserialize)]
struct ContextManagement<'a> {
    #[serde(default, borrow)]
    edits: Option<Vec<ContextEdit<'a>>>,
}

#[derive(Deserialize)]
struct ContextEdit<'a> {
    #[serde(default, borrow)]
    r#type: Option<Text<'a>>,
}

impl ContextManagement<'_> {
    fn compacts(&self) -> bool {
        self.edits
            .iter()
            .flatten()
            .filter_map(|edit| edit.r#type.as_ref())
            .any(|Text(kind)| kind.starts_with("compact"))
    }
}

/// Where in the request a key stands.
#[derive(Clone, Copy)]
enum Place {
    /// In a message or system block.
    Message,
    /// In a tool definition.
    Tool,
    /// In what names a container of before.
    Container,
    /// In what names a thread of before.
    Thread,
}

impl Rules for Place {
    fn read(self, key: &str) -> Read<Self> {
        match (self, key) {
            (Self::Thread, _) if key == "id" || key.ends_with("_id") => Read::Object(self),
            (Self::Thread, _) => Read::Inside(self),
            (Self::Container, "id") | (Self::Message, "file_id") => Read::Object(self),
            (Self::Container, _) | (Self::Message, "id" | "tool_use_id" | "media_type") => {
                Read::Skip
            }
            (_, "type") => Read::Type(self),
            (_, "cache_control") => Read::CacheControl,
            (Self::Message, "data") => Read::Media(self),
            (Self::Message, "url") => Read::Url(self),
            // A tool's arguments may use any of these words for something else.
            (Self::Message, "input") | (Self::Tool, "input_schema" | "input_examples") => {
                Read::Text
            }
            (Self::Tool, _) if model_choice::is_named_by(key) => Read::Model(self),
            (Self::Message | Self::Tool, _) => Read::Inside(self),
        }
    }

    /// Tools that Anthropic's servers run bring their results into the context, and run the model
    /// again on each. Their types carry a date: `web_search_20250305`.
    fn type_is_unseen(self, kind: &str) -> bool {
        const SERVER_TOOLS: [&str; 4] =
            ["web_search_2", "web_fetch_2", "code_execution_2", "advisor"];
        match self {
            Self::Tool => {
                kind == "mcp_toolset" || SERVER_TOOLS.iter().any(|tool| kind.starts_with(tool))
            }
            Self::Message => kind == "container_upload",
            Self::Container | Self::Thread => false,
        }
    }
}
