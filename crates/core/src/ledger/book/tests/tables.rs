//! The worked tables of `docs/ledger.md` that concern the book.

use super::*;

/// W1: three limits, one of them in the way of each request in turn.
#[test]
fn w1_holds_make_others_wait_and_spending_refuses_them() {
    let mut scene = Scene::new("2026-11-21T12:00:00Z", "UTC");
    let (first, other) = (caller(1, Some(1)), caller(1, Some(2)));
    scene.limit(
        ORG,
        WindowKind::Month,
        LimitUnit::Cost,
        Some(nano("100.00")),
    );
    scene.limit(key(1), WindowKind::Day, LimitUnit::Cost, Some(nano("5.00")));
    scene.limit(session(1), WindowKind::Total, LimitUnit::Requests, Some(20));
    let nineteen = Amount {
        requests: 19,
        ..cost("1.00")
    };
    scene.spend(first, nineteen);
    scene.spend(caller(9, None), cost("98.90"));

    // 0.0 s: A is admitted.
    let a = scene.grant(first, cost("0.06")).hold;
    let org = |scene: &Scene| scene.state(ORG, LimitUnit::Cost);
    assert_eq!(org(&scene), (nano("99.90"), nano("0.06")));
    assert_eq!(
        scene.state(key(1), LimitUnit::Cost),
        (nano("1.00"), nano("0.06"))
    );
    assert_eq!(scene.state(session(1), LimitUnit::Requests), (19, 1));
    // 0.1 s: B parks, and every account is as before.
    let b = scene.park(first, cost("0.02"));
    assert_eq!(org(&scene), (nano("99.90"), nano("0.06")));
    assert_eq!(scene.state(session(1), LimitUnit::Requests), (19, 1));
    // 1.0 s: C, of another session, parks too.
    let c = scene.park(other, cost("0.05"));
    assert_eq!(org(&scene), (nano("99.90"), nano("0.06")));
    // 2.1 s: B has waited long enough; the refusal names the session's requests.
    let refusal = denied(scene.book.time_out(b));
    assert_eq!(
        (refusal.reason, refusal.limit.scope),
        (Reason::Held, session(1))
    );
    assert_eq!(
        (refusal.limit.amount, refusal.spent, refusal.held),
        (20, 19, 1)
    );
    // 2.5 s: A settles, and that very settle admits C.
    assert_eq!(scene.settle(a, cost("0.041")), Amount::ZERO);
    assert_eq!(scene.book.take_woken(), [c]);
    let c = granted(scene.book.claim(c)).hold;
    assert_eq!(org(&scene), (nano("99.941"), nano("0.05")));
    assert_eq!(scene.state(session(1), LimitUnit::Requests), (20, 0));
    // 3.0 s: C used more than it held. Posted all the same.
    assert_eq!(scene.settle(c, cost("0.07")), more("0.02"));
    let entry = scene.journal.last().expect("an entry");
    assert!(entry.flags.contains(Flags::SHORTFALL));
    assert_eq!(org(&scene), (nano("100.011"), 0));
    // 3.1 s: D is refused at once.
    let refusal = scene.refused(other, cost("0.01"));
    assert_eq!(
        (refusal.reason, refusal.limit.scope),
        (Reason::Reached, ORG)
    );
    assert_eq!(
        refusal.resets_at,
        Some("2026-12-01T00:00:00Z".parse().unwrap())
    );
}

/// W4: a request that wants more than there is takes what is left.
#[test]
fn w4_partial_cover_takes_all_that_is_left() {
    for (actual, spent, passed_by) in [("0.018", "4.218", None), ("0.97", "5.17", Some("0.17"))] {
        let mut scene = Scene::new("2026-11-21T12:00:00Z", "UTC");
        scene.limit(ORG, WindowKind::Month, LimitUnit::Cost, Some(nano("5.00")));
        scene.spend(caller(1, None), cost("4.20"));
        let cover = Cover::new(cost("0.0205"), cost("0.97")).unwrap();
        let Outcome::Granted(grant) = scene.reserve_cover(caller(1, None), cover) else {
            panic!("the floor fits");
        };
        assert_eq!(grant.taken, cost("0.80"));
        let Outcome::Parked(second) = scene.reserve_cover(caller(1, None), cover) else {
            panic!("only a hold stands in the way");
        };
        assert_eq!(denied(scene.book.time_out(second)).reason, Reason::Held);

        let shortfall = scene.settle(grant.hold, cost(actual));
        assert_eq!(scene.state(ORG, LimitUnit::Cost), (nano(spent), 0));
        assert_eq!(shortfall, passed_by.map_or(Amount::ZERO, more));
        if passed_by.is_some() {
            let refusal = scene.refused(caller(1, None), cost("0.01"));
            assert_eq!(refusal.reason, Reason::Reached);
        }
    }
}

