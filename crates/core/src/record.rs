//! The usage record: what is kept of one request. Written by the same transaction as the ledger
//! entry that ends it.

use crate::{
    amount::Amount,
    clock::Timestamp,
    error::Kind,
    format::{Format, Operation},
    id::RequestId,
    money::NanoUsd,
    principal::Ids,
    usage::Usage,
};
use std::sync::Arc;

/// One request, whatever became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageRecord {
    /// The request.
    pub request: RequestId,
    /// Whom it is attributed to.
    pub ids: Ids,
    /// When its first byte was read.
    pub received_at: Timestamp,
    /// When the first byte of the answer went to the client.
    pub first_byte_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Timestamp,
    /// First path segment.
    pub route: String,
    /// Slug of the provider that served, or that was tried last.
    pub provider: Option<String>,
    /// Dialect and body.
    pub format: Format,
    /// What was asked.
    pub operation: Operation,
    /// The model as the client named it.
    pub model_asked: String,
    /// The model that answered, as the answer names it.
    pub model_answered: Option<String>,
    /// Whether the answer was streamed.
    pub stream: bool,
    /// The HTTP status the client got (200 for a stream that failed later).
    pub status: u16,
    /// Our own error, if one ended it.
    pub error: Option<Kind>,
    /// What the answer reported, or nothing.
    pub usage: Usage,
    /// What was posted.
    pub cost: NanoUsd,
    /// The part of it that stands for attempts that were given up and may have been billed.
    pub abandoned_cost: NanoUsd,
    /// The upstream's own figure, where it gives one.
    pub provider_cost: Option<NanoUsd>,
    /// The most that was held.
    pub held: Amount,
    /// Attempts made upstream.
    pub attempts: u32,
    /// What is to be known about the figures.
    pub flags: RecordFlags,
    /// Which price data was used.
    pub price_version: Arc<str>,
    /// The upstream's own id of the request, for its support.
    pub upstream_request_id: Option<String>,
}

/// A small set, stored as a number, shown as words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct RecordFlags(u32);

impl RecordFlags {
    /// Nothing to say.
    pub const NONE: Self = Self(0);
    /// The upstream reported no final usage: the cost, or a part of it, is an estimate.
    pub const ESTIMATED: Self = Self(1);
    /// The process died while the request ran: the hold was posted.
    pub const UNSETTLED: Self = Self(1 << 1);
    /// It cost more than was held.
    pub const SHORTFALL: Self = Self(1 << 2);
    /// Includes an attempt that was given up and may have been billed.
    pub const ABANDONED: Self = Self(1 << 3);
    /// The model had no price, and the provider's policy let it pass.
    pub const UNPRICED: Self = Self(1 << 4);
    /// The client hung up.
    pub const CLIENT_GONE: Self = Self(1 << 5);
    /// Answered by the simulated provider: left out of reports.
    pub const SIMULATED: Self = Self(1 << 6);
    /// A limit ended the stream.
    pub const CUT: Self = Self(1 << 7);
    /// The answer broke off or could not be read.
    pub const BROKEN: Self = Self(1 << 8);
    /// Priced without the split by modality, the dearer way.
    pub const APPROXIMATE: Self = Self(1 << 9);
    /// Its work goes on after the answer: charged at an estimate until its bill is known.
    pub const DEFERRED: Self = Self(1 << 10);

    /// Every member with its word.
    pub const ALL: [(Self, &'static str); 11] = [
        (Self::ESTIMATED, "estimated"),
        (Self::UNSETTLED, "unsettled"),
        (Self::SHORTFALL, "shortfall"),
        (Self::ABANDONED, "abandoned"),
        (Self::UNPRICED, "unpriced"),
        (Self::CLIENT_GONE, "client_gone"),
        (Self::SIMULATED, "simulated"),
        (Self::CUT, "cut"),
        (Self::BROKEN, "broken"),
        (Self::APPROXIMATE, "approximate"),
        (Self::DEFERRED, "deferred"),
    ];

    /// The set stored as this number; unknown members are kept.
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// The number it is stored as.
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Adds the members of `other`.
    pub const fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// Whether every member of `other` is in it.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The words of its members.
    pub fn words(self) -> impl Iterator<Item = &'static str> {
        Self::ALL
            .into_iter()
            .filter(move |(flag, _)| self.contains(*flag))
            .map(|(_, word)| word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_words_to_people_and_a_number_to_the_store() {
        let mut flags = RecordFlags::NONE;
        flags.add(RecordFlags::CLIENT_GONE);
        flags.add(RecordFlags::ESTIMATED);
        assert_eq!(
            flags.words().collect::<Vec<_>>(),
            ["estimated", "client_gone"]
        );
        assert_eq!(RecordFlags::from_bits(flags.bits()), flags);
        let all = RecordFlags::ALL
            .iter()
            .fold(0, |bits, (flag, _)| bits + flag.bits());
        assert_eq!(
            all,
            (1 << RecordFlags::ALL.len()) - 1,
            "each has a bit of its own"
        );
    }
}
