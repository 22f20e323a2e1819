use super::*;
use crate::{
    Store,
    sql::query,
    testing::{World, amount, declared, ids_of_key, provision},
};
use jiff::tz::TimeZone;
use tollgate_core::{
    ledger::{AccountKey, AccountRow, EntryKind, FactKind, Flags, Opening, Window},
    limit::{LimitUnit, Scope, WindowKind},
    principal::Ids,
};

fn berlin() -> TimeZone {
    TimeZone::get("Europe/Berlin").unwrap()
}

fn opening(scope: Scope, unit: LimitUnit, kind: WindowKind, at: Timestamp) -> Opening {
    let window = Window::at(kind, at, &berlin());
    Opening {
        key: AccountKey {
            scope,
            unit,
            window,
        },
        period: window.period(&berlin()),
        cap: Some(1_000),
    }
}

/// One account per scope of the callers, unit and window.
pub(crate) fn openings(ids: Ids, at: Timestamp) -> Vec<Opening> {
    let units = [LimitUnit::Cost, LimitUnit::Requests, LimitUnit::Tokens];
    ids.scopes()
        .flat_map(|scope| units.map(|unit| (scope, unit)))
        .flat_map(|(scope, unit)| WindowKind::ALL.map(|kind| opening(scope, unit, kind, at)))
        .collect()
}

async fn post_now(store: &Store, facts: &[Fact]) -> Posted {
    let mut tx = store.database.write().await.unwrap();
    let posted = post(&mut tx, facts.to_vec(), store.clock.now())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    posted
}

async fn journal(store: &Store) -> Vec<(Position, Entry)> {
    let mut tx = store.database.read().await.unwrap();
    let rows = query("entry", "SELECT * FROM entry ORDER BY position")
        .all(&mut tx)
        .await
        .unwrap();
    rows.iter().map(|row| entries::read(row).unwrap()).collect()
}

async fn accounts(store: &Store) -> Vec<AccountRow> {
    let mut tx = store.database.read().await.unwrap();
    let rows = query("account", "SELECT * FROM account")
        .all(&mut tx)
        .await
        .unwrap();
    rows.iter()
        .map(|row| accounts::read(row).unwrap())
        .collect()
}

/// S1: each account's `posted` is the sum of the entries it covers, read one by one.
async fn check_sums(store: &Store) {
    let journal = journal(store).await;
    for account in accounts(store).await {
        let sum: i64 = journal
            .iter()
            .filter(|(_, entry)| entry.kind != EntryKind::Credit)
            .filter(|(_, entry)| account.covers(entry.ids, entry.reserved_at))
            .map(|(_, entry)| entry.amount.component(account.key.unit))
            .sum();
        assert_eq!(account.posted, sum, "{:?}", account.key);
    }
}

async fn store_with_key(world: &World) -> (std::sync::Arc<Store>, Ids) {
    let store = world.store().await;
    provision(&store, &declared()).await;
    let ids = ids_of_key(&store, "Quick Start").await;
    (store, ids)
}

#[tokio::test]
async fn a_fact_said_twice_is_posted_once_and_answered_with_the_same_place() {
    let world = World::new();
    let (store, ids) = store_with_key(&world).await;
    store
        .open_accounts(&openings(ids, world.now()))
        .await
        .unwrap();
    let fact = world.settled(ids, 700);
    let first = post_now(&store, &[fact, fact]).await;
    assert_eq!(first.entries.len(), 1);
    let second = post_now(&store, &[fact]).await;
    assert!(second.entries.is_empty());
    assert_eq!(first.positions, second.positions);
    check_sums(&store).await;
}

#[tokio::test]
async fn the_truth_after_an_expire_is_posted_as_a_difference_to_the_same_accounts() {
    let world = World::new();
    let (store, ids) = store_with_key(&world).await;
    let at = world.now();
    store.open_accounts(&openings(ids, at)).await.unwrap();
    let mut fact = world.settled(ids, 900);
    fact.kind = FactKind::Expire;
    post_now(&store, &[fact]).await;
    // The truth comes on another day, and says so.
    world.clock.advance(std::time::Duration::from_hours(48));
    fact.kind = FactKind::Settle;
    fact.amount = amount(400);
    fact.reserved_at = world.now();
    post_now(&store, &[fact]).await;

    let journal = journal(&store).await;
    let kinds: Vec<_> = journal.iter().map(|(_, entry)| entry.kind).collect();
    assert_eq!(kinds, [EntryKind::Expire, EntryKind::Late]);
    assert!(journal[0].1.flags.contains(Flags::UNSETTLED));
    assert_eq!(journal[1].1.amount.cost.as_nano(), -500);
    let day = opening(
        Scope::Project(ids.project),
        LimitUnit::Cost,
        WindowKind::Day,
        at,
    );
    let opened = store.open_accounts(&[day]).await.unwrap();
    assert_eq!(opened.rows[0].posted, 400);
    check_sums(&store).await;
}

