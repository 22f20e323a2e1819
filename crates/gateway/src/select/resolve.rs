//! What the first path segment names: a routing group, a provider, or a well-known alias.

use super::Wanted;
use std::sync::Arc;
use tollgate_core::{
    error::{Error, Kind},
    provider::{Provider, ProviderKind},
    route::{self, RoutingGroup},
    snapshot::OrganizationSnapshot,
};
use tollgate_wire::offer::offer;

/// What a route leads to.
pub(super) enum Resolved<'s> {
    /// Several providers.
    Group(&'s RoutingGroup),
    /// One that speaks the format.
    Provider(&'s Arc<Provider>),
}

/// What the route of a request leads to.
///
/// # Errors
/// [`Kind::UnknownRoute`], naming the routes there are.
pub(super) fn resolve<'s>(
    org: &'s OrganizationSnapshot,
    wanted: Wanted<'_>,
) -> Result<Resolved<'s>, Error> {
    if let Some(group) = org.groups.get(wanted.route) {
        return Ok(Resolved::Group(group));
    }
    if let Some(provider) = org.provider_by_slug(wanted.route) {
        if speaks(provider, wanted) {
            return Ok(Resolved::Provider(provider));
        }
        return Err(Error::new(
            Kind::UnknownRoute,
            format!(
                "the provider `{}` does not speak {}; routes that do: {}",
                wanted.route,
                wanted.format.as_str(),
                named_or_none(&speaking(org, wanted))
            ),
        ));
    }
    by_alias(org, wanted)
}

/// An alias stands for the only provider at home in its dialect that speaks the request's format,
/// else for the only one that speaks the format at all.
///
/// At home is who has one of the alias's formats as its first: OpenAI's own rather than one of the
/// many that offer that dialect beside theirs.
fn by_alias<'s>(org: &'s OrganizationSnapshot, wanted: Wanted<'_>) -> Result<Resolved<'s>, Error> {
    let formats = route::alias_formats(wanted.route).unwrap_or_default();
    let speakers: Vec<_> = candidates(org)
        .filter(|provider| speaks(provider, wanted))
        .collect();
    let at_home: Vec<_> = speakers
        .iter()
        .copied()
        .filter(|provider| {
            let home = provider.kind.formats().first();
            home.is_some_and(|home| formats.contains(home))
        })
        .collect();
    let choices = match (&at_home[..], formats.contains(&wanted.format)) {
        ([only], _) => return Ok(Resolved::Provider(only)),
        ([], true) => match &speakers[..] {
            [only] => return Ok(Resolved::Provider(only)),
            several => several,
        },
        (several, _) => several,
    };
    if choices.is_empty() {
        return Err(Error::new(
            Kind::UnknownRoute,
            format!(
                "no route `{}` for {}; routes here: {}",
                wanted.route,
                wanted.format.as_str(),
                named_or_none(&speaking(org, wanted))
            ),
        ));
    }
    let mut slugs: Vec<&str> = choices.iter().map(|provider| &*provider.slug).collect();
    slugs.sort_unstable();
    Err(Error::new(
        Kind::UnknownRoute,
        format!(
            "the route `{}` could mean several providers: name one of {}",
            wanted.route,
            slugs.join(", ")
        ),
    ))
}

/// Whom an alias may stand for: never the simulated provider where there is a real one.
fn candidates(org: &OrganizationSnapshot) -> impl Iterator<Item = &Arc<Provider>> {
    let is_real = |provider: &Provider| provider.kind != ProviderKind::Simulated;
    let any_real = org.providers.values().any(|provider| is_real(provider));
    org.providers
        .values()
        .filter(move |provider| !any_real || is_real(provider))
}

/// Whether a provider takes what is asked in the format, natively or with its envelope's edits.
pub(super) fn speaks(provider: &Provider, wanted: Wanted<'_>) -> bool {
    offer(provider.kind, wanted.format, wanted.operation).is_made()
}

fn named_or_none(routes: &[String]) -> String {
    if routes.is_empty() {
        "none: add a provider to the settings".to_owned()
    } else {
        routes.join(", ")
    }
}

/// Slugs of groups and providers that take this format, sorted.
fn speaking(org: &OrganizationSnapshot, wanted: Wanted<'_>) -> Vec<String> {
    let groups = org.groups.values().filter(|group| {
        let mut targets = group.targets.iter();
        targets.any(|target| {
            let provider = org.providers.get(&target.provider);
            provider.is_some_and(|provider| speaks(provider, wanted))
        })
    });
    let providers = org.providers.values();
    let providers = providers.filter(|provider| speaks(provider, wanted));
    let mut slugs: Vec<String> = groups
        .map(|group| group.slug.clone())
        .chain(providers.map(|provider| provider.slug.clone()))
        .collect();
    slugs.sort();
    slugs.dedup();
    slugs
}
