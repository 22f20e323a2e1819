//! Organisations: who owns projects, members, providers and keys.

use crate::id::OrganizationId;

/// An organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organization {
    /// Its id.
    pub id: OrganizationId,
    /// For people.
    pub name: String,
    /// The time zone its limit windows follow (IANA name, default UTC).
    pub time_zone: jiff::tz::TimeZone,
}
