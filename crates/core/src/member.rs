//! Members: people in an organisation.

use crate::id::MemberId;

/// What a member may do by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Everything, the organisation itself included.
    Owner,
    /// Everything in the organisation but giving it away.
    Admin,
    /// Own keys and sessions.
    Member,
    /// Look, not touch.
    Viewer,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 4] = [Self::Owner, Self::Admin, Self::Member, Self::Viewer];

    /// The word used in settings and storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Member => "member",
            Self::Viewer => "viewer",
        }
    }

    /// The role with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }
}

/// A person in an organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Their id.
    pub id: MemberId,
    /// Their e-mail address, lower-cased: unique in an organisation.
    pub email: String,
    /// What they may do.
    pub role: Role,
}
