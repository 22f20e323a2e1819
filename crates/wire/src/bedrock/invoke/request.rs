//! What a request to InvokeModel asks for. The model and whether it streams are in the path.
//!
//! Anthropic's bodies are known by the version they must name, and are read as Messages where the
//! name of the model says that it is theirs. All others are read alike: bounds on the output by the
//! words the makers have for them, inline media by the keys it stands under, and everything else is
//! text.

use super::super::{caps, facts_of_path};
use crate::{
    anthropic,
    endpoint::Endpoint,
    facts::RequestFacts,
    json::{self, Count, Members},
    measure::{Measure, Read, Rules},
};
use serde::de::{IgnoredAny, MapAccess};
use tollgate_core::error::Error;

/// Facts of a request.
pub(crate) fn facts(endpoint: &Endpoint, body: &[u8]) -> Result<RequestFacts, Error> {
    let facts = facts_of_path(endpoint)?;
    let mut request = Request::default();
    json::read_object(body, &mut request)?;
    let message = if request.is_anthropic {
        Some(RequestFacts {
            model: facts.model.clone(),
            model_span: None,
            stream: facts.stream,
            ..anthropic::facts_of_body(body)?
        })
    } else {
        None
    };
    let is_of_anthropic = names_anthropic(&facts.model);
    let measure = request.measure;
    let plain = RequestFacts {
        output_cap: request.cap,
        choices: request.choices.max(1),
        text_bytes: measure.text_bytes,
        media_tokens: measure.media_tokens,
        unseen_input: facts.unseen_input || measure.unseen_input,
        cache_write: measure.cache_write,
        ..facts
    };
    Ok(match message {
        None => plain,
        Some(message) if is_of_anthropic => message,
        Some(message) => larger(message, &plain),
    })
}

/// Whether a model's name says that it is Anthropic's. That of a profile does not tell.
fn names_anthropic(model: &str) -> bool {
    model.contains("anthropic") || model.contains("claude")
}

/// A body that says it is Anthropic's, for a model that may be anybody's: whoever reads it takes
/// the members that are theirs, so each of the two readings is a bound.
fn larger(message: RequestFacts, plain: &RequestFacts) -> RequestFacts {
    RequestFacts {
        output_cap: message.output_cap.max(plain.output_cap),
        choices: message.choices.max(plain.choices),
        text_bytes: message.text_bytes.max(plain.text_bytes),
        media_tokens: message.media_tokens.max(plain.media_tokens),
        unseen_input: message.unseen_input || plain.unseen_input,
        cache_write: message.cache_write.max(plain.cache_write),
        ..message
    }
}

#[derive(Default)]
struct Request {
    is_anthropic: bool,
    cap: Option<u64>,
    choices: u64,
    measure: Measure,
}

impl<'de> Members<'de> for Request {
    fn member<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "anthropic_version" => {
                map.next_value::<IgnoredAny>()?;
                self.is_anthropic = true;
            }
            _ if caps::is_named_by(key) => {
                self.cap = self.cap.max(map.next_value::<Count>()?.0);
            }
            _ if caps::are_inside(key) => {
                let config: Option<caps::Config> = map.next_value()?;
                self.cap = self.cap.max(config.and_then(|config| config.cap()));
            }
            // OpenAI's word, Cohere's, AI21's.
            "n" | "num_generations" | "numResults" => {
                let choices = map.next_value::<Count>()?.0.unwrap_or(1);
                self.choices = self.choices.max(choices);
            }
            _ => map.next_value_seed(self.measure.walk(Body.read(key)))?,
        }
        Ok(())
    }
}

#[derive(Clone, Copy)]
struct Body;

impl Rules for Body {
    fn read(self, key: &str) -> Read<Self> {
        match key {
            // Nova's and Claude's in Converse's shape; Titan's; Llama's and Cohere's.
            "bytes" | "inputImage" | "images" => Read::Media(self),
            // Mistral's and OpenAI's, `{"url"}` or the URL itself.
            "image_url" | "url" => Read::Url(self),
            "s3Location" | "uri" => Read::Reference(self),
            "cachePoint" => Read::CacheControl,
            // Arguments and schemas of tools may use any of these words for something else.
            "input" | "arguments" | "json" | "parameters" => Read::Text,
            _ => Read::Inside(self),
        }
    }
}
