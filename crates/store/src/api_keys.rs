//! API keys as stored: everything but the secret, found by its keyed hash.

use crate::{
    change::{Change, ManagedBy},
    error::{Result, StoreError},
    sql::{Connection, Row, json_text, query},
};
use tollgate_core::{
    api_key::{ApiKey, ApiKeyState, KeyHash},
    clock::Timestamp,
    id::{ApiKeyId, MemberId, OrganizationId, ProjectId},
};

mod admin;
mod declared;
#[cfg(test)]
mod tests;

pub use admin::ApiKeyListing;
pub use declared::MadeKey;
pub(crate) use declared::{Owners, ProvisionedKeys, provision};

/// A key as stored.
#[derive(Clone)]
pub(crate) struct ApiKeyRow {
    pub(crate) key: ApiKey,
    pub(crate) hash: KeyHash,
    pub(crate) managed_by: ManagedBy,
    pub(crate) created_at: Timestamp,
}

/// Every key of an organisation, revoked ones included, oldest first.
pub(crate) async fn load(
    connection: &mut Connection,
    organization: OrganizationId,
) -> Result<Vec<ApiKeyRow>> {
    query(
        "api_key",
        "SELECT id, project_id, member_id, name, display_prefix, hash, state, expires_at,
                allowed_routes, allowed_models, managed_by, created_at
         FROM api_key WHERE organization_id = $1 ORDER BY id",
    )
    .bind(organization.to_bytes())
    .all(connection)
    .await?
    .iter()
    .map(read)
    .collect()
}

/// The key with this id, of whichever organisation.
async fn find(connection: &mut Connection, id: ApiKeyId) -> Result<Option<ApiKeyRow>> {
    let row = query(
        "api_key",
        "SELECT id, project_id, member_id, name, display_prefix, hash, state, expires_at,
                allowed_routes, allowed_models, managed_by, created_at
         FROM api_key WHERE id = $1",
    )
    .bind(id.to_bytes())
    .optional(connection)
    .await?;
    row.as_ref().map(read).transpose()
}

fn read(row: &Row) -> Result<ApiKeyRow> {
    Ok(ApiKeyRow {
        key: ApiKey {
            id: row.id("id", ApiKeyId::from_bytes)?,
            name: row.text("name")?,
            display_prefix: row.text("display_prefix")?,
            project: row.id("project_id", ProjectId::from_bytes)?,
            member: row.nullable("member_id", |row, column| {
                row.id(column, MemberId::from_bytes)
            })?,
            state: row.word("state", ApiKeyState::from_word)?,
            expires_at: row.nullable("expires_at", Row::time)?,
            allowed_routes: row.json("allowed_routes")?,
            allowed_models: row.json("allowed_models")?,
        },
        hash: KeyHash(row.array("hash")?),
        managed_by: ManagedBy::of(row)?,
        created_at: row.time("created_at")?,
    })
}

/// Writes a key whole; one with the same id is replaced.
async fn put(change: &mut Change<'_>, key: &ApiKey, hash: KeyHash) -> Result<()> {
    let written = query(
        "api_key",
        "INSERT INTO api_key
            (id, organization_id, project_id, member_id, name, display_prefix, hash, state,
             expires_at, allowed_routes, allowed_models, managed_by, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
         ON CONFLICT (id) DO UPDATE SET
             member_id = excluded.member_id, display_prefix = excluded.display_prefix,
             hash = excluded.hash, state = excluded.state, expires_at = excluded.expires_at,
             allowed_routes = excluded.allowed_routes, allowed_models = excluded.allowed_models,
             managed_by = excluded.managed_by",
    )
    .bind(key.id.to_bytes())
    .bind(change.organization()?.to_bytes())
    .bind(key.project.to_bytes())
    .bind(key.member.map(MemberId::to_bytes))
    .bind(&key.name)
    .bind(&key.display_prefix)
    .bind(hash.0)
    .bind(key.state.as_str())
    .bind(key.expires_at)
    .bind(json_text(&key.allowed_routes)?)
    .bind(json_text(&key.allowed_models)?)
    .bind(change.by.as_str())
    .bind(change.now)
    .execute(&mut change.tx)
    .await;
    match written {
        Err(StoreError::Database { source, .. }) if is_duplicate(&source) => {
            Err(StoreError::Conflict(format!(
                "the secret of API key `{}` belongs to another key, perhaps a revoked one: give \
                 each key its own",
                key.name
            )))
        }
        written => written.map(drop),
    }
}

fn is_duplicate(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}

async fn set_state(change: &mut Change<'_>, id: ApiKeyId, state: ApiKeyState) -> Result<()> {
    query("api_key", "UPDATE api_key SET state = $1 WHERE id = $2")
        .bind(state.as_str())
        .bind(id.to_bytes())
        .execute(&mut change.tx)
        .await?;
    Ok(())
}
