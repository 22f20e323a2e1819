//! A map that forgets what is not used: two halves, a young one and an old one. What is learned
//! goes into the young half; when that is full it becomes the old half, and the old one is dropped.
//! Memory is bounded by two halves, and nothing is searched or sorted to find what to drop.

use std::{borrow::Borrow, collections::HashMap, hash::Hash};

#[derive(Clone, Debug)]
pub(super) struct Generations<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
    half: usize,
}

impl<K: Hash + Eq, V> Generations<K, V> {
    /// Keeps at least the `half` entries used last, at most twice as many.
    pub(super) fn new(half: usize) -> Self {
        Self {
            young: HashMap::new(),
            old: HashMap::new(),
            half,
        }
    }

    pub(super) fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.young.get(key).or_else(|| self.old.get(key))
    }

    /// The entry to be changed; made by `new` if there is none, and young from now on.
    pub(super) fn entry(&mut self, key: K, new: impl FnOnce() -> V) -> &mut V {
        if !self.young.contains_key(&key) && self.young.len() >= self.half {
            self.old = std::mem::take(&mut self.young);
        }
        let kept = self.old.remove(&key);
        self.young
            .entry(key)
            .or_insert_with(|| kept.unwrap_or_else(new))
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_stays_and_memory_is_bounded() {
        let mut map = Generations::new(4);
        for key in 0..100 {
            *map.entry(key, || 0) += 1;
            *map.entry(-1, || 0) += 1;
            assert!(map.len() <= 8);
        }
        assert_eq!(map.get(&-1), Some(&100));
        assert_eq!(map.get(&0), None);
    }
}
