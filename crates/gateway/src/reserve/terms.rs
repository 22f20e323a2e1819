//! What one attempt must hold, from what the request shows, the rates of its target and what was
//! learned of the model.

use crate::{exchange::Exchange, objects::terms_of_batch, reserve::Reservation, select::Attempt};
use tollgate_core::{
    amount::Amount,
    format::Operation,
    ledger::{
        estimate::TextRate,
        exposure::{Class, Terms},
    },
    money::NanoUsd,
    price::{InputKind, TokenRates},
};
use tollgate_wire::facts::{Billing, RequestFacts};

/// Input that nobody can see is bounded by the model's context; this, where that is not known.
pub(crate) const CONTEXT_UNKNOWN: u64 = 200_000;

/// Tokens of the template around messages, which no text in the request shows.
pub(crate) const TEMPLATE_TOKENS: u64 = 64;

/// The terms of an attempt that is priced as the exchange is now, and the tokens in a byte of its
/// text.
pub(crate) fn terms(
    exchange: &Exchange,
    facts: &RequestFacts,
    attempt: &Attempt,
) -> (Terms, TextRate) {
    if let Some(work) = &exchange.batch {
        return terms_of_batch(exchange, work);
    }
    let rates = rates(exchange, facts);
    let rates = rates.as_ref();
    let policy = exchange.gateway.settings().estimates;
    let model = exchange
        .pricing
        .as_ref()
        .and_then(|pricing| pricing.model.as_ref());
    let context = model.and_then(|model| model.context_window());
    let (learned, text_rate) = {
        let estimates = exchange.gateway.estimates();
        let learned = estimates.output(exchange.principal.ids.api_key, &attempt.model);
        (learned, estimates.text_rate(&attempt.model))
    };
    let text_rate = if policy.strict {
        TextRate::STRICT
    } else {
        text_rate
    };
    let seen = text_rate
        .tokens(facts.text_bytes)
        .saturating_add(facts.media_tokens);
    let input_tokens = if facts.unseen_input {
        context.unwrap_or(CONTEXT_UNKNOWN).max(seen)
    } else {
        seen.saturating_add(TEMPLATE_TOKENS)
    };
    let at = exchange.record.received_at;
    let beside_tokens = model.map_or(NanoUsd::ZERO, |model| {
        model.bound_beside_tokens(&facts.counted, &facts.context, at)
    });
    let embeds = exchange.record.operation == Operation::Embed;
    let terms = Terms {
        class: Class::of(
            facts.stream && !facts.deferred && facts.billing == Billing::AsItComes,
            attempt.provider.cancel_stops_billing,
            facts.output_cap,
        ),
        input: Amount {
            cost: rates
                .map_or(NanoUsd::ZERO, |rates| rates.bound(input_tokens, 0))
                .checked_add(beside_tokens)
                .unwrap_or(NanoUsd::MAX),
            requests: exchange
                .reservation
                .as_ref()
                .map_or(1, Reservation::requests_left),
            tokens: i64::try_from(input_tokens).unwrap_or(i64::MAX),
        },
        output_price: rates.map_or(NanoUsd::ZERO, |rates| {
            rates.output_per_million(input_tokens)
        }),
        cap: if embeds { Some(0) } else { facts.output_cap },
        // Not known by itself; but output stands in the context like input.
        model_max: context,
        choices: exchange.choices,
        learned,
        uncapped: policy.uncapped,
        strict: policy.strict,
    };
    (terms, text_rate)
}

/// The dearest rates of the request; free where the policy lets an unpriced model pass.
fn rates(exchange: &Exchange, facts: &RequestFacts) -> Option<TokenRates> {
    let kind = InputKind {
        cache_write: facts.cache_write,
        media: facts.media_tokens > 0 || facts.unseen_input,
    };
    let pricing = exchange.pricing.as_ref()?.model.as_ref()?;
    Some(pricing.token_rates(&facts.context, kind, exchange.record.received_at))
}
