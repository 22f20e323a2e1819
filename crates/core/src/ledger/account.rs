//! Accounts: what one limit counts in one window.
//!
//! An account in memory knows three sums: what the store has posted, what was spent here and is not
//! yet acknowledged by the store, and what open holds have reserved. Sums are 128 bits wide, so no
//! sequence of facts can overflow them; single amounts are checked 64-bit numbers.

use crate::{
    amount::Amount,
    clock::Timestamp,
    ledger::window::{Period, Window},
    limit::{Limit, LimitAction, LimitUnit, Scope},
    principal::Ids,
};

/// Names an account: one scope, one unit, one window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountKey {
    /// Whose use is counted.
    pub scope: Scope,
    /// Counting what.
    pub unit: LimitUnit,
    /// In which window.
    pub window: Window,
}

/// An account as the store keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountRow {
    /// Its name.
    pub key: AccountKey,
    /// The time it covers. Part of the row, because a new time zone gives a name another period.
    pub period: Period,
    /// What the limit allows; `None` when nothing is blocked (alert limits, deleted limits).
    pub cap: Option<i64>,
    /// Sum of all entries of this scope and unit that were reserved in the period.
    pub posted: i64,
}

impl AccountRow {
    /// Whether what these callers reserved at `reserved_at` counts here. This one rule decides
    /// which accounts a fact is posted to, and what an account opened late is opened with.
    pub fn covers(&self, ids: Ids, reserved_at: Timestamp) -> bool {
        covers(self.key, self.period, ids, reserved_at)
    }
}

/// An account that the book needs and the store must open or read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening {
    /// Its name.
    pub key: AccountKey,
    /// The time it covers.
    pub period: Period,
    /// What the limit allows; `None` when it only alerts.
    pub cap: Option<i64>,
}

/// A place in the store's journal: grows with each entry committed, in the order of commits.
///
/// It settles the race between reading an account and committing facts: an entry is part of a row
/// read *as of* a position exactly when the entry's own position is not later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position(pub i64);

/// What an account in memory is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Takes holds.
    Open,
    /// A new time zone named the windows anew: takes no new holds, binds the raises of its own.
    Superseded,
    /// The limit was deleted: nothing is checked.
    Deleted,
}

/// An account in memory.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) limit: Limit,
    pub(crate) window: Window,
    pub(crate) period: Period,
    pub(crate) standing: Standing,
    /// Posted entries known here.
    pub(crate) posted: i128,
    /// Settled here, not yet acknowledged.
    pub(crate) spent: i128,
    /// Sum of the open holds.
    pub(crate) held: i128,
    /// The journal as far as the row that was installed had seen it.
    pub(crate) as_of: Position,
    /// Holds, and settled amounts not yet acknowledged, that point here.
    pub(crate) uses: u32,
}

impl Account {
    pub(crate) fn key(&self) -> AccountKey {
        AccountKey {
            scope: self.limit.scope,
            unit: self.limit.unit,
            window: self.window,
        }
    }

    pub(crate) fn covers(&self, ids: Ids, reserved_at: Timestamp) -> bool {
        covers(self.key(), self.period, ids, reserved_at)
    }

    /// What a caller cannot pass; `None` when nothing is refused here.
    pub(crate) fn cap(&self) -> Option<i128> {
        match self.limit.action {
            LimitAction::Block if self.standing != Standing::Deleted => {
                Some(i128::from(self.limit.amount))
            }
            LimitAction::Block | LimitAction::Alert => None,
        }
    }

    /// How much this process may give out. One node holds the store alone, so it is the whole cap;
    /// with several nodes this is the one place that would answer with the slice leased to this one.
    pub(crate) fn ceiling(&self) -> Option<i128> {
        self.cap()
    }

    /// Everything that was spent, whether the store knows yet or not.
    pub(crate) fn used(&self) -> i128 {
        self.posted + self.spent
    }

    /// What another hold may take; negative after a shortfall or a lowered cap.
    pub(crate) fn headroom(&self) -> Option<i128> {
        self.ceiling()
            .map(|ceiling| ceiling - self.used() - self.held)
    }

    /// Whether new holds at `at` belong here.
    pub(crate) fn takes(&self, at: Timestamp) -> bool {
        self.standing == Standing::Open && self.period.contains(at)
    }

    pub(crate) fn component(&self, amount: Amount) -> i128 {
        i128::from(amount.component(self.limit.unit))
    }
}

fn covers(key: AccountKey, period: Period, ids: Ids, reserved_at: Timestamp) -> bool {
    period.contains(reserved_at) && ids.scopes().any(|scope| scope == key.scope)
}
