//! Work that goes on after its answer: batches, and responses in the background.
//!
//! It is refused unless its provider's settings allow it. It is held like what cannot be cut: at
//! its stated bounds, and where it states none at what was learned. No hold stays in memory for the
//! day that a batch may take: once the provider has taken the work, what is held is charged as an
//! estimate, and the difference to the bill is posted when that is known
//! ([`super::settlement`]).

use super::settlement::FIRST_LOOK;
use crate::{
    exchange::{Exchange, Pricing},
    reserve::{CONTEXT_UNKNOWN, Reservation, TEMPLATE_TOKENS},
    select::{self, Attempt, NoPlan, Plan, Route},
    state::View,
};
use jiff::SignedDuration;
use tollgate_core::{
    amount::Amount,
    error::{Error, Kind},
    ledger::{
        estimate::TextRate,
        exposure::{Class, Terms, UNCAPPED_LEAST, UncappedPolicy},
    },
    money::NanoUsd,
    object::{DeferredWork, StoredObject},
    price::{InputKind, ModelPricing, TokenRates},
    principal::Principal,
    provider::{Provider, UnpricedPolicy},
};
use tollgate_wire::objects::{BatchWork, ModelWork};

/// How long the bill is asked for: a batch takes a day at most, and its end may be told late.
const GIVE_UP_AFTER: SignedDuration = SignedDuration::from_hours(72);

/// The plan of a request whose work goes on after its answer: the attempts at providers that may
/// be asked for that, with the price of every model of a batch.
///
/// # Errors
/// [`Kind::BadRequest`] where it is not allowed, [`Kind::UnknownModel`] for a model that the caller
/// may not use; else as for any plan.
pub(crate) fn plan(
    view: &View,
    principal: &Principal,
    mut route: Route,
    work: Option<&BatchWork>,
) -> Result<Plan, NoPlan> {
    route
        .attempts
        .retain(|attempt| attempt.provider.allow_deferred);
    if route.attempts.is_empty() {
        return Err(refused(
            Kind::BadRequest,
            "work that goes on after its answer (a batch, a background response) is not enabled \
             here: an admin can set `allow_deferred = true` for the provider"
                .to_owned(),
        ));
    }
    let Some(work) = work else {
        return select::with_prices(view, route);
    };
    let allowed = &principal.allowed_models;
    let mut models = work.models.iter();
    if let Some(other) = models.find(|work| !select::is_listed(allowed, &work.model)) {
        let text = format!(
            "the model `{}` of this batch is not allowed for this API key; allowed: {}",
            other.model,
            allowed.join(", ")
        );
        return Err(refused(Kind::UnknownModel, text));
    }
    select::priced_by(route, |attempt| priced(view, attempt, work))
}

fn refused(kind: Kind, text: String) -> NoPlan {
    NoPlan {
        error: Error::new(kind, text),
        blocks_key: false,
    }
}

fn priced(view: &View, attempt: &Attempt, work: &BatchWork) -> Result<Pricing, NoPlan> {
    let Provider { slug, unpriced, .. } = &*attempt.provider;
    let prices = select::prices_of(view, &attempt.provider)?;
    let mut models = work.models.iter();
    let missing = models.find(|work| prices.find(&work.model).is_none());
    if let (Some(work), true) = (missing, *unpriced != UnpricedPolicy::Allow) {
        return Err(NoPlan {
            error: Error::new(
                Kind::Unpriced,
                format!(
                    "Unable to calculate spend: the model `{}` of this batch has no price at the \
                     provider `{slug}`; use another model, or ask an admin to add a price",
                    work.model
                ),
            ),
            blocks_key: *unpriced == UnpricedPolicy::BlockKey,
        });
    }
    let only = work.only_model().unwrap_or_default();
    Ok(Pricing {
        model: work
            .models
            .first()
            .and_then(|first| prices.find(&first.model)),
        sent_model: only.to_owned(),
        prices,
    })
}

/// What a batch must hold: all that its requests may read and write, at batch rates where there are
/// such, else in full.
pub(crate) fn terms_of_batch(exchange: &Exchange, work: &BatchWork) -> (Terms, TextRate) {
    let policy = exchange.gateway.settings().estimates;
    let models = work.models.iter().map(|work| of_model(exchange, work));
    let mut input = models.fold(Amount::ZERO, Amount::saturating_add);
    let counted = exchange
        .reservation
        .as_ref()
        .map_or(1, Reservation::requests_left);
    let requests = i64::try_from(work.requests()).unwrap_or(i64::MAX);
    input.requests = requests.saturating_mul(counted);
    let unbounded = work.models.iter().any(|work| work.uncapped > 0);
    let estimates = exchange.gateway.estimates();
    let key = exchange.principal.ids.api_key;
    let terms = Terms {
        class: match policy.uncapped {
            UncappedPolicy::Refuse if unbounded => Class::Uncapped,
            UncappedPolicy::Refuse | UncappedPolicy::Estimate | UncappedPolicy::HoldMax => {
                Class::Capped
            }
        },
        input,
        output_price: NanoUsd::ZERO,
        // The output is in the sum already.
        cap: Some(0),
        model_max: None,
        choices: 1,
        learned: estimates.output(key, work.only_model().unwrap_or_default()),
        uncapped: policy.uncapped,
        strict: policy.strict,
    };
    (terms, TextRate::STRICT)
}

