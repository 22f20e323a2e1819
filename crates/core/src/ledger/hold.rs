//! Holds: what a request that runs has reserved, in every account it counts in.
//!
//! `Held ⇄ adjust → Settled → acknowledged`, or `Held → released`. A hold ends once: its key
//! carries a serial number that is never used again, so a key kept too long finds nothing. No timer
//! ends a hold; the request that owns it does.

use crate::{
    amount::Amount,
    clock::Timestamp,
    id::RequestId,
    ledger::{
        entry::{Fact, FactKind, Flags},
        refusal::Refusal,
    },
    principal::Ids,
};
use slab::Slab;
use smallvec::SmallVec;

/// Indices of accounts; sixteen without an allocation.
pub(crate) type AccountList = SmallVec<[usize; 16]>;

/// Names a hold of one book, for as long as that book lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HoldKey {
    index: usize,
    serial: u64,
}

/// A reservation that was granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a granted hold must be settled or released"]
pub struct Grant {
    /// The hold: raise, lower, settle or release it.
    pub hold: HoldKey,
    /// What it holds: the want, or less of it (partial cover).
    pub taken: Amount,
    /// The instant that decides its windows: when the request came, not when it was let in.
    pub reserved_at: Timestamp,
}

/// What a settled hold leaves to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the fact must be posted to the store and then acknowledged"]
pub struct Settled {
    /// To be posted. Flagged [`Flags::SHORTFALL`] when more was used than held.
    pub fact: Fact,
    /// By how much the hold was too small; zero in every component when it was not.
    pub shortfall: Amount,
}

/// Why a hold cannot do what is asked. Each is a defect of the caller; nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HoldError {
    /// It was settled or released before.
    #[error("the hold has ended: settle or release it once")]
    Ended,
    /// It was marked sent: the upstream may bill it.
    #[error("the hold was sent upstream: settle it")]
    Sent,
    /// It is still running, so there is nothing to acknowledge.
    #[error("the hold is not settled: settle it before it is acknowledged")]
    NotSettled,
    /// A component below zero, or a sum past the range.
    #[error("the amount is below zero or out of range: holds are sums of positive amounts")]
    Amount,
}

/// Why a hold was not raised; nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RaiseError {
    /// It does not fit: the request goes on with what it has.
    Refused(Refusal),
    /// It cannot be raised at all.
    Hold(HoldError),
}

/// Where a hold is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Counts as held.
    Held { sent: bool },
    /// Counts as spent, until the store has acknowledged it.
    Settled,
}

#[derive(Clone, Debug)]
pub(crate) struct Hold {
    serial: u64,
    pub(crate) request: RequestId,
    pub(crate) ids: Ids,
    pub(crate) reserved_at: Timestamp,
    pub(crate) accounts: AccountList,
    pub(crate) stage: Stage,
    /// What is held or, once settled, what was used.
    pub(crate) amount: Amount,
}

impl Hold {
    pub(crate) fn fact(&self, flags: Flags) -> Fact {
        Fact {
            request: self.request,
            ids: self.ids,
            reserved_at: self.reserved_at,
            kind: FactKind::Settle,
            amount: self.amount,
            flags,
        }
    }
}

/// All holds of a book.
#[derive(Clone, Debug, Default)]
pub(crate) struct Holds {
    slab: Slab<Hold>,
    serial: u64,
}

impl Holds {
    pub(crate) fn insert(
        &mut self,
        owner: (RequestId, Ids),
        reserved_at: Timestamp,
        accounts: AccountList,
        amount: Amount,
    ) -> HoldKey {
        self.serial += 1;
        let (request, ids) = owner;
        let index = self.slab.insert(Hold {
            serial: self.serial,
            request,
            ids,
            reserved_at,
            accounts,
            stage: Stage::Held { sent: false },
            amount,
        });
        HoldKey {
            index,
            serial: self.serial,
        }
    }

    /// The hold, running or settled.
    pub(crate) fn get_mut(&mut self, key: HoldKey) -> Result<&mut Hold, HoldError> {
        self.slab
            .get_mut(key.index)
            .filter(|hold| hold.serial == key.serial)
            .ok_or(HoldError::Ended)
    }

    /// The hold, if it runs, and whether it was sent.
    pub(crate) fn running(&mut self, key: HoldKey) -> Result<(&mut Hold, bool), HoldError> {
        let hold = self.get_mut(key)?;
        match hold.stage {
            Stage::Held { sent } => Ok((hold, sent)),
            Stage::Settled => Err(HoldError::Ended),
        }
    }

    pub(crate) fn remove(&mut self, key: HoldKey) -> Result<Hold, HoldError> {
        self.get_mut(key)?;
        self.slab.try_remove(key.index).ok_or(HoldError::Ended)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Hold> {
        self.slab.iter().map(|(_, hold)| hold)
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Hold> {
        self.slab.iter_mut().map(|(_, hold)| hold)
    }
}
