//! What a request to InvokeModel asks for. The model and whether it streams are in the path.
//!
//! Anthropic's bodies are known by the version they must name, and are read as Messages. All
//! others are read alike: bounds on the output by the words the makers have for them, inline media
//! by the keys it stands under, and everything else is text.

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
    if request.is_anthropic {
        return Ok(RequestFacts {
            model: facts.model,
            model_span: None,
            stream: facts.stream,
            ..anthropic::facts_of_body(body)?
        });
    }
    let measure = request.measure;
    Ok(RequestFacts {
        output_cap: request.cap,
        choices: request.choices.max(1),
        text_bytes: measure.text_bytes,
        media_tokens: measure.media_tokens,
        unseen_input: facts.unseen_input || measure.unseen_input,
        cache_write: measure.cache_write,
        ..facts
    })
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

    fn type_is_unseen(self, _: &str) -> bool {
        false
    }
}
