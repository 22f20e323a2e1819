//! Routing groups and their targets.

use crate::{
    change::{Change, Standing},
    error::{Result, StoreError},
    sql::{Connection, Row, json_text, query, whole_milliseconds},
};
use std::collections::HashMap;
use tollgate_core::{
    declared::{DeclaredGroup, DeclaredTarget},
    id::{OrganizationId, ProviderId, RoutingGroupId},
    route::{RoutingGroup, Target},
};

/// A routing group as stored.
pub(crate) struct GroupRow {
    pub(crate) group: RoutingGroup,
    pub(crate) standing: Standing,
}

/// Every routing group of an organisation, disabled ones included.
pub(crate) async fn load(
    connection: &mut Connection,
    organization: OrganizationId,
) -> Result<Vec<GroupRow>> {
    let mut targets = load_targets(connection, organization).await?;
    query(
        "routing_group",
        "SELECT id, slug, time_budget_ms, managed_by, disabled_at
         FROM routing_group WHERE organization_id = $1",
    )
    .bind(organization.to_bytes())
    .all(connection)
    .await?
    .iter()
    .map(|row| {
        let id = row.id("id", RoutingGroupId::from_bytes)?;
        Ok(GroupRow {
            group: RoutingGroup {
                id,
                slug: row.text("slug")?,
                targets: targets.remove(&id).unwrap_or_default(),
                time_budget: row.nullable("time_budget_ms", Row::milliseconds)?,
            },
            standing: Standing::of(row)?,
        })
    })
    .collect()
}

async fn load_targets(
    connection: &mut Connection,
    organization: OrganizationId,
) -> Result<HashMap<RoutingGroupId, Vec<Target>>> {
    let rows = query(
        "routing_target",
        "SELECT group_id, provider_id, priority, weight, models
         FROM routing_target JOIN routing_group ON routing_group.id = group_id
         WHERE organization_id = $1 ORDER BY group_id, position",
    )
    .bind(organization.to_bytes())
    .all(connection)
    .await?;
    let mut targets: HashMap<_, Vec<_>> = HashMap::new();
    for row in &rows {
        let group = row.id("group_id", RoutingGroupId::from_bytes)?;
        targets.entry(group).or_default().push(read_target(row)?);
    }
    Ok(targets)
}

fn read_target(row: &Row) -> Result<Target> {
    Ok(Target {
        provider: row.id("provider_id", ProviderId::from_bytes)?,
        priority: row.small("priority")?,
        weight: row.small("weight")?,
        models: row.json("models")?,
    })
}

/// Makes the rows equal to what is declared. `providers` are the ids of the declared slugs.
pub(crate) async fn provision(
    change: &mut Change<'_>,
    declared: &[DeclaredGroup],
    providers: &HashMap<String, ProviderId>,
) -> Result<()> {
    let organization = change.organization()?;
    let existing = load(&mut change.tx, organization).await?;
    for declared in declared {
        let found = existing.iter().find(|row| row.group.slug == declared.slug);
        let id = found.map_or_else(
            || RoutingGroupId::new(change.now, change.entropy),
            |found| found.group.id,
        );
        let wanted = group(id, declared, providers)?;
        match found {
            Some(found) if !change.takes_over(found.standing.managed_by) => {}
            Some(found) if stands_as(found, &wanted, change) => {}
            Some(_) => put(change, &wanted, "routing_group.changed").await?,
            None => put(change, &wanted, "routing_group.made").await?,
        }
    }
    let rows = existing
        .into_iter()
        .map(|row| (row.group.id.to_bytes(), row.group.slug, row.standing));
    let names = declared.iter().map(|group| &*group.slug).collect();
    change
        .disable_undeclared("routing_group", rows, &names)
        .await
}

fn stands_as(found: &GroupRow, wanted: &RoutingGroup, change: &Change<'_>) -> bool {
    found.group == *wanted && found.standing.managed_by == change.by && !found.standing.disabled
}

fn group(
    id: RoutingGroupId,
    declared: &DeclaredGroup,
    providers: &HashMap<String, ProviderId>,
) -> Result<RoutingGroup> {
    let targets = declared.targets.iter();
    let targets = targets.map(|declared| target(declared, providers));
    Ok(RoutingGroup {
        id,
        slug: declared.slug.clone(),
        targets: targets.collect::<Result<_>>()?,
        time_budget: declared.time_budget.map(whole_milliseconds),
    })
}

fn target(declared: &DeclaredTarget, providers: &HashMap<String, ProviderId>) -> Result<Target> {
    let provider = providers.get(&declared.provider).copied();
    Ok(Target {
        provider: provider.ok_or_else(|| {
            StoreError::NotFound(format!("no provider `{}` is declared", declared.provider))
        })?,
        priority: declared.priority,
        weight: declared.weight,
        models: declared.models.clone(),
    })
}

async fn put(change: &mut Change<'_>, group: &RoutingGroup, action: &'static str) -> Result<()> {
    let id = group.id.to_bytes();
    query(
        "routing_group",
        "INSERT INTO routing_group
            (id, organization_id, slug, time_budget_ms, managed_by, created_at)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (id) DO UPDATE SET
             time_budget_ms = excluded.time_budget_ms, managed_by = excluded.managed_by,
             disabled_at = NULL",
    )
    .bind(id)
    .bind(change.organization()?.to_bytes())
    .bind(&group.slug)
    .bind(group.time_budget)
    .bind(change.by.as_str())
    .bind(change.now)
    .execute(&mut change.tx)
    .await?;
    query(
        "routing_target",
        "DELETE FROM routing_target WHERE group_id = $1",
    )
    .bind(id)
    .execute(&mut change.tx)
    .await?;
    for (position, target) in (0_i64..).zip(&group.targets) {
        query(
            "routing_target",
            "INSERT INTO routing_target
                (group_id, position, provider_id, priority, weight, models)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(id)
        .bind(position)
        .bind(target.provider.to_bytes())
        .bind(target.priority)
        .bind(target.weight)
        .bind(json_text(&target.models)?)
        .execute(&mut change.tx)
        .await?;
    }
    change.record(action, &group.slug, id).await
}
