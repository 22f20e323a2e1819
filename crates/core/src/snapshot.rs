//! The immutable value the data plane runs on. The store makes a new one for each revision of the
//! settings; the gateway swaps it in whole, so a request sees one revision from start to end.

use crate::{
    api_key::{ApiKey, KeyHash},
    id::{ApiKeyId, MemberId, OrganizationId, ProjectId, ProviderId},
    limit::{Limit, Scope},
    member::Member,
    organization::Organization,
    principal::{Ids, Principal},
    project::Project,
    provider::Provider,
    route::RoutingGroup,
};
use std::{collections::HashMap, sync::Arc};

/// Everything of one organisation that a request can touch.
#[derive(Debug)]
pub struct OrganizationSnapshot {
    /// The organisation.
    pub organization: Organization,
    /// Its projects.
    pub projects: HashMap<ProjectId, Project>,
    /// Its members.
    pub members: HashMap<MemberId, Member>,
    /// Its providers that are in force.
    pub providers: HashMap<ProviderId, Arc<Provider>>,
    /// Its routing groups by slug.
    pub groups: HashMap<String, RoutingGroup>,
    /// Its limits by scope.
    pub limits: HashMap<Scope, Vec<Limit>>,
}

impl OrganizationSnapshot {
    /// The provider with this slug.
    pub fn provider_by_slug(&self, slug: &str) -> Option<&Arc<Provider>> {
        self.providers
            .values()
            .find(|provider| provider.slug == slug)
    }
}

/// A key and who stands behind it.
#[derive(Debug)]
pub struct KeyEntry {
    /// The key: its state and expiry are checked on each use.
    pub key: ApiKey,
    /// The caller it stands for.
    pub principal: Arc<Principal>,
}

/// One revision of everything.
#[derive(Debug)]
pub struct Snapshot {
    /// Grows with every change.
    pub revision: u64,
    /// By id.
    pub organizations: HashMap<OrganizationId, Arc<OrganizationSnapshot>>,
    /// By keyed hash.
    pub keys: HashMap<KeyHash, Arc<KeyEntry>>,
}

impl Snapshot {
    /// Puts the parts together and resolves each key's principal.
    pub fn new(
        revision: u64,
        organizations: impl IntoIterator<Item = OrganizationSnapshot>,
        keys: impl IntoIterator<Item = (OrganizationId, KeyHash, ApiKey)>,
    ) -> Self {
        let organizations: HashMap<_, _> = organizations
            .into_iter()
            .map(|org| (org.organization.id, Arc::new(org)))
            .collect();
        let keys = keys
            .into_iter()
            .filter_map(|(organization, hash, key)| {
                let principal = principal_of(organizations.get(&organization)?, &key);
                Some((
                    hash,
                    Arc::new(KeyEntry {
                        key,
                        principal: Arc::new(principal),
                    }),
                ))
            })
            .collect();
        Self {
            revision,
            organizations,
            keys,
        }
    }

    /// The key record with this id.
    pub fn key_by_id(&self, id: ApiKeyId) -> Option<&Arc<KeyEntry>> {
        self.keys.values().find(|entry| entry.key.id == id)
    }
}

fn principal_of(org: &OrganizationSnapshot, key: &ApiKey) -> Principal {
    let ids = Ids {
        organization: org.organization.id,
        project: key.project,
        member: key.member,
        api_key: Some(key.id),
        session: None,
    };
    Principal {
        ids,
        key_name: key.name.clone(),
        project_slug: org
            .projects
            .get(&key.project)
            .map_or_else(String::new, |p| p.slug.clone()),
        allowed_routes: key.allowed_routes.clone(),
        allowed_models: key.allowed_models.clone(),
    }
}
