//! Organisations. A settings file declares the deployment's first one.

use crate::{
    change::{Change, ManagedBy},
    error::Result,
    limits,
    sql::{Connection, Row, query},
};
use tollgate_core::{
    declared::DeclaredOrganization, id::OrganizationId, limit::Scope, organization::Organization,
};

/// Name of an organisation nobody named.
const DEFAULT_NAME: &str = "Default";

/// Every organisation, oldest first.
pub(crate) async fn load(connection: &mut Connection) -> Result<Vec<Organization>> {
    query(
        "organization",
        "SELECT id, name, time_zone FROM organization ORDER BY id",
    )
    .all(connection)
    .await?
    .iter()
    .map(read)
    .collect()
}

fn read(row: &Row) -> Result<Organization> {
    Ok(Organization {
        id: row.id("id", OrganizationId::from_bytes)?,
        name: row.text("name")?,
        time_zone: row.word("time_zone", |name| jiff::tz::TimeZone::get(name).ok())?,
    })
}

/// Makes the first organisation equal to what is declared; makes one when there is none.
pub(crate) async fn provision(
    change: &mut Change<'_>,
    declared: Option<&DeclaredOrganization>,
) -> Result<()> {
    let existing = query(
        "organization",
        "SELECT id, name, time_zone, managed_by FROM organization ORDER BY id LIMIT 1",
    )
    .optional(&mut change.tx)
    .await?;
    match (existing, declared) {
        (None, _) => insert(change, declared).await?,
        (Some(row), Some(declared)) if change.takes_over(ManagedBy::of(&row)?) => {
            update(change, &row, declared).await?;
        }
        (Some(_), _) => return Ok(()),
    }
    if let Some(declared) = declared {
        let scope = Scope::Organization(change.organization()?);
        limits::provision(change, scope, &declared.limits).await?;
    }
    Ok(())
}

async fn insert(change: &mut Change<'_>, declared: Option<&DeclaredOrganization>) -> Result<()> {
    let id = OrganizationId::new(change.now, change.entropy);
    let name = declared.map_or(DEFAULT_NAME, |declared| &declared.name);
    query(
        "organization",
        "INSERT INTO organization (id, name, time_zone, managed_by, created_at)
         VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(id.to_bytes())
    .bind(name)
    .bind(declared.map_or("UTC", |declared| &declared.time_zone))
    .bind(change.by.as_str())
    .bind(change.now)
    .execute(&mut change.tx)
    .await?;
    change.set_organization(id);
    change
        .record("organization.made", name, id.to_bytes())
        .await
}

async fn update(change: &mut Change<'_>, row: &Row, declared: &DeclaredOrganization) -> Result<()> {
    let same = row.text("name")? == declared.name
        && row.text("time_zone")? == declared.time_zone
        && ManagedBy::of(row)? == change.by;
    if same {
        return Ok(());
    }
    let id: [u8; 16] = row.array("id")?;
    query(
        "organization",
        "UPDATE organization SET name = $1, time_zone = $2, managed_by = $3 WHERE id = $4",
    )
    .bind(&declared.name)
    .bind(&declared.time_zone)
    .bind(change.by.as_str())
    .bind(id)
    .execute(&mut change.tx)
    .await?;
    change
        .record("organization.changed", &declared.name, id)
        .await
}
