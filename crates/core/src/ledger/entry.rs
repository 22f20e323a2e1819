//! Facts and entries. A [`Fact`] is what a node says happened; an [`Entry`] is what the store wrote
//! down because of it, once and for good. They differ because the truth may come late or twice:
//! [`authority`](super::authority) turns the one into the other.

use crate::{amount::Amount, clock::Timestamp, id::RequestId, principal::Ids};

/// What a node says happened. Never refused, whoever says it and whenever; posted at most once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fact {
    /// The request it is about.
    pub request: RequestId,
    /// Whom it is attributed to: decides the scopes it counts in.
    pub ids: Ids,
    /// When the hold was taken: decides the windows it counts in.
    pub reserved_at: Timestamp,
    /// What happened.
    pub kind: FactKind,
    /// How much; zero or more unless it corrects something.
    pub amount: Amount,
    /// What is to be known about the figure.
    pub flags: Flags,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FactKind {
    /// The request ended and used this.
    Settle,
    /// The process that held this is gone: the hold is charged.
    Expire,
    /// The work goes on after its answer: the hold is charged until the truth is known.
    Defer,
    /// An operator corrects a figure; `n` numbers the corrections of one request.
    Adjust(u32),
    /// A payment; moves no account that counts use.
    Credit(u32),
}

/// The kinds of entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EntryKind {
    /// What a request used.
    Settle,
    /// A hold charged in full, because its process is gone or its work goes on elsewhere.
    Expire,
    /// The difference to the truth, which came after the hold had expired. May be negative.
    Late,
    /// A correction by an operator. May be negative.
    Adjust,
    /// A payment.
    Credit,
}

impl EntryKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [
        Self::Settle,
        Self::Expire,
        Self::Late,
        Self::Adjust,
        Self::Credit,
    ];

    /// The word stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Settle => "settle",
            Self::Expire => "expire",
            Self::Late => "late",
            Self::Adjust => "adjust",
            Self::Credit => "credit",
        }
    }

    /// The kind with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// One immutable line of the ledger. `(request, kind, n)` is unique.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The request it is about.
    pub request: RequestId,
    /// What it is.
    pub kind: EntryKind,
    /// Counts the entries of one kind of one request, from 0.
    pub n: u32,
    /// When the hold was taken: decides the windows it counts in.
    pub reserved_at: Timestamp,
    /// When the store wrote it.
    pub booked_at: Timestamp,
    /// Whom it is attributed to.
    pub ids: Ids,
    /// How much.
    pub amount: Amount,
    /// What is to be known about the figure.
    pub flags: Flags,
}

/// What is to be known about a figure: a small set, stored as a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flags(u8);

impl Flags {
    /// Nothing to say.
    pub const NONE: Self = Self(0);
    /// More was used than was held.
    pub const SHORTFALL: Self = Self(1);
    /// The upstream reported no final usage: the figure, or a part of it, is an estimate.
    pub const ESTIMATED: Self = Self(1 << 1);
    /// The hold of a process that is gone: what was really used is not known.
    pub const UNSETTLED: Self = Self(1 << 2);
    /// Includes an attempt that was given up and may have been billed.
    pub const ABANDONED: Self = Self(1 << 3);

    /// The set stored as this number; unknown members are kept.
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits)
    }

    /// The number it is stored as.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Both sets together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether every member of `other` is in it.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_read_back_from_their_words() {
        for kind in EntryKind::ALL {
            assert_eq!(EntryKind::from_word(kind.as_str()), Some(kind));
        }
        assert_eq!(EntryKind::from_word("refund"), None);
    }

    #[test]
    fn flags_add_up_and_read_back() {
        let flags = Flags::SHORTFALL.with(Flags::ABANDONED);
        assert!(flags.contains(Flags::ABANDONED) && !flags.contains(Flags::ESTIMATED));
        assert_eq!(Flags::from_bits(flags.bits()), flags);
        assert!(flags.contains(Flags::NONE));
    }
}
