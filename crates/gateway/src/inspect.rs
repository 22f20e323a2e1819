//! Step 3, inspect: what the request asks for, read without building a JSON tree.
//!
//! The reading itself belongs to the `wire` crate; this step decides what this gateway does not
//! take at all.

use tollgate_core::error::{Error, Kind};
use tollgate_wire::{
    endpoint::Endpoint,
    facts::{self, RequestFacts},
};

/// Longest model name: names come back in messages, rows and logs.
pub(crate) const MODEL_CHARS_MAX: usize = 256;

/// Reads the facts of a request.
///
/// # Errors
/// [`Kind::BadRequest`] for a body that cannot be read, or names no model where one is needed.
pub(crate) fn inspect(
    endpoint: &Endpoint,
    content_type: Option<&str>,
    body: &[u8],
) -> Result<RequestFacts, Error> {
    if endpoint.operation.is_of_objects() {
        return facts::read(endpoint, content_type, body);
    }
    if body.is_empty() {
        return Err(Error::new(
            Kind::BadRequest,
            "the request has no body: send a JSON object",
        ));
    }
    let facts = facts::read(endpoint, content_type, body)?;
    if facts.model.is_empty()
        || facts.model.chars().count() > MODEL_CHARS_MAX
        || facts.model.chars().any(char::is_control)
    {
        return Err(Error::new(
            Kind::BadRequest,
            format!(
                "the model name is empty, longer than {MODEL_CHARS_MAX} characters or contains control characters"
            ),
        ));
    }
    Ok(facts)
}
