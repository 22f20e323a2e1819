//! What a request to Ollama asks for.

use crate::{
    endpoint::Endpoint,
    facts::RequestFacts,
    json::{self, Count, Members},
    measure::{Measure, Read, Rules},
};
use serde::{
    Deserialize,
    de::{IgnoredAny, MapAccess},
};
use tollgate_core::{error::Error, format::Operation};

/// Facts of a request.
pub(crate) fn facts(endpoint: &Endpoint, body: &[u8]) -> Result<RequestFacts, Error> {
    let mut request = Request {
        body,
        facts: RequestFacts {
            choices: 1,
            ..RequestFacts::default()
        },
        stream: None,
        measure: Measure::default(),
    };
    json::read_object(body, &mut request)?;
    let Request {
        mut facts,
        stream,
        measure,
        ..
    } = request;
    if facts.model.is_empty() {
        return Err(json::no_model("put it into `model`"));
    }
    if endpoint.operation == Operation::Generate {
        facts.stream = stream.unwrap_or(true);
    } else {
        facts.output_cap = Some(0);
    }
    facts.text_bytes = measure.text_bytes;
    facts.media_tokens = measure.media_tokens;
    facts.unseen_input |= measure.unseen_input;
    Ok(facts)
}

struct Request<'de> {
    body: &'de [u8],
    facts: RequestFacts,
    stream: Option<bool>,
    measure: Measure,
}

/// Of `options`, what bounds the output: `-1` (until it stops) and `-2` (until the context is full)
/// are no bound.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Options {
    num_predict: Count,
}

impl<'de> Members<'de> for Request<'de> {
    fn member<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "model" => self.facts.name_model(self.body, map.next_value()?)?,
            "stream" => self.stream = map.next_value()?,
            "options" => {
                let options: Option<Options> = map.next_value()?;
                self.facts.output_cap = options.and_then(|options| options.num_predict.0);
            }
            // Tokens of an earlier answer, given back: digits, never fewer than the tokens.
            "context" => map.next_value_seed(self.measure.walk::<Content>(Read::Text))?,
            "keep_alive" | "think" | "raw" | "truncate" | "dimensions" | "logprobs"
            | "top_logprobs" => {
                map.next_value::<IgnoredAny>()?;
            }
            // `messages`, `prompt`, `input`, `system`, `suffix`, `tools`, `format`, and whatever is
            // new; `images` stands beside the prompt.
            "images" => map.next_value_seed(self.measure.walk(Read::Media(Content)))?,
            _ => map.next_value_seed(self.measure.walk(Read::Inside(Content)))?,
        }
        Ok(())
    }
}

#[derive(Clone, Copy)]
struct Content;

impl Rules for Content {
    fn read(self, key: &str) -> Read<Self> {
        match key {
            "images" => Read::Media(self),
            // A function's arguments and schema may use the word for something else.
            "arguments" | "parameters" => Read::Text,
            _ => Read::Inside(self),
        }
    }
}
