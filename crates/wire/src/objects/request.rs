//! What a request about objects asks for: which objects it names, and, when it hands in work, how
//! much that is.

use super::batch;
use crate::{
    endpoint::Endpoint,
    facts::RequestFacts,
    json::{self, Members, Text},
};
use serde::de::{self, IgnoredAny, MapAccess};
use std::borrow::Cow;
use tollgate_core::{
    error::{Error, Kind},
    format::{Format, Operation},
};

/// Names under which a list is told where to go on.
const CURSORS: [&str; 4] = ["after", "before", "after_id", "before_id"];

/// Facts of a request whose operation is one of objects.
pub(crate) fn facts(endpoint: &Endpoint, body: &[u8]) -> Result<RequestFacts, Error> {
    let mut facts = RequestFacts {
        stream: endpoint.stream,
        choices: 1,
        objects: endpoint.object.iter().cloned().collect(),
        ..RequestFacts::default()
    };
    match (endpoint.operation, endpoint.format) {
        (Operation::Defer, Format::AnthropicBatches) => {
            let work = batch::of_messages(body)?;
            facts.objects.clone_from(&work.objects);
            facts.batch = Some(Box::new(work));
            facts.deferred = true;
        }
        (Operation::Defer, _) => {
            facts.objects.push(input_file(body)?);
            facts.deferred = true;
        }
        (Operation::ListObjects, _) => facts.objects.extend(cursors(&endpoint.query)),
        (_, _) => {}
    }
    Ok(facts)
}

/// The file that holds the requests of a batch.
fn input_file(body: &[u8]) -> Result<String, Error> {
    #[derive(Default)]
    struct Batch(String);
    impl<'de> Members<'de> for Batch {
        fn member<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
            match key {
                "input_file_id" => {
                    let Text(id) = map.next_value()?;
                    self.0 = id.into_owned();
                }
                "endpoint" | "completion_window" | "metadata" | "output_expires_after" => {
                    map.next_value::<IgnoredAny>()?;
                }
                // It might hand in requests that nobody has read, or choose their model.
                _ => {
                    return Err(de::Error::custom(format_args!(
                        "`{key}` is not known to the creation of a batch: leave it out"
                    )));
                }
            }
            Ok(())
        }
    }
    let mut batch = Batch::default();
    json::read_object(body, &mut batch)?;
    if batch.0.is_empty() {
        return Err(Error::new(
            Kind::BadRequest,
            "the batch names no file: put its id into `input_file_id`",
        ));
    }
    Ok(batch.0)
}

/// The objects that a list goes on after or before.
fn cursors(query: &str) -> impl Iterator<Item = String> + '_ {
    CURSORS
        .into_iter()
        .flat_map(move |name| crate::endpoint::query_values(query, name))
        .filter(|id| !id.is_empty())
        .map(Cow::into_owned)
}

#[cfg(test)]
mod tests;
