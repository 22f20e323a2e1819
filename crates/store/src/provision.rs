//! Making the stored settings equal to a declaration, in one transaction.
//!
//! What is declared is made or changed; what this manager once declared and no longer does is
//! disabled; what it never named is left alone. Provisioning the same twice changes nothing, not
//! even the revision.

use crate::{
    api_keys::{self, MadeKey, Owners, ProvisionedKeys},
    change::{Change, ManagedBy},
    error::{Result, StoreError},
    members, organizations, projects, providers, routing_groups,
    sql::query,
    store::Store,
};
use tollgate_core::declared::Declared;

#[cfg(test)]
mod tests;

/// What came of it.
#[derive(Debug)]
pub struct Provisioned {
    /// Keys whose secrets were made here: show them now or never.
    pub made_keys: Vec<MadeKey>,
    /// What was switched off because it is no longer declared, for the log.
    pub disabled: Vec<String>,
    /// Declared keys that were revoked and stay so until they are given another secret.
    pub still_revoked: Vec<String>,
    /// Whether anything changed (and the revision moved).
    pub changed: bool,
}

impl Store {
    /// Makes the first organisation (and everything in it) equal to what is declared.
    ///
    /// [`ManagedBy::File`] takes over whatever it names; [`ManagedBy::FirstRun`] leaves alone what
    /// others have put there. Provisioning an empty declaration as `FirstRun` disables the
    /// first-run defaults.
    pub async fn provision(&self, declared: &Declared, by: ManagedBy) -> Result<Provisioned> {
        let actor = match by {
            ManagedBy::File => "settings file",
            ManagedBy::FirstRun => "first run",
            ManagedBy::Admin => "command line",
        };
        let mut change = Change::begin(self, by, actor).await?;
        organizations::provision(&mut change, declared.organization.as_ref()).await?;
        let owners = Owners {
            projects: projects::provision(&mut change, &declared.projects).await?,
            members: members::provision(&mut change, &declared.members).await?,
        };
        let providers = providers::provision(&mut change, &declared.providers).await?;
        routing_groups::provision(&mut change, &declared.groups, &providers).await?;
        refuse_shared_slug(&mut change).await?;
        let keys = api_keys::provision(&mut change, &declared.api_keys, &owners).await?;
        let ProvisionedKeys {
            made,
            still_revoked,
        } = keys;
        let disabled = std::mem::take(&mut change.disabled);
        let changed = change.commit().await?;
        Ok(Provisioned {
            made_keys: made,
            disabled,
            still_revoked,
            changed,
        })
    }
}

/// A slug names a provider or a routing group, never both: a route would be ambiguous.
async fn refuse_shared_slug(change: &mut Change<'_>) -> Result<()> {
    let shared = query(
        "routing_group",
        "SELECT provider.slug AS slug
         FROM provider JOIN routing_group
              ON routing_group.organization_id = provider.organization_id
             AND routing_group.slug = provider.slug
         WHERE provider.disabled_at IS NULL AND routing_group.disabled_at IS NULL",
    )
    .optional(&mut change.tx)
    .await?;
    match shared {
        None => Ok(()),
        Some(row) => Err(StoreError::Conflict(format!(
            "`{}` would name both a provider and a routing group: rename one",
            row.text("slug")?
        ))),
    }
}
