//! How much content a chunk carries.

use serde::{
    Deserialize, Deserializer,
    de::{self, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use std::fmt;

/// The bytes of all strings in a value, escapes resolved; keys do not count.
///
/// Content is a string nearly always, but Mistral's may be a list of parts, and any of it may be
/// null: whatever it is must not keep a chunk from being read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct TextBytes(pub(super) u64);

impl<'de> Deserialize<'de> for TextBytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextBytesVisitor)
    }
}

struct TextBytesVisitor;

impl<'de> Visitor<'de> for TextBytesVisitor {
    type Value = TextBytes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("content")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<TextBytes, E> {
        Ok(TextBytes(u64::try_from(text.len()).unwrap_or(u64::MAX)))
    }

    fn visit_unit<E: de::Error>(self) -> Result<TextBytes, E> {
        Ok(TextBytes(0))
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<TextBytes, E> {
        Ok(TextBytes(0))
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<TextBytes, E> {
        Ok(TextBytes(0))
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<TextBytes, E> {
        Ok(TextBytes(0))
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<TextBytes, E> {
        Ok(TextBytes(0))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<TextBytes, A::Error> {
        let mut total = 0_u64;
        while let Some(TextBytes(bytes)) = items.next_element()? {
            total = total.saturating_add(bytes);
        }
        Ok(TextBytes(total))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<TextBytes, A::Error> {
        let mut total = 0_u64;
        while map.next_key::<IgnoredAny>()?.is_some() {
            total = total.saturating_add(map.next_value::<TextBytes>()?.0);
        }
        Ok(TextBytes(total))
    }
}

/// The `choices` of a chat chunk.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Choices {
    /// How many there are.
    pub(super) count: usize,
    /// Bytes of what they add to the answer.
    pub(super) content_bytes: u64,
    /// Whether one of them adds to the answer or ends it (a role alone does neither).
    pub(super) any_content: bool,
    /// Which of them it speaks of, and which of those it ends.
    pub(super) seen: Indices,
    pub(super) finished: Indices,
}

/// A set of choice indices. `n` is at most 128 everywhere; a higher index is held to be the last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Indices(u128);

impl Indices {
    fn add(&mut self, index: u64) {
        let bit = u32::try_from(index).unwrap_or(u32::MAX).min(u128::BITS - 1);
        self.0 |= 1 << bit;
    }

    /// Adds all of `other`.
    pub(super) fn extend(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Whether there are some, and all of them are in `other`.
    pub(super) fn some_and_all_in(self, other: Self) -> bool {
        self.0 != 0 && self.0 & !other.0 == 0
    }
}

#[derive(Deserialize)]
struct Choice {
    /// Some imitations that know one choice only leave it out.
    #[serde(default)]
    index: Index,
    #[serde(default)]
    delta: Option<Delta>,
    /// Of a text completion.
    #[serde(default)]
    text: TextBytes,
    #[serde(default)]
    finish_reason: Option<IgnoredAny>,
}

/// The number of a choice; anything else must not keep the chunk from being read.
#[derive(Deserialize)]
#[serde(untagged)]
enum Index {
    Number(u64),
    Other(IgnoredAny),
}

impl Default for Index {
    fn default() -> Self {
        Self::Number(0)
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Delta {
    content: TextBytes,
    refusal: TextBytes,
    /// Thinking word for word (DeepSeek, vLLM, OpenRouter): output like any other.
    reasoning_content: TextBytes,
    reasoning: TextBytes,
    tool_calls: Option<Calls>,
    function_call: Option<Call>,
    audio: Option<Audio>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Audio {
    transcript: TextBytes,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ToolCall {
    function: Option<Call>,
    custom: Option<Call>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Call {
    arguments: TextBytes,
    input: TextBytes,
}

#[derive(Default)]
struct Calls(u64);

impl Call {
    fn bytes(&self) -> u64 {
        self.arguments.0.saturating_add(self.input.0)
    }
}

impl<'de> Deserialize<'de> for Calls {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct CallsVisitor;
        impl<'de> Visitor<'de> for CallsVisitor {
            type Value = Calls;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of tool calls")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Calls, A::Error> {
                let mut total = 0_u64;
                while let Some(call) = items.next_element::<ToolCall>()? {
                    let calls = call.function.iter().chain(&call.custom);
                    total = calls.fold(total, |sum, call| sum.saturating_add(call.bytes()));
                }
                Ok(Calls(total))
            }
        }
        deserializer.deserialize_seq(CallsVisitor)
    }
}

impl<'de> Deserialize<'de> for Choices {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ChoicesVisitor;
        impl<'de> Visitor<'de> for ChoicesVisitor {
            type Value = Choices;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of choices")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Choices, A::Error> {
                let mut choices = Choices::default();
                while let Some(choice) = items.next_element::<Choice>()? {
                    choices.add(&choice);
                }
                Ok(choices)
            }
        }
        deserializer.deserialize_seq(ChoicesVisitor)
    }
}

impl Choices {
    fn add(&mut self, choice: &Choice) {
        self.count += 1;
        let index = match choice.index {
            Index::Number(index) => index,
            Index::Other(_) => 0,
        };
        self.seen.add(index);
        if choice.finish_reason.is_some() {
            self.finished.add(index);
            self.any_content = true;
        }
        self.content_bytes = self.content_bytes.saturating_add(choice.text.0);
        self.any_content |= choice.text.0 > 0;
        let Some(delta) = &choice.delta else {
            return;
        };
        let bytes = [
            delta.content.0,
            delta.refusal.0,
            // The same thinking may stand under both names (OpenRouter).
            delta.reasoning_content.0.max(delta.reasoning.0),
            delta.tool_calls.as_ref().map_or(0, |calls| calls.0),
            delta.function_call.as_ref().map_or(0, Call::bytes),
            delta.audio.as_ref().map_or(0, |audio| audio.transcript.0),
        ]
        .into_iter()
        .fold(0_u64, u64::saturating_add);
        self.content_bytes = self.content_bytes.saturating_add(bytes);
        self.any_content |= bytes > 0 || delta.tool_calls.is_some() || delta.audio.is_some();
    }
}
