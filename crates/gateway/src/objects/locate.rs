//! Before a request goes anywhere: the objects that it names are its project's, and live in one
//! place, which its route leads to.
//!
//! What is unknown and what is another project's is refused in the same words: nobody learns by
//! asking what others have.

use super::cache::{Home, unavailable};
use crate::{
    select::{Attempt, Route, providers_behind},
    state::{Gateway, View},
};
use std::collections::HashSet;
use tollgate_core::{
    error::{Error, Kind},
    format::{Format, Operation},
    id::ProviderId,
    principal::Principal,
    snapshot::OrganizationSnapshot,
};
use tollgate_store::KnownObject;
use tollgate_wire::{endpoint::Endpoint, facts::RequestFacts, objects::BatchWork};

/// How much of an id is repeated in a message.
const SHOWN_CHARS_MAX: usize = 128;

/// What is known of the objects that a request names.
#[derive(Debug, Default)]
pub(crate) struct Located {
    /// Where they live: the only place where the request can go.
    pub(crate) at: Option<ProviderId>,
    /// What the batch asks for that the request hands in.
    pub(crate) work: Option<Box<BatchWork>>,
    /// The object that the request is about stands for work whose bill is not known.
    pub(crate) open_work: bool,
}

/// Finds the objects that a request names.
///
/// # Errors
/// [`Kind::UnknownObject`] for what is not the project's, [`Kind::BadRequest`] for objects that no
/// provider has together and for batches whose requests nobody knows, [`Kind::Unavailable`] when
/// the store does not answer.
pub(crate) async fn locate(
    gateway: &Gateway,
    view: &View,
    principal: &Principal,
    (route, endpoint, facts): (&str, &Endpoint, &RequestFacts),
) -> Result<Located, Error> {
    if facts.objects.is_empty() && facts.batch.is_none() {
        return Ok(Located::default());
    }
    let mut work = facts.batch.clone();
    let mut named: Vec<&str> = facts.objects.iter().map(String::as_str).collect();
    if endpoint.format == Format::OpenAiBatches && endpoint.operation == Operation::Defer {
        work = Some(work_of_file(gateway, principal, &named).await?);
    }
    named.extend(
        work.iter()
            .flat_map(|work| work.objects.iter().map(String::as_str)),
    );
    let project = principal.ids.project;
    let store = &gateway.parts.store;
    let homes = gateway.objects.homes(store, project, &named).await?;
    if let Some((id, _)) = named.iter().zip(&homes).find(|(_, homes)| homes.is_empty()) {
        return Err(unknown(id));
    }
    let org = view.organization(principal.ids.organization)?;
    let behind = providers_behind(org, route, Some(endpoint.format));
    let behind: Vec<ProviderId> = behind.iter().map(|(provider, _)| provider.id).collect();
    let about = endpoint.object.as_deref();
    let is_open = |(id, homes): (&&str, &Vec<Home>)| {
        Some(*id) == about && homes.iter().any(|home| home.open_work)
    };
    Ok(Located {
        open_work: named.iter().zip(&homes).any(is_open),
        at: together(&homes, &behind, &named)?,
        work,
    })
}

/// Uploads and lists of objects share no load: what was uploaded is to be found again. On a routing
/// group they go to its first target, by priority and then by the order of the settings, as long
/// as that one answers.
pub(crate) fn in_one_place(
    org: &OrganizationSnapshot,
    (slug, endpoint): (&str, &Endpoint),
    route: &mut Route,
) {
    let stays = [Operation::CreateObject, Operation::ListObjects];
    if !stays.contains(&endpoint.operation) {
        return;
    }
    let targets = org.groups.get(slug).map_or(&[][..], |group| &group.targets);
    let rank = |attempt: &Attempt| {
        let mut ranked = targets.iter().enumerate();
        let found = ranked.find(|(_, target)| target.provider == attempt.provider.id);
        found.map(|(place, target)| (target.priority, place))
    };
    route.attempts.sort_by_key(rank);
}

