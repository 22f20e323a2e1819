//! The book against a naive list: every hold ever taken, who took it and when. Whatever the book
//! says of an account must be what the list adds up to, after every step of a random history.

use super::*;
use crate::ledger::{cover::combine, window::Window};
use jiff::ToSpan;
use proptest::prelude::*;

/// One hold or what became of it.
#[derive(Clone, Copy, Debug)]
struct Line {
    ids: Ids,
    reserved_at: Timestamp,
    key: HoldKey,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Held(Amount),
    Used(Amount),
    Released,
}

#[derive(Clone, Debug)]
enum Act {
    Reserve {
        who: usize,
        floor: Amount,
        extra: Amount,
    },
    Raise {
        which: usize,
        by: Amount,
    },
    Lower {
        which: usize,
        to: Amount,
    },
    Settle {
        which: usize,
        actual: Amount,
    },
    SettleAgain {
        which: usize,
    },
    Release {
        which: usize,
    },
    Sent {
        which: usize,
    },
    Tick {
        minutes: i64,
    },
    Edit {
        which: usize,
        amount: Option<i64>,
    },
    GiveUp {
        which: usize,
    },
    TimeOut {
        which: usize,
    },
    Acknowledge,
    Forget,
}

const WHO: [(u8, Option<u8>); 4] = [(1, None), (1, Some(1)), (2, None), (2, Some(2))];

/// The limits a history draws from.
fn rule(at: usize) -> (Scope, WindowKind, LimitUnit) {
    let member = Scope::Member(MemberId::from_bytes([3; 16]));
    let project = Scope::Project(ProjectId::from_bytes([2; 16]));
    [
        (ORG, WindowKind::Month, LimitUnit::Cost),
        (ORG, WindowKind::Day, LimitUnit::Cost),
        (project, WindowKind::Week, LimitUnit::Tokens),
        (member, WindowKind::Total, LimitUnit::Cost),
        (key(1), WindowKind::Day, LimitUnit::Requests),
        (session(1), WindowKind::Total, LimitUnit::Tokens),
    ][at]
}

fn amounts(requests: i64) -> impl Strategy<Value = Amount> {
    (0..400_i64, 0..400_i64).prop_map(move |(cost, tokens)| Amount {
        cost: NanoUsd::from_nano(cost),
        requests,
        tokens,
    })
}

fn acts() -> impl Strategy<Value = Act> {
    let which = || 0..64_usize;
    prop_oneof![
        6 => (0..WHO.len(), amounts(1), amounts(0))
            .prop_map(|(who, floor, extra)| Act::Reserve { who, floor, extra }),
        3 => (which(), amounts(0)).prop_map(|(which, by)| Act::Raise { which, by }),
        2 => (which(), amounts(1)).prop_map(|(which, to)| Act::Lower { which, to }),
        4 => (which(), amounts(1)).prop_map(|(which, actual)| Act::Settle { which, actual }),
        1 => which().prop_map(|which| Act::SettleAgain { which }),
        2 => which().prop_map(|which| Act::Release { which }),
        1 => which().prop_map(|which| Act::Sent { which }),
        2 => (-30..1_800_i64).prop_map(|minutes| Act::Tick { minutes }),
        2 => (0..6_usize, prop::option::weighted(0.8, 0..3_000_i64))
            .prop_map(|(which, amount)| Act::Edit { which, amount }),
        1 => which().prop_map(|which| Act::GiveUp { which }),
        1 => which().prop_map(|which| Act::TimeOut { which }),
        2 => Just(Act::Acknowledge),
        1 => Just(Act::Forget),
    ]
}

struct Model {
    scene: Scene,
    lines: Vec<Line>,
    waiters: Vec<(WaiterKey, Ids, Timestamp, Cover)>,
    /// Settled, in the store's queue.
    pending: Vec<(HoldKey, Fact)>,
}

impl Model {
    fn new(limits: &[Option<i64>]) -> Self {
        let mut model = Self {
            scene: Scene::new("2026-03-28T20:00:00Z", "Europe/Berlin"),
            lines: Vec::new(),
            waiters: Vec::new(),
            pending: Vec::new(),
        };
        for (at, amount) in limits.iter().enumerate() {
            let (scope, window, unit) = rule(at);
            model.scene.limit(scope, window, unit, *amount);
        }
        model
    }

    fn limits_of(&self, ids: Ids) -> Vec<Limit> {
        let limits = &self.scene.limits;
        ids.scopes()
            .filter_map(|scope| limits.get(&scope))
            .flatten()
            .copied()
            .collect()
    }

