//! The book's waiting place at work: parking, scanning when room came free, and the three ways out.

use super::{OrgBook, Outcome, Reserve};
use crate::{
    clock::Timestamp,
    ledger::{
        accounts::Fit,
        hold::AccountList,
        refusal::{Reason, Refusal},
        waiting::{WaitEnd, WaiterKey},
    },
};

impl OrgBook {
    /// The waiters that got an answer since this was last asked, in the order they came. Wake them
    /// outside the lock; each takes its answer with [`Self::claim`].
    pub fn take_woken(&mut self) -> Vec<WaiterKey> {
        self.waiting.take_woken()
    }

    /// A woken waiter takes its answer and is gone. `None` while there is none, and for a waiter
    /// that is gone.
    pub fn claim(&mut self, waiter: WaiterKey) -> Option<WaitEnd> {
        self.waiting.get_mut(waiter)?.end?;
        self.waiting.remove(waiter)?.end
    }

    /// A waiter has waited long enough: it gets its answer if there is one by now, else the refusal
    /// that names what is held. `None` for a waiter that is gone.
    pub fn time_out(&mut self, waiter: WaiterKey) -> Option<WaitEnd> {
        let waiter = self.waiting.remove(waiter)?;
        if let Some(end) = waiter.end {
            return Some(end);
        }
        let mut refusal = waiter.blocked_by;
        // Holds taken since the last scan belong into the figures.
        if waiter.generation == self.accounts.generation()
            && let Fit::Blocked(now) = self.accounts.fit(&waiter.accounts, &waiter.request.cover)
        {
            refusal = now;
        }
        Some(WaitEnd::Refused(refusal))
    }

    /// A waiter whose caller is gone. If it was granted meanwhile, its hold is released.
    pub fn give_up(&mut self, waiter: WaiterKey) {
        let Some(waiter) = self.waiting.remove(waiter) else {
            return;
        };
        if let Some(WaitEnd::Granted(grant)) = waiter.end {
            let released = self.release(grant.hold);
            debug_assert!(released.is_ok(), "nobody else knew this hold");
        }
    }

    /// How many requests wait.
    pub fn waiting(&self) -> usize {
        self.waiting.queued()
    }

    pub(super) fn park(
        &mut self,
        now: Timestamp,
        request: Reserve,
        accounts: AccountList,
        refusal: Refusal,
    ) -> Outcome {
        match refusal.reason {
            Reason::Reached => Outcome::Refused(refusal),
            Reason::Held => {
                let resolved = (accounts, self.accounts.generation());
                Outcome::Parked(self.waiting.park(request, now, resolved, refusal))
            }
        }
    }

    /// Offers the room there is to the waiters in the order they came. To be called after whatever
    /// may have freed room or used some up for good.
    pub(super) fn scan(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        let mut queue = self.waiting.take_queue();
        queue.retain(|waiter| match self.retry(*waiter) {
            None => true,
            Some(end) => {
                self.waiting.answer(*waiter, end);
                false
            }
        });
        self.waiting.put_back(queue);
    }

    /// Tries a waiter again; `None` while it has to go on waiting.
    fn retry(&mut self, key: WaiterKey) -> Option<WaitEnd> {
        let generation = self.accounts.generation();
        let waiter = self.waiting.get_mut(key)?;
        if waiter.generation != generation {
            let ids = waiter.request.ids;
            // Accounts still to be opened: whoever configured the limit was told which.
            let accounts = self.accounts.resolve(ids, waiter.arrived_at).ok()?;
            waiter.accounts = accounts;
            waiter.generation = generation;
        }
        match self.accounts.fit(&waiter.accounts, &waiter.request.cover) {
            Fit::Takes(taken) => {
                let (request, arrived_at) = (waiter.request, waiter.arrived_at);
                let accounts = waiter.accounts.clone();
                Some(WaitEnd::Granted(
                    self.hold(arrived_at, request, accounts, taken),
                ))
            }
            Fit::Blocked(refusal) => {
                waiter.blocked_by = refusal;
                match refusal.reason {
                    Reason::Reached => Some(WaitEnd::Refused(refusal)),
                    Reason::Held => None,
                }
            }
        }
    }
}
