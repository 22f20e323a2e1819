//! Responses.

use super::{Draft, places::Place};
use crate::{
    facts::RequestFacts,
    json::{self, Count, Members},
    measure::Read,
};
use serde::de::MapAccess;
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
            "prompt" => self.0.unseen(map),
            "stream_options" | "truncation" => self.0.walk(map, Read::Skip),
            _ => self.0.member(key, map),
        }
    }
}
