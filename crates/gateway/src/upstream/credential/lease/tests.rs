use super::*;
use crate::upstream::{credential::token::failed, scene};
use futures_util::{FutureExt as _, future::join_all};
use std::sync::atomic::{AtomicU32, Ordering};
use tollgate_core::clock::ManualClock;

const HOUR: Duration = Duration::from_hours(1);
const SECOND: Duration = Duration::from_secs(1);

/// Counts what it brings.
struct Issuer {
    clock: Arc<ManualClock>,
    asked: AtomicU32,
    fails: bool,
}

impl Issuer {
    fn new(clock: &Arc<ManualClock>, fails: bool) -> Self {
        Self {
            clock: Arc::clone(clock),
            asked: AtomicU32::new(0),
            fails,
        }
    }

    /// The number of the request, after others had their turn.
    async fn issue(&self, holds: Duration) -> Result<Lease<u32>, SendError> {
        let number = self.asked.fetch_add(1, Ordering::Relaxed);
        tokio::task::yield_now().await;
        if self.fails {
            return Err(failed(&format!("number {number}")));
        }
        Ok(Lease::new(number, self.clock.now(), holds))
    }

    fn asked(&self) -> u32 {
        self.asked.load(Ordering::Relaxed)
    }
}

async fn get(slot: &Slot<u32>, issuer: &Issuer) -> Result<u32, SendError> {
    let lease = slot
        .get(&*issuer.clock, || issuer.issue(HOUR).boxed())
        .await?;
    Ok(*lease.value())
}

#[tokio::test]
async fn many_who_ask_at_once_share_one_token() {
    let issuer = Issuer::new(&scene::clock(), false);
    let slot = Slot::default();
    let all = join_all((0..100).map(|_| get(&slot, &issuer))).await;
    assert!(all.into_iter().all(|token| token.unwrap() == 0));
    assert_eq!(issuer.asked(), 1);
}

#[tokio::test]
async fn many_who_wait_share_one_failure_and_the_next_one_asks_again() {
    let issuer = Issuer::new(&scene::clock(), true);
    let slot = Slot::default();
    let all = join_all((0..100).map(|_| get(&slot, &issuer))).await;
    assert!(all.into_iter().all(|token| token.is_err()));
    assert_eq!(issuer.asked(), 1);
    get(&slot, &issuer).await.unwrap_err();
    assert_eq!(issuer.asked(), 2);
}

#[tokio::test]
async fn a_token_is_renewed_before_it_ends_while_others_use_the_old_one() {
    let clock = scene::clock();
    let issuer = Issuer::new(&clock, false);
    let slot = Slot::default();
    assert_eq!(get(&slot, &issuer).await.unwrap(), 0);
    clock.advance(HOUR.saturating_sub(MARGIN + SECOND));
    assert_eq!(get(&slot, &issuer).await.unwrap(), 0);
    clock.advance(SECOND);
    let mut all = join_all((0..10).map(|_| get(&slot, &issuer))).await;
    // The first of them renews, nobody else waits for it.
    assert_eq!(all.remove(0).unwrap(), 1);
    assert!(all.into_iter().all(|token| token.unwrap() == 0));
    assert_eq!(issuer.asked(), 2);
}

#[tokio::test]
async fn while_the_old_token_holds_a_failed_renewal_hurts_nobody() {
    let clock = scene::clock();
    let good = Issuer::new(&clock, false);
    let slot = Slot::default();
    get(&slot, &good).await.unwrap();
    let bad = Issuer::new(&clock, true);
    clock.advance(HOUR.saturating_sub(MARGIN));
    for _ in 0..10 {
        assert_eq!(get(&slot, &bad).await.unwrap(), 0);
    }
    assert_eq!(bad.asked(), 1, "one try, then a pause");
    clock.advance(PAUSE);
    get(&slot, &bad).await.unwrap();
    assert_eq!(bad.asked(), 2);
    clock.advance(MARGIN.saturating_sub(PAUSE));
    get(&slot, &bad).await.unwrap_err();
}

#[tokio::test]
async fn only_the_token_that_was_blamed_is_forgotten() {
    let issuer = Issuer::new(&scene::clock(), false);
    let slot = Slot::default();
    let first = slot
        .get(&*issuer.clock, || issuer.issue(HOUR).boxed())
        .await
        .unwrap();
    slot.forget(&first);
    assert_eq!(get(&slot, &issuer).await.unwrap(), 1);
    // A late answer to a request with the first.
    slot.forget(&first);
    assert_eq!(get(&slot, &issuer).await.unwrap(), 1);
}

#[tokio::test]
async fn one_who_leaves_while_fetching_leaves_the_way_free() {
    let issuer = Issuer::new(&scene::clock(), false);
    let slot: Slot<u32> = Slot::default();
    let never = slot.get(&*issuer.clock, || std::future::pending().boxed());
    let left = tokio::time::timeout(Duration::ZERO, never).await;
    left.unwrap_err();
    assert_eq!(get(&slot, &issuer).await.unwrap(), 0);
}
