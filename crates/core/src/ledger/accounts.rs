//! The accounts of one book: which limits are in force, which account each has open, and the sums
//! in them. [`OrgBook`](super::book::OrgBook) decides what moves; this file moves it.

use crate::{
    amount::Amount,
    clock::Timestamp,
    ledger::{
        account::{Account, Opening, Position, Standing},
        cover::Cover,
        hold::AccountList,
        recent::Committed,
        refusal::{Reason, Refusal},
        rule::{self, Rule},
        window::Window,
    },
    limit::{Limit, LimitAction, Scope},
    principal::Ids,
};
use jiff::{SignedDuration, tz::TimeZone};
use slab::Slab;
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

/// Every limit of an organisation, by scope.
pub type Limits = HashMap<Scope, Vec<Limit>>;

/// How long before a window closes the next one is opened.
const AHEAD: SignedDuration = SignedDuration::from_mins(1);
/// How long a closed account is kept when nothing points to it: clocks may step back a little.
const KEEP_CLOSED: SignedDuration = SignedDuration::from_mins(1);

/// An alert limit was passed just now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crossed {
    /// The limit.
    pub limit: Limit,
    /// Which window of it.
    pub window: Window,
    /// Spent there, in the limit's unit.
    pub spent: i64,
}

/// Where one limit stands at this moment. Never stored: read, shown, forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitState {
    /// The rule.
    pub limit: Limit,
    /// The window that is open.
    pub window: Window,
    /// Spent in it, in the limit's unit.
    pub spent: i64,
    /// Held in it by requests that run.
    pub held: i64,
    /// When the window ends; `None` = never.
    pub resets_at: Option<Timestamp>,
}

/// How a cover fits into a set of accounts.
pub(crate) enum Fit {
    Takes(Amount),
    Blocked(Refusal),
}

#[derive(Clone, Debug)]
pub(crate) struct Accounts {
    zone: TimeZone,
    limits: Arc<Limits>,
    /// Filled from `limits` when a scope is first used.
    scopes: HashMap<Scope, Vec<Rule>>,
    slab: Slab<Account>,
    /// Grows whenever a list of accounts resolved earlier may be wrong now.
    generation: u64,
    crossed: Vec<Crossed>,
}

impl Accounts {
    pub(crate) fn new(zone: TimeZone) -> Self {
        Self {
            zone,
            limits: Arc::default(),
            scopes: HashMap::new(),
            slab: Slab::new(),
            generation: 0,
            crossed: Vec::new(),
        }
    }

    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    /// Makes these limits and this zone the ones in force.
    pub(crate) fn configure(&mut self, zone: TimeZone, limits: Arc<Limits>) {
        let rezoned = zone != self.zone;
        self.generation += 1;
        self.zone = zone;
        self.limits = limits;
        for (scope, rules) in &mut self.scopes {
            let now_in_force = self.limits.get(scope).map_or(&[][..], Vec::as_slice);
            rule::edit(rules, now_in_force, &mut self.slab);
            if rezoned {
                rule::supersede(rules, &mut self.slab);
            }
        }
    }

    /// The accounts that these callers count in at `at`, or those the store must open first.
    pub(crate) fn resolve(&mut self, ids: Ids, at: Timestamp) -> Result<AccountList, Vec<Opening>> {
        let mut found = AccountList::new();
        let mut missing = Vec::new();
        for scope in ids.scopes() {
            let limits = &self.limits;
            let rules = self.scopes.entry(scope).or_insert_with(|| {
                let limits = limits.get(&scope).map_or(&[][..], Vec::as_slice);
                limits.iter().copied().map(Rule::new).collect()
            });
            for rule in rules {
                match rule.account_at(at, &self.slab) {
                    Some(index) => found.push(index),
                    None => missing.push(rule.opening(at, &self.zone)),
                }
            }
        }
        if missing.is_empty() {
            Ok(found)
        } else {
            Err(missing)
        }
    }

