//! The books: one per organisation, each behind one mutex.
//!
//! The mutex is held over no `.await` and no I/O. Whoever an operation woke is told after it is
//! given back. A panic while it is held stops the process: a wrong book is worse than a restart,
//! from which the hold file recovers exactly.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::sync::oneshot;
use tollgate_core::{
    clock::Clock,
    error::{Error, Kind},
    ledger::{Crossed, Grant, Limits, Opening, OrgBook, Outcome, Reserve, WaitEnd, WaiterKey},
};
use tollgate_store::Store;

/// How often a reserve opens accounts before it gives up: once is the rule, and a change of
/// settings in between may ask for others.
const OPENINGS_MAX: usize = 4;

/// The most requests of one organisation that wait at once; each settle looks at all of them.
const WAITING_MAX: usize = 1_024;

/// The book of one organisation, shared by its requests.
#[derive(Debug)]
pub struct SharedBook {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    book: OrgBook,
    /// How to wake those who are parked.
    wakers: HashMap<WaiterKey, oneshot::Sender<()>>,
}

impl SharedBook {
    /// An empty book.
    pub fn new(zone: jiff::tz::TimeZone) -> Self {
        Self {
            inner: Mutex::new(Inner {
                book: OrgBook::new(zone),
                wakers: HashMap::new(),
            }),
        }
    }

    /// Runs one operation, then wakes whoever it answered.
    pub fn with<R>(&self, operation: impl FnOnce(&mut OrgBook) -> R) -> R {
        self.run(|inner| operation(&mut inner.book))
    }

    fn run<R>(&self, operation: impl FnOnce(&mut Inner) -> R) -> R {
        let (result, woken) = {
            let mut inner = self.inner.lock().unwrap_or_else(|_| std::process::abort());
            let result = operation(&mut inner);
            let keys = inner.book.take_woken();
            let woken: Vec<_> = keys
                .iter()
                .filter_map(|key| inner.wakers.remove(key))
                .collect();
            (result, woken)
        };
        for waker in woken {
            // A waiter that is gone gives up its answer itself.
            let _gone = waker.send(());
        }
        result
    }

    /// Puts a revision of the settings in force and opens what running requests need for it.
    ///
    /// # Errors
    /// When the store cannot open an account: call it again, with this revision or a later one.
    pub async fn configure(
        &self,
        revision: u64,
        zone: &jiff::tz::TimeZone,
        limits: &Arc<Limits>,
        store: &Store,
    ) -> Result<(), Error> {
        let openings = self.with(|book| {
            let openings = book.configure(revision, zone, limits);
            // Called again after an error, nothing is new, and all may still be missing.
            if openings.is_empty() {
                book.missing()
            } else {
                openings
            }
        });
        self.open(&openings, store).await
    }

    /// Opens next windows ahead and drops closed ones; to be called about once a second.
    ///
    /// # Errors
    /// When the store cannot open an account.
    pub async fn tend(&self, clock: &dyn Clock, store: &Store) -> Result<(), Error> {
        let (openings, crossed) = self.with(|book| {
            book.forget_closed(clock.now());
            (book.accounts_to_open(clock.now()), book.take_crossed())
        });
        for Crossed { limit, spent, .. } in crossed {
            let (scope, window) = (limit.scope.kind(), limit.window.as_str());
            tracing::warn!(
                scope,
                window,
                spent,
                amount = limit.amount,
                "an alert limit was passed"
            );
        }
        self.open(&openings, store).await
    }

    /// Reserves; waits up to `patience` while only the holds of others stand in the way.
    ///
    /// # Errors
    /// [`Kind::LimitReached`], [`Kind::LimitHeld`], [`Kind::Unavailable`] when the store cannot
    /// open an account.
    pub(crate) async fn reserve(
        &self,
        request: Reserve,
        patience: Duration,
        clock: &dyn Clock,
        store: &Store,
    ) -> Result<Grant, Error> {
        for _ in 0..OPENINGS_MAX {
            match self.attempt(request, clock) {
                Attempt::Done(Outcome::Granted(grant)) => return Ok(grant),
                Attempt::Done(Outcome::Refused(refusal)) => return Err(refusal.to_error()),
                Attempt::Done(Outcome::NeedAccounts(openings)) => {
                    self.open(&openings, store).await?;
                }
                Attempt::Done(Outcome::Parked(_)) => break,
                Attempt::Waits(place) => return place.answer(patience).await,
                Attempt::Turned(end) => return granted(end),
            }
        }
        Err(Error::new(
            Kind::Unavailable,
            "the limits of this request change too fast: try again",
        )
        .with_context("accounts were still missing after they had been opened"))
    }

    fn attempt(&self, request: Reserve, clock: &dyn Clock) -> Attempt<'_> {
        self.run(|inner| match inner.book.reserve(clock.now(), request) {
            Outcome::Parked(key) if inner.book.waiting() > WAITING_MAX => {
                Attempt::Turned(inner.book.time_out(key))
            }
            Outcome::Parked(key) => {
                let (waker, woken) = oneshot::channel();
                inner.wakers.insert(key, waker);
                Attempt::Waits(Place {
                    book: self,
                    key,
                    woken: Some(woken),
                })
            }
            done => Attempt::Done(done),
        })
    }

    async fn open(&self, openings: &[Opening], store: &Store) -> Result<(), Error> {
        let mut openings = openings.to_vec();
        while !openings.is_empty() {
            let opened = store.open_accounts(&openings).await.map_err(|error| {
                Error::new(
                    Kind::Unavailable,
                    "the ledger cannot be read at the moment: try again",
                )
                .with_context(error.to_string())
            })?;
            let installed = self.with(|book| {
                opened
                    .rows
                    .iter()
                    .all(|row| book.install(row, opened.as_of).is_ok())
            });
            if installed {
                openings.clear();
            }
        }
        Ok(())
    }
}

enum Attempt<'b> {
    Done(Outcome),
    /// Too many wait already.
    Turned(Option<WaitEnd>),
    Waits(Place<'b>),
}

/// A place in the waiting line; given up when dropped.
struct Place<'b> {
    book: &'b SharedBook,
    key: WaiterKey,
    woken: Option<oneshot::Receiver<()>>,
}

impl Place<'_> {
    async fn answer(mut self, patience: Duration) -> Result<Grant, Error> {
        if let Some(woken) = self.woken.as_mut() {
            let _woken_or_late = tokio::time::timeout(patience, woken).await;
        }
        self.woken = None;
        let key = self.key;
        let end = self.book.run(|inner| {
            inner.wakers.remove(&key);
            inner.book.time_out(key)
        });
        granted(end)
    }
}

fn granted(end: Option<WaitEnd>) -> Result<Grant, Error> {
    match end {
        Some(WaitEnd::Granted(grant)) => Ok(grant),
        Some(WaitEnd::Refused(refusal)) => Err(refusal.to_error()),
        None => Err(Error::new(
            Kind::Internal,
            "the request lost its place in the line",
        )),
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if self.woken.is_some() {
            self.book.run(|inner| {
                inner.wakers.remove(&self.key);
                inner.book.give_up(self.key);
            });
        }
    }
}
