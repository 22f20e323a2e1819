//! How much of an answer an event brings: its strings, but for those that are known to be none of
//! it. What is new on the wire can only make the measure larger, never hide output from it.

use crate::json::Text;
use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// Bytes of content in the JSON `event`; all of it when it is no JSON.
pub(super) fn bytes(event: &[u8]) -> u64 {
    let mut sum = 0;
    let mut json = serde_json::Deserializer::from_slice(event);
    match Strings(&mut sum).deserialize(&mut json) {
        Ok(()) => sum,
        Err(_) => u64::try_from(event.len()).unwrap_or(u64::MAX),
    }
}

/// Names, reasons, padding, counts, signatures, and the whole answer once more at its end.
fn is_no_content(key: &str) -> bool {
    key.starts_with("amazon-bedrock-")
        || matches!(
            key,
            "p" | "id"
                | "generation_id"
                | "toolUseId"
                | "model"
                | "object"
                | "type"
                | "event_type"
                | "role"
                | "stop_reason"
                | "stopReason"
                | "stop_sequence"
                | "finish_reason"
                | "finishReason"
                | "completionReason"
                | "service_tier"
                | "system_fingerprint"
                | "signature"
                | "redactedContent"
                | "citation"
                | "usage"
                | "metadata"
                | "metrics"
                | "trace"
                | "response"
        )
}

struct Strings<'s>(&'s mut u64);

impl<'de> DeserializeSeed<'de> for Strings<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strings<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<(), E> {
        let bytes = u64::try_from(text.len()).unwrap_or(u64::MAX);
        *self.0 = self.0.saturating_add(bytes);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(Strings(self.0))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Text(key)) = map.next_key::<Text<'de>>()? {
            if is_no_content(&key) {
                map.next_value::<IgnoredAny>()?;
            } else {
                map.next_value_seed(Strings(self.0))?;
            }
        }
        Ok(())
    }
}