fn of_model(exchange: &Exchange, work: &ModelWork) -> Amount {
    let policy = exchange.gateway.settings().estimates;
    let prices = exchange.pricing.as_ref().map(|pricing| &pricing.prices);
    let pricing = prices.and_then(|prices| prices.find(&work.model));
    let context = pricing
        .as_ref()
        .and_then(|pricing| pricing.context_window());
    let context = context.unwrap_or(CONTEXT_UNKNOWN);
    let (learned, text_rate) = {
        let estimates = exchange.gateway.estimates();
        let key = exchange.principal.ids.api_key;
        let text_rate = estimates.text_rate(&work.model);
        (estimates.output(key, &work.model), text_rate)
    };
    let text_rate = if policy.strict {
        TextRate::STRICT
    } else {
        text_rate
    };
    let each = match policy.uncapped {
        UncappedPolicy::HoldMax => context,
        UncappedPolicy::Estimate | UncappedPolicy::Refuse => learned.p99.max(UNCAPPED_LEAST),
    };
    let size = Size {
        input: text_rate
            .tokens(work.text_bytes)
            .saturating_add(work.media_tokens)
            .saturating_add(work.requests.saturating_mul(TEMPLATE_TOKENS))
            .saturating_add(work.unseen.saturating_mul(context)),
        output: work
            .capped_output
            .saturating_add(work.uncapped.saturating_mul(each)),
        longest: if work.unseen > 0 {
            context
        } else {
            text_rate
                .tokens(work.longest)
                .saturating_add(TEMPLATE_TOKENS)
        },
    };
    let at = exchange.record.received_at;
    let rates = pricing.map(|pricing| rates(&pricing, work, at));
    Amount {
        cost: rates.map_or(NanoUsd::ZERO, |rates| size.cost(&rates)),
        requests: 0,
        tokens: i64::try_from(size.input.saturating_add(size.output)).unwrap_or(i64::MAX),
    }
}

fn rates(
    pricing: &ModelPricing,
    work: &ModelWork,
    at: tollgate_core::clock::Timestamp,
) -> TokenRates {
    let kind = InputKind {
        cache_write: work.cache_write(),
        media: work.media_tokens > 0 || work.unseen > 0,
    };
    pricing.token_rates(&[("processing", "batch".to_owned())], kind, at)
}

/// How many tokens a batch may use.
#[derive(Clone, Copy, Debug)]
struct Size {
    input: u64,
    output: u64,
    /// The input of its longest request: large ones have dearer rates.
    longest: u64,
}

impl Size {
    fn cost(self, rates: &TokenRates) -> NanoUsd {
        const PER_MILLION: i128 = 1_000_000;
        let of = |price: NanoUsd, tokens: u64| i128::from(price.as_nano()) * i128::from(tokens);
        let exact = of(rates.input_per_million(self.longest), self.input)
            .saturating_add(of(rates.output_per_million(self.longest), self.output));
        let cost = exact.saturating_add(PER_MILLION - 1) / PER_MILLION;
        i64::try_from(cost).map_or(NanoUsd::MAX, NanoUsd::from_nano)
    }
}

/// The work that the exchange's request has handed in, behind this object.
pub(super) fn work_of(exchange: &Exchange, object: &StoredObject) -> DeferredWork {
    let now = exchange.gateway.now();
    let held = exchange.reservation.as_ref();
    let reserved_at = held.map(Reservation::reserved_at);
    let requests = exchange.batch.as_ref().map_or(1, |work| work.requests());
    let requests = i64::try_from(requests).unwrap_or(i64::MAX);
    let after = |wait: SignedDuration| now.checked_add(wait).unwrap_or(now);
    let model = exchange
        .pricing
        .as_ref()
        .map(|pricing| pricing.sent_model.clone());
    DeferredWork {
        request: exchange.request_id(),
        ids: exchange.record.ids,
        reserved_at: reserved_at.unwrap_or(exchange.record.received_at),
        provider: object.provider,
        format: exchange.format(),
        object: object.id.clone(),
        model: model.unwrap_or_default(),
        requests: requests.saturating_mul(held.map_or(1, Reservation::requests_left)),
        aside: held.map_or(Amount::ZERO, |held| held.aside().0),
        look_at: after(FIRST_LOOK),
        looks: 0,
        give_up_at: after(GIVE_UP_AFTER),
    }
}
