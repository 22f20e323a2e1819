//! Responses.

use super::{Draft, items::Items, places::Place};
use crate::{
    facts::RequestFacts,
    json::{self, Count, Members},
    measure::Read,
};
use serde::de::{self, DeserializeSeed, MapAccess};
use serde_json::value::RawValue;
use tollgate_core::error::Error;

/// Facts of a request to `/responses`.
pub(crate) fn responses_facts(body: &[u8]) -> Result<RequestFacts, Error> {
    let mut responses = Responses(Draft::new(body));
    json::read_object(body, &mut responses)?;
    responses
        .0
        .finish("put it into `model` (one that a prompt template chooses has no price here)")
}

struct Responses<'de>(Draft<'de>);

impl Responses<'_> {
    /// A template that is stored at the provider, with what is to be filled in.
    fn prompt<E: de::Error>(&mut self, prompt: &RawValue) -> Result<(), E> {
        let measure = self.0.measure.walk(Read::Inside(Place::Prompt));
        measure
            .deserialize(&mut serde_json::Deserializer::from_str(prompt.get()))
            .map_err(E::custom)?;
        self.0.measure.unseen_input |= prompt.get() != "null";
        Ok(())
    }
}

impl<'de> Members<'de> for Responses<'de> {
    fn member<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "max_output_tokens" => {
                self.0.facts.output_cap = map.next_value::<Count>()?.0;
                Ok(())
            }
            "background" => {
                self.0.facts.deferred = map.next_value::<Option<bool>>()?.unwrap_or(false);
                Ok(())
            }
            // What is stored at the provider: by its id, or (a conversation) as `{"id":…}`.
            "previous_response_id" | "conversation" => {
                self.0.walk(map, Read::Object(Place::Stored))
            }
            "prompt" => self.prompt(map.next_value()?),
            "input" => map.next_value_seed(Items(&mut self.0.measure)),
            "stream_options" | "truncation" => self.0.walk(map, Read::Skip),
            _ => self.0.member(key, map),
        }
    }
}
