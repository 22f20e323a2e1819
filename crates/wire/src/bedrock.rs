//! Amazon Bedrock's own formats: `Converse`, one shape for all models, and `InvokeModel`, which
//! carries each maker's own body.
//!
//! The model is in the path, and so is whether to stream; a stream is an AWS event stream
//! ([`crate::event_stream`]). Three things differ from the other formats. Input counts leave out
//! what was read from and written to a cache, so the total is the sum of the three. Converse
//! reports usage after the answer's own end, in an event of its own. And a stream of InvokeModel
//! hides the maker's events in base64, with Bedrock's own counts on the last of them whoever made
//! the model.

mod caps;
mod content;
pub(crate) mod converse;
mod counts;
pub(crate) mod invoke;
mod unframe;

pub(crate) use unframe::Unframer;

use crate::{endpoint::Endpoint, facts::RequestFacts, json};
use tollgate_core::error::Error;

/// Facts that stand in the path.
fn facts_of_path(endpoint: &Endpoint) -> Result<RequestFacts, Error> {
    let model = endpoint.model.as_ref().filter(|model| !model.is_empty());
    let model = model.ok_or_else(|| json::no_model("put it into the path"))?;
    Ok(RequestFacts {
        // A prompt that is stored at the provider is named like a model.
        unseen_input: model.starts_with("arn:") && model.contains(":prompt/"),
        model: model.clone(),
        stream: endpoint.stream,
        choices: 1,
        ..RequestFacts::default()
    })
}

#[cfg(test)]
mod tests;
