//! What the command line and the gateway do with single keys.

use super::{
    ApiKeyRow,
    declared::{MadeKey, Owners, is_read_only, put_declared},
    load, set_state,
};
use crate::{
    change::{Change, ManagedBy},
    error::{Result, StoreError},
    limits, members, organizations, projects,
    store::Store,
};
use std::collections::HashMap;
use tollgate_core::{
    api_key::{ApiKey, ApiKeyState},
    clock::Timestamp,
    declared::DeclaredApiKey,
    id::ApiKeyId,
    limit::Scope,
};

/// A key as it is listed.
#[derive(Clone, Debug)]
pub struct ApiKeyListing {
    /// The key itself.
    pub key: ApiKey,
    /// Slug of its project.
    pub project: String,
    /// E-mail address of its owner.
    pub member: Option<String>,
    /// Who keeps it as it is.
    pub managed_by: ManagedBy,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Store {
    /// Makes a key in the first organisation and gives its secret, for the only time.
    ///
    /// Fails when the project (or member) does not exist or the project has a key of that name.
    pub async fn create_api_key(&self, wanted: &DeclaredApiKey) -> Result<MadeKey> {
        let mut change = Change::begin(self, ManagedBy::Admin, "command line").await?;
        let organization = change.organization()?;
        let owners = Owners {
            projects: projects::load(&mut change.tx, organization)
                .await?
                .into_iter()
                .filter(|row| !row.standing.disabled)
                .map(|row| (row.project.slug, row.project.id))
                .collect(),
            members: members::load(&mut change.tx, organization)
                .await?
                .into_iter()
                .filter(|row| !row.standing.disabled)
                .map(|row| (row.member.email, row.member.id))
                .collect(),
        };
        let project = super::declared::project_of(wanted, &owners)?;
        let existing = load(&mut change.tx, organization).await?;
        let taken = existing.iter().any(|row| {
            row.key.project == project
                && row.key.name == wanted.name
                && row.key.state != ApiKeyState::Revoked
        });
        if taken {
            return Err(StoreError::Conflict(format!(
                "project `{}` already has an API key named `{}`: choose another name, or revoke it",
                wanted.project, wanted.name
            )));
        }
        let (id, made) = put_declared(&mut change, wanted, &owners, None).await?;
        limits::provision(&mut change, Scope::ApiKey(id), &wanted.limits).await?;
        change.commit().await?;
        let given = wanted.secret.clone().map(|secret| MadeKey {
            id,
            name: wanted.name.clone(),
            project: wanted.project.clone(),
            secret,
        });
        made.or(given).ok_or(StoreError::Seal)
    }

    /// Every key of every organisation, revoked ones included, oldest first.
    pub async fn list_api_keys(&self) -> Result<Vec<ApiKeyListing>> {
        let mut tx = self.database.read().await?;
        let mut listings = Vec::new();
        for organization in organizations::load(&mut tx).await? {
            let projects = projects::load(&mut tx, organization.id).await?;
            let slugs: HashMap<_, _> = projects
                .into_iter()
                .map(|row| (row.project.id, row.project.slug))
                .collect();
            let members = members::load(&mut tx, organization.id).await?;
            let emails: HashMap<_, _> = members
                .into_iter()
                .map(|row| (row.member.id, row.member.email))
                .collect();
            let keys = load(&mut tx, organization.id).await?;
            listings.extend(keys.into_iter().map(|row| ApiKeyListing {
                project: slugs.get(&row.key.project).cloned().unwrap_or_default(),
                member: row.key.member.and_then(|id| emails.get(&id).cloned()),
                managed_by: row.managed_by,
                created_at: row.created_at,
                key: row.key,
            }));
        }
        Ok(listings)
    }

    /// Ends a key for ever. A key of the settings file too: a leaked key must die at once; declare
    /// it with another secret to have one again.
    pub async fn revoke_api_key(&self, id: ApiKeyId) -> Result<()> {
        let mut change = Change::begin(self, ManagedBy::Admin, "command line").await?;
        let row = find(&mut change, id).await?;
        if row.key.state == ApiKeyState::Revoked {
            return Ok(());
        }
        set_state(&mut change, id, ApiKeyState::Revoked).await?;
        let id = id.to_bytes();
        change.record("api_key.revoked", &row.key.name, id).await?;
        change.commit().await.map(drop)
    }

    /// Blocks a key that asked for a model without a price, until an admin clears it. Blocking a
    /// key that does not work anyway changes nothing.
    pub async fn block_api_key(&self, id: ApiKeyId) -> Result<()> {
        let change = Change::begin(self, ManagedBy::Admin, "gateway").await?;
        switch(change, id, Switch::Block).await
    }

    /// Clears the block of a key.
    pub async fn unblock_api_key(&self, id: ApiKeyId) -> Result<()> {
        let change = Change::begin(self, ManagedBy::Admin, "command line").await?;
        switch(change, id, Switch::Unblock).await
    }

    /// Switches a key off. Not for keys of the settings file: there, take it out of the file.
    pub async fn disable_api_key(&self, id: ApiKeyId) -> Result<()> {
        let change = Change::begin(self, ManagedBy::Admin, "command line").await?;
        switch(change, id, Switch::Disable).await
    }

    /// Switches a key on again. Not for keys of the settings file.
    pub async fn enable_api_key(&self, id: ApiKeyId) -> Result<()> {
        let change = Change::begin(self, ManagedBy::Admin, "command line").await?;
        switch(change, id, Switch::Enable).await
    }
}

/// A move between states that can be taken back.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Switch {
    Block,
    Unblock,
    Disable,
    Enable,
}

impl Switch {
    /// From which state, to which, and the word of the audit.
    const fn moves(self) -> (ApiKeyState, ApiKeyState, &'static str) {
        match self {
            Self::Block => (ApiKeyState::Active, ApiKeyState::Blocked, "api_key.blocked"),
            Self::Unblock => (
                ApiKeyState::Blocked,
                ApiKeyState::Active,
                "api_key.unblocked",
            ),
            Self::Disable => (
                ApiKeyState::Active,
                ApiKeyState::Disabled,
                "api_key.disabled",
            ),
            Self::Enable => (
                ApiKeyState::Disabled,
                ApiKeyState::Active,
                "api_key.enabled",
            ),
        }
    }

    /// Whether the settings file says this for its own keys.
    const fn is_said_by_file(self) -> bool {
        match self {
            Self::Block | Self::Unblock => false,
            Self::Disable | Self::Enable => true,
        }
    }
}

async fn switch(mut change: Change<'_>, id: ApiKeyId, switch: Switch) -> Result<()> {
    let row = find(&mut change, id).await?;
    if switch.is_said_by_file() && is_read_only(row.managed_by) {
        return Err(StoreError::Conflict(format!(
            "API key `{}` is managed by the settings file: change it there",
            row.key.name
        )));
    }
    let (from, to, action) = switch.moves();
    if row.key.state == from {
        set_state(&mut change, id, to).await?;
        let id = id.to_bytes();
        change.record(action, &row.key.name, id).await?;
    }
    change.commit().await.map(drop)
}

async fn find(change: &mut Change<'_>, id: ApiKeyId) -> Result<ApiKeyRow> {
    super::find(&mut change.tx, id)
        .await?
        .ok_or_else(|| StoreError::NotFound(format!("no API key {id}")))
}
