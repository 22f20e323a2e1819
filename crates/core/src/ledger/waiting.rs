//! The one waiting place of a book: requests that would fit but for the holds of others.
//!
//! Whatever frees room offers it to the waiters in the order they came, and hands the reservation
//! itself to each that fits (first fit): nobody is woken in vain, nobody who does not fit keeps
//! others waiting, and how long anybody waits is the caller's bound ([`PATIENCE`]).
//!
//! An answer stays here until its waiter takes it. So a waiter ends once (granted, refused or
//! gone), and one that is gone can never leave a hold behind.

use crate::{
    clock::Timestamp,
    ledger::{
        book::Reserve,
        hold::{AccountList, Grant},
        refusal::Refusal,
    },
};
use slab::Slab;
use std::{collections::VecDeque, time::Duration};

/// How long a request waits for the holds of others on one node. Then it is refused.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// Names a waiter of one book, for as long as that book lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WaiterKey {
    serial: u64,
    index: usize,
}

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitEnd {
    /// The reservation is made.
    Granted(Grant),
    /// It never will be.
    Refused(Refusal),
}

#[derive(Clone, Debug)]
pub(crate) struct Waiter {
    serial: u64,
    pub(crate) request: Reserve,
    pub(crate) arrived_at: Timestamp,
    /// The accounts it counts in, as resolved at `generation` of the registry.
    pub(crate) accounts: AccountList,
    pub(crate) generation: u64,
    /// What stood in the way when it was last tried.
    pub(crate) blocked_by: Refusal,
    pub(crate) end: Option<WaitEnd>,
}

/// All waiters of a book.
#[derive(Clone, Debug, Default)]
pub(crate) struct Waiting {
    slab: Slab<Waiter>,
    /// Those without an answer, in the order they came.
    queue: VecDeque<WaiterKey>,
    /// Those with an answer that nobody has been told of.
    woken: Vec<WaiterKey>,
    serial: u64,
}

impl Waiting {
    pub(crate) fn park(
        &mut self,
        request: Reserve,
        arrived_at: Timestamp,
        (accounts, generation): (AccountList, u64),
        blocked_by: Refusal,
    ) -> WaiterKey {
        self.serial += 1;
        let index = self.slab.insert(Waiter {
            serial: self.serial,
            request,
            arrived_at,
            accounts,
            generation,
            blocked_by,
            end: None,
        });
        let key = WaiterKey {
            serial: self.serial,
            index,
        };
        self.queue.push_back(key);
        key
    }

    pub(crate) fn get_mut(&mut self, key: WaiterKey) -> Option<&mut Waiter> {
        self.slab
            .get_mut(key.index)
            .filter(|waiter| waiter.serial == key.serial)
    }

    /// Ends the waiter's stay: it is in no list afterwards.
    pub(crate) fn remove(&mut self, key: WaiterKey) -> Option<Waiter> {
        self.get_mut(key)?;
        let waiter = self.slab.try_remove(key.index)?;
        match waiter.end {
            None => self.queue.retain(|other| *other != key),
            Some(_) => self.woken.retain(|other| *other != key),
        }
        Some(waiter)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Takes the queue out for a scan; [`Self::put_back`] returns those still waiting.
    pub(crate) fn take_queue(&mut self) -> VecDeque<WaiterKey> {
        std::mem::take(&mut self.queue)
    }

    pub(crate) fn put_back(&mut self, queue: VecDeque<WaiterKey>) {
        self.queue = queue;
    }

    /// Gives the waiter its answer. The scan that calls this takes it out of the queue.
    pub(crate) fn answer(&mut self, key: WaiterKey, end: WaitEnd) {
        if let Some(waiter) = self.get_mut(key) {
            waiter.end = Some(end);
            self.woken.push(key);
        }
    }

    pub(crate) fn take_woken(&mut self) -> Vec<WaiterKey> {
        std::mem::take(&mut self.woken)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Waiter> {
        self.slab.iter().map(|(_, waiter)| waiter)
    }

    pub(crate) fn queued(&self) -> usize {
        self.queue.len()
    }
}
