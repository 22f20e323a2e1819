//! Which objects are whose, as far as it was needed lately: lookups read no database.
//!
//! Two halves, a young one and an old one: what is used goes into the young half; when that is full
//! it becomes the old one, and the old one is dropped. Nothing is kept of ids that are unknown.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};
use tollgate_core::{
    error::{Error, Kind},
    id::{ProjectId, ProviderId},
};
use tollgate_store::{KnownObject, Store};

/// At least so many objects are remembered, and at most twice as many (of some 150 bytes).
const HALF: usize = 32_768;

/// Where an object lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Home {
    pub(crate) provider: ProviderId,
    /// It stands for work whose bill is not known.
    pub(crate) open_work: bool,
}

type Owner = (ProjectId, String);

/// See the [module](self).
#[derive(Debug, Default)]
pub(crate) struct Cache(Mutex<Halves>);

#[derive(Debug, Default)]
struct Halves {
    young: HashMap<Owner, Vec<Home>>,
    old: HashMap<Owner, Vec<Home>>,
}

impl Halves {
    fn get(&mut self, owner: &Owner) -> Option<&mut Vec<Home>> {
        if !self.young.contains_key(owner) {
            let homes = self.old.remove(owner)?;
            self.put(owner.clone(), homes);
        }
        self.young.get_mut(owner)
    }

    fn put(&mut self, owner: Owner, homes: Vec<Home>) {
        if self.young.len() >= HALF {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(owner, homes);
    }
}

impl Cache {
    /// The object lives there too from now on.
    pub(crate) fn add(&self, project: ProjectId, id: &str, home: Home) {
        let mut halves = self.lock();
        let owner = (project, id.to_owned());
        match halves.get(&owner) {
            Some(homes) => match homes.iter_mut().find(|at| at.provider == home.provider) {
                Some(at) => *at = home,
                None => homes.push(home),
            },
            None => halves.put(owner, vec![home]),
        }
    }

    /// Whether it is known here that the object lives there.
    pub(crate) fn has(&self, project: ProjectId, id: &str, provider: ProviderId) -> bool {
        let mut halves = self.lock();
        let homes = halves.get(&(project, id.to_owned()));
        homes.is_some_and(|homes| homes.iter().any(|home| home.provider == provider))
    }

    /// What is known here is not so any more; the store knows.
    pub(crate) fn forget(&self, project: ProjectId, id: &str) {
        let mut halves = self.lock();
        let owner = (project, id.to_owned());
        halves.young.remove(&owner);
        halves.old.remove(&owner);
    }

    /// Where each of the objects lives, in their order; nowhere for what is not the project's.
    ///
    /// # Errors
    /// [`Kind::Unavailable`] when the store does not answer.
    pub(crate) async fn homes(
        &self,
        store: &Store,
        project: ProjectId,
        ids: &[&str],
    ) -> Result<Vec<Vec<Home>>, Error> {
        let mut homes: Vec<Option<Vec<Home>>> = {
            let mut halves = self.lock();
            let known = |id: &&str| halves.get(&(project, (*id).to_owned())).cloned();
            ids.iter().map(known).collect()
        };
        let missing: Vec<&str> = ids
            .iter()
            .zip(&homes)
            .filter(|(_, homes)| homes.is_none())
            .map(|(id, _)| *id)
            .collect();
        if !missing.is_empty() {
            let found = store.objects_of(project, &missing).await;
            for object in found.map_err(|error| unavailable(&error))? {
                self.add(project, &object.id, home_of(&object));
                for (id, homes) in ids.iter().zip(&mut homes) {
                    if *id == object.id {
                        homes.get_or_insert_default().push(home_of(&object));
                    }
                }
            }
        }
        Ok(homes.into_iter().map(Option::unwrap_or_default).collect())
    }

    fn lock(&self) -> MutexGuard<'_, Halves> {
        // A map half changed is a map all the same; what is missing is in the store.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn home_of(object: &KnownObject) -> Home {
    Home {
        provider: object.provider,
        open_work: object.open_work.is_some(),
    }
}

/// Whose an object is cannot be said now.
pub(super) fn unavailable(error: &tollgate_store::StoreError) -> Error {
    Error::new(
        Kind::Unavailable,
        "the gateway cannot look up stored objects now: try again",
    )
    .with_context(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_stays_and_memory_is_bounded() {
        let cache = Cache::default();
        let project = ProjectId::from_bytes([1; 16]);
        let home = |n| Home {
            provider: ProviderId::from_bytes([n; 16]),
            open_work: false,
        };
        cache.add(project, "kept", home(1));
        cache.add(project, "kept", home(2));
        for number in 0..3 * HALF {
            cache.add(project, &format!("resp_{number}"), home(1));
            if number % 1_000 == 0 {
                let mut halves = cache.lock();
                let kept = halves.get(&(project, "kept".to_owned()));
                assert_eq!(kept.unwrap().len(), 2, "one per provider");
                assert!(halves.young.len() + halves.old.len() <= 2 * HALF);
            }
        }
        let first = (project, "resp_0".to_owned());
        assert!(cache.lock().get(&first).is_none());
        let other = ProjectId::from_bytes([2; 16]);
        assert!(cache.lock().get(&(other, "kept".to_owned())).is_none());
        cache.forget(project, "kept");
        assert!(cache.lock().get(&(project, "kept".to_owned())).is_none());
    }
}
