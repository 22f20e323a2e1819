//! Limits: a scope, a window, a unit, an amount, an action. All limits in force compose; any one
//! of them blocks.

use crate::{
    id::{AgentSessionId, ApiKeyId, MemberId, OrganizationId, ProjectId},
    money::NanoUsd,
};
use std::fmt;

/// Whose use a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// Everything an organisation does.
    Organization(OrganizationId),
    /// One project.
    Project(ProjectId),
    /// One member, through whichever key or session.
    Member(MemberId),
    /// One API key.
    ApiKey(ApiKeyId),
    /// One agent session.
    AgentSession(AgentSessionId),
}

impl Scope {
    /// The kind in one word, as stored and as shown.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Organization(_) => "organization",
            Self::Project(_) => "project",
            Self::Member(_) => "member",
            Self::ApiKey(_) => "key",
            Self::AgentSession(_) => "session",
        }
    }

    /// The sixteen bytes of the id inside.
    pub const fn id_bytes(self) -> [u8; 16] {
        match self {
            Self::Organization(id) => id.to_bytes(),
            Self::Project(id) => id.to_bytes(),
            Self::Member(id) => id.to_bytes(),
            Self::ApiKey(id) => id.to_bytes(),
            Self::AgentSession(id) => id.to_bytes(),
        }
    }

    /// The scope stored as a kind and sixteen bytes; `None` for an unknown kind.
    pub fn from_parts(kind: &str, id: [u8; 16]) -> Option<Self> {
        Some(match kind {
            "organization" => Self::Organization(OrganizationId::from_bytes(id)),
            "project" => Self::Project(ProjectId::from_bytes(id)),
            "member" => Self::Member(MemberId::from_bytes(id)),
            "key" => Self::ApiKey(ApiKeyId::from_bytes(id)),
            "session" => Self::AgentSession(AgentSessionId::from_bytes(id)),
            _ => return None,
        })
    }
}

/// What a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LimitUnit {
    /// Nano-dollars.
    Cost,
    /// Requests accepted from a client.
    Requests,
    /// Input (cached included) plus output tokens.
    Tokens,
}

impl LimitUnit {
    /// The word stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cost => "cost",
            Self::Requests => "requests",
            Self::Tokens => "tokens",
        }
    }

    /// The unit with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Cost, Self::Requests, Self::Tokens]
            .into_iter()
            .find(|unit| unit.as_str() == word)
    }
}

/// The period a limit counts over, in the organisation's time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum WindowKind {
    /// A calendar day.
    Day,
    /// Monday to Sunday.
    Week,
    /// A calendar month.
    Month,
    /// For ever.
    Total,
}

impl WindowKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Day, Self::Week, Self::Month, Self::Total];

    /// The word used in settings, storage and messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "daily",
            Self::Week => "weekly",
            Self::Month => "monthly",
            Self::Total => "total",
        }
    }

    /// The window with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|window| window.as_str() == word)
    }
}

/// What happens at the amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LimitAction {
    /// Refuse what would pass it.
    Block,
    /// Let it pass and say so.
    Alert,
}

/// One rule. Identified by scope, window and unit: there is at most one of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Limit {
    /// Whose use is counted.
    pub scope: Scope,
    /// Over which period.
    pub window: WindowKind,
    /// Counting what.
    pub unit: LimitUnit,
    /// The cap in the unit (nano-dollars, requests or tokens); 0 ..= 2^62.
    pub amount: i64,
    /// What happens there.
    pub action: LimitAction,
}

impl Limit {
    /// The largest amount a limit may have, so that sums below it cannot overflow.
    pub const AMOUNT_MAX: i64 = 1 << 62;

    /// The amount for people: dollars for cost, a plain number otherwise.
    pub fn display_amount(&self) -> String {
        display_in_unit(self.unit, self.amount)
    }
}

/// `value` for people in this unit: `$3.42`, `118 requests`, `2000000 tokens`.
pub fn display_in_unit(unit: LimitUnit, value: i64) -> String {
    match unit {
        LimitUnit::Cost => NanoUsd::from_nano(value).display_dollars(),
        LimitUnit::Requests => format!("{value} requests"),
        LimitUnit::Tokens => format!("{value} tokens"),
    }
}

impl fmt::Display for WindowKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
