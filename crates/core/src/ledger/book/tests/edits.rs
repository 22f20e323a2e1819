//! Limits and time zones that change while requests run and wait.

use super::*;

#[test]
fn raising_a_cap_admits_those_who_wait() {
    let mut scene = Scene::new("2026-11-21T12:00:00Z", "UTC");
    scene.limit(ORG, WindowKind::Day, LimitUnit::Cost, Some(nano("1.00")));
    let _first = scene.grant(caller(1, None), cost("0.90"));
    let waiter = scene.park(caller(1, None), cost("0.50"));
    scene.limit(ORG, WindowKind::Day, LimitUnit::Cost, Some(nano("1.40")));
    assert_eq!(scene.book.take_woken(), [waiter]);
    assert_eq!(scene.state(ORG, LimitUnit::Cost), (0, nano("1.40")));
}

#[test]
fn lowering_a_cap_below_what_is_spent_refuses_those_who_wait() {
    let mut scene = Scene::new("2026-11-21T12:00:00Z", "UTC");
    scene.limit(ORG, WindowKind::Day, LimitUnit::Cost, Some(nano("1.00")));
    scene.spend(caller(1, None), cost("0.40"));
    let _first = scene.grant(caller(1, None), cost("0.60"));
    let waiter = scene.park(caller(1, None), cost("0.10"));
    scene.limit(ORG, WindowKind::Day, LimitUnit::Cost, Some(nano("0.40")));
    assert_eq!(denied(scene.book.claim(waiter)).reason, Reason::Reached);
}

#[test]
fn a_new_limit_counts_what_runs_and_binds_its_next_raise() {
    let mut scene = Scene::new("2026-11-21T12:00:00Z", "UTC");
    let hold = scene.grant(caller(1, None), cost("0.50")).hold;
    let elsewhere = scene.grant(caller(5, None), cost("9.00")).hold;
    // Configuring tells at once which accounts the running requests need; `Scene` installs them.
    scene.limit(key(1), WindowKind::Day, LimitUnit::Cost, Some(nano("0.60")));
    assert_eq!(scene.state(key(1), LimitUnit::Cost), (0, nano("0.50")));
    scene.book.raise(hold, more("0.10")).unwrap();
    assert!(matches!(
        scene.book.raise(hold, more("0.01")),
        Err(RaiseError::Refused(_))
    ));
    scene.book.raise(elsewhere, more("1.00")).unwrap();
    scene.check();
}

#[test]
fn a_raise_that_only_others_stand_against_is_refused_for_what_they_hold() {
    let mut scene = Scene::new("2026-11-21T12:00:00Z", "UTC");
    scene.limit(ORG, WindowKind::Day, LimitUnit::Cost, Some(nano("1.00")));
    let hold = scene.grant(caller(1, None), cost("0.50")).hold;
    let other = scene.grant(caller(1, None), cost("0.50")).hold;
    let Err(RaiseError::Refused(refusal)) = scene.book.raise(hold, more("0.10")) else {
        panic!("nothing is left");
    };
    assert_eq!(refusal.reason, Reason::Held);
    assert_eq!((refusal.spent, refusal.held), (nano("0.50"), nano("0.50")));
    scene.settle(other, cost("0.50"));
    let Err(RaiseError::Refused(refusal)) = scene.book.raise(hold, more("0.10")) else {
        panic!("nothing is left for good");
    };
    assert_eq!(refusal.reason, Reason::Reached);
    assert_eq!((refusal.spent, refusal.held), (nano("1.00"), 0));
}

#[test]
fn what_was_spent_without_a_limit_counts_once_there_is_one() {
    let mut scene = Scene::new("2026-11-21T12:00:00Z", "UTC");
    let committed = scene.grant(caller(1, None), cost("0.30")).hold;
    scene.settle(committed, cost("0.30"));
    let pending = scene.grant(caller(1, None), cost("0.20")).hold;
    let settled = scene
        .book
        .settle(pending, cost("0.20"), Flags::NONE)
        .unwrap();
    let _running = scene.grant(caller(1, None), cost("0.10"));

    scene.limit(key(1), WindowKind::Day, LimitUnit::Cost, Some(nano("0.60")));
    assert_eq!(
        scene.state(key(1), LimitUnit::Cost),
        (nano("0.50"), nano("0.10"))
    );
    let position = scene.commit(&settled.fact);
    scene.book.acknowledge(pending, position).unwrap();
    assert_eq!(
        scene.state(key(1), LimitUnit::Cost),
        (nano("0.50"), nano("0.10"))
    );
    assert_eq!(
        scene.refused(caller(1, None), cost("0.11")).reason,
        Reason::Reached
    );
    scene.check();
}

#[test]
fn an_older_revision_is_ignored() {
    let mut scene = Scene::new("2026-11-21T12:00:00Z", "UTC");
    let before = Arc::new(scene.limits.clone());
    scene.limit(ORG, WindowKind::Day, LimitUnit::Cost, Some(0));
    assert!(scene.book.configure(1, &TimeZone::UTC, &before).is_empty());
    assert_eq!(
        scene.refused(caller(1, None), cost("0.01")).reason,
        Reason::Reached
    );
}

