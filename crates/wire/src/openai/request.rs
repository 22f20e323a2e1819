//! What a request asks for, read in one pass over its top-level members.
//!
//! What is not known here is text the model reads, so a field that is new on the wire can only
//! make a request look larger. Fields that let the provider choose another model are refused: the
//! price and the permission of a request are those of the model it names.

mod chat;
mod completions;
mod embeddings;
mod form;
mod images;
mod items;
mod moderations;
mod places;
mod responses;
mod speech;
mod transcription;

pub(crate) use chat::chat_facts;
pub(crate) use completions::completions_facts;
pub(crate) use embeddings::embeddings_facts;
pub(crate) use images::images_facts;
pub(crate) use moderations::moderations_facts;
pub(crate) use responses::responses_facts;
pub(crate) use speech::speech_facts;
pub(crate) use transcription::transcription_facts;

use crate::{
    facts::RequestFacts,
    json::{self, Text},
    measure::{Measure, Read},
    model_choice,
};
use chat::{ask_for_usage, stream_options};
use places::Place;
use serde::de::{self, IgnoredAny, MapAccess};
use serde_json::value::RawValue;
use tollgate_core::error::Error;

/// The facts as they come together.
struct Draft<'de> {
    body: &'de [u8],
    facts: RequestFacts,
    measure: Measure,
}

impl<'de> Draft<'de> {
    fn new(body: &'de [u8]) -> Self {
        let facts = RequestFacts {
            choices: 1,
            ..RequestFacts::default()
        };
        Self {
            body,
            facts,
            measure: Measure::default(),
        }
    }

    /// Reads a member that means the same in every dialect; by default it is text.
    fn member<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "model" => self.model(map.next_value()?),
            _ if model_choice::is_left_by(key) => model_choice::refuse(key, map.next_value()?),
            "stream" => {
                self.facts.stream = map.next_value::<Option<bool>>()?.unwrap_or(false);
                Ok(())
            }
            "service_tier" => {
                let tier: Option<Text<'de>> = map.next_value()?;
                self.facts
                    .context
                    .extend(tier.map(|Text(tier)| ("service_tier", tier.into_owned())));
                Ok(())
            }
            "prompt_cache_key" => {
                let key: Option<Text<'de>> = map.next_value()?;
                self.facts.affinity = key.map(|Text(key)| key.into_owned());
                Ok(())
            }
            "tools" | "functions" => self.walk(map, Read::Inside(Place::Tool)),
            "tool_choice" | "function_call" | "response_format" | "text" => {
                self.walk(map, Read::Text)
            }
            // The models that Groq's compound systems work with.
            "compound_custom" => self.walk(map, Read::Inside(Place::Compound)),
            "prompt_cache_options" => self.walk(map, Read::CacheControl),
            "web_search_options" => self.unseen(map),
            "metadata" | "user" | "safety_identifier" | "stop" | "logit_bias" | "include"
            | "reasoning" | "encoding_format" => self.walk(map, Read::Skip),
            _ => self.walk(map, Read::Inside(Place::Content)),
        }
    }

    fn walk<A: MapAccess<'de>>(&mut self, map: &mut A, how: Read<Place>) -> Result<(), A::Error> {
        map.next_value_seed(self.measure.walk(how))
    }

    /// A member that, when it is there, brings in what the body does not show.
    fn unseen<A: MapAccess<'de>>(&mut self, map: &mut A) -> Result<(), A::Error> {
        let there = map.next_value::<Option<IgnoredAny>>()?.is_some();
        self.measure.unseen_input |= there;
        Ok(())
    }

    fn model<E: de::Error>(&mut self, raw: &'de RawValue) -> Result<(), E> {
        let Ok(name) = serde_json::from_str::<Option<Text<'de>>>(raw.get()) else {
            return Err(E::custom("`model` is not a string"));
        };
        if let Some(Text(name)) = name {
            self.facts.model = name.into_owned();
            self.facts.model_span = json::span(self.body, raw);
        }
        Ok(())
    }

    fn finish(self, without_model: &str) -> Result<RequestFacts, Error> {
        let Self {
            mut facts, measure, ..
        } = self;
        if facts.model.is_empty() {
            return Err(json::no_model(without_model));
        }
        facts.text_bytes = measure.text_bytes;
        facts.media_tokens = measure.media_tokens;
        facts.unseen_input |= measure.unseen_input;
        facts.cache_write = measure.cache_write;
        facts.other_models = measure.other_models;
        facts.objects = measure.objects;
        Ok(facts)
    }
}

#[cfg(test)]
mod tests;
