//! Usage records: one wide row per request, written with its first entry, and what is asked of
//! them. Reports leave out what the simulated provider answered.

use crate::{
    error::Result,
    ledger::id_values,
    sql::{Batch, Connection, Value},
};
use std::fmt::Write as _;
use tollgate_core::{
    amount::Amount,
    error::Kind,
    ledger::{Entry, Flags},
    money::NanoUsd,
    record::{RecordFlags, UsageRecord},
    unit::Unit,
    usage::Usage,
};

mod correct;
mod report;
mod request;
#[cfg(test)]
mod tests;

pub(crate) use correct::correct;
pub use report::{Grouping, Spend, SpendQuery};
pub use request::UsageLine;

/// The units that have a column of their own, in its order.
const COLUMN_UNITS: [Unit; 5] = [
    Unit::InputTokens,
    Unit::OutputTokens,
    Unit::CacheReadTokens,
    Unit::CacheWriteTokens,
    Unit::OutputReasoningTokens,
];

/// Writes records. A request that has one already keeps it.
pub(crate) async fn insert(connection: &mut Connection, rows: Vec<Vec<Value>>) -> Result<()> {
    Batch::new("usage")
        .insert(
            connection,
            "INSERT INTO usage (request_id, received_at, first_byte_at, ended_at, organization_id,
                 project_id, member_id, api_key_id, session_id, route, provider, format, operation,
                 model_asked, model_answered, stream, status, error, input_tokens, output_tokens,
                 cache_read_tokens, cache_write_tokens, reasoning_tokens, units, cost,
                 abandoned_cost, provider_cost, held_cost, held_tokens, attempts, flags,
                 price_version, upstream_request_id) VALUES",
            rows,
            "ON CONFLICT (request_id) DO NOTHING",
        )
        .await
}

const COLUMNS: usize = 33;

/// The row of a request that ended.
pub(crate) fn values(record: &UsageRecord) -> Vec<Value> {
    let mut values = Vec::with_capacity(COLUMNS);
    values.extend([
        record.request.to_bytes().into(),
        record.received_at.into(),
        record.first_byte_at.into(),
        record.ended_at.into(),
    ]);
    values.extend(id_values(record.ids));
    values.extend([
        Value::from(&record.route),
        record.provider.as_deref().into(),
        record.format.as_str().into(),
        record.operation.as_str().into(),
        Value::from(&record.model_asked),
        record.model_answered.as_deref().into(),
        record.stream.into(),
        u32::from(record.status).into(),
        record.error.map(Kind::code).into(),
    ]);
    values.extend(COLUMN_UNITS.map(|unit| count(record.usage.get(unit)).into()));
    values.extend([
        units_text(&record.usage).into(),
        record.cost.as_nano().into(),
        record.abandoned_cost.as_nano().into(),
        record.provider_cost.map(NanoUsd::as_nano).into(),
        record.held.cost.as_nano().into(),
        record.held.tokens.into(),
        record.attempts.into(),
        record.flags.bits().into(),
        (&*record.price_version).into(),
        record.upstream_request_id.as_deref().into(),
    ]);
    values
}

/// The row of a request whose process died: what is known is what its slot held.
pub(crate) fn recovered_values(entry: &Entry, held: Amount) -> Vec<Value> {
    let mut values = Vec::with_capacity(COLUMNS);
    values.extend([
        entry.request.to_bytes().into(),
        entry.reserved_at.into(),
        Value::Null,
        entry.booked_at.into(),
    ]);
    values.extend(id_values(entry.ids));
    values.extend([
        "".into(),
        Value::Null,
        "".into(),
        "".into(),
        "".into(),
        Value::Null,
        false.into(),
        0_i64.into(),
        Value::Null,
    ]);
    values.extend(COLUMN_UNITS.map(|_| Value::Integer(0)));
    values.extend([
        "".into(),
        entry.amount.cost.as_nano().into(),
        0_i64.into(),
        Value::Null,
        held.cost.as_nano().into(),
        held.tokens.into(),
        1_i64.into(),
        record_flags(entry.flags).bits().into(),
        "".into(),
        Value::Null,
    ]);
    values
}

/// What the ledger says of a figure, as the record says it.
fn record_flags(flags: Flags) -> RecordFlags {
    let pairs = [
        (Flags::SHORTFALL, RecordFlags::SHORTFALL),
        (Flags::ESTIMATED, RecordFlags::ESTIMATED),
        (Flags::UNSETTLED, RecordFlags::UNSETTLED),
        (Flags::ABANDONED, RecordFlags::ABANDONED),
    ];
    let mut record = RecordFlags::NONE;
    for (flag, as_record) in pairs {
        if flags.contains(flag) {
            record.add(as_record);
        }
    }
    record
}

/// A count as it is stored; no answer reports 2^63 of anything truly.
fn count(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// `web_searches=3,input_audio_tokens=120`: what has no column of its own.
fn units_text(usage: &Usage) -> String {
    let mut text = String::new();
    for (unit, count) in usage
        .iter()
        .filter(|(unit, _)| !COLUMN_UNITS.contains(unit))
    {
        let comma = if text.is_empty() { "" } else { "," };
        let _ = write!(text, "{comma}{}={count}", unit.info().usage_key);
    }
    text
}

/// Reads back what [`units_text`] wrote.
fn read_units(text: &str, usage: &mut Usage) -> Option<()> {
    for part in text.split(',').filter(|part| !part.is_empty()) {
        let (key, count) = part.split_once('=')?;
        usage.set(Unit::from_usage_key(key)?, count.parse().ok()?);
    }
    Some(())
}
