//! Who is calling: the resolved identity behind a credential. Which limits apply follows from the
//! ids: every limit of each of their scopes.

use crate::{
    id::{AgentSessionId, ApiKeyId, MemberId, OrganizationId, ProjectId},
    limit::Scope,
};

/// The ids a request is attributed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ids {
    /// Always there.
    pub organization: OrganizationId,
    /// Always there: a key or a session belongs to a project.
    pub project: ProjectId,
    /// The person, for personal keys and sessions.
    pub member: Option<MemberId>,
    /// The API key, when one was used.
    pub api_key: Option<ApiKeyId>,
    /// The agent session, when one was used.
    pub session: Option<AgentSessionId>,
}

impl Ids {
    /// The scopes these ids fall under, widest first.
    pub fn scopes(self) -> impl Iterator<Item = Scope> {
        [
            Some(Scope::Organization(self.organization)),
            Some(Scope::Project(self.project)),
            self.member.map(Scope::Member),
            self.api_key.map(Scope::ApiKey),
            self.session.map(Scope::AgentSession),
        ]
        .into_iter()
        .flatten()
    }
}

/// A caller whose credential is good. Built once per credential and snapshot, then shared.
#[derive(Clone, Debug)]
pub struct Principal {
    /// Whom to attribute to.
    pub ids: Ids,
    /// Name of the key, for people.
    pub key_name: String,
    /// Slug of the project, for people.
    pub project_slug: String,
    /// Routes this caller may use; empty = all.
    pub allowed_routes: Vec<String>,
    /// Models this caller may use; empty = all.
    pub allowed_models: Vec<String>,
}
