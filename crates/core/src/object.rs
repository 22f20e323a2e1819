//! Objects that live at a provider, and belong to the project that had them made.
//!
//! A provider knows one account, ours: it would show every caller every file, batch and stored
//! response. So who made an object is written down here, and an id is good only in the hands of
//! its project and at the provider that gave it. Work that goes on after its answer is such an
//! object too, with a bill that comes later: [`DeferredWork`].

use crate::{
    amount::Amount,
    clock::Timestamp,
    format::Format,
    id::{ProviderId, RequestId},
    principal::Ids,
};

/// The longest id of an object, in bytes. Real ones have below a hundred.
pub const OBJECT_ID_MAX: usize = 256;

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ObjectKind {
    /// An uploaded file, or one that a batch left.
    File,
    /// Many requests handed in at once.
    Batch,
    /// A stored response.
    Response,
    /// A stored conversation.
    Conversation,
    /// Where a provider's tools ran code, with the files they left there.
    Container,
    /// An item of a stored response: what later requests may refer to instead of repeating it.
    Item,
    /// A stored interaction (Google's responses).
    Interaction,
}

impl ObjectKind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::File,
        Self::Batch,
        Self::Response,
        Self::Conversation,
        Self::Container,
        Self::Item,
        Self::Interaction,
    ];

    /// The word stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Batch => "batch",
            Self::Response => "response",
            Self::Conversation => "conversation",
            Self::Container => "container",
            Self::Item => "item",
            Self::Interaction => "interaction",
        }
    }

    /// The kind with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// An object and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredObject {
    /// Its id at the provider: at most [`OBJECT_ID_MAX`] bytes.
    pub id: String,
    /// What it is.
    pub kind: ObjectKind,
    /// Where it lives.
    pub provider: ProviderId,
    /// Who had it made; the project owns it.
    pub maker: Ids,
    /// The request whose answer named it.
    pub request: RequestId,
    /// When that was.
    pub made_at: Timestamp,
    /// What is to be remembered of it, as JSON: what a file of batch requests asks for.
    pub facts: Option<String>,
}

/// Work that goes on at a provider after its answer, charged at an estimate until its bill is
/// known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeferredWork {
    /// The request that asked for it; its entries carry this id.
    pub request: RequestId,
    /// Whom it is charged to.
    pub ids: Ids,
    /// When its hold was taken: decides the windows it counts in.
    pub reserved_at: Timestamp,
    /// Where it is done.
    pub provider: ProviderId,
    /// In which dialect it is asked about.
    pub format: Format,
    /// The id of the response or batch.
    pub object: String,
    /// The model it is priced at when the answer names none.
    pub model: String,
    /// How many requests its bill counts as.
    pub requests: i64,
    /// What was spent on attempts that were given up before: comes on top of its bill.
    pub aside: Amount,
    /// When it is to be looked at next.
    pub look_at: Timestamp,
    /// How often it was looked at.
    pub looks: u32,
    /// From when on nobody looks any more: the estimate stands then.
    pub give_up_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_read_back_from_their_words() {
        for kind in ObjectKind::ALL {
            assert_eq!(ObjectKind::from_word(kind.as_str()), Some(kind));
        }
        assert_eq!(ObjectKind::from_word("assistant"), None);
    }
}
