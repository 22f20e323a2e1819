//! Embeddings by Google: `:embedContent`, `:batchEmbedContents` and Vertex's `:predict`.
//!
//! `:predict` also makes images of models that answer without a usage; those are refused, for
//! nobody could say what they cost.

use crate::{
    endpoint::Endpoint,
    facts::RequestFacts,
    json::{self, Count, Members},
    measure::{Measure, Read, Rules},
};
use serde::{
    Deserialize,
    de::{self, IgnoredAny, MapAccess},
};
use tollgate_core::{
    error::Error,
    unit::Unit,
    usage::{Usage, UsageReport},
};

/// Facts of a request; the model is in the path.
pub(crate) fn facts(endpoint: &Endpoint, body: &[u8]) -> Result<RequestFacts, Error> {
    let model = endpoint.model.as_ref().filter(|model| !model.is_empty());
    let model = model.ok_or_else(|| json::no_model("put it into the path"))?;
    let mut request = Request::default();
    json::read_object(body, &mut request)?;
    Ok(RequestFacts {
        model: model.clone(),
        output_cap: Some(0),
        choices: 1,
        text_bytes: request.0.text_bytes,
        media_tokens: request.0.media_tokens,
        unseen_input: request.0.unseen_input,
        ..RequestFacts::default()
    })
}

#[derive(Default)]
struct Request(Measure);

impl<'de> Members<'de> for Request {
    fn member<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "parameters"
            | "model"
            | "taskType"
            | "task_type"
            | "outputDimensionality"
            | "output_dimensionality" => {
                map.next_value::<IgnoredAny>()?;
            }
            "instances" => {
                let instances: Vec<Instance> = map.next_value()?;
                if instances.iter().any(|instance| instance.prompt.is_some()) {
                    return Err(de::Error::custom(
                        "images over `:predict` are not offered: their answers do not say what \
                         they cost",
                    ));
                }
                for instance in instances {
                    self.0.add_text(instance.content.as_deref().unwrap_or(""));
                    self.0.add_text(instance.title.as_deref().unwrap_or(""));
                    self.0.unseen_input |= instance.image.is_some() || instance.video.is_some();
                }
            }
            // `content`, `requests`, and whatever is new.
            _ => map.next_value_seed(self.0.walk(Read::Inside(Content)))?,
        }
        Ok(())
    }
}

/// One text of a `:predict` request; pictures and films are counted in a way of their own.
#[derive(Deserialize)]
struct Instance {
    content: Option<String>,
    title: Option<String>,
    prompt: Option<IgnoredAny>,
    image: Option<IgnoredAny>,
    video: Option<IgnoredAny>,
}

#[derive(Clone, Copy)]
struct Content;

impl Rules for Content {
    fn read(self, key: &str) -> Read<Self> {
        match key {
            "data" => Read::Media(self),
            "fileUri" | "file_uri" => Read::Url(self),
            "mimeType" | "mime_type" | "model" | "taskType" | "task_type" | "role" => Read::Skip,
            _ => Read::Inside(self),
        }
    }
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default, rename = "usageMetadata")]
    usage_metadata: Option<UsageMetadata>,
    #[serde(default)]
    predictions: Option<Vec<Prediction>>,
    #[serde(default)]
    metadata: Option<Billed>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct UsageMetadata {
    prompt_token_count: Count,
    total_token_count: Count,
}

#[derive(Deserialize)]
struct Prediction {
    #[serde(default)]
    embeddings: Option<Embeddings>,
}

#[derive(Deserialize)]
struct Embeddings {
    #[serde(default)]
    statistics: Option<Statistics>,
}

#[derive(Deserialize)]
struct Statistics {
    token_count: Count,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Billed {
    billable_character_count: Count,
}

/// The usage of an answer; the tokens of every prediction, where they are counted.
pub(crate) fn usage(body: &[u8]) -> UsageReport {
    let Some(answer) = json::parse::<Answer>(body) else {
        return UsageReport::default();
    };
    let reported = answer.usage_metadata.unwrap_or_default();
    let total = reported.prompt_token_count.0;
    let total = total.or(reported.total_token_count.0);
    let predicted = answer.predictions.and_then(|predictions| {
        let counts = predictions.into_iter().map(|prediction| {
            let statistics = prediction.embeddings?.statistics?;
            statistics.token_count.0
        });
        counts.sum::<Option<u64>>()
    });
    let usage = total.or(predicted).map(|tokens| {
        let mut usage = Usage::NONE;
        usage.set(Unit::InputTokens, tokens);
        let characters = answer.metadata.unwrap_or_default().billable_character_count;
        usage.set(Unit::InputCharacters, characters.0.unwrap_or(0));
        usage
    });
    UsageReport {
        complete: usage.is_some(),
        usage,
        ..UsageReport::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tollgate_core::format::{Format, Operation};

    fn read(body: &str) -> Result<RequestFacts, Error> {
        let endpoint = Endpoint {
            format: Format::GeminiEmbed,
            operation: Operation::Embed,
            model: Some("text-embedding-005".to_owned()),
            stream: false,
            object: None,
            tail: String::new(),
            query: String::new(),
        };
        facts(&endpoint, body.as_bytes())
    }

    #[test]
    fn texts_are_measured_in_all_three_shapes() {
        for body in [
            r#"{"instances":[{"content":"some text","task_type":"RETRIEVAL_QUERY"}]}"#,
            r#"{"instances":[{"content":"some"},{"content":" text"}],"parameters":{"autoTruncate":true}}"#,
        ] {
            let facts = read(body).unwrap();
            assert_eq!((facts.text_bytes, facts.output_cap), (9, Some(0)), "{body}");
        }
        let batch =
            r#"{"requests":[{"model":"models/x","content":{"parts":[{"text":"some text"}]}}]}"#;
        assert!(read(batch).unwrap().text_bytes >= 9);
    }

    #[test]
    fn pictures_over_predict_are_refused_with_the_reason() {
        let error = read(r#"{"instances":[{"prompt":"a cat"}]}"#).unwrap_err();
        assert!(
            error.message().contains("not offered"),
            "{}",
            error.message()
        );
    }

    #[test]
    fn one_prediction_without_a_count_makes_the_whole_uncounted() {
        let one = r#"{"embeddings":{"statistics":{"token_count":4}}}"#;
        let count = |body: String| usage(body.as_bytes()).usage;
        let counted = count(format!(r#"{{"predictions":[{one},{one}]}}"#)).unwrap();
        assert_eq!(counted.get(Unit::InputTokens), 8);
        assert!(count(format!(r#"{{"predictions":[{one},{{}}]}}"#)).is_none());
        let counted = count(r#"{"usageMetadata":{"promptTokenCount":5}}"#.to_owned()).unwrap();
        assert_eq!(counted.get(Unit::InputTokens), 5);
    }
}
