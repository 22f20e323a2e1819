//! Audio: transcriptions and translations, whole and streamed, and speech.
//!
//! A transcript is billed by tokens or by the seconds of its recording, as its model is; the usage
//! says which. Text, SRT and VTT carry no usage, nor does sound: those are settled by what the
//! request showed.

use super::content::TextBytes;
use crate::{
    edit::Edit,
    json::{self, Count, Text},
    tap::{Carries, Progress, StreamReader},
};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::value::RawValue;
use tollgate_core::{
    unit::Unit,
    usage::{Usage, UsageReport},
};

/// The usage of a whole transcript.
pub(crate) fn transcription_usage(body: &[u8]) -> UsageReport {
    let answer = json::parse::<Event<'_>>(body);
    let mut seen = Seen::default();
    if let Some(answer) = &answer {
        seen.note(answer, Side::Heard);
        if seen.usage.is_none() {
            // `verbose_json` of servers that report no usage (Groq).
            seen.usage = answer.duration.counted();
        }
    }
    let complete = seen.usage.is_some();
    seen.report(complete)
}

/// A reader of a stream of transcript events.
pub(crate) fn transcription_reader() -> Box<dyn StreamReader> {
    Box::new(AudioReader::new(Side::Heard))
}

/// A reader of a stream of speech events.
pub(crate) fn speech_reader() -> Box<dyn StreamReader> {
    Box::new(AudioReader::new(Side::Spoken))
}

/// Which side of a request is sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Heard,
    Spoken,
}

/// A whole answer or an event.
#[derive(Deserialize)]
struct Event<'a> {
    #[serde(rename = "type", borrow)]
    kind: Option<Text<'a>>,
    #[serde(borrow)]
    model: Option<Text<'a>>,
    #[serde(default)]
    delta: TextBytes,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
    #[serde(default)]
    duration: Seconds,
    error: Option<IgnoredAny>,
}

/// The members of all usages of sound: OpenAI's tokens or seconds, Mistral's of both.
#[derive(Default, Deserialize)]
#[serde(default)]
struct AudioUsage {
    input_tokens: Count,
    output_tokens: Count,
    input_token_details: Option<InputDetails>,
    seconds: Seconds,
    prompt_tokens: Count,
    completion_tokens: Count,
    prompt_audio_seconds: Seconds,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(default)]
struct InputDetails {
    audio_tokens: Count,
    text_tokens: Count,
}

impl AudioUsage {
    fn usage(&self, side: Side) -> Option<Usage> {
        let heard = self.seconds.counted();
        let heard = heard.or(self.prompt_audio_seconds.counted());
        let mut usage = heard.unwrap_or_default();
        let details = self.input_token_details.unwrap_or_default();
        let output = self.output_tokens.0.or(self.completion_tokens.0);
        let spoken = match side {
            Side::Heard => None,
            Side::Spoken => output,
        };
        for (unit, count) in [
            (
                Unit::InputTokens,
                self.input_tokens.0.or(self.prompt_tokens.0),
            ),
            (Unit::InputAudioTokens, details.audio_tokens.0),
            (Unit::InputTextTokens, details.text_tokens.0),
            (Unit::OutputTokens, output),
            (Unit::OutputAudioTokens, spoken),
        ] {
            usage.set(unit, count.unwrap_or(0));
        }
        (!usage.is_none()).then_some(usage)
    }
}

/// How long a recording is, in seconds; those begun are billed as whole ones. What is no number is
/// nothing, and must not keep the rest of a usage from being read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "Said")]
pub(super) struct Seconds(u64);

#[derive(Deserialize)]
#[serde(untagged)]
enum Said {
    Number(f64),
    Other(IgnoredAny),
}

impl From<Said> for Seconds {
    fn from(said: Said) -> Self {
        let number = match said {
            Said::Number(number) => number.ceil(),
            Said::Other(_) => 0.0,
        };
        // Whole floats print without a fraction; those below zero do not parse.
        Self(number.to_string().parse().unwrap_or(0))
    }
}

impl Seconds {
    /// Both the whole and its part, for price data has rates for either; `None` for no time at all.
    pub(super) fn counted(self) -> Option<Usage> {
        let mut usage = Usage::NONE;
        usage.set(Unit::AudioSeconds, self.0);
        usage.set(Unit::InputAudioSeconds, self.0);
        (!usage.is_none()).then_some(usage)
    }
}

#[derive(Default)]
struct Seen {
    model: Option<String>,
    usage: Option<Usage>,
}

impl Seen {
    /// Takes in an answer or an event; says whether it carries usage.
    fn note(&mut self, event: &Event<'_>, side: Side) -> bool {
        super::note(&mut self.model, event.model.as_ref());
        let counted = event
            .usage
            .and_then(|raw| serde_json::from_str::<AudioUsage>(raw.get()).ok())
            .and_then(|usage| usage.usage(side));
        let found = counted.is_some();
        self.usage = counted.or(self.usage.take());
        found
    }

    fn report(&self, complete: bool) -> UsageReport {
        UsageReport {
            model: self.model.clone(),
            usage: self.usage.clone(),
            complete,
            ..UsageReport::default()
        }
    }
}

struct AudioReader {
    side: Side,
    seen: Seen,
    progress: Progress,
}

impl AudioReader {
    fn new(side: Side) -> Self {
        Self {
            side,
            seen: Seen::default(),
            progress: Progress::default(),
        }
    }
}

impl StreamReader for AudioReader {
    fn event(&mut self, name: &[u8], data: &[u8]) -> Carries {
        if data.starts_with(b"[DONE]") {
            self.progress.terminal = true;
            return Carries::Content;
        }
        let Some(event) = json::parse::<Event<'_>>(data) else {
            return Carries::Content;
        };
        let kind = event.kind.as_ref().map_or("", |kind| kind.0.as_ref());
        if event.error.is_some() || kind == "error" || name == b"error" {
            self.progress.failed = true;
            self.progress.terminal = true;
            return Carries::Content;
        }
        self.progress.started = true;
        self.progress.content_bytes = self.progress.content_bytes.saturating_add(event.delta.0);
        // `transcript.text.done`, `speech.audio.done`, Mistral's `transcription.done`; a segment
        // that is done ends nothing.
        let last = kind.rsplit('.').next();
        self.progress.terminal |= last == Some("done") && !kind.contains("segment");
        if !self.seen.note(&event, self.side) {
            return Carries::Content;
        }
        if let Some(usage) = &self.seen.usage {
            self.progress.input_tokens = Some(usage.get(Unit::InputTokens));
        }
        Carries::Usage
    }

    fn progress(&self) -> Progress {
        self.progress
    }

    fn report(&self) -> UsageReport {
        let ended = self.progress.terminal && !self.progress.failed;
        self.seen.report(ended && self.seen.usage.is_some())
    }

    fn cost_edit(&self, data: &[u8], cost: &str) -> Option<Edit> {
        json::cost_edit(data, &["usage"], cost)
    }
}
