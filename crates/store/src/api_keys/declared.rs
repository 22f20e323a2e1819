//! Making the keys equal to what a declaration says.
//!
//! A key keeps its id, and with it its limits and history, through every change of its secret. A
//! revoked key stays revoked whatever is declared: the way back is a new secret.

use super::{ApiKeyRow, load, put, set_state};
use crate::{
    change::{Change, ManagedBy},
    error::{Result, StoreError},
    limits,
};
use std::collections::HashMap;
use tollgate_core::{
    api_key::{self, ApiKey, ApiKeyState},
    declared::DeclaredApiKey,
    id::{ApiKeyId, MemberId, ProjectId},
    limit::Scope,
    secret::Secret,
};

/// A key whose secret was made here and can be shown once.
#[derive(Debug)]
pub struct MadeKey {
    /// Its id.
    pub id: ApiKeyId,
    /// Its name.
    pub name: String,
    /// Slug of its project.
    pub project: String,
    /// The secret: nobody can read it again.
    pub secret: Secret,
}

/// The ids behind the names a key refers to.
pub(crate) struct Owners {
    pub(crate) projects: HashMap<String, ProjectId>,
    pub(crate) members: HashMap<String, MemberId>,
}

/// What came of provisioning keys.
#[derive(Default)]
pub(crate) struct ProvisionedKeys {
    pub(crate) made: Vec<MadeKey>,
    /// Names of declared keys that stay revoked.
    pub(crate) still_revoked: Vec<String>,
}

/// Makes the rows equal to what is declared.
pub(crate) async fn provision(
    change: &mut Change<'_>,
    declared: &[DeclaredApiKey],
    owners: &Owners,
) -> Result<ProvisionedKeys> {
    let organization = change.organization()?;
    let existing = load(&mut change.tx, organization).await?;
    let mut done = ProvisionedKeys::default();
    let mut named = Vec::new();
    for declared in declared {
        let project = project_of(declared, owners)?;
        let same_name =
            |row: &&ApiKeyRow| row.key.project == project && row.key.name == declared.name;
        let live = |row: &&ApiKeyRow| row.key.state != ApiKeyState::Revoked;
        let found = existing.iter().filter(same_name).find(live);
        if found.is_none() && is_revoked(change, declared, existing.iter().filter(same_name)) {
            done.still_revoked.push(described(declared));
            continue;
        }
        if let Some(found) = found {
            named.push(found.key.id);
            if !change.takes_over(found.managed_by) {
                continue;
            }
        }
        let (id, made) = put_declared(change, declared, owners, found).await?;
        done.made.extend(made);
        limits::provision(change, Scope::ApiKey(id), &declared.limits).await?;
    }
    disable_others(change, &existing, &named).await?;
    Ok(done)
}

/// Whether the declared key is one that was revoked: the same name in the same project, and the
/// same secret or none given.
fn is_revoked<'a>(
    change: &Change<'_>,
    declared: &DeclaredApiKey,
    mut same_name: impl Iterator<Item = &'a ApiKeyRow>,
) -> bool {
    let hash = declared
        .secret
        .as_ref()
        .map(|s| change.hasher.hash_secret(s));
    same_name.any(|row| match hash {
        Some(hash) => row.hash == hash,
        None => row.managed_by == change.by,
    })
}

