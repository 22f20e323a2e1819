//! Opening the store of the settings: its database and its master key, with the real clock and the
//! real randomness.

use crate::{
    clock::SystemClock,
    entropy::SystemEntropy,
    settings::{
        environment::{Environment, MASTER_KEY},
        process::StorageSettings,
    },
};
use anyhow::{Context as _, ensure};
use std::{path::Path, sync::Arc};
use tollgate_core::secret::Secret;
use tollgate_store::{DataDir, KEY_FILE, MasterKey, Store};

/// Opens the store of a server, making what is missing.
///
/// # Errors
/// A master key that is none or the wrong one, and what the database says.
pub async fn open_or_create(
    storage: &StorageSettings,
    data_dir: &DataDir,
    environment: &Environment,
) -> anyhow::Result<Store> {
    let master_key = match given_master_key(environment)? {
        Some(key) => key,
        None => MasterKey::load_or_create(&data_dir.file(KEY_FILE), &SystemEntropy)?,
    };
    open(&storage.database, &master_key).await
}

/// Opens a store that is there. A command that made one by the way would hide that it was pointed
/// at the wrong directory.
///
/// # Errors
/// A database or key file that is not there; else as [`open_or_create`].
pub async fn open_existing(
    storage: &StorageSettings,
    environment: &Environment,
) -> anyhow::Result<Store> {
    let database = &storage.database;
    ensure!(
        database.exists(),
        "there is no database `{}`: run `tollgate serve` once, or name its directory with \
         `--data-dir`",
        database.display()
    );
    let key_file = storage.data_dir.join(KEY_FILE);
    let master_key = if let Some(key) = given_master_key(environment)? {
        key
    } else {
        ensure!(
            key_file.exists(),
            "there is no key file `{}`: set {MASTER_KEY}, or restore the file",
            key_file.display()
        );
        MasterKey::load_or_create(&key_file, &SystemEntropy)?
    };
    open(database, &master_key).await
}

fn given_master_key(environment: &Environment) -> anyhow::Result<Option<MasterKey>> {
    let text = environment.get(MASTER_KEY);
    let key = text.map(|text| MasterKey::parse(&Secret::new(text), MASTER_KEY));
    Ok(key.transpose()?)
}

async fn open(database: &Path, master_key: &MasterKey) -> anyhow::Result<Store> {
    let (clock, entropy) = (Arc::new(SystemClock), Arc::new(SystemEntropy));
    Store::open(database, master_key, clock, entropy)
        .await
        .with_context(|| format!("cannot open `{}`", database.display()))
}