#[test]
fn a_new_zone_names_the_windows_anew_with_what_was_spent_in_them() {
    let mut scene = Scene::new("2026-11-21T22:30:00Z", "UTC");
    scene.limit(ORG, WindowKind::Day, LimitUnit::Cost, Some(nano("1.00")));
    scene.limit(ORG, WindowKind::Total, LimitUnit::Cost, Some(nano("9.00")));
    scene.spend(caller(1, None), cost("0.40"));
    scene.at("2026-11-21T23:30:00Z");
    let old = scene.grant(caller(1, None), cost("0.30")).hold;

    // In Berlin it is the 22nd since 23:00 UTC: only what was reserved since then counts there.
    scene.zone = TimeZone::get("Europe/Berlin").unwrap();
    scene.configure();
    let states = scene.book.states(ORG, scene.now);
    let day = states
        .iter()
        .find(|s| s.limit.window == WindowKind::Day)
        .unwrap();
    assert_eq!(day.window.start_text(), "2026-11-22");
    assert_eq!((day.spent, day.held), (0, nano("0.30")));
    let total = states
        .iter()
        .find(|s| s.limit.window == WindowKind::Total)
        .unwrap();
    assert_eq!((total.spent, total.held), (nano("0.40"), nano("0.30")));
    // The old hold counts in its old day too (0.40 + 0.30 + 0.31 is above 1).
    assert!(matches!(
        scene.book.raise(old, more("0.31")),
        Err(RaiseError::Refused(_))
    ));
    scene.settle(old, cost("0.30"));
    scene.book.forget_closed(scene.now);
    scene.check();
    let _admitted = scene.grant(caller(1, None), cost("0.70"));
}

#[test]
fn next_windows_are_opened_a_minute_ahead_and_old_ones_forgotten() {
    let mut scene = Scene::new("2026-11-21T23:58:59Z", "UTC");
    scene.limit(ORG, WindowKind::Day, LimitUnit::Cost, Some(nano("1.00")));
    scene.limit(ORG, WindowKind::Total, LimitUnit::Requests, Some(100));
    let hold = scene.grant(caller(1, None), cost("0.10")).hold;
    assert_eq!(scene.book.accounts_to_open(scene.now), []);
    scene.at("2026-11-21T23:59:00Z");
    let ahead = scene.book.accounts_to_open(scene.now);
    assert_eq!(ahead.len(), 1);
    assert_eq!(ahead[0].key.window.start_text(), "2026-11-22");
    scene.install(&ahead);
    assert_eq!(scene.book.accounts_to_open(scene.now), []);

    scene.at("2026-11-22T00:10:00Z");
    scene.book.forget_closed(scene.now);
    let window = |scene: &Scene| scene.book.accounts.iter().map(|(_, a)| a.window).collect();
    let kept: Vec<_> = window(&scene);
    assert_eq!(kept.len(), 3, "yesterday's is needed by a hold: {kept:?}");
    scene.settle(hold, cost("0.10"));
    scene.book.forget_closed(scene.now);
    let kept: Vec<_> = window(&scene);
    assert_eq!(kept.len(), 2, "{kept:?}");
    assert!(
        kept.iter()
            .all(|window| window.start_text() != "2026-11-21")
    );
    let _today = scene.grant(caller(1, None), cost("1.00"));
}

#[test]
fn a_clock_that_steps_back_finds_the_old_window_with_its_spending() {
    let mut scene = Scene::new("2026-11-21T23:59:59Z", "UTC");
    scene.limit(ORG, WindowKind::Day, LimitUnit::Cost, Some(nano("1.00")));
    let hold = scene.grant(caller(1, None), cost("0.90")).hold;
    scene.settle(hold, cost("0.90"));
    scene.at("2026-11-22T02:00:00Z");
    let _today = scene.grant(caller(1, None), cost("1.00"));
    scene.book.forget_closed(scene.now);
    scene.at("2026-11-21T23:59:58Z");
    assert_eq!(
        scene.refused(caller(1, None), cost("0.20")).spent,
        nano("0.90")
    );
}

#[test]
fn accounts_that_could_not_be_opened_stay_missing_until_they_are() {
    let mut scene = Scene::new("2026-07-15T12:00:00Z", "UTC");
    let _running = scene.grant(caller(1, None), cost("1.00"));
    let limit = Limit {
        scope: key(1),
        window: WindowKind::Day,
        unit: LimitUnit::Cost,
        amount: nano("5.00"),
        action: LimitAction::Block,
    };
    scene.limits.insert(key(1), vec![limit]);
    let limits = Arc::new(scene.limits.clone());
    let asked = scene.book.configure(1, &scene.zone, &limits);
    assert_eq!(asked.len(), 1);
    // The store was away. The revision is not new any more, and the account is still missing.
    assert!(scene.book.configure(1, &scene.zone, &limits).is_empty());
    assert_eq!(scene.book.missing(), asked);
    scene.install(&asked);
    assert!(scene.book.missing().is_empty());
    scene.check();
}
