//! After a kill or a crash: what the hold file says and the ledger does not know is posted, before
//! the server listens.
//!
//! A settled slot is posted at what was used, a held one at what it held, flagged `unsettled`: what
//! its request really used is not known, and the safe side is to charge it. Slots whose request has
//! an entry are dropped. Doing it twice changes nothing.

use crate::{
    error::{Result, StoreError},
    hold_file::{HoldFile, Scan, SlotRecord, SlotState},
    ledger,
    store::Store,
    usage,
};
use std::collections::HashMap;
use tollgate_core::{
    amount::Amount,
    id::RequestId,
    ledger::{Entry, EntryKind, Fact, FactKind, Flags},
    money::NanoUsd,
};

#[cfg(test)]
mod tests;

/// What recovery found and did, for the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Requests that had ended and were posted now.
    pub settled: usize,
    /// Requests that ran: posted at what they held.
    pub expired: usize,
    /// The sum of those holds.
    pub expired_cost: NanoUsd,
    /// Slots whose requests had been posted before.
    pub dropped: usize,
    /// Slots that were cut off in mid-write: their requests are not charged.
    pub torn: u32,
    /// The machine was started anew: holds younger than the last sync may be missing.
    pub rebooted: bool,
}

impl Store {
    /// Posts what is left in the hold file and frees its slots. Call it with what
    /// [`HoldFile::open`] found, before anything is admitted.
    pub async fn recover(&self, holds: &HoldFile, scan: Scan) -> Result<Recovered> {
        let latest = latest_per_request(&scan);
        let facts: Vec<_> = latest.iter().map(fact).collect();
        let held: HashMap<_, _> = latest.iter().map(|r| (r.request, r.held)).collect();
        let now = self.clock.now();
        let mut tx = self.database.write().await?;
        let posted = ledger::post(&mut tx, facts, now).await?;
        let entries = posted.entries.iter().map(|(_, entry)| entry);
        let rows = entries.clone().map(|entry| {
            let held = held.get(&entry.request).copied();
            usage::recovered_values(entry, held.unwrap_or(Amount::ZERO))
        });
        usage::insert(&mut tx, rows.collect()).await?;
        tx.commit().await?;
        holds.sync()?;
        let slots = scan.found.iter().map(|(slot, _)| *slot).collect();
        let freed = holds.free(slots);
        freed.map_err(StoreError::file("free the slots of", holds.path()))?;
        Ok(summary(entries, &scan))
    }
}

/// What each request's slot says; of two slots of one request the one written later.
fn latest_per_request(scan: &Scan) -> Vec<SlotRecord> {
    let mut latest: HashMap<RequestId, SlotRecord> = HashMap::new();
    for (_, record) in &scan.found {
        latest.insert(record.request, *record);
    }
    let mut latest: Vec<_> = latest.into_values().collect();
    latest.sort_by_key(|record| record.request);
    latest
}

fn fact(record: &SlotRecord) -> Fact {
    let (kind, amount, flags) = match record.state {
        SlotState::Held => (FactKind::Expire, record.held, Flags::UNSETTLED),
        SlotState::Settled { actual, flags } => (FactKind::Settle, actual, flags),
    };
    Fact {
        request: record.request,
        ids: record.ids,
        reserved_at: record.reserved_at,
        kind,
        amount,
        flags,
    }
}

fn summary<'a>(entries: impl Iterator<Item = &'a Entry>, scan: &Scan) -> Recovered {
    let mut recovered = Recovered {
        torn: scan.torn,
        rebooted: scan.rebooted,
        ..Recovered::default()
    };
    for entry in entries {
        if entry.kind == EntryKind::Settle {
            recovered.settled += 1;
        } else {
            recovered.expired += 1;
            let sum = recovered.expired_cost.checked_add(entry.amount.cost);
            recovered.expired_cost = sum.unwrap_or(NanoUsd::MAX);
        }
    }
    let posted = recovered.settled + recovered.expired;
    recovered.dropped = scan.found.len().saturating_sub(posted);
    recovered
}
