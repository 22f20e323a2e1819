//! What a Gemini request asks for. Google's servers take every member in camel case and in snake
//! case, so both are read, and one that stands there in both is refused.

use crate::{
    endpoint::Endpoint,
    facts::RequestFacts,
    json::{self, Count, Members, Text},
    measure::{Measure, Read, Rules},
};
use serde::{
    Deserialize,
    de::{self, DeserializeSeed, IgnoredAny, MapAccess},
};
use serde_json::value::RawValue;
use tollgate_core::error::Error;

/// Facts of a request; the model and whether it streams are in `endpoint`.
pub(crate) fn facts(endpoint: &Endpoint, body: &[u8]) -> Result<RequestFacts, Error> {
    let model = endpoint.model.as_ref().filter(|model| !model.is_empty());
    let model = model.ok_or_else(|| json::no_model("put it into the path"))?;
    let mut request = Request::default();
    json::read_object(body, &mut request)?;
    let Request {
        config,
        context,
        unseen_input,
        measure,
        ..
    } = request;
    Ok(RequestFacts {
        model: model.clone(),
        stream: endpoint.stream,
        output_cap: config.max_output_tokens.0,
        choices: config.candidate_count.0.unwrap_or(1).max(1),
        text_bytes: measure.text_bytes,
        media_tokens: measure.media_tokens,
        unseen_input: unseen_input || measure.unseen_input,
        objects: measure.objects,
        context,
        ..RequestFacts::default()
    })
}

#[derive(Default)]
struct Request {
    config: Config,
    config_seen: bool,
    context: Vec<(&'static str, String)>,
    unseen_input: bool,
    measure: Measure,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Config {
    #[serde(alias = "max_output_tokens")]
    max_output_tokens: Count,
    #[serde(alias = "candidate_count")]
    candidate_count: Count,
}

impl<'de> Members<'de> for Request {
    fn member<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "generationConfig" | "generation_config" => self.config(map.next_value()?)?,
            "serviceTier" | "service_tier" => {
                if let Some(Text(tier)) = map.next_value::<Option<Text<'de>>>()? {
                    self.context
                        .push(("service_tier", tier.to_ascii_lowercase()));
                }
            }
            // What is stored at Google and named here.
            "cachedContent" | "cached_content" => {
                let name: Option<Text<'de>> = map.next_value()?;
                self.measure
                    .add_object(name.as_ref().map_or("", |Text(name)| name))?;
            }
            "continuationToken" | "continuation_token" => {
                let name: Option<IgnoredAny> = map.next_value()?;
                self.unseen_input |= name.is_some();
            }
            "tools" => self.tools(map.next_value()?)?,
            "safetySettings" | "safety_settings" | "labels" | "model" => {
                map.next_value::<IgnoredAny>()?;
            }
            // `contents`, `systemInstruction`, `toolConfig`, and whatever is new.
            _ => map.next_value_seed(self.measure.walk(Read::Inside(Content)))?,
        }
        Ok(())
    }
}

impl Request {
    fn config<E: de::Error>(&mut self, raw: &RawValue) -> Result<(), E> {
        if std::mem::replace(&mut self.config_seen, true) {
            return Err(E::custom("`generationConfig` is named twice: name it once"));
        }
        let config: Option<Config> = serde_json::from_str(raw.get()).map_err(E::custom)?;
        self.config = config.unwrap_or_default();
        // The schemas in it are read by the model.
        self.walk(raw)
    }

    fn tools<E: de::Error>(&mut self, raw: &RawValue) -> Result<(), E> {
        let tools: Option<Vec<ServerTools>> = serde_json::from_str(raw.get()).map_err(E::custom)?;
        self.unseen_input |= tools.iter().flatten().any(|ServerTools(any)| *any);
        self.walk(raw)
    }

    fn walk<E: de::Error>(&mut self, raw: &RawValue) -> Result<(), E> {
        let mut json = serde_json::Deserializer::from_str(raw.get());
        self.measure
            .walk(Read::Inside(Content))
            .deserialize(&mut json)
            .map_err(E::custom)
    }
}

/// Whether an entry of `tools` holds a tool that Google runs: each is a member of its own name.
/// All but the function declarations are; their results are put into the context.
struct ServerTools(bool);

impl<'de> Deserialize<'de> for ServerTools {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let tools = std::collections::BTreeMap::<String, IgnoredAny>::deserialize(deserializer)?;
        let own = |name: &String| {
            matches!(
                name.as_str(),
                "functionDeclarations" | "function_declarations"
            )
        };
        Ok(Self(!tools.keys().all(own)))
    }
}

#[derive(Clone, Copy)]
struct Content;

impl Rules for Content {
    fn read(self, key: &str) -> Read<Self> {
        match key {
            // Of `inlineData`.
            "data" => Read::Media(self),
            // Of `fileData`.
            "fileUri" | "file_uri" => Read::Url(self),
            "mimeType" | "mime_type" | "id" => Read::Skip,
            // A function's arguments and schemas may use any of these words for something else.
            "args"
            | "response"
            | "parameters"
            | "parametersJsonSchema"
            | "parameters_json_schema"
            | "responseJsonSchema"
            | "response_json_schema"
            | "responseSchema"
            | "response_schema" => Read::Text,
            _ => Read::Inside(self),
        }
    }
}
