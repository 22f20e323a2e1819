//! A book with a naive store beside it: entries in a list, accounts summed up when they are asked
//! for. The tests of this folder differ in who drives it.

use super::*;
use crate::{
    id::{AgentSessionId, ApiKeyId, MemberId, OrganizationId, ProjectId},
    ledger::{
        AccountRow, Entry, EntryKind, Fact, Limits, Position, Reason, WaitEnd, account::Opening,
    },
    limit::{Limit, LimitAction, LimitUnit, WindowKind},
    money::NanoUsd,
};
use std::sync::Arc;

mod edits;
mod model;
mod race;
mod tables;
mod threads;

const ORG: Scope = Scope::Organization(OrganizationId::from_bytes([1; 16]));

fn key(byte: u8) -> Scope {
    Scope::ApiKey(ApiKeyId::from_bytes([byte; 16]))
}

fn session(byte: u8) -> Scope {
    Scope::AgentSession(AgentSessionId::from_bytes([byte; 16]))
}

/// A caller: key and session of one organisation and project.
fn caller(key: u8, session: Option<u8>) -> Ids {
    Ids {
        organization: OrganizationId::from_bytes([1; 16]),
        project: ProjectId::from_bytes([2; 16]),
        member: (key == 2).then(|| MemberId::from_bytes([3; 16])),
        api_key: Some(ApiKeyId::from_bytes([key; 16])),
        session: session.map(|session| AgentSessionId::from_bytes([session; 16])),
    }
}

fn request(number: u8) -> RequestId {
    RequestId::from_bytes([number; 16])
}

/// One request that costs so many dollars.
fn cost(dollars: &str) -> Amount {
    Amount {
        cost: dollars.parse().expect("dollars"),
        requests: 1,
        tokens: 0,
    }
}

/// More dollars, and no further request.
fn more(dollars: &str) -> Amount {
    Amount {
        requests: 0,
        ..cost(dollars)
    }
}

fn nano(dollars: &str) -> i64 {
    cost(dollars).cost.as_nano()
}

struct Scene {
    book: OrgBook,
    now: Timestamp,
    zone: TimeZone,
    limits: Limits,
    /// The store: each entry's place is its position, counted from 1.
    journal: Vec<Entry>,
    requests: u8,
}

impl Scene {
    fn new(now: &str, zone: &str) -> Self {
        let zone = TimeZone::get(zone).expect("a zone");
        Self {
            book: OrgBook::new(zone.clone()),
            now: now.parse().expect("an instant"),
            zone,
            limits: Limits::new(),
            journal: Vec::new(),
            requests: 0,
        }
    }

    fn at(&mut self, now: &str) {
        self.now = now.parse().expect("an instant");
    }

    /// Sets or changes a limit; `None` deletes it.
    fn limit(&mut self, scope: Scope, window: WindowKind, unit: LimitUnit, amount: Option<i64>) {
        let limits = self.limits.entry(scope).or_default();
        limits.retain(|limit| (limit.window, limit.unit) != (window, unit));
        limits.extend(amount.map(|amount| Limit {
            scope,
            window,
            unit,
            amount,
            action: LimitAction::Block,
        }));
        self.configure();
    }

    fn configure(&mut self) {
        let revision = self.book.revision() + 1;
        let limits = Arc::new(self.limits.clone());
        let openings = self.book.configure(revision, &self.zone, &limits);
        self.install(&openings);
    }

    fn install(&mut self, openings: &[Opening]) {
        for opening in openings {
            let (row, as_of) = self.read(opening);
            self.book.install(&row, as_of).expect("a fresh row");
        }
    }

    /// Reads an account from the store.
    fn read(&self, opening: &Opening) -> (AccountRow, Position) {
        let mut row = AccountRow {
            key: opening.key,
            period: opening.period,
            cap: opening.cap,
            posted: 0,
        };
        for entry in &self.journal {
            if row.covers(entry.ids, entry.reserved_at) {
                row.posted += entry.amount.component(row.key.unit);
            }
        }
        (row, self.position())
    }

    fn position(&self) -> Position {
        Position(i64::try_from(self.journal.len()).expect("few entries"))
    }

    /// Something that was spent before this book knew.
    fn spend(&mut self, ids: Ids, amount: Amount) {
        let fact = Fact {
            request: request(200),
            ids,
            reserved_at: self.now,
            kind: crate::ledger::FactKind::Settle,
            amount,
            flags: Flags::NONE,
        };
        self.commit(&fact);
    }

    fn commit(&mut self, fact: &Fact) -> Position {
        self.journal.push(Entry {
            request: fact.request,
            kind: EntryKind::Settle,
            n: 0,
            reserved_at: fact.reserved_at,
            booked_at: self.now,
            ids: fact.ids,
            amount: fact.amount,
            flags: fact.flags,
        });
        self.position()
    }

