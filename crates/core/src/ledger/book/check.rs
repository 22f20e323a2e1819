//! Is the book right? For tests and for a debugging operator: walks everything.

use super::OrgBook;
use crate::{
    amount::Amount,
    id::RequestId,
    ledger::{accounts::Fit, hold::Stage, waiting::WaitEnd},
};
use std::collections::HashMap;

impl OrgBook {
    /// Compares every account with the holds and waiters that stand behind its sums.
    ///
    /// # Errors
    /// The first thing that is wrong, in words.
    pub fn check(&self) -> Result<(), String> {
        let mut sums: HashMap<usize, (i128, i128, u32)> = HashMap::new();
        for hold in self.holds.iter() {
            for index in &hold.accounts {
                let account = self
                    .accounts
                    .get(*index)
                    .ok_or_else(|| format!("{} points to an account that is gone", hold.request))?;
                if !account.covers(hold.ids, hold.reserved_at) {
                    return Err(format!(
                        "{} does not count in {:?}",
                        hold.request,
                        account.key()
                    ));
                }
                let component = account.component(hold.amount);
                let (held, spent, uses) = sums.entry(*index).or_default();
                *uses += 1;
                match hold.stage {
                    Stage::Held { .. } => *held += component,
                    Stage::Settled => *spent += component,
                }
            }
        }
        for (index, account) in self.accounts.iter() {
            let expected = sums.get(&index).copied().unwrap_or_default();
            let found = (account.held, account.spent, account.uses);
            if found != expected {
                return Err(format!(
                    "{:?}: (held, spent, uses) is {found:?}, its holds add up to {expected:?}",
                    account.key()
                ));
            }
        }
        self.check_waiters()
    }

    fn check_waiters(&self) -> Result<(), String> {
        let unanswered = self.waiting.iter().filter(|waiter| waiter.end.is_none());
        if unanswered.count() != self.waiting.queued() {
            return Err("the queue is not the waiters without an answer".to_owned());
        }
        for waiter in self.waiting.iter() {
            let request = waiter.request.request;
            match waiter.end {
                Some(WaitEnd::Granted(grant)) if self.held_by(request) != Some(grant.taken) => {
                    return Err(format!("{request} was granted a hold that is gone"));
                }
                Some(_) => {}
                None => {
                    let resolved = waiter.generation == self.accounts.generation();
                    let fit = self.accounts.fit(&waiter.accounts, &waiter.request.cover);
                    if resolved && matches!(fit, Fit::Takes(_)) {
                        return Err(format!("{request} waits although it fits"));
                    }
                }
            }
        }
        Ok(())
    }

    fn held_by(&self, request: RequestId) -> Option<Amount> {
        let mut holds = self.holds.iter();
        holds
            .find(|hold| hold.request == request)
            .map(|hold| hold.amount)
    }
}
