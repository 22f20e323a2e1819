//! The race between reading an account and committing facts (`book/following.rs`).

use super::*;
use crate::ledger::recent::KEPT;
use proptest::prelude::*;

/// When the fact of a settled hold is committed and acknowledged, relative to reading the account
/// and installing it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Moment {
    BeforeRead,
    BeforeInstall,
    After,
}

const MOMENTS: [Moment; 3] = [Moment::BeforeRead, Moment::BeforeInstall, Moment::After];

#[test]
fn an_account_opened_late_counts_each_fact_once_whenever_it_was_committed() {
    for committed in MOMENTS {
        for acknowledged in MOMENTS.into_iter().filter(|moment| *moment >= committed) {
            let mut scene = Scene::new("2026-11-21T12:00:00Z", "UTC");
            let hold = scene.grant(caller(1, None), cost("0.30")).hold;
            let fact = scene
                .book
                .settle(hold, cost("0.30"), Flags::NONE)
                .unwrap()
                .fact;
            let _running = scene.grant(caller(1, None), cost("0.05"));
            scene.limits.insert(
                ORG,
                vec![Limit {
                    scope: ORG,
                    window: WindowKind::Day,
                    unit: LimitUnit::Cost,
                    amount: nano("1.00"),
                    action: LimitAction::Block,
                }],
            );
            let limits = Arc::new(scene.limits.clone());
            let openings = scene.book.configure(1, &scene.zone, &limits);
            assert_eq!(openings.len(), 1);

            let mut position = None;
            let mut row = None;
            for moment in MOMENTS {
                if moment == committed {
                    position = Some(scene.commit(&fact));
                }
                if moment == acknowledged {
                    scene.book.acknowledge(hold, position.unwrap()).unwrap();
                }
                match moment {
                    Moment::BeforeRead => row = Some(scene.read(&openings[0])),
                    Moment::BeforeInstall => {
                        let (row, as_of) = row.unwrap();
                        scene.book.install(&row, as_of).unwrap();
                        let (spent, _) = scene.state(ORG, LimitUnit::Cost);
                        assert!(spent >= nano("0.30"), "never missed");
                    }
                    Moment::After => {}
                }
                scene.check();
            }
            let state = scene.state(ORG, LimitUnit::Cost);
            let expected = (nano("0.30"), nano("0.05"));
            assert_eq!(
                state, expected,
                "committed {committed:?}, acknowledged {acknowledged:?}"
            );
        }
    }
}

#[test]
fn a_row_older_than_the_memory_of_the_book_is_refused() {
    let mut scene = Scene::new("2026-11-21T12:00:00Z", "UTC");
    scene.limits.insert(
        ORG,
        vec![Limit {
            scope: ORG,
            window: WindowKind::Day,
            unit: LimitUnit::Requests,
            amount: 10_000,
            action: LimitAction::Block,
        }],
    );
    let reserve = Reserve {
        request: request(1),
        ids: caller(1, None),
        cover: Cover::exact(cost("0")).unwrap(),
    };
    let limits = Arc::new(scene.limits.clone());
    assert_eq!(scene.book.configure(1, &scene.zone, &limits), []);
    let Outcome::NeedAccounts(openings) = scene.book.reserve(scene.now, reserve) else {
        panic!("the account is not here");
    };
    let (old, as_of) = scene.read(&openings[0]);
    let record = |scene: &mut Scene| {
        scene.spend(caller(1, None), cost("0"));
        let (entry, position) = (*scene.journal.last().unwrap(), scene.position());
        scene.book.record(&entry, position);
    };
    for _ in 0..KEPT {
        record(&mut scene);
    }
    let mut still_known = scene.book.clone();
    still_known.install(&old, as_of).unwrap();
    let kept = i64::try_from(KEPT).unwrap();
    assert_eq!(still_known.states(ORG, scene.now)[0].spent, kept);
    record(&mut scene);
    assert_eq!(scene.book.install(&old, as_of), Err(Outdated));
    let (fresh, as_of) = scene.read(&openings[0]);
    scene.book.install(&fresh, as_of).unwrap();
    assert_eq!(scene.state(ORG, LimitUnit::Requests), (kept + 1, 0));
}