/// Writes one declared key if it differs from the row found; gives its id and the secret if it was
/// made here.
pub(super) async fn put_declared(
    change: &mut Change<'_>,
    declared: &DeclaredApiKey,
    owners: &Owners,
    found: Option<&ApiKeyRow>,
) -> Result<(ApiKeyId, Option<MadeKey>)> {
    let given = declared.secret.clone();
    let made = (given.is_none() && found.is_none()).then(|| api_key::generate(change.entropy));
    let secret = given.as_ref().or(made.as_ref());
    check_length(declared, secret)?;
    let id = found.map_or_else(
        || ApiKeyId::new(change.now, change.entropy),
        |found| found.key.id,
    );
    let (hash, display_prefix) = match (secret, found) {
        (Some(secret), _) => (
            change.hasher.hash_secret(secret),
            api_key::display_prefix(secret.expose()),
        ),
        (None, Some(found)) => (found.hash, found.key.display_prefix.clone()),
        (None, None) => return Err(StoreError::Seal),
    };
    let key = ApiKey {
        id,
        name: declared.name.clone(),
        display_prefix,
        project: project_of(declared, owners)?,
        member: member_of(declared, owners)?,
        state: found.map_or(ApiKeyState::Active, |found| {
            state_when_declared(found.key.state)
        }),
        expires_at: declared.expires_at,
        allowed_routes: declared.allowed_routes.clone(),
        allowed_models: declared.allowed_models.clone(),
    };
    let same = found.is_some_and(|found| {
        found.key == key && found.hash == hash && found.managed_by == change.by
    });
    if !same {
        put(change, &key, hash).await?;
        let action = match found {
            None => "api_key.made",
            Some(found) if found.hash != hash => "api_key.secret_changed",
            Some(_) => "api_key.changed",
        };
        change.record(action, &key.name, id.to_bytes()).await?;
    }
    let made = made.map(|secret| MadeKey {
        id,
        name: key.name,
        project: declared.project.clone(),
        secret,
    });
    Ok((id, made))
}

/// Declaring a key switches it on again; a block stays until an admin clears it (or takes the key
/// out of the file and puts it back).
const fn state_when_declared(state: ApiKeyState) -> ApiKeyState {
    match state {
        ApiKeyState::Active | ApiKeyState::Disabled => ApiKeyState::Active,
        ApiKeyState::Blocked => ApiKeyState::Blocked,
        ApiKeyState::Revoked => ApiKeyState::Revoked,
    }
}

async fn disable_others(
    change: &mut Change<'_>,
    existing: &[ApiKeyRow],
    named: &[ApiKeyId],
) -> Result<()> {
    for row in existing {
        let works = match row.key.state {
            ApiKeyState::Active | ApiKeyState::Blocked => true,
            ApiKeyState::Disabled | ApiKeyState::Revoked => false,
        };
        if row.managed_by != change.by || !works || named.contains(&row.key.id) {
            continue;
        }
        set_state(change, row.key.id, ApiKeyState::Disabled).await?;
        let id = row.key.id.to_bytes();
        change.record("api_key.disabled", &row.key.name, id).await?;
        change.disabled.push(format!("API key `{}`", row.key.name));
    }
    Ok(())
}

fn check_length(declared: &DeclaredApiKey, secret: Option<&Secret>) -> Result<()> {
    let well_formed = secret.is_none_or(|secret| api_key::is_well_formed(secret.expose()));
    if well_formed {
        return Ok(());
    }
    Err(StoreError::Conflict(format!(
        "the secret of API key `{}` is not usable: give {} to {} characters (one that starts with \
         `tgk_` must be a key made by tollgate, whole)",
        declared.name,
        api_key::SECRET_CHARS_MIN,
        api_key::SECRET_CHARS_MAX
    )))
}

pub(super) fn project_of(declared: &DeclaredApiKey, owners: &Owners) -> Result<ProjectId> {
    let project = owners.projects.get(&declared.project).copied();
    project.ok_or_else(|| StoreError::NotFound(format!("no project `{}`", declared.project)))
}

fn member_of(declared: &DeclaredApiKey, owners: &Owners) -> Result<Option<MemberId>> {
    let Some(email) = &declared.member else {
        return Ok(None);
    };
    let member = owners.members.get(email).copied();
    member
        .map(Some)
        .ok_or_else(|| StoreError::NotFound(format!("no member `{email}`")))
}

fn described(declared: &DeclaredApiKey) -> String {
    format!(
        "API key `{}` of project `{}`",
        declared.name, declared.project
    )
}

/// Whether rows with this manager are read-only outside the settings file.
pub(super) const fn is_read_only(managed_by: ManagedBy) -> bool {
    match managed_by {
        ManagedBy::File => true,
        ManagedBy::FirstRun | ManagedBy::Admin => false,
    }
}