/// W5: the window is the one at reserve.
#[test]
fn w5_a_stream_over_midnight_stays_in_its_day() {
    let mut scene = Scene::new("2026-11-20T22:59:50Z", "Europe/Berlin");
    scene.limit(ORG, WindowKind::Day, LimitUnit::Cost, Some(nano("10.00")));
    scene.spend(caller(1, None), cost("9.95"));
    let s = scene.grant(caller(1, None), cost("0.02")).hold;

    scene.at("2026-11-20T23:00:05Z");
    let r = scene.grant(caller(1, None), cost("0.02"));
    assert_eq!(
        scene.state(ORG, LimitUnit::Cost),
        (0, nano("0.02")),
        "the 21st"
    );
    scene.book.raise(s, more("0.01")).unwrap();
    let Err(RaiseError::Refused(refusal)) = scene.book.raise(s, more("0.03")) else {
        panic!("9.95 + 0.06 is above 10, though the 21st is empty");
    };
    assert_eq!(refusal.window.start_text(), "2026-11-20");
    let own = "what it holds itself is as good as spent";
    assert_eq!(refusal.reason, Reason::Reached);
    assert_eq!((refusal.spent, refusal.held), (nano("9.98"), 0), "{own}");
    scene.settle(s, cost("0.03"));
    assert_eq!(
        scene.state(ORG, LimitUnit::Cost),
        (0, r.taken.cost.as_nano()),
        "untouched"
    );
    scene.at("2026-11-20T22:59:59Z");
    assert_eq!(
        scene.state(ORG, LimitUnit::Cost),
        (nano("9.98"), 0),
        "the 20th"
    );
}

/// W6: caps change under running requests.
#[test]
fn w6_lowering_takes_nothing_back_and_lets_nothing_more_in() {
    let mut scene = Scene::new("2026-11-21T12:00:00Z", "UTC");
    let dollars = |amount| Some(nano(amount));
    let (day, unit, me) = (WindowKind::Day, LimitUnit::Cost, caller(1, None));
    scene.limit(ORG, day, unit, dollars("10.00"));
    scene.spend(me, cost("6.00"));
    let h = scene.grant(me, cost("3.00")).hold;
    // Cap 8: a reserve waits, a top-up is refused, nothing is taken back.
    scene.limit(ORG, day, unit, dollars("8.00"));
    let waiter = scene.park(me, cost("0.01"));
    assert!(matches!(
        scene.book.raise(h, more("0.01")),
        Err(RaiseError::Refused(_))
    ));
    assert_eq!(scene.state(ORG, unit), (nano("6.00"), nano("3.00")));
    // H settles at 1.20: the waiter is admitted.
    scene.settle(h, cost("1.20"));
    assert_eq!(scene.book.take_woken(), [waiter]);
    let admitted = granted(scene.book.claim(waiter)).hold;
    scene.book.release(admitted).unwrap();
    assert_eq!(scene.state(ORG, unit), (nano("7.20"), 0));
    // Cap 5: refused at once. Deleted: admitted. Again at 7: refused at once, from the entries.
    scene.limit(ORG, day, unit, dollars("5.00"));
    assert_eq!(scene.refused(me, cost("0.01")).reason, Reason::Reached);
    scene.limit(ORG, day, unit, None);
    let free = scene.grant(me, cost("50.00")).hold;
    scene.book.release(free).unwrap();
    scene.limit(ORG, day, unit, dollars("7.00"));
    let refusal = scene.refused(me, cost("0.01"));
    assert_eq!(
        (refusal.reason, refusal.spent),
        (Reason::Reached, nano("7.20"))
    );
}
