//! Rules: the limits in force in one scope, each with the accounts in memory that it opened.
//!
//! A limit is known by its scope, window and unit. Editing its amount moves nothing: its accounts
//! keep their sums and are measured against the new amount from then on.

use crate::{
    clock::Timestamp,
    ledger::{
        account::{Account, AccountKey, Opening, Standing},
        window::Window,
    },
    limit::{Limit, LimitAction, WindowKind},
};
use jiff::tz::TimeZone;
use slab::Slab;
use smallvec::SmallVec;

/// A limit in force and the accounts in memory that it opened.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) limit: Limit,
    pub(crate) accounts: SmallVec<[usize; 2]>,
}

impl Rule {
    pub(crate) fn new(limit: Limit) -> Self {
        Self {
            limit,
            accounts: SmallVec::new(),
        }
    }

    pub(crate) fn account_at(&self, at: Timestamp, slab: &Slab<Account>) -> Option<usize> {
        let mut own = self.accounts.iter().copied();
        own.find(|index| slab.get(*index).is_some_and(|account| account.takes(at)))
    }

    pub(crate) fn opening(&self, at: Timestamp, zone: &TimeZone) -> Opening {
        let window = Window::at(self.limit.window, at, zone);
        Opening {
            key: AccountKey {
                scope: self.limit.scope,
                unit: self.limit.unit,
                window,
            },
            period: window.period(zone),
            cap: match self.limit.action {
                LimitAction::Block => Some(self.limit.amount),
                LimitAction::Alert => None,
            },
        }
    }
}

/// Makes `rules` say what `limits` say; the accounts of rules that stay keep their sums.
pub(crate) fn edit(rules: &mut Vec<Rule>, limits: &[Limit], slab: &mut Slab<Account>) {
    let mut before = std::mem::take(rules);
    rules.extend(limits.iter().map(|limit| {
        let same = |rule: &Rule| (rule.limit.window, rule.limit.unit) == (limit.window, limit.unit);
        let kept = before
            .iter()
            .position(same)
            .map(|at| before.swap_remove(at));
        Rule {
            limit: *limit,
            accounts: kept.map(|rule| rule.accounts).unwrap_or_default(),
        }
    }));
    for rule in rules {
        for index in &rule.accounts {
            if let Some(account) = slab.get_mut(*index) {
                account.limit = rule.limit;
            }
        }
    }
    for index in before.iter().flat_map(|rule| &rule.accounts) {
        if let Some(account) = slab.get_mut(*index) {
            account.standing = Standing::Deleted;
        }
    }
}

/// After a change of zone, windows named by a date are opened anew.
pub(crate) fn supersede(rules: &[Rule], slab: &mut Slab<Account>) {
    for rule in rules {
        if rule.limit.window == WindowKind::Total {
            continue;
        }
        for index in &rule.accounts {
            if let Some(account) = slab.get_mut(*index) {
                account.standing = Standing::Superseded;
            }
        }
    }
}
