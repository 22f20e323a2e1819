//! Reads a stream of Messages events. They are told apart by the `type` in their data: some servers
//! leave the `event:` line out.

use super::usage::{Message, Tally};
use crate::{
    edit::Edit,
    json::{self, Text},
    objects::{Made, of_message},
    tap::{Carries, Progress, StreamReader},
};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::value::RawValue;
use tollgate_core::usage::UsageReport;

/// A reader of a stream of events.
pub(crate) fn reader() -> Box<dyn StreamReader> {
    Box::new(Reader::default())
}

#[derive(Default)]
struct Reader {
    tally: Tally,
    progress: Progress,
    /// A `message_delta` brought usage; before it, the output count is a placeholder.
    counted: bool,
    made: Vec<Made>,
}

/// The members are read when the type says what they are: an odd one of another type is harmless.
#[derive(Deserialize)]
struct Event<'a> {
    #[serde(default, borrow)]
    r#type: Option<Text<'a>>,
    #[serde(default, borrow)]
    message: Option<&'a RawValue>,
    #[serde(default, borrow)]
    content_block: Option<&'a RawValue>,
    #[serde(default, borrow)]
    delta: Option<&'a RawValue>,
    #[serde(default, borrow)]
    usage: Option<&'a RawValue>,
    #[serde(default)]
    error: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Block<'a> {
    #[serde(default, borrow)]
    r#type: Option<Text<'a>>,
    #[serde(default, borrow)]
    text: Option<Text<'a>>,
    #[serde(default, borrow)]
    thinking: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct Delta<'a> {
    #[serde(default, borrow)]
    text: Option<Text<'a>>,
    #[serde(default, borrow)]
    partial_json: Option<Text<'a>>,
}

impl StreamReader for Reader {
    fn event(&mut self, name: &[u8], data: &[u8]) -> Carries {
        let Ok(event) = serde_json::from_slice::<Event<'_>>(data) else {
            return Carries::Content;
        };
        let kind = event
            .r#type
            .as_ref()
            .map_or(name, |Text(kind)| kind.as_bytes());
        match kind {
            b"message_start" => {
                self.container(event.message);
                if let Some(message) = read::<Message<'_>>(event.message) {
                    self.tally.start(message);
                }
            }
            b"content_block_start" => {
                self.progress.started |= !read(event.content_block).is_some_and(is_empty);
            }
            b"content_block_delta" => self.content(read(event.delta)),
            b"message_delta" => {
                self.container(event.delta);
                if event.usage.is_some_and(|usage| self.tally.merge(usage)) {
                    self.counted = true;
                    return Carries::Usage;
                }
            }
            b"message_stop" => self.progress.terminal = true,
            b"error" => self.progress.failed = true,
            // Some servers forget the type on their errors.
            _ => self.progress.failed |= event.error.is_some(),
        }
        Carries::Content
    }

    fn progress(&self) -> Progress {
        Progress {
            input_tokens: self.tally.input_tokens(),
            ..self.progress
        }
    }

    fn report(&self) -> UsageReport {
        self.tally
            .report(self.progress.terminal && self.counted && !self.progress.failed)
    }

    fn made(&self) -> &[Made] {
        &self.made
    }

    fn cost_edit(&self, data: &[u8], cost: &str) -> Option<Edit> {
        json::cost_edit(data, &["usage"], cost)
    }
}

fn read<'a, T: Deserialize<'a>>(raw: Option<&'a RawValue>) -> Option<T> {
    serde_json::from_str(raw?.get()).ok()
}

/// Whether a block that begins shows nothing yet: its words come as deltas. A tool call shows its
/// name.
fn is_empty(block: Block<'_>) -> bool {
    let text = match block.r#type.as_ref().map(|Text(kind)| &**kind) {
        Some("text") => block.text,
        Some("thinking") => block.thinking,
        _ => return false,
    };
    text.is_none_or(|Text(text)| text.is_empty())
}

impl Reader {
    /// A container is told of at the start or at the end.
    fn container(&mut self, raw: Option<&RawValue>) {
        let made = raw.and_then(|raw| of_message(raw.get().as_bytes()));
        self.made
            .extend(made.filter(|made| !self.made.contains(made)));
    }

    fn content(&mut self, delta: Option<Delta<'_>>) {
        self.progress.started = true;
        let texts = delta
            .into_iter()
            .flat_map(|delta| [delta.text, delta.partial_json]);
        for Text(text) in texts.flatten() {
            let bytes = u64::try_from(text.len()).unwrap_or(u64::MAX);
            self.progress.content_bytes = self.progress.content_bytes.saturating_add(bytes);
        }
    }
}
