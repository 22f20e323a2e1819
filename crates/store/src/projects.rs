//! Projects.

use crate::{
    change::{Change, Standing},
    error::Result,
    limits,
    sql::{Connection, Row, query},
};
use std::collections::HashMap;
use tollgate_core::{
    declared::DeclaredProject,
    id::{OrganizationId, ProjectId},
    limit::Scope,
    project::Project,
};

/// A project as stored.
pub(crate) struct ProjectRow {
    pub(crate) project: Project,
    pub(crate) standing: Standing,
}

/// Every project of an organisation, disabled ones included.
pub(crate) async fn load(
    connection: &mut Connection,
    organization: OrganizationId,
) -> Result<Vec<ProjectRow>> {
    query(
        "project",
        "SELECT id, slug, managed_by, disabled_at FROM project WHERE organization_id = $1",
    )
    .bind(organization.to_bytes())
    .all(connection)
    .await?
    .iter()
    .map(read)
    .collect()
}

fn read(row: &Row) -> Result<ProjectRow> {
    Ok(ProjectRow {
        project: Project {
            id: row.id("id", ProjectId::from_bytes)?,
            slug: row.text("slug")?,
        },
        standing: Standing::of(row)?,
    })
}

/// Makes the rows equal to what is declared; gives the id of each declared slug.
pub(crate) async fn provision(
    change: &mut Change<'_>,
    declared: &[DeclaredProject],
) -> Result<HashMap<String, ProjectId>> {
    let organization = change.organization()?;
    let existing = load(&mut change.tx, organization).await?;
    let mut ids = HashMap::new();
    for project in declared {
        let found = existing.iter().find(|row| row.project.slug == project.slug);
        let id = match found {
            None => insert(change, &project.slug).await?,
            Some(found) => {
                ids.insert(project.slug.clone(), found.project.id);
                if !change.takes_over(found.standing.managed_by) {
                    continue;
                }
                claim(change, found).await?;
                found.project.id
            }
        };
        ids.insert(project.slug.clone(), id);
        limits::provision(change, Scope::Project(id), &project.limits).await?;
    }
    let rows = existing
        .into_iter()
        .map(|row| (row.project.id.to_bytes(), row.project.slug, row.standing));
    let names = declared.iter().map(|project| &*project.slug).collect();
    change.disable_undeclared("project", rows, &names).await?;
    Ok(ids)
}

async fn insert(change: &mut Change<'_>, slug: &str) -> Result<ProjectId> {
    let id = ProjectId::new(change.now, change.entropy);
    query(
        "project",
        "INSERT INTO project (id, organization_id, slug, managed_by, created_at)
         VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(id.to_bytes())
    .bind(change.organization()?.to_bytes())
    .bind(slug)
    .bind(change.by.as_str())
    .bind(change.now)
    .execute(&mut change.tx)
    .await?;
    change.record("project.made", slug, id.to_bytes()).await?;
    Ok(id)
}

async fn claim(change: &mut Change<'_>, found: &ProjectRow) -> Result<()> {
    if found.standing.managed_by == change.by && !found.standing.disabled {
        return Ok(());
    }
    let id = found.project.id.to_bytes();
    query(
        "project",
        "UPDATE project SET managed_by = $1, disabled_at = NULL WHERE id = $2",
    )
    .bind(change.by.as_str())
    .bind(id)
    .execute(&mut change.tx)
    .await?;
    change
        .record("project.changed", &found.project.slug, id)
        .await
}
