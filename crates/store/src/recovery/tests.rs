use super::*;
use crate::{
    hold_file::SlotIndex,
    sql::query,
    testing::{World, amount, declared, ids_of_key, provision},
};
use tollgate_core::principal::Ids;

/// (kind, cost, flags) of every entry.
async fn entries(store: &Store) -> Vec<(String, i64, Flags)> {
    let mut tx = store.database.read().await.unwrap();
    let rows = query("entry", "SELECT kind, cost, flags FROM entry ORDER BY cost");
    let rows = rows.all(&mut tx).await.unwrap();
    rows.iter()
        .map(|row| {
            let flags = u8::try_from(row.integer("flags").unwrap()).unwrap();
            let kind = row.text("kind").unwrap();
            (kind, row.integer("cost").unwrap(), Flags::from_bits(flags))
        })
        .collect()
}

async fn store_and_ids(world: &World) -> (std::sync::Arc<Store>, Ids) {
    let store = world.store().await;
    provision(&store, &declared()).await;
    let ids = ids_of_key(&store, "Quick Start").await;
    (store, ids)
}

fn slot(world: &World, ids: Ids, holds: &HoldFile, held: i64, used: Option<i64>) -> SlotRecord {
    let record = SlotRecord {
        request: world.request(),
        ids,
        reserved_at: world.now(),
        held: amount(held),
        state: used.map_or(SlotState::Held, |used| SlotState::Settled {
            actual: amount(used),
            flags: Flags::NONE,
        }),
    };
    let slot: SlotIndex = holds.acquire().unwrap();
    holds.write(slot, &record).unwrap();
    record
}

const CENTS: i64 = 10_000_000;

/// The worked example W11 of the ledger's design.
#[tokio::test]
async fn killed_with_a_held_b_settled_and_c_committed_the_start_posts_a_and_b_once() {
    let world = World::new();
    let (store, ids) = store_and_ids(&world).await;
    let (holds, _) = world.hold_file();
    let held = slot(&world, ids, &holds, 50 * CENTS, None);
    slot(&world, ids, &holds, 30 * CENTS, Some(20 * CENTS));
    let committed = slot(&world, ids, &holds, 30 * CENTS, Some(10 * CENTS));
    let mut tx = store.database.write().await.unwrap();
    ledger::post(&mut tx, vec![fact(&committed)], world.now())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    drop((store, holds));

    let expected = [
        ("settle".to_owned(), 10 * CENTS, Flags::NONE),
        ("settle".to_owned(), 20 * CENTS, Flags::NONE),
        ("expire".to_owned(), 50 * CENTS, Flags::UNSETTLED),
    ];
    let store = world.store().await;
    let (holds, scan) = world.hold_file();
    let recovered = store.recover(&holds, scan).await.unwrap();
    assert_eq!(entries(&store).await, expected);
    let counts = (recovered.settled, recovered.expired, recovered.dropped);
    assert_eq!(counts, (1, 1, 1));
    assert_eq!(recovered.expired_cost, NanoUsd::from_nano(50 * CENTS));
    assert_eq!(holds.free_slots(), crate::SLOT_COUNT);
    let line = store.usage_of_request(held.request).await.unwrap().unwrap();
    assert_eq!(line.flags.words().collect::<Vec<_>>(), ["unsettled"]);
    assert_eq!(line.cost, NanoUsd::from_nano(50 * CENTS));
    drop((store, holds));

    let store = world.store().await;
    let (holds, scan) = world.hold_file();
    let again = store.recover(&holds, scan).await.unwrap();
    assert_eq!(
        again,
        Recovered::default(),
        "a second start changes nothing"
    );
    assert_eq!(entries(&store).await, expected);
}

#[tokio::test]
async fn killed_during_recovery_after_the_commit_nothing_is_posted_twice() {
    let world = World::new();
    let (store, ids) = store_and_ids(&world).await;
    let (holds, _) = world.hold_file();
    slot(&world, ids, &holds, 50 * CENTS, None);
    drop(holds);
    let (holds, scan) = world.hold_file();
    let record = scan.found[0].1;
    let mut tx = store.database.write().await.unwrap();
    ledger::post(&mut tx, vec![fact(&record)], world.now())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    drop(holds);

    let (holds, scan) = world.hold_file();
    let recovered = store.recover(&holds, scan).await.unwrap();
    assert_eq!((recovered.expired, recovered.dropped), (0, 1));
    assert_eq!(entries(&store).await.len(), 1);
    assert_eq!(holds.free_slots(), crate::SLOT_COUNT);
}

#[tokio::test]
async fn of_two_slots_of_one_request_the_one_written_later_counts() {
    let world = World::new();
    let (store, ids) = store_and_ids(&world).await;
    let (holds, _) = world.hold_file();
    let older = slot(&world, ids, &holds, 50 * CENTS, None);
    let newer = SlotRecord {
        state: SlotState::Settled {
            actual: amount(20 * CENTS),
            flags: Flags::ESTIMATED,
        },
        ..older
    };
    // The later one lies in front.
    let (first, second) = (holds.acquire().unwrap(), holds.acquire().unwrap());
    holds.write(second, &older).unwrap();
    holds.write(first, &newer).unwrap();
    drop(holds);

    let (holds, scan) = world.hold_file();
    assert_eq!(scan.found.len(), 3);
    store.recover(&holds, scan).await.unwrap();
    let expected = [("settle".to_owned(), 20 * CENTS, Flags::ESTIMATED)];
    assert_eq!(entries(&store).await, expected);
}

#[tokio::test]
async fn what_a_power_loss_cut_off_is_reported() {
    let world = World::new();
    let (store, _) = store_and_ids(&world).await;
    let (holds, mut scan) = world.hold_file();
    scan.torn = 2;
    scan.rebooted = true;
    let recovered = store.recover(&holds, scan).await.unwrap();
    assert_eq!((recovered.torn, recovered.rebooted), (2, true));
}
