//! What a request used: counts per unit, and the report a wire format gives of an answer.

use crate::{money::NanoUsd, unit::Unit};

/// Counts per [`Unit`]. Zero and "not reported" are the same: neither is billed.
///
/// Totals include their parts: `InputTokens` counts cached tokens too, `OutputTokens` counts
/// reasoning too (the conventions of the `genai-prices` data).
#[derive(Clone, PartialEq, Eq)]
pub struct Usage {
    counts: [u64; Unit::COUNT],
}

impl Usage {
    /// Nothing used.
    pub const NONE: Self = Self {
        counts: [0; Unit::COUNT],
    };

    /// The count of one unit.
    pub fn get(&self, unit: Unit) -> u64 {
        self.counts.get(unit as usize).copied().unwrap_or(0)
    }

    /// Sets the count of one unit.
    pub fn set(&mut self, unit: Unit, count: u64) {
        if let Some(slot) = self.counts.get_mut(unit as usize) {
            *slot = count;
        }
    }

    /// Adds to the count of one unit, stopping at the largest count.
    pub fn add(&mut self, unit: Unit, count: u64) {
        self.set(unit, self.get(unit).saturating_add(count));
    }

    /// Adds every count of `other`.
    pub fn add_all(&mut self, other: &Self) {
        for (unit, count) in other.iter() {
            self.add(unit, count);
        }
    }

    /// The non-zero counts.
    pub fn iter(&self) -> impl Iterator<Item = (Unit, u64)> + '_ {
        Unit::ALL
            .iter()
            .map(|info| (info.unit, self.get(info.unit)))
            .filter(|(_, count)| *count > 0)
    }

    /// Whether nothing was counted.
    pub fn is_none(&self) -> bool {
        self.counts.iter().all(|count| *count == 0)
    }

    /// Input (cached included) plus output tokens: what token limits count.
    pub fn total_tokens(&self) -> u64 {
        self.get(Unit::InputTokens)
            .saturating_add(self.get(Unit::OutputTokens))
    }
}

impl Default for Usage {
    fn default() -> Self {
        Self::NONE
    }
}

impl std::fmt::Debug for Usage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map()
            .entries(
                self.iter()
                    .map(|(unit, count)| (unit.info().usage_key, count)),
            )
            .finish()
    }
}

/// What an answer reported.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UsageReport {
    /// The model that answered, when the answer names it; else the requested one is priced.
    pub model: Option<String>,
    /// Counts at that model; `None` when the answer reported no usage at all.
    pub usage: Option<Usage>,
    /// What changes the rates: `("service_tier", "flex")`, `("processing", "batch")`, …
    pub context: Vec<(&'static str, String)>,
    /// Usage at other models (an advisor, an image model), priced on its own and added.
    pub extra: Vec<ExtraUsage>,
    /// The upstream's own figure of its cost, which outranks ours where the provider bills by it
    /// (OpenRouter's `usage.cost`, xAI's ticks).
    pub provider_cost: Option<NanoUsd>,
    /// Whether the final, authoritative usage was seen.
    pub complete: bool,
}

/// Usage to be priced separately, in addition to the main one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtraUsage {
    /// The model to price it at; `None` is the answering model.
    pub model: Option<String>,
    /// Its counts.
    pub usage: Usage,
}