    /// What the list says is used and held against a limit in the window of `at`.
    fn sums(&self, limit: &Limit, at: Timestamp) -> (i64, i64) {
        let zone = &self.scene.zone;
        let period = Window::at(limit.window, at, zone).period(zone);
        let (mut used, mut held) = (0, 0);
        for line in &self.lines {
            let counts = line.ids.scopes().any(|scope| scope == limit.scope);
            if counts && period.contains(line.reserved_at) {
                match line.state {
                    State::Held(amount) => held += amount.component(limit.unit),
                    State::Used(amount) => used += amount.component(limit.unit),
                    State::Released => {}
                }
            }
        }
        (used, held)
    }

    /// Room left for `amount` in every limit; and whether some limit is spent up for it.
    fn judge(&self, ids: Ids, at: Timestamp, amount: Amount) -> (bool, bool) {
        let (mut fits, mut reached) = (true, false);
        for limit in self.limits_of(ids) {
            let (used, held) = self.sums(&limit, at);
            let component = amount.component(limit.unit);
            fits &= used + held + component <= limit.amount;
            reached |= used + component > limit.amount;
        }
        (fits, reached)
    }

    fn granted(&mut self, grant: Grant, ids: Ids, at: Timestamp, cover: &Cover) {
        let taken = grant.taken;
        assert_eq!(
            combine(taken, cover.want(), i64::min),
            taken,
            "never more than wanted"
        );
        assert_eq!(
            combine(taken, cover.floor(), i64::max),
            taken,
            "never less than the floor"
        );
        assert!(self.judge(ids, at, taken).0, "B2: {taken:?} does not fit");
        assert!(
            taken == cover.want() || !self.judge(ids, at, cover.want()).0,
            "partial cover only where the want does not fit"
        );
        let (key, state) = (grant.hold, State::Held(taken));
        self.lines.push(Line {
            ids,
            reserved_at: at,
            key,
            state,
        });
    }

    fn reserve(&mut self, who: usize, floor: Amount, extra: Amount) {
        let ids = caller(WHO[who].0, WHO[who].1);
        let cover = Cover::new(floor, floor.checked_add(extra).unwrap()).unwrap();
        let (fits, reached) = self.judge(ids, self.scene.now, floor);
        match self.scene.reserve_cover(ids, cover) {
            Outcome::Granted(grant) => self.granted(grant, ids, self.scene.now, &cover),
            Outcome::Parked(key) => {
                assert!(!fits && !reached, "parked although it fits or never will");
                self.waiters.push((key, ids, self.scene.now, cover));
            }
            Outcome::Refused(refusal) => {
                assert!(reached, "refused although it could fit");
                let (used, held) = self.sums(&refusal.limit, self.scene.now);
                assert_eq!((refusal.spent, refusal.held), (used, held));
            }
            Outcome::NeedAccounts(openings) => panic!("installed twice: {openings:?}"),
        }
    }

    /// The `which`th hold there ever was, if there was any.
    fn pick(&self, which: usize) -> Option<usize> {
        (!self.lines.is_empty()).then(|| which % self.lines.len())
    }

    fn raise(&mut self, at: usize, by: Amount) {
        let line = self.lines[at];
        let touched = |limit: &Limit| by.component(limit.unit) > 0;
        let fits = self
            .limits_of(line.ids)
            .iter()
            .filter(|limit| touched(limit))
            .all(|limit| {
                let (used, held) = self.sums(limit, line.reserved_at);
                used + held + by.component(limit.unit) <= limit.amount
            });
        match (line.state, self.scene.book.raise(line.key, by)) {
            (State::Held(amount), Ok(())) => {
                assert!(fits, "B2: a raise that does not fit");
                self.lines[at].state = State::Held(amount.checked_add(by).unwrap());
            }
            (State::Held(_), Err(RaiseError::Refused(_))) => assert!(!fits, "it would have fit"),
            (State::Held(_), Err(RaiseError::Hold(error))) => panic!("{error}"),
            (_, result) => assert_eq!(result, Err(RaiseError::Hold(HoldError::Ended)), "B4"),
        }
    }

    fn settle(&mut self, at: usize, actual: Amount) {
        let line = self.lines[at];
        match (
            line.state,
            self.scene.book.settle(line.key, actual, Flags::NONE),
        ) {
            (State::Held(_), Ok(settled)) => {
                self.lines[at].state = State::Used(actual);
                self.pending.push((line.key, settled.fact));
            }
            (State::Held(_), Err(error)) => panic!("{error}"),
            (_, result) => assert_eq!(result.err(), Some(HoldError::Ended), "B4"),
        }
    }

    fn lower(&mut self, at: usize, to: Amount) {
        let line = self.lines[at];
        let result = self.scene.book.lower(line.key, to);
        if let State::Held(amount) = line.state {
            result.unwrap();
            self.lines[at].state = State::Held(combine(amount, to, i64::min));
        } else {
            assert_eq!(result, Err(HoldError::Ended), "B4");
        }
    }

