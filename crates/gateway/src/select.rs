//! Step 4, select: which providers may serve this request, in which order, at which price.
//!
//! A request in a format goes only to providers that natively speak it. The plan is ordered by
//! priority; inside one priority the weights decide by chance, so randomness is an argument.

use std::sync::Arc;
use tollgate_core::{
    error::{Error, Kind},
    format::Format,
    principal::Principal,
    provider::Provider,
    route::{self, RoutingGroup, Target},
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

/// What the client asked, as far as routing is concerned.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'r> {
    /// First path segment.
    pub(crate) route: &'r str,
    /// The dialect of the request.
    pub(crate) format: Format,
    /// The model as asked.
    pub(crate) model: &'r str,
    /// Further models that its tools name.
    pub(crate) other_models: &'r [String],
}

/// The ordered attempts for a request; never empty.
///
/// # Errors
/// [`Kind::UnknownRoute`] and [`Kind::UnknownModel`] (404), naming what is allowed.
pub(crate) fn plan(
    org: &OrganizationSnapshot,
    principal: &Principal,
    wanted: Wanted<'_>,
    random: &mut dyn FnMut(u32) -> u32,
) -> Result<Vec<Attempt>, Error> {
    permitted(principal, wanted)?;
    let attempts = match resolve(org, wanted)? {
        Resolved::Group(group) => ordered(org, group, wanted, random),
        Resolved::Provider(provider) => {
            vec![Attempt {
                provider: Arc::clone(provider),
                model: wanted.model.to_owned(),
            }]
        }
    };
    if attempts.is_empty() {
        return Err(Error::new(
            Kind::UnknownRoute,
            format!(
                "no provider of the routing group `{}` speaks {}: use another route or endpoint",
                wanted.route,
                wanted.format.as_str()
            ),
        ));
    }
    Ok(attempts)
}

fn permitted(principal: &Principal, wanted: Wanted<'_>) -> Result<(), Error> {
    let listed =
        |allowed: &[String], name: &str| allowed.is_empty() || allowed.iter().any(|a| a == name);
    if !listed(&principal.allowed_routes, wanted.route) {
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
    let mut models = std::iter::once(wanted.model).chain(others);
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
    let alias = route::alias_formats(route)
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

enum Resolved<'s> {
    Group(&'s RoutingGroup),
    Provider(&'s Arc<Provider>),
}

fn resolve<'s>(org: &'s OrganizationSnapshot, wanted: Wanted<'_>) -> Result<Resolved<'s>, Error> {
    if let Some(group) = org.groups.get(wanted.route) {
        return Ok(Resolved::Group(group));
    }
    if let Some(provider) = org.provider_by_slug(wanted.route) {
        if provider.kind.formats().contains(&wanted.format) {
            return Ok(Resolved::Provider(provider));
        }
        return Err(Error::new(
            Kind::UnknownRoute,
            format!(
                "the provider `{}` does not speak {}; routes that do: {}",
                wanted.route,
                wanted.format.as_str(),
                speaking(org, wanted.format).join(", ")
            ),
        ));
    }
    by_alias(org, wanted)
}

/// A well-known alias stands for the only provider that natively speaks the request's format.
fn by_alias<'s>(org: &'s OrganizationSnapshot, wanted: Wanted<'_>) -> Result<Resolved<'s>, Error> {
    let speaks_alias =
        route::alias_formats(wanted.route).is_some_and(|formats| formats.contains(&wanted.format));
    let mut speakers = org
        .providers
        .values()
        .filter(|provider| provider.kind.formats().contains(&wanted.format));
    match (speaks_alias, speakers.next(), speakers.next()) {
        (true, Some(only), None) => Ok(Resolved::Provider(only)),
        (true, Some(_), Some(_)) => Err(Error::new(
            Kind::UnknownRoute,
            format!(
                "the route `{}` could mean several providers: name one of {}",
                wanted.route,
                speaking(org, wanted.format).join(", ")
            ),
        )),
        (true | false, _, _) => Err(Error::new(
            Kind::UnknownRoute,
            format!(
                "no route `{}` for {}; routes here: {}",
                wanted.route,
                wanted.format.as_str(),
                named_or_none(&speaking(org, wanted.format))
            ),
        )),
    }
}

fn named_or_none(routes: &[String]) -> String {
    if routes.is_empty() {
        "none: add a provider to the settings".to_owned()
    } else {
        routes.join(", ")
    }
}

/// Slugs of groups and providers that take this format, sorted.
fn speaking(org: &OrganizationSnapshot, format: Format) -> Vec<String> {
    let speaks = |provider: &Provider| provider.kind.formats().contains(&format);
    let groups = org.groups.values().filter(|group| {
        group
            .targets
            .iter()
            .any(|t| org.providers.get(&t.provider).is_some_and(|p| speaks(p)))
    });
    let mut slugs: Vec<String> = groups
        .map(|group| group.slug.clone())
        .chain(
            org.providers
                .values()
                .filter(|p| speaks(p))
                .map(|p| p.slug.clone()),
        )
        .collect();
    slugs.sort();
    slugs.dedup();
    slugs
}

/// The group's targets that speak the format: by priority, then by weighted chance; weight 0 last.
fn ordered(
    org: &OrganizationSnapshot,
    group: &RoutingGroup,
    wanted: Wanted<'_>,
    random: &mut dyn FnMut(u32) -> u32,
) -> Vec<Attempt> {
    let mut able: Vec<(&Target, &Arc<Provider>)> = group
        .targets
        .iter()
        .filter_map(|target| Some((target, org.providers.get(&target.provider)?)))
        .filter(|(_, provider)| provider.kind.formats().contains(&wanted.format))
        .collect();
    able.sort_by_key(|(target, _)| target.priority);
    let mut attempts = Vec::with_capacity(able.len());
    while let Some((first, _)) = able.first() {
        let priority = first.priority;
        let same = able
            .iter()
            .take_while(|(target, _)| target.priority == priority)
            .count();
        let (target, provider) = able.remove(drawn(able.iter().take(same), random));
        let mapped = target
            .models
            .iter()
            .find(|(asked, _)| asked == wanted.model);
        let model = mapped.map_or(wanted.model, |(_, sent)| sent).to_owned();
        attempts.push(Attempt {
            provider: Arc::clone(provider),
            model,
        });
    }
    attempts
}

/// Index of one target drawn by weight; targets without weight only when none has any.
fn drawn<'t>(
    targets: impl Iterator<Item = &'t (&'t Target, &'t Arc<Provider>)> + Clone,
    random: &mut dyn FnMut(u32) -> u32,
) -> usize {
    let total = targets
        .clone()
        .fold(0_u32, |sum, (target, _)| sum.saturating_add(target.weight));
    if total == 0 {
        return 0;
    }
    let mut left = random(total).min(total - 1);
    for (index, (target, _)) in targets.enumerate() {
        match left.checked_sub(target.weight) {
            Some(rest) => left = rest,
            None => return index,
        }
    }
    0
}

#[cfg(test)]
mod tests;
