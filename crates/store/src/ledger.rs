//! Posting: facts become entries, and entries move accounts, in the transaction of the caller.
//!
//! What a fact becomes is decided by the pure [`authority`]; this file only loads the rows it needs
//! under the write lock and writes back what it changed. Facts are never refused and posted once,
//! however often they are said.

use crate::{database::Transaction, error::Result, sql::query};
use std::collections::HashMap;
use tollgate_core::{
    clock::Timestamp,
    id::RequestId,
    ledger::{
        Entry, Fact, Position,
        authority::{self, Rows, Sync},
    },
};

mod accounts;
mod entries;
mod openings;
#[cfg(test)]
pub(crate) mod tests;

pub(crate) use entries::{id_values, read_ids};
pub use openings::OpenedAccounts;

/// What was posted.
#[derive(Debug)]
pub(crate) struct Posted {
    /// New entries with their places, in the order of the facts.
    pub(crate) entries: Vec<(Position, Entry)>,
    /// Where the latest entry of each request now stands.
    pub(crate) positions: HashMap<RequestId, Position>,
}

/// Posts facts. Give all facts of a batch at once: each statement serves many.
pub(crate) async fn post(
    tx: &mut Transaction,
    facts: Vec<Fact>,
    booked_at: Timestamp,
) -> Result<Posted> {
    let standing = entries::of_requests(tx, &facts).await?;
    let mut positions = HashMap::new();
    for (position, entry) in &standing {
        let latest = positions.entry(entry.request).or_insert(*position);
        *latest = (*latest).max(*position);
    }
    let rows = Rows {
        accounts: accounts::covering(tx, &facts, &standing).await?,
        entries: standing.into_iter().map(|(_, entry)| entry).collect(),
    };
    let before = rows.accounts.clone();
    let sync = Sync { booked_at, facts };
    let (rows, reply) = authority::apply(rows, &sync);
    let last = last_position(tx).await?;
    let entries: Vec<_> = (last.0 + 1..).map(Position).zip(reply.entries).collect();
    entries::insert(tx, &entries).await?;
    let moved = rows
        .accounts
        .iter()
        .zip(&before)
        .filter(|(after, before)| after.posted != before.posted);
    accounts::put(tx, moved.map(|(after, _)| after)).await?;
    positions.extend(
        entries
            .iter()
            .map(|(position, entry)| (entry.request, *position)),
    );
    Ok(Posted { entries, positions })
}

/// The end of the journal.
pub(crate) async fn last_position(tx: &mut Transaction) -> Result<Position> {
    query(
        "entry",
        "SELECT COALESCE(MAX(position), 0) AS position FROM entry",
    )
    .one(tx)
    .await?
    .integer("position")
    .map(Position)
}
