//! Something that ends and can be had again: an access token, short-lived keys.
//!
//! One request at a time fetches; the others wait for it and share what comes of it, failure
//! included, so a dead token endpoint is not asked once per waiting request. While the old one
//! still holds nobody waits.

use crate::upstream::failure::SendError;
use arc_swap::ArcSwapOption;
use futures_util::future::BoxFuture;
use std::{ops::Range, sync::Arc, time::Duration};
use tokio::{
    sync::{Mutex, MutexGuard},
    time::Instant,
};
use tollgate_core::clock::{Clock, Timestamp};

/// How long before its end something is fetched anew, unless it is that short-lived itself: longer
/// than a request waits for its answer's head to begin, shorter than any issuer's lifetime.
const MARGIN: Duration = Duration::from_mins(3);

/// How long the old one is used without another try after a renewal failed.
const PAUSE: Duration = Duration::from_secs(5);

/// A value and how long it holds.
#[derive(Debug)]
pub(super) struct Lease<T> {
    value: T,
    renew_at: Timestamp,
    ends_at: Timestamp,
}

impl<T> Lease<T> {
    /// A value that holds for this long from now.
    pub(super) fn new(value: T, now: Timestamp, holds: Duration) -> Self {
        let margin = MARGIN.min(holds / 2);
        Self {
            value,
            renew_at: after(now, holds.saturating_sub(margin)),
            ends_at: after(now, holds),
        }
    }

    pub(super) fn value(&self) -> &T {
        &self.value
    }
}

fn after(now: Timestamp, delay: Duration) -> Timestamp {
    now.checked_add(delay).unwrap_or(Timestamp::MAX)
}

/// A lease on its way.
pub(super) type Fetching<'f, T> = BoxFuture<'f, Result<Lease<T>, SendError>>;

/// Where a lease is kept.
#[derive(Debug)]
pub(super) struct Slot<T> {
    held: ArcSwapOption<Lease<T>>,
    /// Held while one fetches: the last failure.
    fetching: Mutex<Option<Failure>>,
}

/// A failure to fetch.
#[derive(Debug)]
struct Failure {
    error: SendError,
    /// For those who waited: whether it came after they asked.
    at: Instant,
    /// For those who come while the old one holds.
    pause: Range<Timestamp>,
}

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self {
            held: ArcSwapOption::empty(),
            fetching: Mutex::default(),
        }
    }
}

impl<T> Slot<T> {
    /// What is held, or else what `fetch` brings. It is asked only when it is needed, and stands
    /// on the heap: most requests find a lease.
    pub(super) async fn get<'f>(
        &self,
        clock: &dyn Clock,
        fetch: impl FnOnce() -> Fetching<'f, T>,
    ) -> Result<Arc<Lease<T>>, SendError> {
        let asked_at = Instant::now();
        let held = self.held.load_full();
        let valid = held.filter(|lease| clock.now() < lease.ends_at);
        let Some(lease) = valid else {
            let failure = self.fetching.lock().await;
            return self.fetch(clock, asked_at, failure, fetch).await;
        };
        let now = clock.now();
        if now < lease.renew_at {
            return Ok(lease);
        }
        let Ok(failure) = self.fetching.try_lock() else {
            return Ok(lease);
        };
        if failure
            .as_ref()
            .is_some_and(|failure| failure.pause.contains(&now))
        {
            return Ok(lease);
        }
        let renewed = self.fetch(clock, asked_at, failure, fetch).await;
        Ok(renewed.unwrap_or(lease))
    }

    async fn fetch<'f>(
        &self,
        clock: &dyn Clock,
        asked_at: Instant,
        mut failure: MutexGuard<'_, Option<Failure>>,
        fetch: impl FnOnce() -> Fetching<'f, T>,
    ) -> Result<Arc<Lease<T>>, SendError> {
        // What others brought while we waited for the lock.
        if let Some(lease) = self.held.load_full()
            && clock.now() < lease.renew_at
        {
            return Ok(lease);
        }
        if let Some(failure) = &*failure
            && failure.at > asked_at
        {
            return Err(failure.error.clone());
        }
        match fetch().await {
            Ok(lease) => {
                let lease = Arc::new(lease);
                self.held.store(Some(Arc::clone(&lease)));
                *failure = None;
                Ok(lease)
            }
            Err(error) => {
                let now = clock.now();
                *failure = Some(Failure {
                    error: error.clone(),
                    at: Instant::now(),
                    pause: now..after(now, PAUSE),
                });
                Err(error)
            }
        }
    }

    /// Drops this lease, if it is still the one that is held.
    pub(super) fn forget(&self, lease: &Arc<Lease<T>>) {
        let held = self.held.load();
        if held.as_ref().is_some_and(|held| Arc::ptr_eq(held, lease)) {
            self.held.compare_and_swap(&*held, None);
        }
    }
}

#[cfg(test)]
mod tests;
