//! The pace of an answer: chunks that come one by one, each after its pause, and break off where
//! they were told to.

use super::{
    Script,
    directives::{Directives, Fault, FaultKind},
};
use bytes::Bytes;
use std::time::Duration;

/// Text per event unless a directive says otherwise: a word or two, as real models stream.
pub(super) const PIECE_BYTES: usize = 6;

/// Bytes per chunk of a document unless a directive says otherwise: even a short answer then comes
/// in several chunks and can be cut.
pub(super) const SLICE_BYTES: usize = 256;

/// One chunk of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// The pause before it.
    pub after: Duration,
    /// What is sent.
    pub bytes: Bytes,
}

/// How an answer ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// In good order.
    Clean,
    /// The connection breaks.
    Cut,
    /// It does not: nothing more comes, and the connection stays open.
    Stall,
}

/// The chunks of an answer, made as they are asked for.
pub struct Chunks {
    events: Box<dyn Iterator<Item = Bytes> + Send>,
    error: Option<Box<dyn FnOnce(u64) -> Bytes + Send>>,
    delay: Duration,
    fault: Option<Fault>,
    given: u64,
    end: End,
}

impl Chunks {
    /// A body in one piece and without a pause.
    pub(super) fn whole(body: Bytes) -> Self {
        Self::of_body(Box::new(std::iter::once(body)), &Directives::default())
    }

    /// A body that comes in the given chunks.
    pub(super) fn of_body(
        body: Box<dyn Iterator<Item = Bytes> + Send>,
        directives: &Directives,
    ) -> Self {
        Self {
            events: body,
            error: None,
            delay: directives.delay.unwrap_or_default(),
            fault: directives.fault,
            given: 0,
            end: End::Clean,
        }
    }

    /// The events of a stream.
    pub(super) fn of(script: Script, directives: &Directives) -> Self {
        Self {
            error: Some(script.error),
            ..Self::of_body(script.events, directives)
        }
    }

    /// How the answer ends: final once there are no more chunks.
    pub fn end(&self) -> End {
        self.end
    }

    /// Ends the answer early; gives what is still to be sent.
    fn break_off(&mut self, kind: FaultKind) -> Option<Bytes> {
        self.events = Box::new(std::iter::empty());
        match kind {
            FaultKind::Cut => self.end = End::Cut,
            FaultKind::Stall => self.end = End::Stall,
            FaultKind::Error => return self.error.take().map(|error| error(self.given)),
        }
        None
    }
}

impl Iterator for Chunks {
    type Item = Chunk;

    fn next(&mut self) -> Option<Chunk> {
        // The next event is made first: where nothing would have followed, nothing breaks.
        let mut bytes = self.events.next()?;
        if let Some(fault) = self.fault
            && fault.after == self.given
        {
            bytes = self.break_off(fault.kind)?;
        }
        self.given = self.given.saturating_add(1);
        Some(Chunk {
            after: self.delay,
            bytes,
        })
    }
}

impl std::fmt::Debug for Chunks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chunks")
            .field("delay", &self.delay)
            .field("fault", &self.fault)
            .field("given", &self.given)
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}

/// A document in slices of the given size; they share its memory.
pub(super) fn slices(mut body: Bytes, bytes: usize) -> impl Iterator<Item = Bytes> + Send {
    std::iter::from_fn(move || {
        let size = bytes.min(body.len());
        (size > 0).then(|| body.split_to(size))
    })
}