#[test]
fn corrections_of_an_operator_count_once_they_are_committed() {
    let mut scene = Scene::new("2026-11-21T12:00:00Z", "UTC");
    scene.limit(ORG, WindowKind::Day, LimitUnit::Cost, Some(nano("1.00")));
    let hold = scene.grant(caller(1, None), cost("0.90")).hold;
    scene.settle(hold, cost("0.90"));
    let mut entry = *scene.journal.last().unwrap();
    let running = scene.grant(caller(1, None), cost("0.10"));
    let waiter = scene.park(caller(1, None), cost("0.05"));
    entry.kind = EntryKind::Adjust;
    entry.amount = more("-0.50");
    scene.journal.push(entry);
    let position = scene.position();
    scene.book.record(&entry, position);
    assert_eq!(
        scene.state(ORG, LimitUnit::Cost),
        (nano("0.40"), nano("0.15"))
    );
    assert_eq!(
        scene.book.take_woken(),
        [waiter],
        "what is given back admits who waits"
    );
    // A row that was read after the commit has it already.
    scene.book.release(running.hold).unwrap();
    scene.limit(key(1), WindowKind::Day, LimitUnit::Cost, Some(nano("1.00")));
    scene.book.record(&entry, position);
    assert_eq!(
        scene.state(key(1), LimitUnit::Cost),
        (nano("0.40"), nano("0.05"))
    );
}

/// What one step of a history does.
const RESERVE_AND_SETTLE: u8 = 0; // and 1: twice as often
const COMMIT: u8 = 2;
const ACKNOWLEDGE: u8 = 3;
const DELETE_LIMIT: u8 = 4;
const SET_LIMIT: u8 = 5;
const READ: u8 = 6;
const INSTALL: u8 = 7;

/// One alert limit, one caller, a store that is slow in every way.
struct Slow {
    scene: Scene,
    settled: Vec<(HoldKey, Fact)>,
    committed: Vec<(HoldKey, Position)>,
    read: Option<(AccountRow, Position)>,
    truth: i64,
}

impl Slow {
    fn reserve(&mut self) -> Outcome {
        let reserve = Reserve {
            request: request(7),
            ids: caller(1, None),
            cover: Cover::exact(cost("0.01")).unwrap(),
        };
        self.scene.book.reserve(self.scene.now, reserve)
    }

    fn configure(&mut self, limits: Vec<Limit>) {
        self.scene.limits.insert(ORG, limits);
        let limits = Arc::new(self.scene.limits.clone());
        let revision = self.scene.book.revision() + 1;
        let openings = self
            .scene
            .book
            .configure(revision, &self.scene.zone, &limits);
        assert!(openings.len() <= 1);
    }

    fn commit(&mut self) {
        if let Some((hold, fact)) = self.settled.pop() {
            self.committed.push((hold, self.scene.commit(&fact)));
        }
    }

    fn acknowledge(&mut self) {
        if let Some((hold, position)) = self.committed.pop() {
            self.scene.book.acknowledge(hold, position).unwrap();
        }
    }

    fn step(&mut self, act: u8) {
        match act {
            COMMIT => self.commit(),
            ACKNOWLEDGE => self.acknowledge(),
            DELETE_LIMIT => self.configure(Vec::new()),
            SET_LIMIT => self.configure(vec![Limit {
                scope: ORG,
                window: WindowKind::Day,
                unit: LimitUnit::Cost,
                amount: nano("9.00"),
                action: LimitAction::Alert,
            }]),
            READ => match self.reserve() {
                Outcome::NeedAccounts(openings) => {
                    self.read = Some(self.scene.read(&openings[0]));
                }
                Outcome::Granted(grant) => self.scene.book.release(grant.hold).unwrap(),
                other => panic!("nothing blocks: {other:?}"),
            },
            INSTALL => {
                if let Some((row, as_of)) = self.read.take() {
                    self.scene.book.install(&row, as_of).unwrap();
                }
            }
            _ => {
                if let Outcome::Granted(grant) = self.reserve() {
                    let actual = cost("0.01");
                    let settled = self.scene.book.settle(grant.hold, actual, Flags::NONE);
                    self.settled.push((grant.hold, settled.unwrap().fact));
                    self.truth += actual.cost.as_nano();
                }
            }
        }
        self.scene.check();
    }

    fn spent(&self) -> Option<i64> {
        let states = self.scene.book.states(ORG, self.scene.now);
        states.first().map(|state| state.spent)
    }
}

proptest! {
    /// Accounts are read, facts committed and acknowledged in any order, the limit deleted and set
    /// again: nothing is ever missed, and once all is acknowledged nothing is doubled.
    #[test]
    fn book_and_store_agree_in_the_end(
        acts in prop::collection::vec(RESERVE_AND_SETTLE..=INSTALL, 1..80),
    ) {
        let mut slow = Slow {
            scene: Scene::new("2026-11-21T12:00:00Z", "UTC"),
            settled: Vec::new(),
            committed: Vec::new(),
            read: None,
            truth: 0,
        };
        for act in acts {
            slow.step(act);
            prop_assert!(slow.spent().is_none_or(|spent| spent >= slow.truth));
        }
        while !slow.settled.is_empty() {
            slow.commit();
        }
        while !slow.committed.is_empty() {
            slow.acknowledge();
        }
        prop_assert!(slow.spent().is_none_or(|spent| spent == slow.truth));
    }
}
