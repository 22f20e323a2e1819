//! Persistence: the only crate that knows SQL.
//!
//! | what lasts | file |
//! |---|---|
//! | settings: organisations to limits | one file each; [`Store::provision`], [`Store::snapshot`] |
//! | secrets, sealed by the [`MasterKey`] | `seal.rs`, `key_hasher.rs` |
//! | holds of running requests, written before anything is sent | [`HoldFile`] |
//! | entries, accounts and usage records, committed in groups | `writer.rs`, `accounts.rs` |
//! | what a killed process left behind | `recovery.rs` |
//!
//! SQL texts are written once, with `$1` placeholders, over whole numbers, texts and bytes, so that
//! another engine needs another `sql.rs` and `database.rs` and nothing else.

mod api_keys;
mod bytes;
mod change;
mod data_dir;
mod database;
mod error;
mod hold_file;
mod key_hasher;
mod ledger;
mod limits;
mod master_key;
mod members;
mod migration;
mod objects;
mod organizations;
mod projects;
mod providers;
mod provision;
mod recovery;
mod routing_groups;
mod seal;
mod snapshot;
mod sql;
mod store;
#[cfg(test)]
mod testing;
mod usage;
mod writer;

pub use api_keys::{ApiKeyListing, MadeKey};
pub use change::ManagedBy;
pub use data_dir::{DataDir, DataDirLock};
pub use database::sqlite_path;
pub use error::{Result, StoreError};
pub use hold_file::{
    BootId, HOLD_FILE, HoldFile, SLOT_COUNT, Scan, SlotIndex, SlotRecord, SlotState,
};
pub use key_hasher::KeyHasher;
pub use ledger::OpenedAccounts;
pub use master_key::{KEY_FILE, MasterKey};
pub use objects::{KnownObject, Settlement, Truth};
pub use providers::ProviderListing;
pub use provision::Provisioned;
pub use recovery::Recovered;
pub use store::Store;
pub use usage::{Grouping, Spend, SpendQuery, UsageLine};
pub use writer::{Acknowledge, LedgerWriter, NotQueued, Posting, WriterHandle, WriterSettings};