    fn release(&mut self, at: usize) {
        match (
            self.lines[at].state,
            self.scene.book.release(self.lines[at].key),
        ) {
            (State::Held(_), Ok(())) => self.lines[at].state = State::Released,
            (State::Held(_), Err(error)) => assert_eq!(error, HoldError::Sent),
            (_, result) => assert_eq!(result, Err(HoldError::Ended), "B4"),
        }
    }

    fn end_wait(&mut self, which: usize, gives_up: bool) {
        if self.waiters.is_empty() {
            return;
        }
        let (key, ..) = self.waiters.remove(which % self.waiters.len());
        if gives_up {
            self.scene.book.give_up(key);
        } else {
            let refusal = denied(self.scene.book.time_out(key));
            assert_eq!(refusal.reason, Reason::Held);
        }
        assert_eq!(self.scene.book.claim(key), None, "B5");
    }

    /// The store commits what is settled, and the book hears of it.
    fn acknowledge(&mut self) {
        for (key, fact) in std::mem::take(&mut self.pending) {
            let position = self.scene.commit(&fact);
            self.scene.book.acknowledge(key, position).unwrap();
        }
    }

    fn step(&mut self, act: &Act) {
        match *act {
            Act::Reserve { who, floor, extra } => self.reserve(who, floor, extra),
            Act::Raise { which, by } => self.on(which, |model, at| model.raise(at, by)),
            Act::Lower { which, to } => self.on(which, |model, at| model.lower(at, to)),
            Act::Settle { which, actual } => self.on(which, |model, at| model.settle(at, actual)),
            Act::SettleAgain { which } => self.on(which, |model, at| {
                if model.lines[at].state == State::Released {
                    model.settle(at, cost("1"));
                }
            }),
            Act::Release { which } => self.on(which, Self::release),
            Act::Sent { which } => self.on(which, |model, at| {
                let runs = matches!(model.lines[at].state, State::Held(_));
                let key = model.lines[at].key;
                assert_eq!(model.scene.book.mark_sent(key).is_ok(), runs);
            }),
            Act::Tick { minutes } => {
                self.scene.now = self.scene.now.checked_add(minutes.minutes()).unwrap();
            }
            Act::Edit { which, amount } => {
                let (scope, window, unit) = rule(which);
                self.scene.limit(scope, window, unit, amount);
            }
            Act::GiveUp { which } => self.end_wait(which, true),
            Act::TimeOut { which } => self.end_wait(which, false),
            Act::Acknowledge => self.acknowledge(),
            Act::Forget => self.scene.book.forget_closed(self.scene.now),
        }
        self.claim_answers();
        self.compare();
    }

    fn on(&mut self, which: usize, act: impl FnOnce(&mut Self, usize)) {
        if let Some(at) = self.pick(which) {
            act(self, at);
        }
    }

    fn claim_answers(&mut self) {
        for key in self.scene.book.take_woken() {
            let at = self.waiters.iter().position(|(waiter, ..)| *waiter == key);
            let (key, ids, arrived_at, cover) = self.waiters.remove(at.expect("B5: ended twice"));
            match self.scene.book.claim(key).expect("woken with an answer") {
                WaitEnd::Granted(grant) => self.granted(grant, ids, arrived_at, &cover),
                WaitEnd::Refused(refusal) => {
                    assert_eq!(refusal.reason, Reason::Reached);
                    assert!(self.judge(ids, arrived_at, cover.floor()).1);
                }
            }
        }
    }

    /// B1, B3, B6: every account says what the list adds up to, whatever the step was; and nobody
    /// waits who fits.
    fn compare(&self) {
        self.scene.check();
        for (scope, limits) in &self.scene.limits {
            for state in self.scene.book.states(*scope, self.scene.now) {
                let sums = self.sums(&state.limit, self.scene.now);
                assert_eq!((state.spent, state.held), sums, "{:?}", state.limit);
                assert!(limits.contains(&state.limit), "the amount in force");
            }
        }
        for (_, ids, arrived_at, cover) in &self.waiters {
            let (fits, reached) = self.judge(*ids, *arrived_at, cover.floor());
            assert!(!fits && !reached, "waits although it fits or never will");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn the_book_is_a_naive_list_of_holds(
        limits in prop::collection::vec(prop::option::weighted(0.8, 0..3_000_i64), 1..=6),
        acts in prop::collection::vec(acts(), 1..120),
    ) {
        let mut model = Model::new(&limits);
        for act in &acts {
            model.step(act);
        }
    }
}
