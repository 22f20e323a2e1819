//! The editing half of the tap: passes whole events on, one at a time, so that one can be left out
//! or be given the cost.
//!
//! Only the unfinished tail is held back, and only up to [`HELD_BYTES_MAX`]: a larger event is
//! passed on unedited as it comes, and is still read when it is whole.

use super::{Carries, Pricer, StreamEdits, StreamReader};
use crate::{
    edit::{self, Edit},
    sse::{Boundaries, EVENT_BYTES_MAX, Event},
};
use bytes::Bytes;

/// The largest unfinished event that is held back, in bytes. The final event of a Responses stream
/// repeats instructions and tools, and must fit to be given the cost.
pub(super) const HELD_BYTES_MAX: usize = 1024 * 1024;

pub(super) struct Editor {
    edits: StreamEdits,
    boundaries: Boundaries,
    /// What has come of the current event.
    tail: Vec<u8>,
    /// The current event is being passed on as it comes: nothing of it is held back.
    passing: bool,
    /// The current event is over the bound of what is read.
    skipping: bool,
    /// The last whole event was withheld.
    withheld: bool,
}

impl Editor {
    pub(super) fn new(edits: StreamEdits) -> Self {
        Self {
            edits,
            boundaries: Boundaries::default(),
            tail: Vec::new(),
            passing: false,
            skipping: false,
            withheld: false,
        }
    }

    pub(super) fn feed(
        &mut self,
        mut chunk: Bytes,
        reader: &mut dyn StreamReader,
        price: Pricer<'_>,
        out: &mut Vec<Bytes>,
    ) {
        // The LF of a CRLF that the last chunk's end split goes the way of the event it ended.
        if self.tail.is_empty() && !self.passing && self.boundaries.take_lf(&chunk) {
            let lf = chunk.split_to(1);
            if !self.withheld {
                out.push(lf);
            }
        }
        while let Some(end) = self.boundaries.next_end(&chunk) {
            let bytes = chunk.split_to(end.min(chunk.len()));
            if self.passing {
                self.end_passing(bytes, reader, out);
                continue;
            }
            let event = if self.tail.is_empty() {
                bytes
            } else {
                self.tail.extend_from_slice(&bytes);
                Bytes::from(std::mem::take(&mut self.tail))
            };
            self.pass_event(event, reader, price, out);
        }
        if chunk.is_empty() {
            return;
        }
        self.keep(&chunk);
        if self.passing {
            out.push(chunk);
        } else if self.tail.len() > HELD_BYTES_MAX {
            self.passing = true;
            out.push(Bytes::copy_from_slice(&self.tail));
        }
    }

    /// Whether the client stands between two events: a held-back tail is not with the client.
    pub(super) fn is_between_events(&self) -> bool {
        !self.passing
    }

    pub(super) fn finish(&mut self, out: &mut Vec<Bytes>) {
        let tail = std::mem::take(&mut self.tail);
        if !self.passing && !tail.is_empty() {
            out.push(Bytes::from(tail));
        }
        self.passing = true;
    }

    fn keep(&mut self, bytes: &[u8]) {
        if bytes.len() > EVENT_BYTES_MAX.saturating_sub(self.tail.len()) && self.passing {
            self.skipping = true;
        }
        if self.skipping {
            self.tail = Vec::new();
        } else {
            self.tail.extend_from_slice(bytes);
        }
    }

    fn end_passing(&mut self, bytes: Bytes, reader: &mut dyn StreamReader, out: &mut Vec<Bytes>) {
        self.keep(&bytes);
        out.push(bytes);
        if let Some(event) = Event::parse(&self.tail) {
            reader.event(event.name, &event.data);
        }
        self.tail = Vec::new();
        self.passing = false;
        self.skipping = false;
        self.withheld = false;
    }

    fn pass_event(
        &mut self,
        bytes: Bytes,
        reader: &mut dyn StreamReader,
        price: Pricer<'_>,
        out: &mut Vec<Bytes>,
    ) {
        self.withheld = false;
        let Some(event) = Event::parse(&bytes) else {
            out.push(bytes);
            return;
        };
        let carries = reader.event(event.name, &event.data);
        if carries == Carries::UsageOnly && self.edits.withhold_usage {
            self.withheld = true;
            return;
        }
        let edit = if carries != Carries::Content && self.edits.insert_cost {
            cost_edit(&event, reader, price)
        } else {
            None
        };
        match edit {
            Some(edit) => out.extend(edit::apply(&bytes, vec![edit])),
            None => out.push(bytes),
        }
    }
}

/// The insertion of the cost, in the event's own bytes. Data of several lines is left alone: no
/// provider sends it, and places in joined lines are not places in the event.
fn cost_edit(event: &Event<'_>, reader: &dyn StreamReader, price: Pricer<'_>) -> Option<Edit> {
    let at = event.data_at?;
    let cost = price(&reader.report())?;
    let edit = reader.cost_edit(&event.data, &cost)?;
    let range = edit.range.start.checked_add(at)?..edit.range.end.checked_add(at)?;
    Some(Edit { range, ..edit })
}
