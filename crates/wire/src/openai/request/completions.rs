//! The older text completions.

use super::{Draft, ask_for_usage, stream_options};
use crate::{
    facts::RequestFacts,
    json::{self, Count, Members},
    measure::Read,
};
use serde::de::{self, DeserializeSeed, IgnoredAny, MapAccess};
use serde_json::value::RawValue;
use tollgate_core::error::Error;

/// Facts of a request to `/completions`.
///
/// Without `max_tokens` OpenAI stops after 16 tokens; other servers of this format (Ollama) go on
/// to the end of the context. So a bound that is not stated is not taken for one.
pub(crate) fn completions_facts(body: &[u8]) -> Result<RequestFacts, Error> {
    let mut completions = Completions {
        draft: Draft::new(body),
        prompts: 1,
        each: 1,
        stream_options: None,
    };
    json::read_object(body, &mut completions)?;
    let Completions {
        draft,
        prompts,
        each,
        stream_options,
    } = completions;
    let mut facts = draft.finish("put it into `model`")?;
    facts.choices = prompts.saturating_mul(each);
    if facts.stream {
        facts.ask_for_usage = ask_for_usage(body, stream_options);
    }
    Ok(facts)
}

struct Completions<'de> {
    draft: Draft<'de>,
    /// Every prompt is answered on its own.
    prompts: u64,
    /// How many answers are made of each: of `best_of` only the best are sent, all are billed.
    each: u64,
    stream_options: Option<&'de RawValue>,
}

impl<'de> Members<'de> for Completions<'de> {
    fn member<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "max_tokens" => {
                self.draft.facts.output_cap = map.next_value::<Count>()?.0;
                Ok(())
            }
            "n" | "best_of" => {
                self.each = self.each.max(map.next_value::<Count>()?.0.unwrap_or(1));
                Ok(())
            }
            "stream_options" => {
                self.stream_options = Some(stream_options(map.next_value()?)?);
                Ok(())
            }
            "prompt" => self.prompt(map.next_value()?),
            "logprobs" | "echo" => self.draft.walk(map, Read::Skip),
            _ => self.draft.member(key, map),
        }
    }
}

impl Completions<'_> {
    /// Text, or texts, or the numbers of tokens: those count by their digits, which are never fewer
    /// than the tokens.
    fn prompt<E: de::Error>(&mut self, raw: &RawValue) -> Result<(), E> {
        let mut json = serde_json::Deserializer::from_str(raw.get());
        let walk = self.draft.measure.walk(Read::<super::Place>::Text);
        walk.deserialize(&mut json).map_err(E::custom)?;
        self.prompts = prompts(raw.get());
        Ok(())
    }
}

/// How many prompts `raw` holds: a list of numbers is one.
fn prompts(raw: &str) -> u64 {
    let Some(inside) = raw.strip_prefix('[') else {
        return 1;
    };
    if inside
        .trim_start()
        .starts_with(|c: char| c.is_ascii_digit())
    {
        return 1;
    }
    let count = serde_json::from_str::<Vec<IgnoredAny>>(raw).map_or(1, |prompts| prompts.len());
    u64::try_from(count).unwrap_or(u64::MAX).max(1)
}
