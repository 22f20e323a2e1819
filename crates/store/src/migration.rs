//! Brings a database to the state this binary expects. The rule for writing migrations is in
//! `migrations/README.md`.
//!
//! A runner of our own, because two processes may open the database at the same moment: everything
//! happens in one transaction that takes the write lock first.

use crate::{
    database::{Database, Transaction},
    error::{Result, StoreError},
    sql::{hex, query},
};
use aws_lc_rs::digest;

struct Migration {
    version: i64,
    sql: &'static str,
}

const SQLITE: &[Migration] = &[
    Migration {
        version: 1,
        sql: include_str!("../migrations/sqlite/0001_settings.sql"),
    },
    Migration {
        version: 2,
        sql: include_str!("../migrations/sqlite/0002_ledger.sql"),
    },
    Migration {
        version: 3,
        sql: include_str!("../migrations/sqlite/0003_providers.sql"),
    },
    Migration {
        version: 4,
        sql: include_str!("../migrations/sqlite/0004_objects.sql"),
    },
];

/// Applies every migration the database does not have yet; all or none.
///
/// Refuses a database that is newer than this binary, or whose history differs.
pub(crate) async fn apply_missing(database: &Database) -> Result<()> {
    let mut tx = database.write().await?;
    query(
        "migration",
        "CREATE TABLE IF NOT EXISTS migration (
            version INTEGER PRIMARY KEY,
            checksum TEXT NOT NULL
        ) STRICT",
    )
    .execute(&mut tx)
    .await?;
    let applied = applied(&mut tx).await?;
    let known = SQLITE.last().map_or(0, |last| last.version);
    if let Some((found, _)) = applied.iter().find(|(version, _)| *version > known) {
        let found = *found;
        return Err(StoreError::Newer { found, known });
    }
    for migration in SQLITE {
        let recorded = applied.iter().find(|(v, _)| *v == migration.version);
        let checksum = checksum(migration.sql);
        match recorded {
            Some((_, recorded)) if *recorded == checksum => {}
            Some(_) => return Err(StoreError::MigrationChanged(migration.version)),
            None => apply(&mut tx, migration, checksum).await?,
        }
    }
    tx.commit().await
}

async fn applied(tx: &mut Transaction) -> Result<Vec<(i64, String)>> {
    query("migration", "SELECT version, checksum FROM migration")
        .all(tx)
        .await?
        .iter()
        .map(|row| Ok((row.integer("version")?, row.text("checksum")?)))
        .collect()
}

async fn apply(tx: &mut Transaction, migration: &Migration, checksum: String) -> Result<()> {
    let run = sqlx::raw_sql(migration.sql).execute(&mut **tx).await;
    run.map_err(|source| StoreError::Database {
        table: "migration",
        source,
    })?;
    query(
        "migration",
        "INSERT INTO migration (version, checksum) VALUES ($1, $2)",
    )
    .bind(migration.version)
    .bind(checksum)
    .execute(tx)
    .await?;
    Ok(())
}

fn checksum(sql: &str) -> String {
    hex(digest::digest(&digest::SHA256, sql.as_bytes()).as_ref())
}
