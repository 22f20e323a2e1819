//! Step 8, settle: the actual cost is posted, once, on every exit.
//!
//! What is posted, by how the upstream's part ended:
//!
//! | ending | posted |
//! |---|---|
//! | never sent | nothing |
//! | refused by the upstream | one request, no cost |
//! | final usage reported | the cost of that usage |
//! | no final usage | what may have been billed by now, at least what was reported; flagged |

use crate::{
    exchange::{Ending, Exchange},
    inspect::MODEL_CHARS_MAX,
    reserve::Ended,
};
use tollgate_core::{
    amount::Amount,
    ledger::{Flags, estimate::Sample},
    money::NanoUsd,
    record::RecordFlags,
    unit::Unit,
    usage::UsageReport,
};

/// Ends the request's hold; what comes back is to be posted.
pub(crate) fn settle(exchange: &mut Exchange) -> Option<Ended> {
    let ending = std::mem::take(&mut exchange.ending);
    let reservation = exchange.reservation.take();
    if let Ending::Reported(report) = &ending {
        note(exchange, report);
    }
    let reservation = reservation?;
    exchange.record.held = reservation.most();
    if !reservation.is_sent() {
        return None;
    }
    let one_request = Amount {
        requests: 1,
        ..Amount::ZERO
    };
    let (actual, flags) = match ending {
        Ending::NotSent => (Amount::ZERO, Flags::NONE),
        Ending::Refused => (one_request, Flags::NONE),
        Ending::Unknown => (reservation.unfinished(), Flags::ESTIMATED),
        Ending::Reported(report) => {
            let reported = amount(exchange, &report);
            match (reported, report.complete) {
                (Some(actual), true) => (actual, Flags::NONE),
                (Some(least), false) => {
                    (reservation.unfinished().max_each(least), Flags::ESTIMATED)
                }
                (None, _) => (reservation.unfinished(), Flags::ESTIMATED),
            }
        }
    };
    if flags == Flags::ESTIMATED {
        exchange.record.flags.add(RecordFlags::ESTIMATED);
    }
    learn(exchange, &reservation.since_sent(), flags);
    exchange.record.cost = actual.cost;
    let ended = reservation.settle(actual, flags)?;
    if ended.settled.shortfall != Amount::ZERO {
        exchange.record.flags.add(RecordFlags::SHORTFALL);
    }
    Some(ended)
}

/// Copies what the answer reported into the record.
fn note(exchange: &mut Exchange, report: &UsageReport) {
    let answered = report.model.as_deref();
    exchange.record.model_answered =
        answered.map(|model| model.chars().take(MODEL_CHARS_MAX).collect());
    exchange.record.provider_cost = report.provider_cost;
    if let Some(usage) = &report.usage {
        exchange.record.usage = usage.clone();
    }
    for extra in &report.extra {
        exchange.record.usage.add_all(&extra.usage);
    }
}

/// What a report stands for; `None` when it reports nothing that can be priced. All zeros are
/// nothing: an answer that cost nothing is more likely one that was not counted.
fn amount(exchange: &mut Exchange, report: &UsageReport) -> Option<Amount> {
    let counted = report.usage.as_ref().is_some_and(|usage| !usage.is_none());
    if !counted && report.extra.is_empty() && report.provider_cost.is_none() {
        return None;
    }
    let cost = if exchange.record.flags.contains(RecordFlags::UNPRICED) {
        exchange.cost_of(report).unwrap_or(NanoUsd::ZERO)
    } else {
        cost(exchange, report)?
    };
    let tokens = i64::try_from(exchange.record.usage.total_tokens()).unwrap_or(i64::MAX);
    Some(Amount {
        cost,
        requests: 1,
        tokens,
    })
}

fn cost(exchange: &mut Exchange, report: &UsageReport) -> Option<NanoUsd> {
    match exchange.price_of(report) {
        Ok(priced) => {
            if priced.cost.approximate {
                exchange.record.flags.add(RecordFlags::APPROXIMATE);
            }
            Some(priced.cost.total)
        }
        Err(error) => {
            let request = exchange.record.request;
            tracing::warn!(%request, %error, "a usage could not be priced: its estimate is posted");
            None
        }
    }
}

/// Facts teach; estimates do not.
fn learn(exchange: &Exchange, ran: &std::time::Duration, flags: Flags) {
    let (Some(pricing), Flags::NONE) = (&exchange.pricing, flags) else {
        return;
    };
    let usage = &exchange.record.usage;
    let output = usage.get(Unit::OutputTokens);
    if usage.is_none() {
        return;
    }
    let sample = Sample {
        output_tokens: Some(output / exchange.choices),
        streamed_for: exchange.record.stream.then_some(*ran),
        text: exchange
            .text_bytes
            .map(|bytes| (usage.get(Unit::InputTokens), bytes)),
    };
    let key = exchange.principal.ids.api_key;
    exchange
        .gateway
        .estimates()
        .learn(key, &pricing.sent_model, &sample);
}
