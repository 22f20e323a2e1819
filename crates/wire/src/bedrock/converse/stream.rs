//! Reads a stream of Converse events. Its last event is `metadata`, which follows `messageStop`:
//! a stream without it is not whole, however complete the answer looks.

use super::{super::content, answer::Metadata};
use crate::{
    edit::Edit,
    json,
    tap::{Carries, Progress, StreamReader},
};
use tollgate_core::{unit::Unit, usage::UsageReport};

/// A reader of a stream of events.
pub(crate) fn reader() -> Box<dyn StreamReader> {
    Box::new(Reader::default())
}

#[derive(Default)]
struct Reader {
    progress: Progress,
    report: UsageReport,
}

impl StreamReader for Reader {
    fn event(&mut self, name: &[u8], data: &[u8]) -> Carries {
        match name {
            b"contentBlockStart" => self.progress.started = true,
            b"contentBlockDelta" => {
                self.progress.started = true;
                let bytes = self.progress.content_bytes;
                self.progress.content_bytes = bytes.saturating_add(content::bytes(data));
            }
            b"messageStop" => return Carries::CostPlace,
            b"metadata" => {
                let metadata: Option<Metadata<'_>> = json::parse(data);
                self.report = metadata.map(Metadata::report).unwrap_or_default();
                self.progress.terminal = true;
                let usage = self.report.usage.as_ref();
                self.progress.input_tokens = usage.map(|usage| usage.get(Unit::InputTokens));
                return Carries::Usage;
            }
            _ => {}
        }
        Carries::Content
    }

    fn progress(&self) -> Progress {
        self.progress
    }

    fn report(&self) -> UsageReport {
        self.report.clone()
    }

    /// Into `messageStop`, where pydantic-ai looks for it: the `metadata` has no place for members
    /// of ours that its clients would show.
    fn cost_edit(&self, data: &[u8], cost: &str) -> Option<Edit> {
        const FIELDS: &str = "additionalModelResponseFields";
        let member = json::cost_member(cost);
        if let Some(fields) = json::object_at(data, &[FIELDS]) {
            return json::insert_member(json::COST_RULE, data, fields, &member);
        }
        if json::member(data, FIELDS).is_some() {
            return None;
        }
        let member = format!(r#""{FIELDS}":{{{member}}}"#);
        json::insert_member(json::COST_RULE, data, json::top(data)?, &member)
    }
}
