//! The price of each attempt, before it is made. A target at which the model has no price is
//! passed over for one at which it has; where none has, the policy of the first decides.

use super::{Attempt, Plan, Planned, Route};
use crate::{exchange::Pricing, state::View};
use std::sync::Arc;
use tollgate_core::{
    error::{Error, Kind},
    price::ProviderPrices,
    provider::{Provider, UnpricedPolicy},
};

/// Why nothing can be tried.
#[derive(Debug)]
pub(crate) struct NoPlan {
    /// What the caller is told.
    pub(crate) error: Error,
    /// The provider's policy is to block the API key.
    pub(crate) blocks_key: bool,
}

impl From<Error> for NoPlan {
    fn from(error: Error) -> Self {
        Self {
            error,
            blocks_key: false,
        }
    }
}

/// The plan of a billed operation: the attempts that have a price, or may pass without one.
///
/// # Errors
/// See [`NoPlan`].
pub(crate) fn with_prices(view: &View, route: Route) -> Result<Plan, NoPlan> {
    priced_by(route, |attempt| priced(view, attempt))
}

/// The same for work that is priced in a way of its own.
///
/// # Errors
/// See [`NoPlan`].
pub(crate) fn priced_by(
    route: Route,
    mut price: impl FnMut(&Attempt) -> Result<Pricing, NoPlan>,
) -> Result<Plan, NoPlan> {
    let mut first_refusal = None;
    let mut attempts = std::collections::VecDeque::with_capacity(route.attempts.len());
    for attempt in route.attempts {
        match price(&attempt) {
            Ok(pricing) => attempts.push_back(Planned {
                attempt,
                pricing: Some(pricing),
            }),
            Err(refusal) => first_refusal = first_refusal.or(Some(refusal)),
        }
    }
    match first_refusal {
        Some(refusal) if attempts.is_empty() => Err(refusal),
        _ => Ok(Plan {
            attempts,
            time_budget: route.time_budget,
        }),
    }
}

/// The plan of an operation that costs nothing.
impl From<Route> for Plan {
    fn from(route: Route) -> Self {
        let attempts = route.attempts.into_iter();
        Self {
            attempts: attempts
                .map(|attempt| Planned {
                    attempt,
                    pricing: None,
                })
                .collect(),
            time_budget: route.time_budget,
        }
    }
}

/// The prices of a provider.
///
/// # Errors
/// When they are unusable: the operator's business.
pub(crate) fn prices_of(view: &View, provider: &Provider) -> Result<Arc<ProviderPrices>, Error> {
    let slug = &provider.slug;
    view.prices.get(&provider.id).cloned().ok_or_else(|| {
        let text =
            format!("the provider `{slug}` is misconfigured: tell the operator of this gateway");
        let context = format!("provider `{slug}` has unusable prices");
        Error::new(Kind::Unavailable, text).with_context(context)
    })
}

fn priced(view: &View, attempt: &Attempt) -> Result<Pricing, NoPlan> {
    let provider = &attempt.provider;
    let slug = &provider.slug;
    let prices = prices_of(view, provider)?;
    let model = prices.find(&attempt.model);
    if model.is_none() && provider.unpriced != UnpricedPolicy::Allow {
        return Err(NoPlan {
            error: Error::new(
                Kind::Unpriced,
                format!(
                    "Unable to calculate spend: the model `{}` has no price at the provider \
                     `{slug}`; use another model, or ask an admin to add a price",
                    attempt.model
                ),
            ),
            blocks_key: provider.unpriced == UnpricedPolicy::BlockKey,
        });
    }
    Ok(Pricing {
        prices,
        model,
        sent_model: attempt.model.clone(),
    })
}