    fn reserve_cover(&mut self, ids: Ids, cover: Cover) -> Outcome {
        self.requests = self.requests.wrapping_add(1);
        let reserve = Reserve {
            request: request(self.requests),
            ids,
            cover,
        };
        match self.book.reserve(self.now, reserve) {
            Outcome::NeedAccounts(openings) => {
                self.install(&openings);
                self.book.reserve(self.now, reserve)
            }
            outcome => outcome,
        }
    }

    fn reserve(&mut self, ids: Ids, amount: Amount) -> Outcome {
        self.reserve_cover(ids, Cover::exact(amount).expect("not negative"))
    }

    fn grant(&mut self, ids: Ids, amount: Amount) -> Grant {
        match self.reserve(ids, amount) {
            Outcome::Granted(grant) => grant,
            other => panic!("expected a grant: {other:?}"),
        }
    }

    fn park(&mut self, ids: Ids, amount: Amount) -> WaiterKey {
        match self.reserve(ids, amount) {
            Outcome::Parked(waiter) => waiter,
            other => panic!("expected to wait: {other:?}"),
        }
    }

    fn refused(&mut self, ids: Ids, amount: Amount) -> Refusal {
        match self.reserve(ids, amount) {
            Outcome::Refused(refusal) => refusal,
            other => panic!("expected a refusal: {other:?}"),
        }
    }

    /// Settles and commits at once. Gives the shortfall.
    fn settle(&mut self, hold: HoldKey, amount: Amount) -> Amount {
        let settled = self.book.settle(hold, amount, Flags::NONE).expect("runs");
        let position = self.commit(&settled.fact);
        self.book.acknowledge(hold, position).expect("settled");
        self.check();
        settled.shortfall
    }

    /// Spent and held in the present window of a limit.
    fn state(&self, scope: Scope, unit: LimitUnit) -> (i64, i64) {
        let states = self.book.states(scope, self.now);
        let state = states.iter().find(|state| state.limit.unit == unit);
        state
            .map(|state| (state.spent, state.held))
            .expect("an account")
    }

    fn check(&self) {
        self.book.check().expect("a right book");
    }
}

fn granted(end: Option<WaitEnd>) -> Grant {
    match end {
        Some(WaitEnd::Granted(grant)) => grant,
        other => panic!("expected a grant: {other:?}"),
    }
}

fn denied(end: Option<WaitEnd>) -> Refusal {
    match end {
        Some(WaitEnd::Refused(refusal)) => refusal,
        other => panic!("expected a refusal: {other:?}"),
    }
}

#[test]
fn a_hold_ends_once() {
    let mut scene = Scene::new("2026-11-21T12:00:00Z", "UTC");
    scene.limit(ORG, WindowKind::Month, LimitUnit::Cost, Some(nano("1.00")));
    let settled = scene.grant(caller(1, None), cost("0.10")).hold;
    assert_eq!(
        scene.book.acknowledge(settled, Position(1)),
        Err(HoldError::NotSettled)
    );
    scene.settle(settled, cost("0.05"));
    let again = scene.book.settle(settled, cost("0.05"), Flags::NONE);
    assert_eq!(again.err(), Some(HoldError::Ended));
    assert_eq!(scene.book.release(settled), Err(HoldError::Ended));
    assert_eq!(
        scene.book.acknowledge(settled, Position(9)),
        Err(HoldError::Ended)
    );

    let released = scene.grant(caller(1, None), cost("0.10")).hold;
    scene.book.release(released).unwrap();
    let next = scene.grant(caller(1, None), cost("0.20")).hold;
    assert_eq!(
        scene.book.lower(released, Amount::ZERO),
        Err(HoldError::Ended)
    );
    assert_eq!(
        scene.book.held(next),
        Some(cost("0.20")),
        "its place, not its name, is reused"
    );
    assert_eq!(
        scene.state(ORG, LimitUnit::Cost),
        (nano("0.05"), nano("0.20"))
    );
}

#[test]
fn what_was_sent_is_settled_never_released() {
    let mut scene = Scene::new("2026-11-21T12:00:00Z", "UTC");
    scene.limit(ORG, WindowKind::Day, LimitUnit::Requests, Some(1));
    let hold = scene.grant(caller(1, None), cost("0.10")).hold;
    scene.book.mark_sent(hold).unwrap();
    assert_eq!(scene.book.release(hold), Err(HoldError::Sent));
    assert_eq!(scene.state(ORG, LimitUnit::Requests), (0, 1));
    scene.settle(hold, cost("0.10"));
    assert_eq!(scene.state(ORG, LimitUnit::Requests), (1, 0));
}

#[test]
fn amounts_below_zero_are_turned_away_and_change_nothing() {
    let mut scene = Scene::new("2026-11-21T12:00:00Z", "UTC");
    scene.limit(ORG, WindowKind::Day, LimitUnit::Cost, Some(nano("1.00")));
    let hold = scene.grant(caller(1, None), cost("0.10")).hold;
    let bad = Err(HoldError::Amount);
    assert_eq!(scene.book.lower(hold, more("-0.01")), bad);
    assert_eq!(
        scene.book.settle(hold, cost("-1"), Flags::NONE).map(|_| ()),
        bad
    );
    let raised = scene.book.raise(hold, more("-0.01"));
    assert_eq!(raised, Err(RaiseError::Hold(HoldError::Amount)));
    assert_eq!(scene.state(ORG, LimitUnit::Cost), (0, nano("0.10")));
}