#[tokio::test]
async fn an_account_opened_late_starts_with_what_was_reserved_in_its_window() {
    let world = World::new();
    let (store, ids) = store_with_key(&world).await;
    // 23:59:59 in Berlin, then midnight, then the morning after.
    for (at, cost) in [
        ("2026-11-21T22:59:59.999999Z", 1),
        ("2026-11-21T23:00:00Z", 20),
        ("2026-11-22T08:00:00Z", 300),
    ] {
        world.clock.set(at.parse().unwrap());
        post_now(&store, &[world.settled(ids, cost)]).await;
    }
    let mut other = ids;
    other.api_key = None;
    post_now(&store, &[world.settled(other, 4_000)]).await;

    let key = Scope::ApiKey(ids.api_key.unwrap());
    let organization = Scope::Organization(ids.organization);
    let at = world.now();
    let asked = [
        opening(key, LimitUnit::Cost, WindowKind::Day, at),
        opening(key, LimitUnit::Requests, WindowKind::Total, at),
        opening(organization, LimitUnit::Cost, WindowKind::Day, at),
        opening(organization, LimitUnit::Tokens, WindowKind::Month, at),
    ];
    let opened = store.open_accounts(&asked).await.unwrap();
    let posted: Vec<_> = opened.rows.iter().map(|row| row.posted).collect();
    assert_eq!(posted, [320, 3, 4_320, 40]);
    assert_eq!(opened.as_of, Position(4));
    assert_eq!(opened.rows[0].cap, Some(1_000));
    check_sums(&store).await;
}

#[tokio::test]
async fn opening_again_takes_the_new_cap_and_a_new_zone_counts_anew() {
    let world = World::new();
    let (store, ids) = store_with_key(&world).await;
    world.clock.set("2026-11-20T23:30:00Z".parse().unwrap());
    post_now(&store, &[world.settled(ids, 70)]).await;
    world.clock.set("2026-11-21T12:00:00Z".parse().unwrap());
    post_now(&store, &[world.settled(ids, 5)]).await;
    let scope = Scope::Project(ids.project);
    let mut day = opening(scope, LimitUnit::Cost, WindowKind::Day, world.now());
    let berlin = store.open_accounts(&[day]).await.unwrap();
    assert_eq!(
        berlin.rows[0].posted, 75,
        "23:30 in UTC is the next day in Berlin"
    );

    day.cap = Some(9);
    day.period = day.key.window.period(&TimeZone::UTC);
    let utc = store.open_accounts(&[day]).await.unwrap();
    assert_eq!((utc.rows[0].posted, utc.rows[0].cap), (5, Some(9)));
    assert_eq!(accounts(&store).await, utc.rows, "one row, changed");
    check_sums(&store).await;
}

#[tokio::test]
async fn the_sum_of_a_window_reads_no_entry_outside_it() {
    let world = World::new();
    let (store, _) = store_with_key(&world).await;
    let mut tx = store.database.read().await.unwrap();
    for column in [
        "organization_id",
        "project_id",
        "member_id",
        "api_key_id",
        "session_id",
    ] {
        let sql = format!(
            "EXPLAIN QUERY PLAN SELECT SUM(tokens) FROM entry
             WHERE {column} = $1 AND reserved_at >= $2 AND reserved_at < $3 AND kind <> 'credit'"
        );
        let plan = crate::sql::built_query("entry", sql)
            .bind([0; 16])
            .bind(0_i64)
            .bind(1_i64)
            .one(&mut tx)
            .await
            .unwrap();
        let plan = plan.text("detail").unwrap();
        assert!(
            plan.starts_with("SEARCH entry USING INDEX"),
            "{column}: {plan}"
        );
    }
}

#[tokio::test]
async fn sums_stay_exact_over_a_thousand_facts_of_many_callers_said_in_any_order() {
    let world = World::new();
    let (store, ids) = store_with_key(&world).await;
    let mut facts = Vec::new();
    for number in 0_u32..1_000 {
        world.clock.advance(std::time::Duration::from_mins(7));
        let mut fact = world.settled(ids, i64::from(number));
        if number % 3 == 0 {
            fact.ids.member = None;
        }
        if number % 5 == 0 {
            fact.kind = FactKind::Expire;
        }
        facts.push(fact);
        // Said again, sometimes with the truth, in a later batch.
        if number % 10 == 0 {
            fact.kind = FactKind::Settle;
            fact.amount = amount(i64::from(number / 2));
            facts.push(fact);
        }
        if number % 100 == 50 {
            store
                .open_accounts(&openings(ids, world.now()))
                .await
                .unwrap();
        }
        if facts.len() > usize::try_from(number % 90).unwrap() {
            post_now(&store, &facts).await;
            let repeated = facts.split_off(facts.len().saturating_sub(2));
            facts = repeated;
        }
    }
    post_now(&store, &facts).await;
    let journal = journal(&store).await;
    assert_eq!(journal.len(), 1_100);
    assert!(journal.iter().map(|(position, _)| position.0).eq(1..=1_100));
    check_sums(&store).await;
}
