//! What can go wrong in the store. Every message names the thing and, where there is one, the next
//! step; none carries a secret.

use std::{io, path::PathBuf};

/// Why the store could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused or failed: busy, full, corrupt, a constraint.
    #[error("database error at table `{table}`: {source}")]
    Database {
        /// The table the statement is about.
        table: &'static str,
        /// The driver's error.
        source: sqlx::Error,
    },
    /// A row that cannot become a value of the domain.
    #[error("table `{table}`, row {id}: column `{column}` holds a value this version cannot read")]
    Inconsistent {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The row's id in hexadecimal, or `?` where rows have none.
        id: String,
    },
    /// What was asked contradicts what is stored.
    #[error("{0}")]
    Conflict(String),
    /// What was asked for does not exist.
    #[error("{0}")]
    NotFound(String),
    /// The master key does not open what is stored.
    #[error(
        "the master key does not open this database: it was sealed with another one; set \
         TOLLGATE_MASTER_KEY (or restore the key file) to the key the database was made with"
    )]
    WrongMasterKey,
    /// The master key cannot be read as a key.
    #[error(
        "{0} is not a master key: expected 32 bytes as base64 or hexadecimal; make one with \
             `openssl rand -base64 32`"
    )]
    BadMasterKey(String),
    /// A sealed value was altered, moved to another row or cut short.
    #[error("the sealed {what} of {id} cannot be opened: the row was altered or copied")]
    BrokenSeal {
        /// What was sealed.
        what: &'static str,
        /// Whose it is.
        id: String,
    },
    /// The cryptographic library refused to seal.
    #[error("sealing failed")]
    Seal,
    /// A file or directory could not be used.
    #[error("cannot {doing} `{path}`: {source}")]
    File {
        /// The verb.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another server process uses the data directory.
    #[error(
        "the data directory `{path}` is in use by another server ({holder}); stop it, or start \
         this one with another --data-dir"
    )]
    DataDirInUse {
        /// The directory.
        path: PathBuf,
        /// What the other process wrote about itself.
        holder: String,
    },
    /// The hold file is not one, or belongs to another version.
    #[error("hold file `{path}`: {problem}")]
    HoldFile {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        problem: String,
    },
    /// The database was written by a newer version.
    #[error(
        "the database is at migration {found}, this version knows up to {known}: start the newer \
         version again, or restore a backup"
    )]
    Newer {
        /// In the database.
        found: i64,
        /// In this binary.
        known: i64,
    },
    /// A recorded migration differs from the one embedded.
    #[error("migration {0} differs from the one recorded in the database: use an official build")]
    MigrationChanged(i64),
    /// Not a URL of a supported engine.
    #[error("`{0}` is not a database URL this version can open: use `sqlite:tollgate.db`")]
    UnsupportedUrl(String),
    /// A sum left the range of a stored amount.
    #[error("an amount of {0} is outside the range that can be stored")]
    OutOfRange(&'static str),
    /// A task of the store ended early.
    #[error("the store is shutting down")]
    ShuttingDown,
}

impl StoreError {
    /// For `map_err` on file operations.
    pub(crate) fn file(
        doing: &'static str,
        path: &std::path::Path,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::File {
            doing,
            path,
            source,
        }
    }
}

/// Shorthand of this crate.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;