    /// How much of `cover` fits in every one of `accounts`.
    pub(crate) fn fit(&self, accounts: &[usize], cover: &Cover) -> Fit {
        let mut steps = cover.steps();
        let mut blocking: Option<(Reason, &Account)> = None;
        for account in self.each(accounts) {
            let (Some(cap), Some(room)) = (account.cap(), account.headroom()) else {
                continue;
            };
            if let Some(within) = cover.steps_within(account.limit.unit, room) {
                steps = steps.min(within);
                continue;
            }
            let reason = if account.used() + account.component(cover.floor()) > cap {
                Reason::Reached
            } else {
                Reason::Held
            };
            if blocking.is_none_or(|other| outranks((reason, account), other)) {
                blocking = Some((reason, account));
            }
        }
        match blocking {
            None => Fit::Takes(cover.after(steps)),
            Some((reason, account)) => Fit::Blocked(refusal(reason, account)),
        }
    }

    /// The account that stands against a hold of `own` growing by `by`, if one does. What `by` does
    /// not touch is not asked: a lowered limit on requests does not end a stream that grows in
    /// tokens. What the request holds itself counts as spent: no waiting gives it room.
    pub(crate) fn against(&self, accounts: &[usize], own: Amount, by: Amount) -> Option<Refusal> {
        self.each(accounts).find_map(|account| {
            let more = account.component(by);
            let short = more > 0 && account.headroom().is_some_and(|room| more > room);
            let own = account.component(own);
            let used = account.used() + own;
            let reached = account.cap().is_some_and(|cap| used + more > cap);
            let reason = if reached {
                Reason::Reached
            } else {
                Reason::Held
            };
            short.then(|| Refusal {
                spent: narrow(used),
                held: narrow(account.held - own),
                ..refusal(reason, account)
            })
        })
    }

    /// A new hold points to these accounts.
    pub(crate) fn attach(&mut self, accounts: &[usize], held: Amount) {
        for index in accounts {
            if let Some(account) = self.slab.get_mut(*index) {
                account.uses += 1;
                account.held += account.component(held);
            }
        }
    }

    /// A hold no longer points to these accounts.
    pub(crate) fn detach(&mut self, accounts: &[usize]) {
        for index in accounts {
            if let Some(account) = self.slab.get_mut(*index) {
                account.uses = account.uses.saturating_sub(1);
            }
        }
    }

    /// A running hold went from `before` to `after`.
    pub(crate) fn rehold(&mut self, accounts: &[usize], before: Amount, after: Amount) {
        for index in accounts {
            if let Some(account) = self.slab.get_mut(*index) {
                account.held += account.component(after) - account.component(before);
            }
        }
    }

    /// A running hold of `held` became spending of `actual`.
    pub(crate) fn settle(&mut self, accounts: &[usize], held: Amount, actual: Amount) {
        for index in accounts {
            if let Some(account) = self.slab.get_mut(*index) {
                let before = account.used();
                account.held -= account.component(held);
                account.spent += account.component(actual);
                self.crossed.extend(crossing(account, before));
            }
        }
    }

    /// The store has committed `amount` at `position`. Returns whether that freed room: an account
    /// read after the commit had counted it twice until now.
    pub(crate) fn acknowledge(
        &mut self,
        accounts: &[usize],
        amount: Amount,
        position: Position,
    ) -> bool {
        let mut freed = false;
        for index in accounts {
            if let Some(account) = self.slab.get_mut(*index) {
                let component = account.component(amount);
                account.spent -= component;
                if position > account.as_of {
                    account.posted += component;
                } else {
                    freed = true;
                }
            }
        }
        freed
    }

    /// An entry that no hold of this book stands for was committed.
    pub(crate) fn record(&mut self, entry: &Committed) {
        for scope in entry.ids.scopes() {
            for rule in self.scopes.get(&scope).into_iter().flatten() {
                for index in &rule.accounts {
                    if let Some(account) = self.slab.get_mut(*index)
                        && account.covers(entry.ids, entry.reserved_at)
                        && entry.position > account.as_of
                    {
                        let before = account.used();
                        account.posted += account.component(entry.amount);
                        self.crossed.extend(crossing(account, before));
                    }
                }
            }
        }
    }

    /// Takes an account in, unless it is not wanted (any more): its limit was deleted, the zone
    /// gives its window another period, or it is here already.
    pub(crate) fn insert(&mut self, mut account: Account) -> Option<usize> {
        let (key, period) = (account.key(), account.period);
        if key.window.period(&self.zone) != period {
            return None;
        }
        let rule =
            self.scopes.get_mut(&key.scope)?.iter_mut().find(|rule| {
                (rule.limit.window, rule.limit.unit) == (key.window.kind(), key.unit)
            })?;
        let known = |index: &usize| {
            let other = self.slab.get(*index);
            other.is_some_and(|other| other.period == period && other.standing == Standing::Open)
        };
        if rule.accounts.iter().any(known) {
            return None;
        }
        account.limit = rule.limit;
        let index = self.slab.insert(account);
        rule.accounts.push(index);
        self.generation += 1;
        Some(index)
    }

