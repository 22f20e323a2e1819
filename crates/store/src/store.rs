//! The store: opened once per process and shared. Each aggregate adds its own methods in its own
//! file.

use crate::{
    database::Database, error::Result, key_hasher::KeyHasher, master_key::MasterKey, seal::Keyring,
    sql::query,
};
use std::{path::Path, sync::Arc};
use tollgate_core::{clock::Clock, entropy::Entropy};

#[cfg(test)]
mod tests;

/// Everything that lasts.
pub struct Store {
    pub(crate) database: Database,
    pub(crate) keyring: Keyring,
    pub(crate) hasher: KeyHasher,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store(…)")
    }
}

impl Store {
    /// Opens the database file at `path` (see [`crate::database::sqlite_path`]), making and
    /// migrating it when needed.
    ///
    /// `entropy` must be cryptographically secure: it makes keys and nonces. Fails with
    /// [`crate::StoreError::WrongMasterKey`] when the database was sealed with another key.
    pub async fn open(
        path: &Path,
        master_key: &MasterKey,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self> {
        let database = Database::open(path).await?;
        let now = clock.now();
        let mut tx = database.write().await?;
        query(
            "deployment",
            "INSERT INTO deployment (id, revision, created_at) VALUES (1, 0, $1)
             ON CONFLICT (id) DO NOTHING",
        )
        .bind(now)
        .execute(&mut tx)
        .await?;
        let keyring = Keyring::load_or_create(&mut tx, master_key, now, &*entropy).await?;
        tx.commit().await?;
        Ok(Self {
            database,
            keyring,
            hasher: KeyHasher::new(master_key)?,
            clock,
            entropy,
        })
    }

    /// What turns a presented key into the hash that [`Self::snapshot`] is keyed by.
    pub fn key_hasher(&self) -> KeyHasher {
        self.hasher.clone()
    }

    /// The revision of the settings: one indexed read, cheap enough to poll twice a second. Also
    /// sees what other processes change.
    pub async fn revision(&self) -> Result<u64> {
        let mut tx = self.database.read().await?;
        query("deployment", "SELECT revision FROM deployment WHERE id = 1")
            .one(&mut tx)
            .await?
            .count("revision")
    }

    /// Closes the database. Dropping the store without it loses nothing that was committed.
    pub async fn close(&self) {
        self.database.close().await;
    }
}
