use super::*;
use crate::{
    hold_file::{SlotRecord, SlotState},
    sql::{built_query, query},
    testing::{World, declared, ids_of_key, provision, record},
};
use tokio::sync::watch;
use tollgate_core::{
    clock::{Clock, Timestamp},
    ledger::Flags,
    principal::Ids,
};

/// A server: store, hold file, writer, and a caller.
struct Server {
    store: Arc<Store>,
    holds: Arc<HoldFile>,
    writer: LedgerWriter,
    ids: Ids,
}

const QUICK: WriterSettings = WriterSettings {
    gather: Duration::from_millis(1),
    group_max: 200,
    retry_min: Duration::from_millis(1),
    retry_max: Duration::from_millis(4),
};

impl Server {
    async fn start(world: &World) -> Self {
        Self::start_with(world, world.store().await).await
    }

    async fn start_with(world: &World, store: Arc<Store>) -> Self {
        provision(&store, &declared()).await;
        let ids = ids_of_key(&store, "Quick Start").await;
        let (holds, scan) = world.hold_file();
        store.recover(&holds, scan).await.unwrap();
        let writer = LedgerWriter::start(Arc::clone(&store), Arc::clone(&holds), QUICK);
        Self {
            store,
            holds,
            writer,
            ids,
        }
    }

    /// Takes a slot, settles in it and hands the posting in, as a request does. The receiver gets
    /// the acknowledgement.
    fn settle(&self, world: &World, cost: i64) -> oneshot::Receiver<Position> {
        let fact = world.settled(self.ids, cost);
        let slot = self.holds.acquire().unwrap();
        let state = SlotState::Settled {
            actual: fact.amount,
            flags: Flags::NONE,
        };
        let settled = SlotRecord {
            request: fact.request,
            ids: fact.ids,
            reserved_at: fact.reserved_at,
            held: fact.amount,
            state,
        };
        self.holds.write(slot, &settled).unwrap();
        let (told, acknowledged) = oneshot::channel();
        let posting = Posting {
            slot: Some(slot),
            fact: Some(fact),
            record: Some(Box::new(record(&fact))),
            objects: Vec::new(),
            acknowledge: Some(Box::new(move |position| told.send(position).unwrap_or(()))),
        };
        self.writer.handle().post(posting).unwrap();
        acknowledged
    }
}

async fn number(store: &Store, sql: &'static str) -> i64 {
    let mut tx = store.database.read().await.unwrap();
    let row = query("test", sql).one(&mut tx).await.unwrap();
    row.integer("number").unwrap()
}

async fn entries(store: &Store) -> i64 {
    number(store, "SELECT COUNT(*) AS number FROM entry").await
}

async fn records(store: &Store) -> i64 {
    number(store, "SELECT COUNT(*) AS number FROM usage").await
}

