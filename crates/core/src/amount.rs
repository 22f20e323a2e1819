//! What a request takes from a limit: cost, requests and tokens at once. A limit's unit picks one.

use crate::{limit::LimitUnit, money::NanoUsd};

/// Three quantities that move together. Every component is zero or more wherever it is held or
/// posted; differences (an adjusting entry) may be negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Amount {
    /// Nano-dollars.
    pub cost: NanoUsd,
    /// Requests accepted from a client.
    pub requests: i64,
    /// Input (cached included) plus output tokens.
    pub tokens: i64,
}

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self {
        cost: NanoUsd::ZERO,
        requests: 0,
        tokens: 0,
    };

    /// The component a limit of this unit counts.
    pub const fn component(self, unit: LimitUnit) -> i64 {
        match unit {
            LimitUnit::Cost => self.cost.as_nano(),
            LimitUnit::Requests => self.requests,
            LimitUnit::Tokens => self.tokens,
        }
    }

    /// The larger of each component.
    #[must_use]
    pub fn max_each(self, other: Self) -> Self {
        Self {
            cost: self.cost.max(other.cost),
            requests: self.requests.max(other.requests),
            tokens: self.tokens.max(other.tokens),
        }
    }

    /// By how much each component is above that of `other`; zero where it is not.
    #[must_use]
    pub fn excess_over(self, other: Self) -> Self {
        let excess = |own: i64, other: i64| own.saturating_sub(other).max(0);
        Self {
            cost: NanoUsd::from_nano(excess(self.cost.as_nano(), other.cost.as_nano())),
            requests: excess(self.requests, other.requests),
            tokens: excess(self.tokens, other.tokens),
        }
    }

    /// Component-wise sum; what would overflow stays at the largest there is.
    #[must_use]
    pub fn saturating_add(self, other: Self) -> Self {
        let cost = self.cost.as_nano().saturating_add(other.cost.as_nano());
        Self {
            cost: NanoUsd::from_nano(cost),
            requests: self.requests.saturating_add(other.requests),
            tokens: self.tokens.saturating_add(other.tokens),
        }
    }

    /// Component-wise sum, `None` when one would overflow.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        Some(Self {
            cost: self.cost.checked_add(other.cost)?,
            requests: self.requests.checked_add(other.requests)?,
            tokens: self.tokens.checked_add(other.tokens)?,
        })
    }

    /// Component-wise difference, `None` when one would overflow.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        Some(Self {
            cost: self.cost.checked_sub(other.cost)?,
            requests: self.requests.checked_sub(other.requests)?,
            tokens: self.tokens.checked_sub(other.tokens)?,
        })
    }
}