/// The one place where all of the objects are; of several, one behind the route.
fn together(
    homes: &[Vec<Home>],
    behind: &[ProviderId],
    named: &[&str],
) -> Result<Option<ProviderId>, Error> {
    let mut homes = homes.iter();
    let Some(first) = homes.next() else {
        return Ok(None);
    };
    let mut common: HashSet<ProviderId> = first.iter().map(|home| home.provider).collect();
    for (homes, id) in homes.zip(named.iter().skip(1)) {
        let here = |provider: &ProviderId| homes.iter().any(|home| home.provider == *provider);
        common.retain(here);
        if common.is_empty() {
            return Err(Error::new(
                Kind::BadRequest,
                format!(
                    "the object `{}` lives at another provider than the rest of what the request \
                     names: name only objects that were made at one provider",
                    shown(id)
                ),
            ));
        }
    }
    let preferred = behind.iter().find(|provider| common.contains(provider));
    Ok(preferred.copied().or_else(|| common.into_iter().min()))
}

/// What the requests in an uploaded file ask for.
async fn work_of_file(
    gateway: &Gateway,
    principal: &Principal,
    ids: &[&str],
) -> Result<Box<BatchWork>, Error> {
    let id = ids.first().copied().unwrap_or_default();
    let store = &gateway.parts.store;
    let found = store.objects_of(principal.ids.project, &[id]).await;
    let found = found.map_err(|error| unavailable(&error))?;
    let file = found.first().ok_or_else(|| unknown(id))?;
    let work = file
        .facts
        .as_deref()
        .and_then(|facts| serde_json::from_str(facts).ok());
    let work: BatchWork = work.ok_or_else(|| not_seen(file))?;
    match &work.problem {
        None => Ok(Box::new(work)),
        Some(problem) => Err(Error::new(
            Kind::BadRequest,
            format!("the requests of this batch cannot be held: {problem}"),
        )),
    }
}

fn not_seen(file: &KnownObject) -> Error {
    Error::new(
        Kind::BadRequest,
        format!(
            "the requests in the file `{}` are not known, so what they may cost cannot be held: \
             upload it through this gateway with the purpose `batch`",
            shown(&file.id)
        ),
    )
}

fn unknown(id: &str) -> Error {
    Error::new(
        Kind::UnknownObject,
        format!(
            "no such object: `{}` (a project sees the objects that it made through this gateway)",
            shown(id)
        ),
    )
}

fn shown(id: &str) -> String {
    let letters = id.chars().take(SHOWN_CHARS_MAX);
    letters
        .map(|letter| if letter.is_control() { '?' } else { letter })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn homes(providers: &[u8]) -> Vec<Home> {
        let home = |n: &u8| Home {
            provider: provider(*n),
            open_work: false,
        };
        providers.iter().map(home).collect()
    }

    fn provider(n: u8) -> ProviderId {
        ProviderId::from_bytes([n; 16])
    }

    #[test]
    fn objects_are_together_where_all_of_them_are() {
        let behind = [provider(3), provider(2)];
        let find = |homes: &[Vec<Home>]| together(homes, &behind, &["a", "b", "c"]);
        assert_eq!(find(&[]).unwrap(), None);
        assert_eq!(find(&[homes(&[1])]).unwrap(), Some(provider(1)));
        let both = [homes(&[1, 2]), homes(&[2])];
        assert_eq!(find(&both).unwrap(), Some(provider(2)));
        let several = [homes(&[1, 2, 3]), homes(&[3, 2, 1])];
        assert_eq!(
            find(&several).unwrap(),
            Some(provider(3)),
            "behind the route"
        );
        let apart = find(&[homes(&[1]), homes(&[1]), homes(&[2])]).unwrap_err();
        assert_eq!(apart.kind(), Kind::BadRequest);
        assert!(apart.message().contains("`c`"), "{}", apart.message());
    }

    #[test]
    fn an_id_in_a_message_is_short_and_harmless() {
        let error = unknown(&format!("a\n{}", "x".repeat(500)));
        assert!(error.message().contains("`a?xxx"));
        assert!(error.message().len() < 300);
    }
}