    pub(crate) fn get(&self, index: usize) -> Option<&Account> {
        self.slab.get(index)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, &Account)> {
        self.slab.iter()
    }

    /// The limits of one scope and where they stand at `now`; those not opened yet are left out.
    pub(crate) fn states(&self, scope: Scope, now: Timestamp) -> Vec<LimitState> {
        let rules = self.scopes.get(&scope).into_iter().flatten();
        rules
            .filter_map(|rule| self.slab.get(rule.account_at(now, &self.slab)?))
            .map(|account| LimitState {
                limit: account.limit,
                window: account.window,
                spent: narrow(account.used()),
                held: narrow(account.held),
                resets_at: account.period.resets_at(),
            })
            .collect()
    }

    /// The next windows of accounts that close within a minute.
    pub(crate) fn to_open(&self, now: Timestamp) -> Vec<Opening> {
        let rules = self.scopes.values().flatten();
        rules
            .filter_map(|rule| {
                let current = self.slab.get(rule.account_at(now, &self.slab)?)?;
                let next_at = current.period.resets_at()?;
                let soon = next_at.duration_since(now) <= AHEAD;
                (soon && rule.account_at(next_at, &self.slab).is_none())
                    .then(|| rule.opening(next_at, &self.zone))
            })
            .collect()
    }

    /// Drops accounts that nothing points to, nobody waits for and that take no more holds.
    pub(crate) fn forget_closed(&mut self, now: Timestamp, awaited: &HashSet<usize>) {
        let before = self.slab.len();
        self.slab.retain(|index, account| {
            let current = account.standing == Standing::Open
                && now.duration_since(account.period.closes_at) < KEEP_CLOSED;
            account.uses > 0 || current || awaited.contains(&index)
        });
        if self.slab.len() < before {
            self.generation += 1;
            for rule in self.scopes.values_mut().flatten() {
                rule.accounts.retain(|index| self.slab.contains(*index));
            }
        }
        // Read from `limits` again when next used.
        let used = |rule: &Rule| !rule.accounts.is_empty();
        self.scopes.retain(|_, rules| rules.iter().any(used));
    }

    pub(crate) fn take_crossed(&mut self) -> Vec<Crossed> {
        std::mem::take(&mut self.crossed)
    }

    fn each<'a>(&'a self, accounts: &'a [usize]) -> impl Iterator<Item = &'a Account> {
        accounts.iter().filter_map(|index| self.slab.get(*index))
    }
}

/// Which of two blocking accounts a refusal names: a reached limit before a held one, then the one
/// that stands in the way longest, so that its reset is when the request can succeed.
fn outranks((reason, account): (Reason, &Account), other: (Reason, &Account)) -> bool {
    match (reason, other.0) {
        (Reason::Reached, Reason::Held) => true,
        (Reason::Held, Reason::Reached) => false,
        (Reason::Reached, Reason::Reached) | (Reason::Held, Reason::Held) => {
            account.period.closes_at > other.1.period.closes_at
        }
    }
}

fn refusal(reason: Reason, account: &Account) -> Refusal {
    Refusal {
        reason,
        limit: account.limit,
        window: account.window,
        spent: narrow(account.used()),
        held: narrow(account.held),
        resets_at: account.period.resets_at(),
    }
}

fn crossing(account: &Account, before: i128) -> Option<Crossed> {
    let at = i128::from(account.limit.amount);
    let watched = account.limit.action == LimitAction::Alert && account.standing == Standing::Open;
    (watched && before < at && at <= account.used()).then(|| Crossed {
        limit: account.limit,
        window: account.window,
        spent: narrow(account.used()),
    })
}

/// For people: the nearest 64-bit number.
fn narrow(sum: i128) -> i64 {
    let nearest = if sum < 0 { i64::MIN } else { i64::MAX };
    i64::try_from(sum).unwrap_or(nearest)
}
