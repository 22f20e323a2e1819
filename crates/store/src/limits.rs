//! Limits: at most one per scope, window and unit.

use crate::{
    change::{Change, ManagedBy},
    error::{Result, StoreError},
    sql::{Connection, Row, query},
};
use tollgate_core::{
    declared::DeclaredLimit,
    id::OrganizationId,
    limit::{Limit, LimitAction, LimitUnit, Scope, WindowKind},
};

const BLOCK: &str = "block";
const ALERT: &str = "alert";

const fn action_word(action: LimitAction) -> &'static str {
    match action {
        LimitAction::Block => BLOCK,
        LimitAction::Alert => ALERT,
    }
}

fn action_from_word(word: &str) -> Option<LimitAction> {
    match word {
        BLOCK => Some(LimitAction::Block),
        ALERT => Some(LimitAction::Alert),
        _ => None,
    }
}

/// Every limit of an organisation, of every scope.
pub(crate) async fn load(
    connection: &mut Connection,
    organization: OrganizationId,
) -> Result<Vec<Limit>> {
    query(
        "spending_limit",
        "SELECT scope_kind, scope_id, window_kind, unit, amount, action
         FROM spending_limit WHERE organization_id = $1",
    )
    .bind(organization.to_bytes())
    .all(connection)
    .await?
    .iter()
    .map(read)
    .collect()
}

fn read(row: &Row) -> Result<Limit> {
    let scope_id = row.array("scope_id")?;
    let amount = row.integer("amount")?;
    if !(0..=Limit::AMOUNT_MAX).contains(&amount) {
        return Err(row.inconsistent("amount"));
    }
    Ok(Limit {
        scope: row.word("scope_kind", |kind| Scope::from_parts(kind, scope_id))?,
        window: row.word("window_kind", WindowKind::from_word)?,
        unit: row.word("unit", LimitUnit::from_word)?,
        amount,
        action: row.word("action", action_from_word)?,
    })
}

/// Makes the limits of one scope equal to what is declared. Limits somebody else put on the same
/// scope stay, unless the declaration names the same window and unit.
pub(crate) async fn provision(
    change: &mut Change<'_>,
    scope: Scope,
    declared: &[DeclaredLimit],
) -> Result<()> {
    let existing = of_scope(&mut change.tx, scope).await?;
    for limit in declared {
        let found = existing
            .iter()
            .find(|(row, _)| row.window == limit.window && row.unit == limit.unit);
        let same = found.is_some_and(|(row, managed_by)| {
            row.amount == limit.amount && row.action == limit.action && *managed_by == change.by
        });
        let foreign = found.is_some_and(|(_, managed_by)| !change.takes_over(*managed_by));
        if !same && !foreign {
            put(change, scope, limit).await?;
        }
    }
    for (limit, managed_by) in existing {
        let named = declared
            .iter()
            .any(|declared| declared.window == limit.window && declared.unit == limit.unit);
        if managed_by == change.by && !named {
            remove(change, &limit).await?;
        }
    }
    Ok(())
}

async fn of_scope(connection: &mut Connection, scope: Scope) -> Result<Vec<(Limit, ManagedBy)>> {
    query(
        "spending_limit",
        "SELECT scope_kind, scope_id, window_kind, unit, amount, action, managed_by
         FROM spending_limit WHERE scope_kind = $1 AND scope_id = $2",
    )
    .bind(scope.kind())
    .bind(scope.id_bytes())
    .all(connection)
    .await?
    .iter()
    .map(|row| Ok((read(row)?, ManagedBy::of(row)?)))
    .collect()
}

async fn put(change: &mut Change<'_>, scope: Scope, limit: &DeclaredLimit) -> Result<()> {
    if !(0..=Limit::AMOUNT_MAX).contains(&limit.amount) {
        return Err(StoreError::OutOfRange("a limit"));
    }
    query(
        "spending_limit",
        "INSERT INTO spending_limit
            (scope_kind, scope_id, window_kind, unit, organization_id, amount, action, managed_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (scope_kind, scope_id, window_kind, unit) DO UPDATE
         SET amount = excluded.amount, action = excluded.action, managed_by = excluded.managed_by",
    )
    .bind(scope.kind())
    .bind(scope.id_bytes())
    .bind(limit.window.as_str())
    .bind(limit.unit.as_str())
    .bind(change.organization()?.to_bytes())
    .bind(limit.amount)
    .bind(action_word(limit.action))
    .bind(change.by.as_str())
    .execute(&mut change.tx)
    .await?;
    let limit = Limit {
        scope,
        window: limit.window,
        unit: limit.unit,
        amount: limit.amount,
        action: limit.action,
    };
    change
        .record("limit.set", &named(&limit), scope.id_bytes())
        .await
}

async fn remove(change: &mut Change<'_>, limit: &Limit) -> Result<()> {
    query(
        "spending_limit",
        "DELETE FROM spending_limit
         WHERE scope_kind = $1 AND scope_id = $2 AND window_kind = $3 AND unit = $4",
    )
    .bind(limit.scope.kind())
    .bind(limit.scope.id_bytes())
    .bind(limit.window.as_str())
    .bind(limit.unit.as_str())
    .execute(&mut change.tx)
    .await?;
    let name = named(limit);
    change
        .record("limit.removed", &name, limit.scope.id_bytes())
        .await
}

/// `key daily $5.00`.
fn named(limit: &Limit) -> String {
    let amount = limit.display_amount();
    format!("{} {} {amount}", limit.scope.kind(), limit.window)
}
