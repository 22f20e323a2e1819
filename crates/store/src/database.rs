//! The database itself: where it is, how it is opened, one writer and several readers.
//!
//! SQLite in WAL mode with `synchronous = FULL`: a commit that was acknowledged survives a power
//! loss, which the ledger relies on when it frees the hold slots of a committed batch. All writes
//! of a process go through one connection, so they queue in memory instead of failing as "busy";
//! other processes (the command line beside a server) wait up to [`BUSY_TIMEOUT`].

use crate::{
    error::{Result, StoreError},
    migration,
    sql::Connection,
};
use sqlx::{
    Connection as _, Sqlite, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use std::{
    fs::OpenOptions,
    ops::{Deref, DerefMut},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

/// How long a statement waits for another process that holds the write lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long to wait for a connection of our own: longer than any transaction of ours should take.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(30);
const READERS: u32 = 4;
/// Memory for pages per connection, as SQLite wants it said: minus KiB. The tips of the ledger's
/// indexes fit, so a commit reads nothing.
const CACHE_KIB: &str = "-32768";
/// Pages in the write-ahead log before it is folded into the database: 16 MiB, so that folding,
/// which flushes twice, is rare beside commits.
const CHECKPOINT_PAGES: &str = "4096";

/// The file of `sqlite:PATH`; a relative path lies in the data directory.
pub fn sqlite_path(url: &str, data_dir: &Path) -> Result<PathBuf> {
    let unsupported = || StoreError::UnsupportedUrl(url.to_owned());
    let path = url.strip_prefix("sqlite:").ok_or_else(unsupported)?;
    let path = path.strip_prefix("//").unwrap_or(path);
    if path.is_empty() || path.contains('?') || path == ":memory:" {
        return Err(unsupported());
    }
    Ok(data_dir.join(path))
}

/// An open database, migrated to what this binary expects.
#[derive(Debug)]
pub(crate) struct Database {
    write: SqlitePool,
    read: SqlitePool,
}

impl Database {
    /// Opens (or makes) the database and applies what migrations are missing.
    pub(crate) async fn open(path: &Path) -> Result<Self> {
        make_private_file(path)?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT)
            .pragma("cache_size", CACHE_KIB)
            .pragma("temp_store", "MEMORY")
            .pragma("wal_autocheckpoint", CHECKPOINT_PAGES);
        // After an I/O error or on a full disk SQLite rolls back by itself, which the driver does
        // not notice: it counts the connection as in a transaction for ever, and begins no other.
        // Such a connection is not used again.
        let pool = || {
            SqlitePoolOptions::new()
                .acquire_timeout(ACQUIRE_TIMEOUT)
                .before_acquire(|connection, _| {
                    let is_usable = !connection.is_in_transaction();
                    Box::pin(std::future::ready(Ok(is_usable)))
                })
        };
        let opening = |source| StoreError::Database {
            table: "(opening)",
            source,
        };
        let write = pool()
            .max_connections(1)
            .connect_with(options.clone())
            .await
            .map_err(opening)?;
        let mut database = Self {
            write: write.clone(),
            read: write,
        };
        migration::apply_missing(&database).await?;
        database.read = pool()
            .max_connections(READERS)
            .connect_with(options.pragma("query_only", "ON"))
            .await
            .map_err(opening)?;
        Ok(database)
    }

    /// A transaction that may write. Takes the write lock at once: a transaction that reads first
    /// and asks later can be refused half-way.
    pub(crate) async fn write(&self) -> Result<Transaction> {
        begin(&self.write, "BEGIN IMMEDIATE").await
    }

    /// A transaction that only reads, and sees one state of everything from start to end.
    pub(crate) async fn read(&self) -> Result<Transaction> {
        begin(&self.read, "BEGIN").await
    }

    /// Closes every connection; what was committed is in the files.
    pub(crate) async fn close(&self) {
        self.read.close().await;
        self.write.close().await;
    }
}

async fn begin(pool: &SqlitePool, how: &'static str) -> Result<Transaction> {
    let begun = pool.begin_with(how).await;
    begun
        .map(Transaction)
        .map_err(|source| StoreError::Database {
            table: "(begin)",
            source,
        })
}

/// A transaction: rolled back when dropped without [`commit`](Self::commit).
pub(crate) struct Transaction(sqlx::Transaction<'static, Sqlite>);

impl Transaction {
    /// Makes it last.
    pub(crate) async fn commit(self) -> Result<()> {
        let committed = self.0.commit().await;
        committed.map_err(|source| StoreError::Database {
            table: "(commit)",
            source,
        })
    }
}

impl Deref for Transaction {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.0
    }
}

impl DerefMut for Transaction {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.0
    }
}

/// SQLite gives its side files the permissions of the database file, so that one is made 0600
/// before SQLite sees it.
fn make_private_file(path: &Path) -> Result<()> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
        .map(drop)
        .map_err(StoreError::file("open the database", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_transaction_that_sqlite_gave_up_costs_a_connection_and_no_more() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tollgate.db");
        let database = Database::open(&path).await.unwrap();
        let mut given_up = database.write().await.unwrap();
        // What SQLite does after an I/O error.
        sqlx::raw_sql("ROLLBACK")
            .execute(&mut *given_up)
            .await
            .unwrap();
        given_up.commit().await.unwrap_err();
        database.write().await.unwrap().commit().await.unwrap();
    }
}
