//! Anthropic Messages: `/v1/messages` and `/v1/messages/count_tokens`, as Anthropic and the many
//! servers that imitate it speak it.
//!
//! Three things differ from the other formats, and each has cost a proxy money. `input_tokens`
//! counts neither cache reads nor cache writes: the total is the sum of the three. The usage at the
//! end of a stream replaces the one at its start, but does not repeat all of it. And the usage at
//! the top is not always the whole bill: `iterations` lists work at other models, and work that
//! the top leaves out.

mod request;
mod stream;
mod usage;

pub(crate) use request::{facts, raw_predict_facts, read as facts_of_body};
pub(crate) use stream::reader;
pub(crate) use usage::usage;

use crate::{edit::Edit, json};

/// The insertion of the cost into a whole answer.
pub(crate) fn cost_edit(body: &[u8], cost: &str) -> Option<Edit> {
    json::cost_edit(body, &["usage"], cost)
}

#[cfg(test)]
mod tests;
