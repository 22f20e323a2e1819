//! Reading one revision of everything the data plane needs.
//!
//! Disabling works outward-in: what is disabled is left out, and a key whose project or member is
//! disabled is shown as disabled, so no one place can forget to look.

use crate::{
    api_keys::{self, ApiKeyRow},
    error::Result,
    limits, members, organizations, projects, providers, routing_groups,
    sql::{Connection, query},
    store::Store,
};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};
use tollgate_core::{
    api_key::{ApiKey, ApiKeyState, KeyHash},
    id::{MemberId, OrganizationId, ProjectId},
    limit::{Limit, Scope},
    organization::Organization,
    snapshot::{OrganizationSnapshot, Snapshot},
};

type Key = (OrganizationId, KeyHash, ApiKey);

impl Store {
    /// Everything, as it is at one revision. A row that no longer makes sense is an error naming
    /// it, never a row left out.
    pub async fn snapshot(&self) -> Result<Snapshot> {
        let mut tx = self.database.read().await?;
        let revision = query("deployment", "SELECT revision FROM deployment WHERE id = 1")
            .one(&mut tx)
            .await?
            .count("revision")?;
        let mut snapshots = Vec::new();
        let mut keys = Vec::new();
        for organization in organizations::load(&mut tx).await? {
            let (snapshot, own) = self.organization(&mut tx, organization).await?;
            snapshots.push(snapshot);
            keys.extend(own);
        }
        Ok(Snapshot::new(revision, snapshots, keys))
    }

    async fn organization(
        &self,
        connection: &mut Connection,
        organization: Organization,
    ) -> Result<(OrganizationSnapshot, Vec<Key>)> {
        let id = organization.id;
        let projects = projects::load(connection, id).await?;
        let members = members::load(connection, id).await?;
        let providers: HashMap<_, _> = providers::load(connection, id, &self.keyring)
            .await?
            .into_iter()
            .filter(|row| !row.standing.disabled)
            .map(|row| (row.provider.id, Arc::new(row.provider)))
            .collect();
        let groups = routing_groups::load(connection, id)
            .await?
            .into_iter()
            .filter(|row| !row.standing.disabled)
            .map(|row| {
                let mut group = row.group;
                group
                    .targets
                    .retain(|target| providers.contains_key(&target.provider));
                (group.slug.clone(), group)
            })
            .collect();
        let off = Disabled {
            projects: projects
                .iter()
                .filter(|row| row.standing.disabled)
                .map(|row| row.project.id)
                .collect(),
            members: members
                .iter()
                .filter(|row| row.standing.disabled)
                .map(|row| row.member.id)
                .collect(),
        };
        let keys = api_keys::load(connection, id)
            .await?
            .into_iter()
            .filter(|row| row.key.state != ApiKeyState::Revoked)
            .map(|row| off.key(id, row))
            .collect();
        let snapshot = OrganizationSnapshot {
            organization,
            projects: projects
                .into_iter()
                .map(|row| (row.project.id, row.project))
                .collect(),
            members: members
                .into_iter()
                .map(|row| (row.member.id, row.member))
                .collect(),
            providers,
            groups,
            limits: by_scope(limits::load(connection, id).await?),
        };
        Ok((snapshot, keys))
    }
}

struct Disabled {
    projects: HashSet<ProjectId>,
    members: HashSet<MemberId>,
}

impl Disabled {
    fn key(&self, organization: OrganizationId, row: ApiKeyRow) -> Key {
        let mut key = row.key;
        let owner_off = self.projects.contains(&key.project)
            || key
                .member
                .is_some_and(|member| self.members.contains(&member));
        if owner_off && key.state == ApiKeyState::Active {
            key.state = ApiKeyState::Disabled;
        }
        (organization, row.hash, key)
    }
}

fn by_scope(limits: Vec<Limit>) -> HashMap<Scope, Vec<Limit>> {
    let mut map: HashMap<_, Vec<_>> = HashMap::new();
    for limit in limits {
        map.entry(limit.scope).or_default().push(limit);
    }
    map
}
