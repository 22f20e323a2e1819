//! Gathering, committing, acknowledging: the loop of the writer.

use super::{Acknowledge, Posting, WriterSettings};
use crate::{
    error::{Result, StoreError},
    hold_file::{HoldFile, SlotIndex},
    ledger, objects,
    store::Store,
    usage,
};
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, oneshot},
    time::sleep,
};
use tollgate_core::{
    id::RequestId,
    ledger::{Fact, Position},
    object::StoredObject,
    record::UsageRecord,
};

/// Failed commits after which a stopping writer gives up.
const LAST_TRIES: u32 = 3;

type Positions = HashMap<RequestId, Position>;

pub(super) struct Writer {
    pub(super) store: Arc<Store>,
    pub(super) holds: Arc<HoldFile>,
    pub(super) settings: WriterSettings,
    pub(super) queue: mpsc::Receiver<Posting>,
    pub(super) stopped: oneshot::Receiver<()>,
    pub(super) state: State,
}

/// What was last logged, so that each change of it is logged once.
#[derive(Default)]
pub(super) struct State {
    stopping: bool,
    commits_fail: bool,
    syncs_fail: bool,
}

/// What is committed at once.
#[derive(Default)]
struct Rows {
    facts: Vec<Fact>,
    records: Vec<UsageRecord>,
    objects: Vec<StoredObject>,
}

/// Postings taken apart: what is committed, and what is done after that.
#[derive(Default)]
struct Group {
    rows: Rows,
    slots: Vec<SlotIndex>,
    acknowledge: Vec<(RequestId, Acknowledge)>,
}

impl Group {
    fn of(postings: Vec<Posting>) -> Self {
        let mut group = Self::default();
        for posting in postings {
            group.slots.extend(posting.slot);
            group
                .rows
                .records
                .extend(posting.record.map(|record| *record));
            if let (Some(fact), Some(call)) = (posting.fact, posting.acknowledge) {
                group.acknowledge.push((fact.request, call));
            }
            group.rows.facts.extend(posting.fact);
            group.rows.objects.extend(posting.objects);
        }
        group
    }
}

impl Writer {
    pub(super) async fn run(mut self) -> Result<()> {
        loop {
            let group = Group::of(self.gather().await);
            let positions = self.commit(&group.rows).await?;
            self.sync().await;
            self.release(group, &positions);
            if self.state.stopping && self.queue.is_empty() {
                return Ok(());
            }
        }
    }

    /// Waits for the first posting, and then a little for others. Gives none when a hold was
    /// written and nothing is to be posted: that must reach the disk all the same.
    async fn gather(&mut self) -> Vec<Posting> {
        let most = self.settings.group_max;
        let mut postings = Vec::new();
        if !self.state.stopping {
            tokio::select! {
                biased;
                _ = &mut self.stopped => self.stop(),
                taken = self.queue.recv_many(&mut postings, most) => if taken == 0 { self.stop() },
                () = self.holds.wait_written() => {}
            }
        }
        // Nobody is woken for each of the others: they are taken together when the time is up.
        if !self.state.stopping && postings.len() < most {
            tokio::select! {
                biased;
                _ = &mut self.stopped => self.stop(),
                () = sleep(self.settings.gather) => {}
            }
        }
        while postings.len() < most {
            match self.queue.try_recv() {
                Ok(posting) => postings.push(posting),
                Err(_empty_or_closed) => break,
            }
        }
        postings
    }

    fn stop(&mut self) {
        self.state.stopping = true;
        self.queue.close();
    }

    /// Commits the group, however long it takes; gives up only when stopping.
    async fn commit(&mut self, rows: &Rows) -> Result<Positions> {
        let mut wait = self.settings.retry_min;
        let mut failures = 0;
        loop {
            let error = match try_commit(&self.store, rows).await {
                Ok(positions) => {
                    if std::mem::take(&mut self.state.commits_fail) {
                        tracing::info!("the ledger is written again");
                    }
                    return Ok(positions);
                }
                Err(error) => error,
            };
            if !std::mem::replace(&mut self.state.commits_fail, true) {
                tracing::error!(
                    %error,
                    "the ledger cannot be written; what was used stays in the hold file till then"
                );
            }
            failures += 1;
            if self.state.stopping && failures >= LAST_TRIES {
                return Err(error);
            }
            self.pause(wait).await;
            wait = (wait * 2).min(self.settings.retry_max);
        }
    }

    async fn pause(&mut self, wait: Duration) {
        if self.state.stopping {
            return sleep(wait).await;
        }
        tokio::select! {
            _ = &mut self.stopped => self.stop(),
            () = sleep(wait) => {}
        }
    }

    /// Makes the holds written so far outlive a power loss. A failure is not held against the
    /// group: its entries are committed, and a synced slot is evidence beyond them.
    async fn sync(&mut self) {
        let holds = Arc::clone(&self.holds);
        let synced = tokio::task::spawn_blocking(move || holds.sync()).await;
        let failed = synced.unwrap_or(Err(StoreError::ShuttingDown)).err();
        match (failed, self.state.syncs_fail) {
            (Some(error), false) => {
                self.state.syncs_fail = true;
                tracing::error!(%error, "holds may be lost if the power fails");
            }
            (None, true) => {
                self.state.syncs_fail = false;
                tracing::info!("the hold file is synced again");
            }
            (Some(_), true) | (None, false) => {}
        }
    }

    fn release(&self, group: Group, positions: &Positions) {
        if let Err(error) = self.holds.free(group.slots) {
            // Harmless: their requests have entries, so recovery drops what is left in them.
            tracing::debug!(%error, "slots were not cleared");
        }
        for (request, acknowledge) in group.acknowledge {
            if let Some(position) = positions.get(&request) {
                acknowledge(*position);
            }
        }
    }
}

async fn try_commit(store: &Store, rows: &Rows) -> Result<Positions> {
    if rows.facts.is_empty() && rows.records.is_empty() && rows.objects.is_empty() {
        return Ok(Positions::new());
    }
    let mut tx = store.database.write().await?;
    let posted = ledger::post(&mut tx, rows.facts.clone(), store.clock.now()).await?;
    let records = rows.records.iter().map(usage::values);
    usage::insert(&mut tx, records.collect()).await?;
    objects::insert(&mut tx, &rows.objects).await?;
    tx.commit().await?;
    Ok(posted.positions)
}
