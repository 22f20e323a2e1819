//! What a Converse request asks for. The model and whether it streams are in the path.

use super::{
    super::{caps, facts_of_path},
    answer::{Performance, Tier},
};
use crate::{
    endpoint::Endpoint,
    facts::RequestFacts,
    json::{self, Count, Members},
    measure::{Measure, Read, Rules},
    model_choice,
};
use serde::de::{self, IgnoredAny, MapAccess};
use serde_json::value::RawValue;
use std::collections::HashMap;
use tollgate_core::{error::Error, format::Operation};

/// Facts of a request. Of one that only counts tokens nothing is asked but its model.
pub(crate) fn facts(endpoint: &Endpoint, body: &[u8]) -> Result<RequestFacts, Error> {
    let facts = facts_of_path(endpoint)?;
    if endpoint.operation == Operation::CountTokens {
        return json::read_object(body, &mut Unread).map(|()| facts);
    }
    let mut request = Request::default();
    json::read_object(body, &mut request)?;
    let Request {
        cap,
        own_cap,
        context,
        unseen_input,
        measure,
    } = request;
    Ok(RequestFacts {
        // Whether the model's own word outranks the common one is not documented: the larger one
        // holds. Alone it may not bind at all.
        output_cap: cap.map(|cap| cap.max(own_cap.unwrap_or(0))),
        text_bytes: measure.text_bytes,
        media_tokens: measure.media_tokens,
        unseen_input: facts.unseen_input || unseen_input || measure.unseen_input,
        cache_write: measure.cache_write,
        other_models: measure.other_models,
        context,
        ..facts
    })
}

struct Unread;

impl<'de> Members<'de> for Unread {
    fn member<A: MapAccess<'de>>(&mut self, _: &str, map: &mut A) -> Result<(), A::Error> {
        map.next_value::<IgnoredAny>().map(drop)
    }
}

#[derive(Default)]
struct Request {
    cap: Option<u64>,
    own_cap: Option<u64>,
    context: Vec<(&'static str, String)>,
    unseen_input: bool,
    measure: Measure,
}

impl<'de> Members<'de> for Request {
    fn member<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "inferenceConfig" => {
                let config: Option<caps::Config> = map.next_value()?;
                self.cap = config.and_then(|config| config.cap());
            }
            "serviceTier" => {
                if let Some(tier) = map.next_value::<Option<Tier<'de>>>()? {
                    self.context
                        .push(("service_tier", tier.r#type.0.into_owned()));
                }
            }
            "performanceConfig" => {
                if let Some(config) = map.next_value::<Option<Performance<'de>>>()? {
                    self.context
                        .push(("latency", config.latency.0.into_owned()));
                }
            }
            // They fill in a prompt that is stored at the provider.
            "promptVariables" => {
                let variables: Option<HashMap<String, &'de RawValue>> = map.next_value()?;
                for (_, value) in variables.into_iter().flatten() {
                    self.unseen_input = true;
                    self.measure.add_text(value.get());
                }
            }
            "additionalModelRequestFields" => self.own_fields(map.next_value()?)?,
            "additionalModelResponseFieldPaths" | "guardrailConfig" | "requestMetadata" => {
                map.next_value::<IgnoredAny>()?;
            }
            // `messages`, `system`, `toolConfig`, schemas of the output, and whatever is new.
            _ => map.next_value_seed(self.measure.walk(Read::Inside(Place::Content)))?,
        }
        Ok(())
    }
}

impl Request {
    fn own_fields<E: de::Error>(&mut self, fields: &RawValue) -> Result<(), E> {
        if fields.get() == "null" {
            return Ok(());
        }
        json::read_object(fields.get().as_bytes(), &mut OwnFields(self))
            .map_err(|error| E::custom(error.message()))
    }
}

/// `additionalModelRequestFields`: what Converse has no word for, in the words of the maker.
struct OwnFields<'r>(&'r mut Request);

impl<'de> Members<'de> for OwnFields<'_> {
    fn member<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        let request = &mut *self.0;
        match key {
            _ if caps::is_named_by(key) => {
                request.own_cap = request.own_cap.max(map.next_value::<Count>()?.0);
            }
            _ if caps::are_inside(key) => {
                let config: Option<caps::Config> = map.next_value()?;
                let cap = config.and_then(|config| config.cap());
                request.own_cap = request.own_cap.max(cap);
            }
            _ if model_choice::is_left_by(key) => model_choice::refuse(key, map.next_value()?)?,
            "mcp_servers" | "container" => {
                let value: Option<IgnoredAny> = map.next_value()?;
                request.unseen_input |= value.is_some();
            }
            _ => map.next_value_seed(request.measure.walk::<Place>(Read::Text))?,
        }
        Ok(())
    }
}

/// Where in the request a key stands.
#[derive(Clone, Copy)]
enum Place {
    /// In a message, a system block or a tool.
    Content,
    /// In a place of S3, or in the name of a tool that the provider runs.
    Elsewhere,
}

impl Rules for Place {
    fn read(self, key: &str) -> Read<Self> {
        match (self, key) {
            (Self::Elsewhere, _) | (Self::Content, "s3Location" | "systemTool") => {
                Read::Reference(Self::Elsewhere)
            }
            (Self::Content, "cachePoint") => Read::CacheControl,
            (Self::Content, "bytes") => Read::Media(self),
            // Arguments of tools, their results, and their schemas.
            (Self::Content, "input" | "json") => Read::Text,
            (Self::Content, "toolUseId") => Read::Skip,
            (Self::Content, _) => Read::Inside(self),
        }
    }
}
