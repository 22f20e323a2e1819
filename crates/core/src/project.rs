//! Projects: what keys and sessions belong to.

use crate::id::ProjectId;

/// A project of an organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// Its id.
    pub id: ProjectId,
    /// Its name in URLs and settings.
    pub slug: String,
}
