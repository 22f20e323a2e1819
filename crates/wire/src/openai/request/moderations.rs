//! Moderations: free, and with a model of their own when the request names none.

use super::Draft;
use crate::{
    facts::RequestFacts,
    json::{self, Members},
};
use serde::de::MapAccess;
use tollgate_core::error::Error;

/// What OpenAI uses when the request names no model (its API reference).
const DEFAULT_MODEL: &str = "omni-moderation-latest";

/// Facts of a request to `/moderations`.
pub(crate) fn moderations_facts(body: &[u8]) -> Result<RequestFacts, Error> {
    let mut moderations = Moderations(Draft::new(body));
    json::read_object(body, &mut moderations)?;
    let mut draft = moderations.0;
    if draft.facts.model.is_empty() {
        DEFAULT_MODEL.clone_into(&mut draft.facts.model);
        draft.facts.model_span = None;
    }
    let facts = draft.finish("put it into `model`")?;
    Ok(RequestFacts {
        output_cap: Some(0),
        ..facts
    })
}

struct Moderations<'de>(Draft<'de>);

impl<'de> Members<'de> for Moderations<'de> {
    fn member<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        self.0.member(key, map)
    }
}
