//! Reads a stream of Gemini answers' pieces; of server-sent events or of array elements, which are
//! the same JSON.

use super::{
    cost,
    usage::{Chunk, Tally},
};
use crate::{
    edit::Edit,
    tap::{Carries, Progress, StreamReader},
};
use tollgate_core::usage::UsageReport;

/// A reader of a stream of events; of the elements of a JSON array as well.
pub(crate) fn reader() -> Box<dyn StreamReader> {
    Box::new(Reader::default())
}

#[derive(Default)]
struct Reader {
    tally: Tally,
    progress: Progress,
}

impl StreamReader for Reader {
    fn event(&mut self, _: &[u8], data: &[u8]) -> Carries {
        let Ok(chunk) = serde_json::from_slice::<Chunk<'_>>(data) else {
            return Carries::Content;
        };
        self.progress.failed |= chunk.error.is_some();
        let candidates = chunk.candidates.iter().flatten();
        let parts = candidates.filter_map(|candidate| candidate.content.as_ref()?.parts.as_ref());
        for part in parts.flatten() {
            self.progress.started = true;
            let bytes = part.content_bytes();
            self.progress.content_bytes = self.progress.content_bytes.saturating_add(bytes);
        }
        self.tally.take(chunk);
        self.progress.terminal = self.tally.is_whole();
        if self.tally.is_complete() {
            Carries::Usage
        } else {
            Carries::Content
        }
    }

    fn progress(&self) -> Progress {
        Progress {
            input_tokens: self.tally.input_tokens(),
            ..self.progress
        }
    }

    fn report(&self) -> UsageReport {
        let report = self.tally.report();
        UsageReport {
            complete: report.complete && !self.progress.failed,
            ..report
        }
    }

    fn cost_edit(&self, data: &[u8], cost: &str) -> Option<Edit> {
        cost::as_text_part(data, cost)
    }
}
