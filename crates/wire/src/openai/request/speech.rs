//! Speech: a text in, its sound out.

use super::Draft;
use crate::{
    facts::{Billing, RequestFacts},
    json::{self, Members, Text},
    measure::Read,
};
use serde::de::MapAccess;
use tollgate_core::{error::Error, unit::Unit};

/// Sound has some 21 tokens a second (OpenAI's price of a minute over that of a token), and speech
/// at least 14 bytes of text: one and a half tokens a byte. Twice that leaves room for voices that
/// are told to take their time.
const TOKENS_PER_BYTE: u64 = 3;

/// A breath before and after.
const TOKENS_LEAST: u64 = 64;

/// Facts of a request to `/audio/speech`.
pub(crate) fn speech_facts(body: &[u8]) -> Result<RequestFacts, Error> {
    let mut speech = Speech {
        draft: Draft::new(body),
        characters: 0,
        bytes: 0,
    };
    json::read_object(body, &mut speech)?;
    let mut facts = speech.draft.finish("put it into `model`")?;
    facts.counted.set(Unit::InputCharacters, speech.characters);
    let spoken = speech.bytes.saturating_mul(TOKENS_PER_BYTE);
    facts.output_cap = Some(spoken.saturating_add(TOKENS_LEAST));
    facts.billing = Billing::AsAWhole;
    Ok(facts)
}

struct Speech<'de> {
    draft: Draft<'de>,
    characters: u64,
    bytes: u64,
}

impl<'de> Members<'de> for Speech<'de> {
    fn member<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "input" => {
                let Text(input) = map.next_value()?;
                let characters = u64::try_from(input.chars().count());
                self.characters = characters.unwrap_or(u64::MAX);
                self.bytes = u64::try_from(input.len()).unwrap_or(u64::MAX);
                self.draft.measure.add_text(&input);
                Ok(())
            }
            // Sound as it is comes in one piece, whatever its length; events are a stream.
            "stream_format" => {
                let format: Option<Text<'de>> = map.next_value()?;
                self.draft.facts.stream |= format.is_some_and(|Text(format)| format == "sse");
                Ok(())
            }
            "voice" | "response_format" | "speed" => self.draft.walk(map, Read::Skip),
            _ => self.draft.member(key, map),
        }
    }
}
