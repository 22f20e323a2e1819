//! Looking requests up.

use super::{COLUMN_UNITS, read_units};
use crate::{
    error::Result,
    ledger::read_ids,
    sql::{Row, query},
    store::Store,
};
use tollgate_core::{
    clock::Timestamp,
    id::{OrganizationId, RequestId},
    money::NanoUsd,
    principal::Ids,
    record::RecordFlags,
    usage::Usage,
};

/// A record as it is kept. Words are texts, so that records of older and newer versions can be
/// read; those of a request whose process died are empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageLine {
    /// The request.
    pub request: RequestId,
    /// Whom it is attributed to.
    pub ids: Ids,
    /// When its first byte was read.
    pub received_at: Timestamp,
    /// When the first byte of the answer went to the client.
    pub first_byte_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Timestamp,
    /// First path segment.
    pub route: String,
    /// Slug of the provider that served, or that was tried last.
    pub provider: Option<String>,
    /// Dialect and body.
    pub format: String,
    /// What was asked.
    pub operation: String,
    /// The model as the client named it.
    pub model_asked: String,
    /// The model that answered.
    pub model_answered: Option<String>,
    /// Whether the answer was streamed.
    pub stream: bool,
    /// The HTTP status the client got.
    pub status: u32,
    /// Code of our own error, if one ended it.
    pub error: Option<String>,
    /// What the answer reported.
    pub usage: Usage,
    /// What was posted.
    pub cost: NanoUsd,
    /// The part of it that stands for attempts that were given up and may have been billed.
    pub abandoned_cost: NanoUsd,
    /// The upstream's own figure.
    pub provider_cost: Option<NanoUsd>,
    /// The most that was held, as money.
    pub held_cost: NanoUsd,
    /// The most that was held, in tokens.
    pub held_tokens: i64,
    /// Attempts made upstream.
    pub attempts: u32,
    /// What is to be known about the figures.
    pub flags: RecordFlags,
    /// Which price data was used.
    pub price_version: String,
    /// The upstream's own id of the request.
    pub upstream_request_id: Option<String>,
}

/// The columns of a line, as they stand in every query that reads one.
macro_rules! select_lines {
    ($rest:literal) => {
        concat!(
            "SELECT request_id, received_at, first_byte_at, ended_at, organization_id, project_id,
                    member_id, api_key_id, session_id, route, provider, format, operation,
                    model_asked, model_answered, stream, status, error, input_tokens,
                    output_tokens, cache_read_tokens, cache_write_tokens, reasoning_tokens, units,
                    cost, abandoned_cost, provider_cost, held_cost, held_tokens, attempts, flags,
                    price_version, upstream_request_id
             FROM usage ",
            $rest
        )
    };
}

impl Store {
    /// The record of one request.
    pub async fn usage_of_request(&self, request: RequestId) -> Result<Option<UsageLine>> {
        let mut tx = self.database.read().await?;
        let row = query("usage", select_lines!("WHERE request_id = $1"))
            .bind(request.to_bytes())
            .optional(&mut tx)
            .await?;
        row.as_ref().map(read).transpose()
    }

    /// The latest `count` records of an organisation, latest first.
    pub async fn latest_usage(
        &self,
        organization: OrganizationId,
        count: u32,
    ) -> Result<Vec<UsageLine>> {
        let mut tx = self.database.read().await?;
        query(
            "usage",
            select_lines!("WHERE organization_id = $1 ORDER BY received_at DESC LIMIT $2"),
        )
        .bind(organization.to_bytes())
        .bind(count)
        .all(&mut tx)
        .await?
        .iter()
        .map(read)
        .collect()
    }
}

fn read(row: &Row) -> Result<UsageLine> {
    let money = |row: &Row, column| row.integer(column).map(NanoUsd::from_nano);
    Ok(UsageLine {
        request: row.id("request_id", RequestId::from_bytes)?,
        ids: read_ids(row)?,
        received_at: row.time("received_at")?,
        first_byte_at: row.nullable("first_byte_at", Row::time)?,
        ended_at: row.time("ended_at")?,
        route: row.text("route")?,
        provider: row.nullable("provider", Row::text)?,
        format: row.text("format")?,
        operation: row.text("operation")?,
        model_asked: row.text("model_asked")?,
        model_answered: row.nullable("model_answered", Row::text)?,
        stream: row.flag("stream")?,
        status: row.small("status")?,
        error: row.nullable("error", Row::text)?,
        usage: read_usage(row)?,
        cost: money(row, "cost")?,
        abandoned_cost: money(row, "abandoned_cost")?,
        provider_cost: row.nullable("provider_cost", money)?,
        held_cost: money(row, "held_cost")?,
        held_tokens: row.integer("held_tokens")?,
        attempts: row.small("attempts")?,
        flags: RecordFlags::from_bits(row.small("flags")?),
        price_version: row.text("price_version")?,
        upstream_request_id: row.nullable("upstream_request_id", Row::text)?,
    })
}

fn read_usage(row: &Row) -> Result<Usage> {
    const COLUMNS: [&str; COLUMN_UNITS.len()] = [
        "input_tokens",
        "output_tokens",
        "cache_read_tokens",
        "cache_write_tokens",
        "reasoning_tokens",
    ];
    let mut usage = Usage::NONE;
    for (unit, column) in COLUMN_UNITS.into_iter().zip(COLUMNS) {
        usage.set(unit, row.count(column)?);
    }
    let text = row.text("units")?;
    read_units(&text, &mut usage).ok_or_else(|| row.inconsistent("units"))?;
    Ok(usage)
}
