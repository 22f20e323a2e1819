//! The entries a book has seen committed most recently.
//!
//! A row is read from the store a moment before it is installed. What was committed in between is
//! neither in the row nor unacknowledged any more; it is still here. When the row is older than
//! what is kept, it is refused and must be read again.

use crate::{amount::Amount, clock::Timestamp, ledger::account::Position, principal::Ids};
use std::collections::VecDeque;

/// How many are kept: four of the commit writer's largest groups (1,000 postings each), because a
/// group may be acknowledged while a row that was read before it is still on its way. With fewer, a
/// busy book would refuse row after row as outdated.
pub(crate) const KEPT: usize = 4_096;

/// One committed entry.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Committed {
    pub(crate) position: Position,
    pub(crate) ids: Ids,
    pub(crate) reserved_at: Timestamp,
    pub(crate) amount: Amount,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Recent {
    entries: VecDeque<Committed>,
    /// The latest position that is no longer kept.
    forgotten: Option<Position>,
}

impl Recent {
    pub(crate) fn push(&mut self, entry: Committed) {
        if self.entries.len() == KEPT
            && let Some(oldest) = self.entries.pop_front()
        {
            self.forgotten = self.forgotten.max(Some(oldest.position));
        }
        self.entries.push_back(entry);
    }

    /// What was committed after `as_of`; `None` when some of it may have been forgotten.
    pub(crate) fn since(&self, as_of: Position) -> Option<impl Iterator<Item = &Committed>> {
        let complete = self.forgotten.is_none_or(|position| position <= as_of);
        complete.then(|| {
            self.entries
                .iter()
                .filter(move |entry| entry.position > as_of)
        })
    }
}
