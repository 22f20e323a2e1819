//! Accounts: what one limit counts in one window. `posted` is the sum of the entries that the
//! account covers, kept beside them in the same transactions.

use crate::{
    error::Result,
    sql::{Batch, Connection, Row, Value},
};
use std::collections::HashSet;
use tollgate_core::{
    ledger::{AccountKey, AccountRow, Entry, Fact, Period, Position, Window},
    limit::{LimitUnit, Scope, WindowKind},
};

/// Every account that covers one of the facts (or, for a correction of an earlier entry, that
/// entry), and perhaps others of the same scopes.
pub(super) async fn covering(
    connection: &mut Connection,
    facts: &[Fact],
    standing: &[(Position, Entry)],
) -> Result<Vec<AccountRow>> {
    let of_facts = facts.iter().map(|fact| (fact.ids, fact.reserved_at));
    let of_entries = standing
        .iter()
        .map(|(_, entry)| (entry.ids, entry.reserved_at));
    let used: Vec<_> = of_facts.chain(of_entries).collect();
    let Some(earliest) = used.iter().map(|(_, at)| *at).min() else {
        return Ok(Vec::new());
    };
    let scopes: HashSet<_> = used.iter().flat_map(|(ids, _)| ids.scopes()).collect();
    let scopes = scopes.into_iter().map(|scope| scope.id_bytes().into());
    Batch::new("account")
        .given(earliest)
        .select_in(
            connection,
            "SELECT scope_kind, scope_id, unit, window_kind, window_start, opens_at, closes_at,
                    cap, posted
             FROM account WHERE closes_at > ? AND scope_id IN",
            scopes.collect(),
        )
        .await?
        .iter()
        .map(read)
        .collect()
}

pub(super) fn read(row: &Row) -> Result<AccountRow> {
    let scope_id = row.array("scope_id")?;
    let kind = row.word("window_kind", WindowKind::from_word)?;
    let window = row.word("window_start", |start| Window::from_parts(kind, start))?;
    let period = match window {
        // The ends of time do not survive being rounded to microseconds.
        Window::Total => Period::ALWAYS,
        Window::Day(_) | Window::Week(_) | Window::Month(_) => Period {
            opens_at: row.time("opens_at")?,
            closes_at: row.time("closes_at")?,
        },
    };
    Ok(AccountRow {
        key: AccountKey {
            scope: row.word("scope_kind", |kind| Scope::from_parts(kind, scope_id))?,
            unit: row.word("unit", LimitUnit::from_word)?,
            window,
        },
        period,
        cap: row.nullable("cap", Row::integer)?,
        posted: row.integer("posted")?,
    })
}

/// Writes accounts whole.
pub(super) async fn put(
    connection: &mut Connection,
    accounts: impl Iterator<Item = &AccountRow>,
) -> Result<()> {
    Batch::new("account")
        .insert(
            connection,
            "INSERT INTO account (scope_kind, scope_id, unit, window_kind, window_start, opens_at,
                 closes_at, cap, posted) VALUES",
            accounts.map(values).collect(),
            "ON CONFLICT (scope_id, unit, window_kind, window_start) DO UPDATE SET
                 opens_at = excluded.opens_at, closes_at = excluded.closes_at,
                 cap = excluded.cap, posted = excluded.posted",
        )
        .await
}

fn values(account: &AccountRow) -> Vec<Value> {
    let AccountKey {
        scope,
        unit,
        window,
    } = account.key;
    vec![
        scope.kind().into(),
        scope.id_bytes().into(),
        unit.as_str().into(),
        window.kind().as_str().into(),
        window.start_text().into(),
        account.period.opens_at.into(),
        account.period.closes_at.into(),
        account.cap.into(),
        account.posted.into(),
    ]
}
