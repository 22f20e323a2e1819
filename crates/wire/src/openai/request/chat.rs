//! Chat completions.

use super::Draft;
use crate::{
    edit::Edit,
    envelope::rule::ASK_FOR_USAGE,
    facts::RequestFacts,
    json::{self, Count, Members},
};
use bytes::Bytes;
use serde::de::{self, MapAccess};
use serde_json::value::RawValue;
use tollgate_core::error::Error;

/// Facts of a request to `/chat/completions`.
pub(crate) fn chat_facts(body: &[u8]) -> Result<RequestFacts, Error> {
    let mut chat = Chat {
        draft: Draft::new(body),
        stream_options: None,
    };
    json::read_object(body, &mut chat)?;
    let stream_options = chat.stream_options;
    let mut facts = chat.draft.finish("put it into `model`")?;
    if facts.stream {
        facts.ask_for_usage = ask_for_usage(body, stream_options);
    }
    Ok(facts)
}

struct Chat<'de> {
    draft: Draft<'de>,
    stream_options: Option<&'de RawValue>,
}

impl<'de> Members<'de> for Chat<'de> {
    fn member<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        let facts = &mut self.draft.facts;
        match key {
            // The older name bounds the same thing; where both are given, either may be the one
            // that is obeyed.
            "max_tokens" | "max_completion_tokens" => {
                let cap = map.next_value::<Count>()?.0;
                facts.output_cap = facts.output_cap.max(cap);
                Ok(())
            }
            "n" => {
                facts.choices = map.next_value::<Count>()?.0.unwrap_or(1).max(1);
                Ok(())
            }
            "stream_options" => {
                self.stream_options = Some(stream_options(map.next_value()?)?);
                Ok(())
            }
            // How an audio answer is to sound; not the answer of before that messages refer to.
            "audio" => self.draft.walk(map, crate::measure::Read::Skip),
            _ => self.draft.member(key, map),
        }
    }
}

/// Checks that `stream_options` is what can be added to.
pub(super) fn stream_options<E: de::Error>(raw: &RawValue) -> Result<&RawValue, E> {
    if raw.get() != "null" && !raw.get().starts_with('{') {
        return Err(E::custom("`stream_options` is not an object"));
    }
    Ok(raw)
}

/// Inserts `include_usage` where it is missing and turns it on where it is off; its siblings stay.
/// An explicit `null` means what an absent member means, so it gives way to the object: without a
/// usage the request could only be billed by an estimate.
pub(super) fn ask_for_usage(body: &[u8], stream_options: Option<&RawValue>) -> Option<Edit> {
    let Some(options) = stream_options else {
        let member = r#""stream_options":{"include_usage":true}"#;
        return json::insert_member(ASK_FOR_USAGE, body, json::top(body)?, member);
    };
    let place = json::span(body, options)?;
    if options.get() == "null" {
        return Some(Edit {
            rule: ASK_FOR_USAGE,
            range: place,
            with: Bytes::from_static(br#"{"include_usage":true}"#),
        });
    }
    match json::member(options.get().as_bytes(), "include_usage") {
        Some(value) if value.get() == "true" => None,
        Some(value) => {
            let range = json::span(body, value)?;
            Some(Edit {
                rule: ASK_FOR_USAGE,
                range,
                with: Bytes::from_static(b"true"),
            })
        }
        None => json::insert_member(ASK_FOR_USAGE, body, place, r#""include_usage":true"#),
    }
}
