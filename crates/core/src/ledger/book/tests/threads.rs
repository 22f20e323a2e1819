//! The book behind one mutex, as the gateway uses it: waiters sleep until somebody wakes them.

use super::*;
use std::{
    collections::HashMap,
    sync::Mutex,
    thread::{self, Thread},
};

struct Desk {
    book: OrgBook,
    sleeping: HashMap<WaiterKey, Thread>,
}

impl Desk {
    /// To be called before the lock is given back.
    fn wake(&mut self) {
        for waiter in self.book.take_woken() {
            self.sleeping.remove(&waiter).expect("woken once").unpark();
        }
    }
}

/// Every thread asks twice; there is room for 600 of the 2,000 requests. Whatever the order, no
/// cent more is admitted, and none less.
#[test]
fn a_thousand_threads_spend_exactly_the_cap() {
    let mut scene = Scene::new("2026-11-21T12:00:00Z", "UTC");
    scene.limit(ORG, WindowKind::Month, LimitUnit::Cost, Some(nano("6.00")));
    scene.limit(key(1), WindowKind::Day, LimitUnit::Requests, Some(250));
    for who in [1, 2] {
        let first = scene.grant(caller(who, None), cost("0.01")).hold;
        scene.book.release(first).unwrap();
    }
    let now = scene.now;
    let desk = Mutex::new(Desk {
        book: scene.book,
        sleeping: HashMap::new(),
    });
    let admitted = Mutex::new([0; 2]);
    thread::scope(|threads| {
        for thread in 0..1_000_usize {
            let (desk, admitted) = (&desk, &admitted);
            threads.spawn(move || {
                for _ in 0..2 {
                    if spend_a_cent(desk, thread % 2, now) {
                        admitted.lock().unwrap()[thread % 2] += 1;
                    }
                }
            });
        }
    });
    let Desk { book, sleeping } = desk.into_inner().unwrap();
    book.check().unwrap();
    assert_eq!((book.waiting(), sleeping.len()), (0, 0));
    // The second key may go on until the organisation is spent up; the first may not.
    let [first, second] = admitted.into_inner().unwrap();
    assert_eq!(first + second, 600);
    assert!(first <= 250, "{first} requests of the first key");
    let state = book.states(ORG, now)[0];
    assert_eq!((state.spent, state.held), (nano("6.00"), 0));
}

/// Reserves a little more than a cent, trues up, settles one cent.
fn spend_a_cent(desk: &Mutex<Desk>, who: usize, now: Timestamp) -> bool {
    let reserve = Reserve {
        request: request(1),
        ids: caller([1, 2][who], None),
        cover: Cover::new(cost("0.01"), cost("0.013")).unwrap(),
    };
    let Some(hold) = admit(desk, reserve, now) else {
        return false;
    };
    thread::yield_now();
    let mut desk = desk.lock().unwrap();
    desk.book.lower(hold, cost("0.01")).unwrap();
    desk.book.mark_sent(hold).unwrap();
    let settled = desk.book.settle(hold, cost("0.01"), Flags::NONE).unwrap();
    assert_eq!(settled.shortfall, Amount::ZERO);
    desk.book.acknowledge(hold, Position(1)).unwrap();
    desk.wake();
    true
}

fn admit(desk: &Mutex<Desk>, reserve: Reserve, now: Timestamp) -> Option<HoldKey> {
    let waiter = {
        let mut desk = desk.lock().unwrap();
        match desk.book.reserve(now, reserve) {
            Outcome::Granted(grant) => return Some(grant.hold),
            Outcome::Refused(_) => return None,
            Outcome::NeedAccounts(openings) => panic!("opened before: {openings:?}"),
            Outcome::Parked(waiter) => {
                desk.sleeping.insert(waiter, thread::current());
                waiter
            }
        }
    };
    loop {
        thread::park();
        match desk.lock().unwrap().book.claim(waiter) {
            None => {}
            Some(WaitEnd::Granted(grant)) => return Some(grant.hold),
            Some(WaitEnd::Refused(_)) => return None,
        }
    }
}
