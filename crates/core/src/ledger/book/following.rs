//! How the book follows the settings and the store: new limits, accounts read from the store,
//! entries committed there.
//!
//! **The race.** A row is read from the store, facts are committed, the row is installed: which of
//! the facts are in its `posted`? Each commit has a [`Position`], and a row is read *as of* one.
//! An entry at or before it is in the row; one after it is not, and is added here: from the recent
//! entries if it was acknowledged meanwhile, else when it is acknowledged. Until then an
//! unacknowledged fact counts as spent, so an account may for a moment count a fact twice and never
//! misses one. A caller that commits, acknowledges, reads and installs in one task has no such
//! moment.

use super::OrgBook;
use crate::{
    clock::Timestamp,
    ledger::{
        account::{Account, AccountRow, Opening, Position, Standing},
        accounts::Limits,
        entry::{Entry, EntryKind},
        hold::{HoldError, HoldKey, Stage},
        recent::Committed,
    },
    limit::{Limit, LimitAction},
};
use jiff::tz::TimeZone;
use std::{collections::HashSet, sync::Arc};

/// The row is older than the entries this book remembers: read it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the account was read too long ago: read it again and install that")]
pub struct Outdated;

impl OrgBook {
    /// The revision of the settings in force here.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Puts a revision of the settings in force: for the next reserve, the next raise and everybody
    /// who waits. A revision that is not newer is ignored, so each reserve can offer the one it was
    /// planned under.
    ///
    /// Lowering a cap takes nothing back; deleting a limit frees it; a new zone names the windows
    /// anew from now on. Returns the accounts that running and waiting requests count in from now
    /// on and that must be opened and installed for that.
    #[must_use = "accounts of new limits must be opened for the requests that run"]
    pub fn configure(
        &mut self,
        revision: u64,
        zone: &TimeZone,
        limits: &Arc<Limits>,
    ) -> Vec<Opening> {
        if revision <= self.revision {
            return Vec::new();
        }
        self.revision = revision;
        self.accounts.configure(zone.clone(), Arc::clone(limits));
        self.scan();
        self.missing()
    }

    /// Takes in an account as the store read it as of `as_of`. Running holds and unacknowledged
    /// spending that count in it are attached, also those taken before the limit existed.
    ///
    /// A row that is not wanted any more, or is here already, is ignored.
    ///
    /// # Errors
    /// [`Outdated`] when more was committed since the read than this book remembers.
    pub fn install(&mut self, row: &AccountRow, as_of: Position) -> Result<(), Outdated> {
        let mut account = Account {
            limit: Limit {
                scope: row.key.scope,
                window: row.key.window.kind(),
                unit: row.key.unit,
                // The amount in force is the book's own; see `Accounts::insert`.
                amount: 0,
                action: LimitAction::Block,
            },
            window: row.key.window,
            period: row.period,
            standing: Standing::Open,
            posted: i128::from(row.posted),
            spent: 0,
            held: 0,
            as_of,
            uses: 0,
        };
        for entry in self.recent.since(as_of).ok_or(Outdated)? {
            if account.covers(entry.ids, entry.reserved_at) {
                account.posted += account.component(entry.amount);
            }
        }
        for hold in self.holds.iter() {
            if account.covers(hold.ids, hold.reserved_at) {
                let component = account.component(hold.amount);
                match hold.stage {
                    Stage::Held { .. } => account.held += component,
                    Stage::Settled => account.spent += component,
                }
                account.uses += 1;
            }
        }
        let Some(index) = self.accounts.insert(account) else {
            return Ok(());
        };
        if let Some(account) = self.accounts.get(index) {
            for hold in self.holds.iter_mut() {
                if account.covers(hold.ids, hold.reserved_at) {
                    hold.accounts.push(index);
                }
            }
        }
        self.scan();
        Ok(())
    }

    /// The store has committed the fact of this settled hold at `position` (for a fact it had
    /// already: the position of the entry that stands). The hold is gone.
    pub fn acknowledge(&mut self, hold: HoldKey, position: Position) -> Result<(), HoldError> {
        if let Stage::Held { .. } = self.holds.get_mut(hold)?.stage {
            return Err(HoldError::NotSettled);
        }
        let hold = self.holds.remove(hold)?;
        let freed = self
            .accounts
            .acknowledge(&hold.accounts, hold.amount, position);
        self.accounts.detach(&hold.accounts);
        self.recent.push(Committed {
            position,
            ids: hold.ids,
            reserved_at: hold.reserved_at,
            amount: hold.amount,
        });
        if freed {
            self.scan();
        }
        Ok(())
    }

    /// The store has committed an entry that no hold of this book stands for: a correction by an
    /// operator, a hold of an earlier process.
    pub fn record(&mut self, entry: &Entry, position: Position) {
        match entry.kind {
            EntryKind::Credit => return,
            EntryKind::Settle | EntryKind::Expire | EntryKind::Late | EntryKind::Adjust => {}
        }
        let committed = Committed {
            position,
            ids: entry.ids,
            reserved_at: entry.reserved_at,
            amount: entry.amount,
        };
        self.accounts.record(&committed);
        self.recent.push(committed);
        self.scan();
    }

    /// The next windows of accounts that close within a minute: open and install them ahead, so
    /// that the first request of a window does not wait for the store. Ask once a second or so.
    pub fn accounts_to_open(&self, now: Timestamp) -> Vec<Opening> {
        self.accounts.to_open(now)
    }

    /// Drops accounts of windows that are over and of limits that are gone, once nothing that runs
    /// or waits counts in them. Call it as often as [`Self::accounts_to_open`].
    pub fn forget_closed(&mut self, now: Timestamp) {
        let awaited = self
            .waiting
            .iter()
            .filter_map(|waiter| {
                let ids = waiter.request.ids;
                self.accounts.resolve(ids, waiter.arrived_at).ok()
            })
            .flatten()
            .collect();
        self.accounts.forget_closed(now, &awaited);
    }

    /// Accounts that somebody who runs or waits counts in and that are not here.
    #[must_use = "they must be opened for the limits to count"]
    pub fn missing(&mut self) -> Vec<Opening> {
        let running = self
            .holds
            .iter()
            .filter(|hold| hold.stage != Stage::Settled)
            .map(|hold| (hold.ids, hold.reserved_at));
        let waiting = self
            .waiting
            .iter()
            .map(|waiter| (waiter.request.ids, waiter.arrived_at));
        let mut seen = HashSet::new();
        let mut missing = Vec::new();
        for (ids, at) in running.chain(waiting) {
            let openings = self.accounts.resolve(ids, at).err().unwrap_or_default();
            missing.extend(
                openings
                    .into_iter()
                    .filter(|opening| seen.insert(opening.key)),
            );
        }
        missing
    }
}
