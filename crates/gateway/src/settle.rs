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
                    (at_least(reservation.unfinished(), least), Flags::ESTIMATED)
                }
                (None, _) => (reservation.unfinished(), Flags::ESTIMATED),
            }
        }
    };
    if flags.contains(Flags::ESTIMATED) && flags != Flags::NONE {
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
    exchange.record.model_answered.clone_from(&report.model);
    exchange.record.provider_cost = report.provider_cost;
    if let Some(usage) = &report.usage {
        exchange.record.usage = usage.clone();
    }
    for extra in &report.extra {
        exchange.record.usage.add_all(&extra.usage);
    }
}

/// What a report stands for; `None` when it reports nothing that can be priced.
fn amount(exchange: &mut Exchange, report: &UsageReport) -> Option<Amount> {
    report.usage.as_ref()?;
    let cost = match cost(exchange, report) {
        Some(cost) => cost,
        None if exchange.record.flags.contains(RecordFlags::UNPRICED) => NanoUsd::ZERO,
        None => return None,
    };
    let tokens = i64::try_from(exchange.record.usage.total_tokens()).unwrap_or(i64::MAX);
    Some(Amount {
        cost,
        requests: 1,
        tokens,
    })
}

fn cost(exchange: &mut Exchange, report: &UsageReport) -> Option<NanoUsd> {
    let pricing = exchange.pricing.as_ref()?;
    let at = exchange.record.received_at;
    match pricing
        .prices
        .cost_of_report(&pricing.sent_model, report, at)
    {
        Ok(priced) => {
            if priced.cost.approximate {
                exchange.record.flags.add(RecordFlags::APPROXIMATE);
            }
            Some(priced.cost.total)
        }
        Err(error) => {
            tracing::warn!(request = %exchange.record.request, %error, "a usage could not be priced: its estimate is posted");
            None
        }
    }
}

fn at_least(estimate: Amount, least: Amount) -> Amount {
    Amount {
        cost: estimate.cost.max(least.cost),
        requests: estimate.requests.max(least.requests),
        tokens: estimate.tokens.max(least.tokens),
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
