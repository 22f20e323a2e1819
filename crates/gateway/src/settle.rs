//! Step 8, settle: the actual cost is posted, once, on every exit.
//!
//! What is posted, by how the upstream's part ended (for a request of several attempts, the sum):
//!
//! | ending | posted |
//! |---|---|
//! | never sent | nothing |
//! | refused by the upstream | one request, no cost |
//! | final usage reported | the cost of that usage |
//! | no final usage | what may have been billed by now, at least what was reported; flagged |
//! | work that goes on | what is held, as an estimate; the bill comes later |

use crate::{
    exchange::{Deferral, Ending, Exchange},
    inspect::MODEL_CHARS_MAX,
    reserve::{Ended, Reservation},
};
use tollgate_core::{
    amount::Amount,
    ledger::{Flags, estimate::Sample},
    money::NanoUsd,
    record::RecordFlags,
    unit::Unit,
    usage::{Usage, UsageReport},
};

/// Ends the request's hold; what comes back is to be posted.
pub(crate) fn settle(exchange: &mut Exchange) -> Option<Ended> {
    let ending = std::mem::take(&mut exchange.ending);
    if let Ending::Reported(report) = &ending {
        note(exchange, report);
    }
    if is_unpriced(exchange) {
        exchange.record.flags.add(RecordFlags::UNPRICED);
    }
    let reservation = exchange.reservation.take()?;
    exchange.record.held = reservation.most();
    if !reservation.is_sent() {
        return None;
    }
    let (part, flags) = part(exchange, &reservation, &ending);
    if exchange.deferral == Deferral::Kept && flags.contains(Flags::ESTIMATED) {
        exchange.record.flags.add(RecordFlags::ESTIMATED);
        exchange.record.flags.add(RecordFlags::DEFERRED);
        exchange.record.cost = reservation.held().cost;
        return reservation.defer();
    }
    learn(exchange, &reservation.since_sent(), flags);
    let (aside, aside_flags) = reservation.aside();
    let actual = aside.saturating_add(part);
    let flags = flags.with(aside_flags);
    for (flag, word) in [
        (Flags::ESTIMATED, RecordFlags::ESTIMATED),
        (Flags::ABANDONED, RecordFlags::ABANDONED),
    ] {
        if flags.contains(flag) {
            exchange.record.flags.add(word);
        }
    }
    exchange.record.cost = actual.cost;
    let ended = reservation.settle(actual, flags)?;
    if ended.settled.shortfall != Amount::ZERO {
        exchange.record.flags.add(RecordFlags::SHORTFALL);
    }
    Some(ended)
}

/// Gives up the attempt that ran: what it spent, or may have, is set aside in the hold, to be
/// posted beside what the next one spends.
pub(crate) fn abandon(exchange: &mut Exchange) {
    let ending = std::mem::take(&mut exchange.ending);
    let Some(mut reservation) = exchange.reservation.take() else {
        return;
    };
    if reservation.is_sent() {
        let (spent, flags) = part(exchange, &reservation, &ending);
        let flags = match ending {
            Ending::NotSent | Ending::Refused => flags,
            Ending::Unknown | Ending::Reported(_) => flags.with(Flags::ABANDONED),
        };
        let abandoned = exchange.record.abandoned_cost.checked_add(spent.cost);
        exchange.record.abandoned_cost = abandoned.unwrap_or(NanoUsd::MAX);
        reservation.set_aside(spent, flags);
    }
    exchange.reservation = Some(reservation);
}

/// What the attempt that ran spent.
fn part(exchange: &mut Exchange, reservation: &Reservation, ending: &Ending) -> (Amount, Flags) {
    let one_request = Amount {
        requests: reservation.requests_left(),
        ..Amount::ZERO
    };
    match ending {
        Ending::NotSent => (Amount::ZERO, Flags::NONE),
        Ending::Refused => (one_request, Flags::NONE),
        Ending::Unknown => (reservation.unfinished(), Flags::ESTIMATED),
        Ending::Reported(report) => {
            match (amount(exchange, report, one_request), report.complete) {
                (Some(actual), true) => (actual, Flags::NONE),
                (Some(least), false) => {
                    (reservation.unfinished().max_each(least), Flags::ESTIMATED)
                }
                (None, _) => (reservation.unfinished(), Flags::ESTIMATED),
            }
        }
    }
}

/// Copies what the answer reported into the record.
fn note(exchange: &mut Exchange, report: &UsageReport) {
    let answered = report.model.as_deref();
    exchange.record.model_answered =
        answered.map(|model| model.chars().take(MODEL_CHARS_MAX).collect());
    exchange.record.provider_cost = report.provider_cost;
    exchange.record.usage = usage_of(report);
}

fn usage_of(report: &UsageReport) -> Usage {
    let mut usage = report.usage.clone().unwrap_or(Usage::NONE);
    for extra in &report.extra {
        usage.add_all(&extra.usage);
    }
    usage
}

/// The model has no price at the target, and the provider's policy lets it pass.
fn is_unpriced(exchange: &Exchange) -> bool {
    let pricing = exchange.pricing.as_ref();
    pricing.is_some_and(|pricing| pricing.model.is_none())
}

/// What a report stands for; `None` when it reports nothing that can be priced. All zeros are
/// nothing: an answer that cost nothing is more likely one that was not counted.
fn amount(exchange: &mut Exchange, report: &UsageReport, one_request: Amount) -> Option<Amount> {
    let counted = report.usage.as_ref().is_some_and(|usage| !usage.is_none());
    if !counted && report.extra.is_empty() && report.provider_cost.is_none() {
        return None;
    }
    let cost = if is_unpriced(exchange) {
        exchange.cost_of(report).unwrap_or(NanoUsd::ZERO)
    } else {
        cost(exchange, report)?
    };
    let tokens = i64::try_from(usage_of(report).total_tokens()).unwrap_or(i64::MAX);
    Some(Amount {
        cost,
        tokens,
        ..one_request
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
