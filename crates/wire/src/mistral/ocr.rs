//! `POST /v1/ocr`: a document in, its text out, billed by the page.

use crate::{
    facts::RequestFacts,
    json::{self, Count, Members, Text},
};
use serde::{
    Deserialize,
    de::{IgnoredAny, MapAccess},
};
use serde_json::value::RawValue;
use tollgate_core::{
    error::Error,
    unit::Unit,
    usage::{Usage, UsageReport},
};

/// Facts of a request. How many pages the document has, the body does not show.
pub(crate) fn facts(body: &[u8]) -> Result<RequestFacts, Error> {
    let mut request = Request {
        body,
        facts: RequestFacts {
            choices: 1,
            output_cap: Some(0),
            unseen_input: true,
            ..RequestFacts::default()
        },
    };
    json::read_object(body, &mut request)?;
    if request.facts.model.is_empty() {
        return Err(json::no_model("put it into `model`"));
    }
    Ok(request.facts)
}

struct Request<'de> {
    body: &'de [u8],
    facts: RequestFacts,
}

/// Where the document is, of which only a file stored at the provider matters here.
#[derive(Deserialize)]
struct Document<'a> {
    #[serde(default, borrow)]
    file_id: Option<Text<'a>>,
}

impl<'de> Members<'de> for Request<'de> {
    fn member<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "model" => self.facts.name_model(self.body, map.next_value()?)?,
            "document" => {
                let document: Option<Document<'de>> = map.next_value()?;
                let file = document.and_then(|document| document.file_id);
                self.facts
                    .objects
                    .extend(file.map(|Text(id)| id.into_owned()));
            }
            _ => {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(default, borrow)]
    model: Option<Text<'a>>,
    #[serde(default, borrow)]
    document_annotation: Option<&'a RawValue>,
    #[serde(default)]
    usage_info: Option<Info>,
}

#[derive(Deserialize)]
struct Info {
    pages_processed: Count,
}

/// The usage of an answer. Pages that are annotated have a price of their own.
pub(crate) fn usage(body: &[u8]) -> UsageReport {
    let Some(answer) = json::parse::<Answer<'_>>(body) else {
        return UsageReport::default();
    };
    let annotated = answer
        .document_annotation
        .is_some_and(|annotation| annotation.get() != "null");
    let pages = answer.usage_info.and_then(|info| info.pages_processed.0);
    let usage = pages.map(|pages| {
        let mut usage = Usage::NONE;
        usage.set(Unit::InputDocumentPages, pages);
        if annotated {
            usage.set(Unit::InputAnnotatedDocumentPages, pages);
        }
        usage
    });
    UsageReport {
        model: answer.model.map(|Text(model)| model.into_owned()),
        complete: usage.is_some(),
        usage,
        ..UsageReport::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_is_unseen_and_a_stored_one_is_named() {
        let body =
            br#"{"model":"mistral-ocr-latest","document":{"type":"file","file_id":"f-1"},"pages":[0]}"#;
        let facts = facts(body).unwrap();
        assert!(facts.unseen_input && facts.output_cap == Some(0));
        assert_eq!(facts.objects, ["f-1"]);
        assert_eq!(&body[facts.model_span.unwrap()], br#""mistral-ocr-latest""#);
    }

    #[test]
    fn an_answer_without_pages_is_not_counted() {
        assert!(!usage(br#"{"pages":[],"model":"m"}"#).complete);
        let report = usage(br#"{"document_annotation":"{}","usage_info":{"pages_processed":2}}"#);
        let usage = report.usage.unwrap();
        assert_eq!(usage.get(Unit::InputDocumentPages), 2);
        assert_eq!(usage.get(Unit::InputAnnotatedDocumentPages), 2);
    }
}
