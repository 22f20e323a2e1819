//! Sums: who spent what, when.

use crate::{
    error::Result,
    sql::{Query, Row, query},
    store::Store,
};
use tollgate_core::{
    clock::Timestamp,
    id::{ApiKeyId, MemberId, OrganizationId, ProjectId},
    money::NanoUsd,
    record::RecordFlags,
};

/// By what requests are summed up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grouping {
    /// By project slug.
    Project,
    /// By the member's e-mail address.
    Member,
    /// By API key name, with its project (`support-bot / Quick Start`).
    ApiKey,
    /// By the model that answered, else the one asked for.
    Model,
    /// By provider slug.
    Provider,
    /// By calendar day in UTC.
    Day,
}

/// Which requests to sum up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpendQuery {
    /// Of which organisation.
    pub organization: OrganizationId,
    /// Received at or after.
    pub since: Timestamp,
    /// Received before.
    pub until: Timestamp,
    /// Only of this project.
    pub project: Option<ProjectId>,
    /// Only of this member.
    pub member: Option<MemberId>,
    /// Only of this key.
    pub api_key: Option<ApiKeyId>,
    /// By what.
    pub by: Grouping,
}

/// One line of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spend {
    /// What it is summed up by; empty for requests that have no such thing.
    pub name: String,
    /// What was posted.
    pub cost: NanoUsd,
    /// The part of it that stands for attempts that were given up and may have been billed.
    pub abandoned_cost: NanoUsd,
    /// Requests.
    pub requests: u64,
    /// Input tokens, cached ones included.
    pub input_tokens: u64,
    /// Output tokens.
    pub output_tokens: u64,
    /// Requests whose cost is an estimate, or the hold of a process that died.
    pub uncertain: u64,
}

/// The text of a report: what names a group, what makes one, what is joined for that, the order.
macro_rules! report {
    ($name:literal, $group:literal, $joined:literal, $order:literal) => {
        concat!(
            "SELECT ",
            $name,
            " AS name, SUM(cost) AS cost, SUM(abandoned_cost) AS abandoned_cost,
                COUNT(*) AS requests, SUM(input_tokens) AS input_tokens,
                SUM(output_tokens) AS output_tokens,
                SUM(CASE WHEN usage.flags & $8 <> 0 THEN 1 ELSE 0 END) AS uncertain
             FROM usage ",
            $joined,
            " WHERE usage.organization_id = $1 AND received_at >= $2 AND received_at < $3
                AND ($4 IS NULL OR usage.project_id = $4)
                AND ($5 IS NULL OR usage.member_id = $5)
                AND ($6 IS NULL OR usage.api_key_id = $6)
                AND usage.flags & $7 = 0
             GROUP BY ",
            $group,
            " ORDER BY ",
            $order
        )
    };
}

const BY_PROJECT: &str = report!(
    "project.slug",
    "usage.project_id, project.slug",
    "LEFT JOIN project ON project.id = usage.project_id",
    "SUM(cost) DESC, project.slug"
);
const BY_MEMBER: &str = report!(
    "member.email",
    "usage.member_id, member.email",
    "LEFT JOIN member ON member.id = usage.member_id",
    "SUM(cost) DESC, member.email"
);
const BY_API_KEY: &str = report!(
    "project.slug || ' / ' || api_key.name",
    "usage.api_key_id, project.slug, api_key.name",
    "LEFT JOIN api_key ON api_key.id = usage.api_key_id
     LEFT JOIN project ON project.id = api_key.project_id",
    "SUM(cost) DESC, usage.api_key_id"
);
const BY_MODEL: &str = report!(
    "COALESCE(model_answered, model_asked)",
    "COALESCE(model_answered, model_asked)",
    "",
    "SUM(cost) DESC, COALESCE(model_answered, model_asked)"
);
const BY_PROVIDER: &str = report!("provider", "provider", "", "SUM(cost) DESC, provider");
/// By the number of the day since 1970.
const BY_DAY: &str = report!(
    "received_at / 86400000000",
    "received_at / 86400000000",
    "",
    "received_at / 86400000000"
);

impl Store {
    /// Sums up requests. Those answered by the simulated provider are left out.
    pub async fn spend(&self, asked: &SpendQuery) -> Result<Vec<Spend>> {
        let sql = match asked.by {
            Grouping::Project => BY_PROJECT,
            Grouping::Member => BY_MEMBER,
            Grouping::ApiKey => BY_API_KEY,
            Grouping::Model => BY_MODEL,
            Grouping::Provider => BY_PROVIDER,
            Grouping::Day => BY_DAY,
        };
        let mut tx = self.database.read().await?;
        bind(query("usage", sql), asked)
            .all(&mut tx)
            .await?
            .iter()
            .map(|row| read(row, asked.by))
            .collect()
    }
}

fn bind(query: Query, asked: &SpendQuery) -> Query {
    let mut uncertain = RecordFlags::ESTIMATED;
    uncertain.add(RecordFlags::UNSETTLED);
    query
        .bind(asked.organization.to_bytes())
        .bind(asked.since)
        .bind(asked.until)
        .bind(asked.project.map(ProjectId::to_bytes))
        .bind(asked.member.map(MemberId::to_bytes))
        .bind(asked.api_key.map(ApiKeyId::to_bytes))
        .bind(RecordFlags::SIMULATED.bits())
        .bind(uncertain.bits())
}

fn read(row: &Row, by: Grouping) -> Result<Spend> {
    let name = match by {
        Grouping::Day => day(row)?,
        Grouping::Project
        | Grouping::Member
        | Grouping::ApiKey
        | Grouping::Model
        | Grouping::Provider => row.nullable("name", Row::text)?.unwrap_or_default(),
    };
    Ok(Spend {
        name,
        cost: NanoUsd::from_nano(row.integer("cost")?),
        abandoned_cost: NanoUsd::from_nano(row.integer("abandoned_cost")?),
        requests: row.count("requests")?,
        input_tokens: row.count("input_tokens")?,
        output_tokens: row.count("output_tokens")?,
        uncertain: row.count("uncertain")?,
    })
}

fn day(row: &Row) -> Result<String> {
    let number = row.integer("name")?;
    let seconds = number.saturating_mul(86_400);
    let start = Timestamp::from_second(seconds).map_err(|_| row.inconsistent("name"))?;
    Ok(start.to_zoned(jiff::tz::TimeZone::UTC).date().to_string())
}