async fn run(store: &Store, sql: &str) {
    let mut tx = store.database.write().await.unwrap();
    built_query("test", sql.into())
        .execute(&mut tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

const DISK_FULL: &str = "CREATE TRIGGER full BEFORE INSERT ON entry
                         BEGIN SELECT RAISE(ABORT, 'disk full'); END";

#[tokio::test]
async fn postings_are_committed_then_their_slots_freed_then_acknowledged() {
    let world = World::new();
    let server = Server::start(&world).await;
    let free = server.holds.free_slots();
    let told: Vec<_> = (1..=500).map(|cost| server.settle(&world, cost)).collect();
    let mut positions = Vec::new();
    for told in told {
        positions.push(told.await.unwrap().0);
    }
    assert_eq!(
        positions,
        (1..=500).collect::<Vec<_>>(),
        "in the order they came"
    );
    assert_eq!(server.holds.free_slots(), free);
    assert_eq!(entries(&server.store).await, 500);
    let cost = number(&server.store, "SELECT SUM(cost) AS number FROM usage").await;
    assert_eq!(cost, 500 * 501 / 2);
    server.writer.finish().await.unwrap();
}

#[tokio::test]
async fn finishing_commits_everything_that_was_handed_in() {
    let world = World::new();
    let server = Server::start(&world).await;
    for cost in 1..=1_000 {
        drop(server.settle(&world, cost));
    }
    let handle = server.writer.handle();
    server.writer.finish().await.unwrap();
    assert_eq!(entries(&server.store).await, 1_000);
    assert_eq!(records(&server.store).await, 1_000);
    let late = Posting {
        slot: None,
        fact: None,
        record: None,
        objects: Vec::new(),
        acknowledge: None,
    };
    assert_eq!(handle.post(late), Err(NotQueued::Ended));
}

#[tokio::test]
async fn a_refused_request_has_a_record_and_no_entry() {
    let world = World::new();
    let server = Server::start(&world).await;
    let fact = world.settled(server.ids, 0);
    let posting = Posting {
        slot: None,
        fact: None,
        record: Some(Box::new(record(&fact))),
        objects: Vec::new(),
        acknowledge: None,
    };
    server.writer.handle().post(posting).unwrap();
    server.writer.finish().await.unwrap();
    assert_eq!(entries(&server.store).await, 0);
    assert_eq!(records(&server.store).await, 1);
}

/// Counts how often it is asked: the writer asks once per attempt to commit.
struct CountingClock(watch::Sender<u32>, Timestamp);

impl Clock for CountingClock {
    fn now(&self) -> Timestamp {
        self.0.send_modify(|asked| *asked += 1);
        self.1
    }
}

#[tokio::test]
async fn while_the_store_fails_the_group_is_kept_and_posted_once_when_it_works_again() {
    let world = World::new();
    let (asked, mut attempts) = watch::channel(0);
    let clock = Arc::new(CountingClock(asked, world.now()));
    let key = World::master_key();
    let store = Store::open(&world.database(), &key, clock, world.entropy.clone()).await;
    let server = Server::start_with(&world, Arc::new(store.unwrap())).await;
    let other = world.store().await;
    run(&other, DISK_FULL).await;

    let before = *attempts.borrow_and_update();
    let told = [server.settle(&world, 3), server.settle(&world, 4)];
    attempts
        .wait_for(|asked| *asked >= before + 3)
        .await
        .unwrap();
    assert_eq!(entries(&other).await, 0);
    assert_eq!(server.holds.free_slots(), SLOT_COUNT - 2, "slots stay used");

    run(&other, "DROP TRIGGER full").await;
    for told in told {
        told.await.unwrap();
    }
    assert_eq!(entries(&other).await, 2);
    assert_eq!(server.holds.free_slots(), SLOT_COUNT);
}

#[tokio::test]
async fn a_kill_before_the_commit_loses_nothing_and_a_store_that_stays_away_ends_finish() {
    let world = World::new();
    let server = Server::start(&world).await;
    run(&server.store, DISK_FULL).await;
    let told = server.settle(&world, 30);
    drop(server.settle(&world, 12));
    let Server {
        store,
        holds,
        writer,
        ..
    } = server;
    assert!(matches!(
        writer.finish().await,
        Err(StoreError::Database { .. })
    ));
    assert!(told.await.is_err(), "never acknowledged");
    run(&store, "DROP TRIGGER full").await;
    drop((store, holds));

    let server = Server::start(&world).await;
    let cost = number(&server.store, "SELECT SUM(cost) AS number FROM entry").await;
    assert_eq!((entries(&server.store).await, cost), (2, 42));
    assert_eq!(server.holds.free_slots(), SLOT_COUNT);
}

#[tokio::test]
async fn killed_at_any_moment_each_request_is_posted_once() {
    let world = World::new();
    for round in 0..8_u32 {
        let server = Server::start(&world).await;
        let told: Vec<_> = (0..300).map(|_| server.settle(&world, 1)).collect();
        // Killed after a different number of acknowledgements each time.
        for told in told.into_iter().take(usize::try_from(round * 40).unwrap()) {
            told.await.unwrap();
        }
        drop(server);
    }
    let server = Server::start(&world).await;
    assert_eq!(entries(&server.store).await, 8 * 300);
    assert_eq!(server.holds.free_slots(), SLOT_COUNT);
}

fn micros(clock: rustix::time::ClockId) -> i64 {
    let time = rustix::time::clock_gettime(clock);
    time.tv_sec * 1_000_000 + time.tv_nsec / 1_000
}

/// Not a test: prints the time per posted request. Run it in a release build, by name, with
/// `--run-ignored all --no-capture`.
#[tokio::test]
#[ignore = "a measurement"]
async fn measure_what_a_posted_request_costs() {
    use rustix::time::ClockId;
    let world = World::new();
    let server = Server::start(&world).await;
    let mut openings = crate::ledger::tests::openings(server.ids, world.now());
    openings.truncate(12);
    server.store.open_accounts(&openings).await.unwrap();
    for (requests, at_once) in [(50_000, 2_000), (20_000, 20)] {
        let (wall, cpu) = (micros(ClockId::Monotonic), micros(ClockId::ProcessCPUTime));
        for _ in 0..requests / at_once {
            let told: Vec<_> = (0..at_once)
                .map(|_| {
                    world.clock.advance(Duration::from_micros(100));
                    server.settle(&world, 1)
                })
                .collect();
            for told in told {
                told.await.unwrap();
            }
        }
        let wall = micros(ClockId::Monotonic) - wall;
        let cpu = micros(ClockId::ProcessCPUTime) - cpu;
        println!(
            "{at_once} at once: {} ns wall, {} ns CPU per request",
            wall * 1_000 / requests,
            cpu * 1_000 / requests
        );
    }
}
