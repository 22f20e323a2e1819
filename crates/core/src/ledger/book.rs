//! The book of one organisation: admits, raises and settles requests in process.
//!
//! Pure and `&mut self`, time passed in. The caller puts one mutex around it and holds that over no
//! `.await` and no I/O; every limit of a request belongs to one organisation, so there is never a
//! second lock to take. After an operation, [`OrgBook::take_woken`] names the waiters that have an
//! answer, so that the caller can wake them outside the lock.
//!
//! Invariants (checked by `OrgBook::check` after every step of the model test):
//! B1 an account's held sum is the sum of its running holds. B2 after a granted reserve or raise
//! nothing in its accounts is above the ceiling. B3 what is refused changes nothing. B4 a hold ends
//! once. B5 a waiter ends once and leaves no hold behind. B6 a new window moves nothing.

use crate::{
    amount::Amount,
    clock::Timestamp,
    id::RequestId,
    ledger::{
        account::Opening,
        accounts::{Accounts, Crossed, Fit, LimitState},
        cover::{Cover, combine, is_quantity},
        entry::Flags,
        hold::{AccountList, Grant, HoldError, HoldKey, Holds, RaiseError, Settled, Stage},
        recent::Recent,
        refusal::Refusal,
        waiting::{WaiterKey, Waiting},
    },
    limit::Scope,
    principal::Ids,
};
use jiff::tz::TimeZone;

mod check;
mod following;
mod queue;

pub use following::Outdated;

/// What a request asks to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reserve {
    /// The request; its one end in the ledger carries this id.
    pub request: RequestId,
    /// Whom it counts against: each limit in force on any of these.
    pub ids: Ids,
    /// How much, at least and at best. `requests` is 1 on a request's first reservation.
    pub cover: Cover,
}

/// What became of a reserve.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a granted hold must be settled or released"]
pub enum Outcome {
    /// Held in every account.
    Granted(Grant),
    /// Only holds of others stand in the way: wait until woken, at most
    /// [`PATIENCE`](super::waiting::PATIENCE), then [`OrgBook::time_out`].
    Parked(WaiterKey),
    /// Spent up: never, however long it waits.
    Refused(Refusal),
    /// These accounts must be opened in the store and installed; then reserve again.
    NeedAccounts(Vec<Opening>),
}

/// See the [module](self).
#[derive(Clone, Debug)]
pub struct OrgBook {
    revision: u64,
    accounts: Accounts,
    holds: Holds,
    waiting: Waiting,
    recent: Recent,
}

impl OrgBook {
    /// An empty book without limits; [`Self::configure`] brings them.
    pub fn new(zone: TimeZone) -> Self {
        Self {
            revision: 0,
            accounts: Accounts::new(zone),
            holds: Holds::default(),
            waiting: Waiting::default(),
            recent: Recent::default(),
        }
    }

    /// Holds what the request asks for in every account it counts in, or nothing anywhere.
    ///
    /// The windows are those of `now`, and stay the hold's windows whatever the time becomes.
    pub fn reserve(&mut self, now: Timestamp, request: Reserve) -> Outcome {
        let accounts = match self.accounts.resolve(request.ids, now) {
            Ok(accounts) => accounts,
            Err(missing) => return Outcome::NeedAccounts(missing),
        };
        match self.accounts.fit(&accounts, &request.cover) {
            Fit::Takes(taken) => Outcome::Granted(self.hold(now, request, accounts, taken)),
            Fit::Blocked(refusal) => self.park(now, request, accounts, refusal),
        }
    }

    /// Marks the hold as sent upstream: from here on it can be settled, not released.
    pub fn mark_sent(&mut self, hold: HoldKey) -> Result<(), HoldError> {
        let (hold, _) = self.holds.running(hold)?;
        hold.stage = Stage::Held { sent: true };
        Ok(())
    }

    /// Holds `by` more, in every account or in none: a top-up, or a further attempt beside one that
    /// may still be billed. What `by` does not touch is not asked.
    pub fn raise(&mut self, hold: HoldKey, by: Amount) -> Result<(), RaiseError> {
        let (hold, _) = self.holds.running(hold).map_err(RaiseError::Hold)?;
        let raised = hold
            .amount
            .checked_add(by)
            .filter(|_| is_quantity(by))
            .ok_or(RaiseError::Hold(HoldError::Amount))?;
        if let Some(refusal) = self.accounts.against(&hold.accounts, hold.amount, by) {
            return Err(RaiseError::Refused(refusal));
        }
        let before = std::mem::replace(&mut hold.amount, raised);
        self.accounts.rehold(&hold.accounts, before, raised);
        Ok(())
    }

    /// Holds no more than `to`: an estimate turned out too high. Components of `to` above what is
    /// held change nothing.
    pub fn lower(&mut self, hold: HoldKey, to: Amount) -> Result<(), HoldError> {
        let (hold, _) = self.holds.running(hold)?;
        if !is_quantity(to) {
            return Err(HoldError::Amount);
        }
        let lowered = combine(hold.amount, to, i64::min);
        let before = std::mem::replace(&mut hold.amount, lowered);
        self.accounts.rehold(&hold.accounts, before, lowered);
        self.scan();
        Ok(())
    }

    /// Ends the hold with what was really used, which may be more than was held: that is posted all
    /// the same, and flagged. Counts as spent at once, and as posted once acknowledged.
    pub fn settle(
        &mut self,
        hold: HoldKey,
        actual: Amount,
        flags: Flags,
    ) -> Result<Settled, HoldError> {
        let (hold, _) = self.holds.running(hold)?;
        if !is_quantity(actual) {
            return Err(HoldError::Amount);
        }
        hold.stage = Stage::Settled;
        let held = std::mem::replace(&mut hold.amount, actual);
        let shortfall = combine(actual, held, |used, held| used.saturating_sub(held).max(0));
        let flags = if shortfall == Amount::ZERO {
            flags
        } else {
            flags.with(Flags::SHORTFALL)
        };
        let fact = hold.fact(flags);
        self.accounts.settle(&hold.accounts, held, actual);
        self.scan();
        Ok(Settled { fact, shortfall })
    }

    /// Ends a hold of which nothing was sent: it never was.
    pub fn release(&mut self, hold: HoldKey) -> Result<(), HoldError> {
        let (_, sent) = self.holds.running(hold)?;
        if sent {
            return Err(HoldError::Sent);
        }
        let hold = self.holds.remove(hold)?;
        self.accounts
            .rehold(&hold.accounts, hold.amount, Amount::ZERO);
        self.accounts.detach(&hold.accounts);
        self.scan();
        Ok(())
    }

    /// What the hold holds, while it runs.
    pub fn held(&mut self, hold: HoldKey) -> Option<Amount> {
        let (hold, _) = self.holds.running(hold).ok()?;
        Some(hold.amount)
    }

    /// The limits of one scope that were used in their present window, and where they stand.
    pub fn states(&self, scope: Scope, now: Timestamp) -> Vec<LimitState> {
        self.accounts.states(scope, now)
    }

    /// The alert limits passed since this was last asked, each once per window.
    pub fn take_crossed(&mut self) -> Vec<Crossed> {
        self.accounts.take_crossed()
    }

    fn hold(
        &mut self,
        reserved_at: Timestamp,
        request: Reserve,
        accounts: AccountList,
        taken: Amount,
    ) -> Grant {
        self.accounts.attach(&accounts, taken);
        let owner = (request.request, request.ids);
        let hold = self.holds.insert(owner, reserved_at, accounts, taken);
        Grant {
            hold,
            taken,
            reserved_at,
        }
    }
}

#[cfg(test)]
mod tests;
