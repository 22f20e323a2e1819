//! The ledger's writer: one task that commits what requests used, many at a time.
//!
//! Off the request path: a request writes its slot, hands in a [`Posting`] and is done. A group is
//! committed when it is 10 ms old or 1,000 strong, one group after the other; only then are its slots
//! freed and its facts acknowledged. While the store fails, the group is kept and tried again:
//! nothing is lost (the slots hold it even if the process dies) and nothing posted twice (entries
//! are unique per request).

use crate::{
    error::{Result, StoreError},
    hold_file::{HoldFile, SLOT_COUNT, SlotIndex},
    store::Store,
};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
};
use tollgate_core::{
    ledger::{Fact, Position},
    object::StoredObject,
    record::UsageRecord,
};

mod group;
#[cfg(test)]
mod tests;

use group::{State, Writer};

/// Told the place in the journal where the fact stands, once it is committed. Runs on the writer's
/// task: it must not block.
pub type Acknowledge = Box<dyn FnOnce(Position) + Send>;

/// What is to be posted of one request.
pub struct Posting {
    /// The slot that proves it, freed after the commit.
    pub slot: Option<SlotIndex>,
    /// What happened; `None` for a request that used nothing (it was refused) and has a record.
    pub fact: Option<Fact>,
    /// The record; `None` for a correction of a request that has one.
    pub record: Option<Box<UsageRecord>>,
    /// What its answer named at the provider: from now on its project's.
    pub objects: Vec<StoredObject>,
    /// Called after the commit, if there is a fact.
    pub acknowledge: Option<Acknowledge>,
}

impl std::fmt::Debug for Posting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Posting")
            .field("slot", &self.slot)
            .field("fact", &self.fact)
            .finish_non_exhaustive()
    }
}

/// Why a posting was not taken. Never for one with a slot, unless the writer has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotQueued {
    /// The store has not kept up: records of refused requests are dropped first.
    #[error("the record of a refused request was dropped: the store does not keep up")]
    Full,
    /// The writer has ended; a slot keeps what was to be posted for the next start.
    #[error("the ledger's writer has ended")]
    Ended,
}

/// Hands postings to the writer. Cheap to clone.
#[derive(Clone, Debug)]
pub struct WriterHandle {
    queue: mpsc::Sender<Posting>,
}

/// Room for everything that can have a slot, and as much again for records without one.
const QUEUE: usize = 2 * ROOM_FOR_SLOTS;
const ROOM_FOR_SLOTS: usize = SLOT_COUNT as usize;

impl WriterHandle {
    /// Queues a posting. Never waits.
    pub fn post(&self, posting: Posting) -> Result<(), NotQueued> {
        if posting.slot.is_none() && self.queue.capacity() <= ROOM_FOR_SLOTS {
            return Err(NotQueued::Full);
        }
        self.queue.try_send(posting).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => NotQueued::Full,
            mpsc::error::TrySendError::Closed(_) => NotQueued::Ended,
        })
    }
}

/// The writer's task. Dropping it stops the task at once, as a kill would: what was not committed
/// stays in its slots.
#[derive(Debug)]
pub struct LedgerWriter {
    handle: WriterHandle,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<Result<()>>,
}

/// How a group is made up. The defaults are those of the ledger's design.
#[derive(Clone, Copy, Debug)]
pub struct WriterSettings {
    /// How long the first posting of a group waits for others.
    pub gather: Duration,
    /// How many postings end the waiting.
    pub group_max: usize,
    /// How long to wait after a failed commit, at first; doubles up to `retry_max`.
    pub retry_min: Duration,
    /// The longest such wait.
    pub retry_max: Duration,
}

impl Default for WriterSettings {
    fn default() -> Self {
        Self {
            gather: Duration::from_millis(10),
            group_max: 1_000,
            retry_min: Duration::from_millis(50),
            retry_max: Duration::from_secs(2),
        }
    }
}

impl LedgerWriter {
    /// Starts the task on the current runtime.
    pub fn start(store: Arc<Store>, holds: Arc<HoldFile>, settings: WriterSettings) -> Self {
        let (queue, postings) = mpsc::channel(QUEUE);
        let (stop, stopped) = oneshot::channel();
        let writer = Writer {
            store,
            holds,
            settings,
            queue: postings,
            stopped,
            state: State::default(),
        };
        Self {
            handle: WriterHandle { queue },
            stop: Some(stop),
            task: tokio::spawn(writer.run()),
        }
    }

    /// Where to hand in postings.
    pub fn handle(&self) -> WriterHandle {
        self.handle.clone()
    }

    /// Commits what was handed in so far and ends the task. While the store fails it is tried a
    /// few more times; then the rest is left to its slots and the error is returned.
    pub async fn finish(mut self) -> Result<()> {
        if let Some(stop) = self.stop.take() {
            // The task may have ended already.
            let _ = stop.send(());
        }
        let task = &mut self.task;
        task.await.unwrap_or(Err(StoreError::ShuttingDown))
    }
}

impl Drop for LedgerWriter {
    fn drop(&mut self) {
        self.task.abort();
    }
}
