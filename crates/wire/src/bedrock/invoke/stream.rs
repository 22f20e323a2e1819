//! Reads a stream of InvokeModel: events `chunk` with one native event each, in base64.
//!
//! Claude's are read as Messages, for they tell the terms of cache writes and which model
//! answered. Of all others the counts that Bedrock puts on the last event are enough; that event
//! is the end of the stream, whatever the maker's own end looks like.

use super::super::{content, counts::InvocationMetrics};
use crate::{
    anthropic,
    edit::Edit,
    json::{self, Text},
    tap::{Carries, Progress, StreamReader},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::value::RawValue;
use tollgate_core::{unit::Unit, usage::UsageReport};

/// A reader of a stream of frames' payloads.
pub(crate) fn reader() -> Box<dyn StreamReader> {
    Box::new(Reader {
        claude: anthropic::reader(),
        is_claude: false,
        progress: Progress::default(),
        metered: UsageReport::default(),
    })
}

/// The native event inside the payload of a `chunk`; `None` when there is none.
pub(in crate::bedrock) fn native_event(payload: &[u8]) -> Option<Vec<u8>> {
    #[derive(Deserialize)]
    struct Chunk<'a> {
        #[serde(borrow)]
        bytes: Text<'a>,
    }
    let chunk: Chunk<'_> = json::parse(payload)?;
    STANDARD.decode(chunk.bytes.0.as_bytes()).ok()
}

struct Reader {
    claude: Box<dyn StreamReader>,
    is_claude: bool,
    /// By what all makers' events have in common.
    progress: Progress,
    /// By the counts on the last event.
    metered: UsageReport,
}

#[derive(Deserialize)]
struct Native<'a> {
    #[serde(default, borrow)]
    r#type: Option<&'a RawValue>,
    #[serde(default, borrow, rename = "amazon-bedrock-invocationMetrics")]
    metrics: Option<&'a RawValue>,
}

impl StreamReader for Reader {
    fn event(&mut self, name: &[u8], data: &[u8]) -> Carries {
        if name != b"chunk" {
            return Carries::Content;
        }
        let Some(event) = native_event(data) else {
            return Carries::Content;
        };
        let native: Option<Native<'_>> = json::parse(&event);
        let kind = native.as_ref().and_then(|native| native.r#type);
        self.is_claude |= kind.is_some_and(|kind| kind.get() == r#""message_start""#);
        if self.is_claude {
            self.claude.event(b"", &event);
        } else {
            let bytes = content::bytes(&event);
            self.progress.started |= bytes > 0;
            self.progress.content_bytes = self.progress.content_bytes.saturating_add(bytes);
        }
        if let Some(metrics) = native.and_then(|native| native.metrics) {
            self.last(metrics);
        }
        Carries::Content
    }

    fn progress(&self) -> Progress {
        if !self.is_claude {
            return self.progress;
        }
        let claude = self.claude.progress();
        Progress {
            terminal: claude.terminal || self.progress.terminal,
            input_tokens: claude.input_tokens.or(self.progress.input_tokens),
            ..claude
        }
    }

    fn report(&self) -> UsageReport {
        let claude = self.claude.report();
        match &claude.usage {
            Some(_) => claude,
            None => UsageReport {
                model: claude.model,
                ..self.metered.clone()
            },
        }
    }

    /// No client looks for a cost in these frames.
    fn cost_edit(&self, _: &[u8], _: &str) -> Option<Edit> {
        None
    }
}

impl Reader {
    fn last(&mut self, metrics: &RawValue) {
        self.progress.terminal = true;
        let metrics: Option<InvocationMetrics> = serde_json::from_str(metrics.get()).ok();
        let usage = metrics.and_then(|metrics| metrics.tokens().usage());
        self.progress.input_tokens = usage.as_ref().map(|usage| usage.get(Unit::InputTokens));
        self.metered = UsageReport {
            complete: usage.is_some(),
            usage,
            ..UsageReport::default()
        };
    }
}
