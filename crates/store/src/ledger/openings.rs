//! Opening accounts: the first time a limit is used in a window, and whenever its cap or its
//! period changed.

use super::{accounts, last_position};
use crate::{
    database::Transaction,
    error::Result,
    sql::{Connection, query},
    store::Store,
};
use tollgate_core::{
    ledger::{AccountRow, Opening, Position},
    limit::{LimitUnit, Scope},
};

/// Accounts as they were read.
#[derive(Debug)]
pub struct OpenedAccounts {
    /// In the order they were asked for.
    pub rows: Vec<AccountRow>,
    /// How much of the journal is in them.
    pub as_of: Position,
}

impl Store {
    /// Reads these accounts, making those that are missing. An account starts with the sum of the
    /// entries reserved in its period, so a limit made in mid-window counts what was spent before.
    pub async fn open_accounts(&self, openings: &[Opening]) -> Result<OpenedAccounts> {
        let mut tx = self.database.write().await?;
        let mut rows = Vec::with_capacity(openings.len());
        for opening in openings {
            rows.push(open(&mut tx, opening).await?);
        }
        let as_of = last_position(&mut tx).await?;
        tx.commit().await?;
        Ok(OpenedAccounts { rows, as_of })
    }
}

async fn open(tx: &mut Transaction, opening: &Opening) -> Result<AccountRow> {
    let standing = find(tx, opening).await?;
    let posted = match standing {
        Some(row) if row.period == opening.period => row.posted,
        Some(_) | None => sum(tx, opening).await?,
    };
    let wanted = AccountRow {
        key: opening.key,
        period: opening.period,
        cap: opening.cap,
        posted,
    };
    if standing != Some(wanted) {
        accounts::put(tx, std::iter::once(&wanted)).await?;
    }
    Ok(wanted)
}

async fn find(connection: &mut Connection, opening: &Opening) -> Result<Option<AccountRow>> {
    let key = opening.key;
    let row = query(
        "account",
        "SELECT scope_kind, scope_id, unit, window_kind, window_start, opens_at, closes_at, cap,
                posted
         FROM account
         WHERE scope_id = $1 AND unit = $2 AND window_kind = $3 AND window_start = $4",
    )
    .bind(key.scope.id_bytes())
    .bind(key.unit.as_str())
    .bind(key.window.kind().as_str())
    .bind(key.window.start_text())
    .optional(connection)
    .await?;
    row.as_ref().map(accounts::read).transpose()
}

/// Σ entries of the scope and unit reserved in the period.
async fn sum(connection: &mut Connection, opening: &Opening) -> Result<i64> {
    let sum = match opening.key.unit {
        LimitUnit::Cost => "SELECT COALESCE(SUM(cost), 0) AS posted",
        LimitUnit::Requests => "SELECT COALESCE(SUM(requests), 0) AS posted",
        LimitUnit::Tokens => "SELECT COALESCE(SUM(tokens), 0) AS posted",
    };
    let scope = match opening.key.scope {
        Scope::Organization(_) => "organization_id = $1",
        Scope::Project(_) => "project_id = $1",
        Scope::Member(_) => "member_id = $1",
        Scope::ApiKey(_) => "api_key_id = $1",
        Scope::AgentSession(_) => "session_id = $1",
    };
    crate::sql::built_query(
        "entry",
        format!(
            "{sum} FROM entry
             WHERE {scope} AND reserved_at >= $2 AND reserved_at < $3 AND kind <> 'credit'"
        ),
    )
    .bind(opening.key.scope.id_bytes())
    .bind(opening.period.opens_at)
    .bind(opening.period.closes_at)
    .one(connection)
    .await?
    .integer("posted")
}
