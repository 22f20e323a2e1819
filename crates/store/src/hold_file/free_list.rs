//! Which slots are free.
//!
//! A stack under a mutex: the lock is held for two memory accesses, which costs less than the
//! retries of a lock-free stack, and the slot used last is used next, while it is in the cache.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Below one in this many free, no slot is given out.
const RESERVE: u32 = 10;

#[derive(Debug)]
pub(super) struct FreeList {
    state: Mutex<State>,
    reserve: usize,
}

#[derive(Debug)]
struct State {
    stack: Vec<u32>,
    used: Vec<bool>,
}

impl FreeList {
    /// All `count` slots free.
    pub(super) fn full(count: u32) -> Self {
        Self::without(count, [])
    }

    /// All `count` slots free but these.
    pub(super) fn without(count: u32, used: impl IntoIterator<Item = u32>) -> Self {
        let mut flags: Vec<bool> = (0..count).map(|_| false).collect();
        for slot in used {
            if let Some(flag) = flags.get_mut(index(slot)) {
                *flag = true;
            }
        }
        let is_free = |slot: &u32| flags.get(index(*slot)) == Some(&false);
        let stack = (0..count).rev().filter(is_free).collect();
        Self {
            state: Mutex::new(State { stack, used: flags }),
            reserve: index(count / RESERVE),
        }
    }

    /// A slot, unless fewer than the reserve would be left.
    pub(super) fn take(&self) -> Option<u32> {
        let mut state = self.lock();
        if state.stack.len() <= self.reserve {
            return None;
        }
        let slot = state.stack.pop()?;
        if let Some(flag) = state.used.get_mut(index(slot)) {
            *flag = true;
        }
        Some(slot)
    }

    /// Gives a slot back; giving it back twice changes nothing.
    pub(super) fn put(&self, slot: u32) {
        let mut state = self.lock();
        let was_used = state
            .used
            .get_mut(index(slot))
            .is_some_and(|flag| std::mem::replace(flag, false));
        if was_used {
            state.stack.push(slot);
        }
    }

    pub(super) fn len(&self) -> u32 {
        u32::try_from(self.lock().stack.len()).unwrap_or(u32::MAX)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn index(slot: u32) -> usize {
    usize::try_from(slot).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenth_is_kept_back_and_a_slot_freed_twice_is_given_out_once() {
        let list = FreeList::full(20);
        let taken: Vec<u32> = std::iter::from_fn(|| list.take()).collect();
        assert_eq!(taken.len(), 18);
        list.put(taken[3]);
        list.put(taken[3]);
        assert_eq!(list.len(), 3);
        assert_eq!(list.take(), Some(taken[3]));
        assert_eq!(list.take(), None);
    }

    #[test]
    fn slots_found_in_use_are_not_given_out() {
        let list = FreeList::without(20, [0, 7]);
        let taken: Vec<u32> = std::iter::from_fn(|| list.take()).collect();
        assert_eq!(taken.len(), 16);
        assert!(!taken.contains(&0) && !taken.contains(&7));
    }
}
