//! Entries: the immutable lines of the ledger.

use crate::{
    error::Result,
    sql::{Batch, Connection, Row, Value, query},
    store::Store,
};
use std::collections::HashSet;
use tollgate_core::{
    amount::Amount,
    id::{AgentSessionId, ApiKeyId, MemberId, OrganizationId, ProjectId, RequestId},
    ledger::{Entry, EntryKind, Fact, Flags, Position},
    money::NanoUsd,
    principal::Ids,
};

impl Store {
    /// The latest `count` entries of an organisation, latest first.
    pub async fn latest_entries(
        &self,
        organization: OrganizationId,
        count: u32,
    ) -> Result<Vec<Entry>> {
        let mut tx = self.database.read().await?;
        let rows = query(
            "entry",
            "SELECT position, request_id, kind, n, reserved_at, booked_at, organization_id,
                    project_id, member_id, api_key_id, session_id, cost, requests, tokens, flags
             FROM entry WHERE organization_id = $1 ORDER BY position DESC LIMIT $2",
        )
        .bind(organization.to_bytes())
        .bind(count)
        .all(&mut tx)
        .await?;
        rows.iter().map(|row| Ok(read(row)?.1)).collect()
    }
}

/// The entries there are of the requests that the facts are about.
pub(super) async fn of_requests(
    connection: &mut Connection,
    facts: &[Fact],
) -> Result<Vec<(Position, Entry)>> {
    let requests: HashSet<_> = facts.iter().map(|fact| fact.request).collect();
    let requests = requests.into_iter().map(|id| id.to_bytes().into());
    Batch::new("entry")
        .select_in(
            connection,
            "SELECT position, request_id, kind, n, reserved_at, booked_at, organization_id,
                    project_id, member_id, api_key_id, session_id, cost, requests, tokens, flags
             FROM entry WHERE request_id IN",
            requests.collect(),
        )
        .await?
        .iter()
        .map(read)
        .collect()
}

pub(super) fn read(row: &Row) -> Result<(Position, Entry)> {
    let entry = Entry {
        request: row.id("request_id", RequestId::from_bytes)?,
        kind: row.word("kind", EntryKind::from_word)?,
        n: row.small("n")?,
        reserved_at: row.time("reserved_at")?,
        booked_at: row.time("booked_at")?,
        ids: read_ids(row)?,
        amount: Amount {
            cost: NanoUsd::from_nano(row.integer("cost")?),
            requests: row.integer("requests")?,
            tokens: row.integer("tokens")?,
        },
        flags: Flags::from_bits(
            u8::try_from(row.integer("flags")?).map_err(|_| row.inconsistent("flags"))?,
        ),
    };
    Ok((Position(row.integer("position")?), entry))
}

/// The five id columns that entries and usage records share.
pub(crate) fn read_ids(row: &Row) -> Result<Ids> {
    Ok(Ids {
        organization: row.id("organization_id", OrganizationId::from_bytes)?,
        project: row.id("project_id", ProjectId::from_bytes)?,
        member: row.nullable("member_id", |row, column| {
            row.id(column, MemberId::from_bytes)
        })?,
        api_key: row.nullable("api_key_id", |row, column| {
            row.id(column, ApiKeyId::from_bytes)
        })?,
        session: row.nullable("session_id", |row, column| {
            row.id(column, AgentSessionId::from_bytes)
        })?,
    })
}

/// The values of those columns.
pub(crate) fn id_values(ids: Ids) -> [Value; 5] {
    [
        ids.organization.to_bytes().into(),
        ids.project.to_bytes().into(),
        ids.member.map(MemberId::to_bytes).into(),
        ids.api_key.map(ApiKeyId::to_bytes).into(),
        ids.session.map(AgentSessionId::to_bytes).into(),
    ]
}

/// Writes entries at their places.
pub(super) async fn insert(
    connection: &mut Connection,
    entries: &[(Position, Entry)],
) -> Result<()> {
    let rows = entries
        .iter()
        .map(|(position, entry)| values(*position, entry));
    Batch::new("entry")
        .insert(
            connection,
            "INSERT INTO entry (position, request_id, kind, n, reserved_at, booked_at,
                 organization_id, project_id, member_id, api_key_id, session_id, cost, requests,
                 tokens, flags) VALUES",
            rows.collect(),
            "",
        )
        .await
}

fn values(position: Position, entry: &Entry) -> Vec<Value> {
    let mut values = Vec::with_capacity(15);
    values.extend([
        position.0.into(),
        entry.request.to_bytes().into(),
        entry.kind.as_str().into(),
        entry.n.into(),
        entry.reserved_at.into(),
        entry.booked_at.into(),
    ]);
    values.extend(id_values(entry.ids));
    values.extend([
        entry.amount.cost.as_nano().into(),
        entry.amount.requests.into(),
        entry.amount.tokens.into(),
        u32::from(entry.flags.bits()).into(),
    ]);
    values
}
