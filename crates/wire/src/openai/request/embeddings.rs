//! Embeddings.

use super::Draft;
use crate::{
    facts::RequestFacts,
    json::{self, Members},
};
use serde::de::MapAccess;
use tollgate_core::error::Error;

/// Facts of a request to `/embeddings`. Input given as token numbers counts by its digits, which
/// are never fewer than the tokens.
pub(crate) fn embeddings_facts(body: &[u8]) -> Result<RequestFacts, Error> {
    let mut embeddings = Embeddings(Draft::new(body));
    json::read_object(body, &mut embeddings)?;
    let facts = embeddings.0.finish("put it into `model`")?;
    // An embedding is answered whole, and has no output to bound.
    Ok(RequestFacts {
        output_cap: Some(0),
        ..facts
    })
}

struct Embeddings<'de>(Draft<'de>);

impl<'de> Members<'de> for Embeddings<'de> {
    fn member<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        self.0.member(key, map)
    }
}
