//! Records of work whose bill came after its answer: the estimate gives way to the truth.

use super::{COLUMN_UNITS, count, record_flags, units_text};
use crate::{
    error::Result,
    objects::Truth,
    sql::{Connection, query},
};
use tollgate_core::{
    clock::Timestamp, id::RequestId, money::NanoUsd, record::RecordFlags, unit::Unit,
};

/// Puts the bill into the record of its request.
pub(crate) async fn correct(
    connection: &mut Connection,
    request: RequestId,
    truth: &Truth,
    at: Timestamp,
) -> Result<()> {
    let estimates = RecordFlags::ESTIMATED.bits() | RecordFlags::UNSETTLED.bits();
    let [input, output, read, write, reasoning]: [Unit; COLUMN_UNITS.len()] = COLUMN_UNITS;
    query(
        "usage",
        "UPDATE usage SET cost = $1, provider_cost = $2, input_tokens = $3, output_tokens = $4,
             cache_read_tokens = $5, cache_write_tokens = $6, reasoning_tokens = $7, units = $8,
             model_answered = COALESCE($9, model_answered), ended_at = $10,
             flags = (flags & ~$11) | $12
         WHERE request_id = $13",
    )
    .bind(truth.amount.cost.as_nano())
    .bind(truth.provider_cost.map(NanoUsd::as_nano))
    .bind(count(truth.usage.get(input)))
    .bind(count(truth.usage.get(output)))
    .bind(count(truth.usage.get(read)))
    .bind(count(truth.usage.get(write)))
    .bind(count(truth.usage.get(reasoning)))
    .bind(units_text(&truth.usage))
    .bind(truth.model.as_deref())
    .bind(at)
    .bind(estimates)
    .bind(record_flags(truth.flags).bits())
    .bind(request.to_bytes())
    .execute(connection)
    .await?;
    Ok(())
}
