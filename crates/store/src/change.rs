//! A change of the settings: one transaction that audits what it does and moves the revision, which
//! is how every running gateway learns of it.
//!
//! Nothing writes settings by another way, so the revision moves if and only if something changed.

use crate::{
    database::Transaction,
    error::{Result, StoreError},
    key_hasher::KeyHasher,
    seal::Keyring,
    sql::{Row, built_query, query},
    store::Store,
};
use std::collections::HashSet;
use tollgate_core::{clock::Timestamp, entropy::Entropy, id::OrganizationId};

/// Who keeps a row as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ManagedBy {
    /// The settings file: read-only everywhere else.
    File,
    /// The defaults of a first run without a settings file.
    FirstRun,
    /// An administrator, by the command line or the console.
    Admin,
}

impl ManagedBy {
    const ALL: [Self; 3] = [Self::File, Self::FirstRun, Self::Admin];

    /// The word stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::FirstRun => "first_run",
            Self::Admin => "admin",
        }
    }

    fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|by| by.as_str() == word)
    }

    /// The column `managed_by` of a row.
    pub(crate) fn of(row: &Row) -> Result<Self> {
        row.word("managed_by", Self::from_word)
    }
}

/// What every named, declarable row has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing {
    pub(crate) managed_by: ManagedBy,
    pub(crate) disabled: bool,
}

impl Standing {
    pub(crate) fn of(row: &Row) -> Result<Self> {
        Ok(Self {
            managed_by: ManagedBy::of(row)?,
            disabled: row.nullable("disabled_at", Row::time)?.is_some(),
        })
    }
}

/// A change being made.
pub(crate) struct Change<'a> {
    pub(crate) tx: Transaction,
    pub(crate) now: Timestamp,
    pub(crate) by: ManagedBy,
    pub(crate) entropy: &'a dyn Entropy,
    pub(crate) keyring: &'a Keyring,
    pub(crate) hasher: &'a KeyHasher,
    /// What was switched off because it is no longer declared.
    pub(crate) disabled: Vec<String>,
    actor: &'static str,
    organization: Option<OrganizationId>,
    changed: bool,
}

impl<'a> Change<'a> {
    /// Begins a change of the deployment's first organisation. `actor` is for the audit.
    pub(crate) async fn begin(
        store: &'a Store,
        by: ManagedBy,
        actor: &'static str,
    ) -> Result<Self> {
        let mut tx = store.database.write().await?;
        let first = query(
            "organization",
            "SELECT id FROM organization ORDER BY id LIMIT 1",
        )
        .optional(&mut tx)
        .await?;
        let organization = first
            .map(|row| row.id("id", OrganizationId::from_bytes))
            .transpose()?;
        Ok(Self {
            tx,
            now: store.clock.now(),
            by,
            entropy: &*store.entropy,
            keyring: &store.keyring,
            hasher: &store.hasher,
            disabled: Vec::new(),
            actor,
            organization,
            changed: false,
        })
    }

    /// The organisation being changed.
    pub(crate) fn organization(&self) -> Result<OrganizationId> {
        self.organization.ok_or_else(|| {
            StoreError::NotFound("there is no organisation yet: run `tollgate serve` once".into())
        })
    }

    /// Points the change at an organisation just made.
    pub(crate) fn set_organization(&mut self, organization: OrganizationId) {
        self.organization = Some(organization);
    }

    /// Whether this change may alter a row with that standing: a settings file takes over whatever
    /// it names, first-run defaults never touch what somebody else has put there.
    pub(crate) fn takes_over(&self, managed_by: ManagedBy) -> bool {
        match self.by {
            ManagedBy::File | ManagedBy::Admin => true,
            ManagedBy::FirstRun => managed_by == ManagedBy::FirstRun,
        }
    }

    /// Writes the audit row of something done, and remembers that the revision must move.
    pub(crate) async fn record(
        &mut self,
        action: &'static str,
        subject: &str,
        subject_id: [u8; 16],
    ) -> Result<()> {
        self.changed = true;
        let organization = self.organization()?;
        query(
            "audit",
            "INSERT INTO audit (at, actor, action, subject, organization_id, subject_id)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(self.now)
        .bind(self.actor)
        .bind(action)
        .bind(subject)
        .bind(organization.to_bytes())
        .bind(subject_id)
        .execute(&mut self.tx)
        .await?;
        Ok(())
    }

    /// Disables the rows of `table` that this manager once declared and no longer does.
    pub(crate) async fn disable_undeclared(
        &mut self,
        table: &'static str,
        rows: impl IntoIterator<Item = ([u8; 16], String, Standing)>,
        declared: &HashSet<&str>,
    ) -> Result<()> {
        for (id, name, standing) in rows {
            let ours = standing.managed_by == self.by && !standing.disabled;
            if !ours || declared.contains(name.as_str()) {
                continue;
            }
            let sql = format!("UPDATE {table} SET disabled_at = $1 WHERE id = $2");
            built_query(table, sql)
                .bind(self.now)
                .bind(id)
                .execute(&mut self.tx)
                .await?;
            let action = match table {
                "project" => "project.disabled",
                "member" => "member.disabled",
                "provider" => "provider.disabled",
                _ => "routing_group.disabled",
            };
            self.record(action, &name, id).await?;
            self.disabled.push(format!("{table} `{name}`"));
        }
        Ok(())
    }

    /// Makes it last and, if anything changed, moves the revision. Gives whether it did.
    pub(crate) async fn commit(mut self) -> Result<bool> {
        if self.changed {
            query(
                "deployment",
                "UPDATE deployment SET revision = revision + 1 WHERE id = 1",
            )
            .execute(&mut self.tx)
            .await?;
        }
        self.tx.commit().await?;
        Ok(self.changed)
    }
}
