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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ManagedBy, testing::World};
    use sqlx::{AssertSqlSafe, Connection as _};
    use std::time::Duration;
    use tollgate_core::provider::{Connection, Site};

    /// What an older binary writes.
    const OLD_ROWS: &str = "
        INSERT INTO organization VALUES (x'00000000000000000000000000000001', 'Acme', 'UTC', 'file', 0);
        INSERT INTO provider VALUES
            (x'00000000000000000000000000000002', x'00000000000000000000000000000001', 'openai',
             'openai', 'https://api.openai.com/v1', NULL, NULL, 'refuse', 'header', 'cancel', 1, 0,
             'file', NULL, 0);
        INSERT INTO routing_group VALUES
            (x'00000000000000000000000000000003', x'00000000000000000000000000000001', 'fast',
             'file', NULL, 0);
        INSERT INTO usage VALUES
            (1, x'00000000000000000000000000000004', 0, NULL, 1, x'00000000000000000000000000000001',
             x'00000000000000000000000000000005', NULL, NULL, NULL, 'fast', 'openai', 'openai.chat',
             'generate', 'gpt-5.2', NULL, 0, 200, NULL, 1, 2, 0, 0, 0, '', 77, NULL, 77, 3, 1, 0,
             '', NULL);";

    /// A database as the binary left it that knew so many migrations.
    async fn database_of(world: &World, known: usize, rows: &'static str) {
        let url = format!("sqlite:{}?mode=rwc", world.database().display());
        let mut old = sqlx::SqliteConnection::connect(&url).await.unwrap();
        let table = "CREATE TABLE migration (version INTEGER PRIMARY KEY, checksum TEXT NOT NULL)";
        let mut run = async |sql: String| {
            sqlx::raw_sql(AssertSqlSafe(sql))
                .execute(&mut old)
                .await
                .unwrap();
        };
        run(format!("{table} STRICT")).await;
        for Migration { version, sql } in &SQLITE[..known] {
            run((*sql).to_owned()).await;
            let checksum = checksum(sql);
            run(format!(
                "INSERT INTO migration VALUES ({version}, '{checksum}')"
            ))
            .await;
        }
        run(rows.to_owned()).await;
        old.close().await.unwrap();
    }

    #[tokio::test]
    async fn what_an_older_binary_wrote_means_the_same_afterwards() {
        let world = World::new();
        database_of(&world, 2, OLD_ROWS).await;
        let store = world.store().await;
        let listed = store.list_providers().await.unwrap();
        let provider = &listed[0].provider;
        assert_eq!(listed[0].managed_by, ManagedBy::File);
        assert_eq!(provider.site, Site::default());
        assert_eq!(provider.connection, Connection::default());
        assert!(!provider.allow_deferred && provider.credential.is_none());
        let snapshot = store.snapshot().await.unwrap();
        let (id, organization) = snapshot.organizations.iter().next().unwrap();
        assert_eq!(organization.groups["fast"].time_budget, None::<Duration>);
        let usage = store.latest_usage(*id, 1).await.unwrap();
        assert_eq!(
            (usage[0].cost.as_nano(), usage[0].abandoned_cost.as_nano()),
            (77, 0)
        );
    }
}
