//! Step 4, select: which providers may serve this request, in which order, at which price.
//!
//! A request in a format goes only to providers that natively speak it. The route names a group or
//! one provider ([`resolve`]); a group's targets are ordered by health, priority, weight and the
//! caller's affinity ([`order`]); each has a price before it is tried ([`price`]). What is left is
//! a plan, and never an empty one.

mod affinity;
mod order;
mod price;
mod resolve;

pub(crate) use affinity::affinity;
pub(crate) use order::Chance;
pub(crate) use price::{NoPlan, priced_by, prices_of, with_prices};

use crate::exchange::Pricing;
use order::ordered;
use resolve::{Resolved, resolve};
use std::{collections::VecDeque, sync::Arc, time::Duration};
use tollgate_core::{
    error::{Error, Kind},
    format::{Format, Operation},
    id::ProviderId,
    principal::Principal,
    provider::Provider,
    route as well_known,
    snapshot::OrganizationSnapshot,
};

/// One try: a provider and the model as it is to be sent there.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    /// Where.
    pub(crate) provider: Arc<Provider>,
    /// The model name on the wire; differs from the asked one where the target maps it.
    pub(crate) model: String,
}

/// An attempt that may be made.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    pub(crate) attempt: Attempt,
    /// `None` for operations that are not billed.
    pub(crate) pricing: Option<Pricing>,
}

/// What is to be tried, in this order.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// Never empty.
    pub(crate) attempts: VecDeque<Planned>,
    /// How long the search for one that answers may take.
    pub(crate) time_budget: Option<Duration>,
}

/// What the client asked, as far as routing is concerned.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'r> {
    /// First path segment.
    pub(crate) route: &'r str,
    /// The dialect of the request.
    pub(crate) format: Format,
    /// What is asked in it.
    pub(crate) operation: Operation,
    /// The model as asked.
    pub(crate) model: &'r str,
    /// Further models that its tools name.
    pub(crate) other_models: &'r [String],
    /// Where the stored objects live that the request names: it can go nowhere else.
    pub(crate) lives_at: Option<ProviderId>,
}

/// Attempts without their prices.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    /// Never empty.
    pub(crate) attempts: Vec<Attempt>,
    /// See [`Plan::time_budget`].
    pub(crate) time_budget: Option<Duration>,
}

/// The ordered attempts for a request.
///
/// # Errors
/// [`Kind::UnknownRoute`] and [`Kind::UnknownModel`] (404), naming what is allowed, or why each
/// target cannot serve the request.
pub(crate) fn route(
    org: &OrganizationSnapshot,
    principal: &Principal,
    wanted: Wanted<'_>,
    chance: &mut Chance<'_>,
) -> Result<Route, Error> {
    permitted(principal, wanted)?;
    let mut route = match resolve(org, wanted)? {
        Resolved::Group(group) => Route {
            attempts: ordered(org, group, wanted, chance)?,
            time_budget: group.time_budget,
        },
        Resolved::Provider(provider) => Route {
            attempts: vec![Attempt {
                provider: Arc::clone(provider),
                model: wanted.model.to_owned(),
            }],
            time_budget: None,
        },
    };
    if let Some(home) = wanted.lives_at {
        route.attempts.retain(|attempt| attempt.provider.id == home);
    }
    if route.attempts.is_empty() {
        return Err(Error::new(
            Kind::UnknownRoute,
            format!(
                "the objects that this request names live at a provider that the route `{}` does \
                 not lead to: use the route that they were made through",
                wanted.route
            ),
        ));
    }
    Ok(route)
}

fn permitted(principal: &Principal, wanted: Wanted<'_>) -> Result<(), Error> {
    if !is_listed(&principal.allowed_routes, wanted.route) {
        return Err(Error::new(
            Kind::UnknownRoute,
            format!(
                "the route `{}` is not allowed for this API key; allowed: {}",
                wanted.route,
                principal.allowed_routes.join(", ")
            ),
        ));
    }
    let others = wanted.other_models.iter().map(String::as_str);
    // A conversation names its model in a frame that comes later, and is looked at then.
    let named = Some(wanted.model).filter(|model| !model.is_empty());
    let mut models = named.into_iter().chain(others);
    if let Some(model) = models.find(|model| !is_listed(&principal.allowed_models, model)) {
        return Err(Error::new(
            Kind::UnknownModel,
            format!(
                "the model `{model}` is not allowed for this API key; allowed: {}",
                principal.allowed_models.join(", ")
            ),
        ));
    }
    Ok(())
}

/// Whether a list of what is allowed allows `name`; an empty list allows everything.
pub(crate) fn is_listed(allowed: &[String], name: &str) -> bool {
    allowed.is_empty() || allowed.iter().any(|a| a == name)
}

/// The providers a route leads to, each with its model map, for lists of models. With a format,
/// an alias counts as the providers that speak it.
pub(crate) fn providers_behind<'s>(
    org: &'s OrganizationSnapshot,
    route: &str,
    format: Option<Format>,
) -> Vec<(&'s Provider, &'s [(String, String)])> {
    if let Some(group) = org.groups.get(route) {
        let targets = group.targets.iter();
        return targets
            .filter_map(|target| {
                Some((
                    org.providers.get(&target.provider)?.as_ref(),
                    &target.models[..],
                ))
            })
            .collect();
    }
    if let Some(provider) = org.provider_by_slug(route) {
        return vec![(provider.as_ref(), &[])];
    }
    let alias = well_known::alias_formats(route)
        .filter(|_| format.is_some())
        .unwrap_or_default();
    org.providers
        .values()
        .filter(|provider| {
            provider
                .kind
                .formats()
                .iter()
                .any(|format| alias.contains(format))
        })
        .map(|provider| (provider.as_ref(), &[][..]))
        .collect()
}

#[cfg(test)]
pub(crate) mod tests;