#[test]
fn a_further_attempt_is_held_beside_the_first() {
    let mut scene = Scene::new("2026-11-21T12:00:00Z", "UTC");
    scene.limit(ORG, WindowKind::Day, LimitUnit::Cost, Some(nano("1.00")));
    scene.limit(ORG, WindowKind::Day, LimitUnit::Requests, Some(1));
    let hold = scene.grant(caller(1, None), cost("0.60")).hold;
    let refused = scene.book.raise(hold, more("0.60"));
    assert!(matches!(refused, Err(RaiseError::Refused(_))));
    scene.book.raise(hold, more("0.40")).unwrap();
    assert_eq!(scene.state(ORG, LimitUnit::Cost), (0, nano("1.00")));
    assert_eq!(
        scene.state(ORG, LimitUnit::Requests),
        (0, 1),
        "still one request"
    );
}

#[test]
fn an_alert_limit_lets_everything_pass_and_says_so_once() {
    let mut scene = Scene::new("2026-11-21T12:00:00Z", "UTC");
    scene.limit(ORG, WindowKind::Day, LimitUnit::Cost, Some(nano("1.00")));
    scene.limits.get_mut(&ORG).unwrap()[0].action = LimitAction::Alert;
    scene.configure();
    for (spent, crossed) in [("0.90", 0), ("0.20", 1), ("5.00", 0)] {
        let hold = scene.grant(caller(1, None), cost(spent)).hold;
        scene.settle(hold, cost(spent));
        assert_eq!(scene.book.take_crossed().len(), crossed, "after {spent}");
    }
    assert_eq!(scene.state(ORG, LimitUnit::Cost), (nano("6.10"), 0));
}

#[test]
fn a_waiter_that_was_granted_and_is_gone_leaves_no_hold() {
    let mut scene = Scene::new("2026-11-21T12:00:00Z", "UTC");
    scene.limit(ORG, WindowKind::Day, LimitUnit::Cost, Some(nano("1.00")));
    let first = scene.grant(caller(1, None), cost("0.90")).hold;
    let gone = scene.park(caller(1, None), cost("0.50"));
    let next = scene.park(caller(1, None), cost("0.70"));
    scene.book.release(first).unwrap();
    assert_eq!(scene.book.take_woken(), [gone]);
    assert_eq!(scene.state(ORG, LimitUnit::Cost), (0, nano("0.50")));
    assert_eq!(scene.book.claim(next), None, "no answer yet");

    scene.book.give_up(gone);
    scene.check();
    assert_eq!(scene.book.claim(gone), None);
    assert_eq!(
        scene.book.take_woken(),
        [next],
        "its room went to the one behind it"
    );
    assert_eq!(granted(scene.book.claim(next)).taken, cost("0.70"));
    assert_eq!(scene.state(ORG, LimitUnit::Cost), (0, nano("0.70")));
    assert_eq!(scene.book.time_out(next), None, "a waiter ends once");
}

#[test]
fn a_big_waiter_does_not_block_small_ones() {
    let mut scene = Scene::new("2026-11-21T12:00:00Z", "UTC");
    scene.limit(ORG, WindowKind::Day, LimitUnit::Cost, Some(nano("1.00")));
    let first = scene.grant(caller(1, None), cost("0.30")).hold;
    let _second = scene.grant(caller(1, None), cost("0.70"));
    let big = scene.park(caller(1, None), cost("0.80"));
    let small = scene.park(caller(1, None), cost("0.20"));
    scene.book.lower(first, cost("0.10")).unwrap();
    assert_eq!(scene.book.take_woken(), [small]);
    assert_eq!(scene.book.waiting(), 1);
    // Spending what others hold leaves no room for the big one, ever: told at once.
    scene.settle(first, cost("0.25"));
    assert_eq!(scene.book.take_woken(), [big]);
    assert_eq!(denied(scene.book.claim(big)).reason, Reason::Reached);
}

#[test]
fn a_late_answer_is_better_than_a_refusal() {
    let mut scene = Scene::new("2026-11-21T12:00:00Z", "UTC");
    scene.limit(ORG, WindowKind::Day, LimitUnit::Cost, Some(nano("1.00")));
    let first = scene.grant(caller(1, None), cost("0.90")).hold;
    let waiter = scene.park(caller(1, None), cost("0.50"));
    scene.book.release(first).unwrap();
    let grant = granted(scene.book.time_out(waiter));
    assert_eq!(grant.taken, cost("0.50"));
    assert!(
        scene.book.take_woken().is_empty(),
        "it needs no waking any more"
    );
}
