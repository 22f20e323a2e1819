//! The pricing of one model: which rate card holds at a time and in a context.

use super::{
    card::{RateCard, Rates},
    lattice::node,
    matching::Match,
    of_provider::ListedModel,
};
use crate::{clock::Timestamp, unit::Direction};
use std::sync::Arc;

/// A model of the data.
#[derive(Debug)]
pub(super) struct Model {
    pub(super) id: Box<str>,
    pub(super) name: Option<Box<str>>,
    pub(super) matches: Match,
    pub(super) context_window: Option<u64>,
    /// Never empty. The last active one holds; when none is active, the first.
    pub(super) prices: Box<[Dated]>,
    /// The first one that applies decides, for each unit on its own.
    pub(super) variants: Box<[Variant]>,
}

impl Model {
    /// As it stands in a list of models.
    pub(super) fn listed(&self) -> ListedModel {
        let has_output = |dated: &Dated| {
            dated
                .card
                .units()
                .any(|unit| unit.direction() == Some(Direction::Output))
        };
        ListedModel {
            id: self.id.to_string(),
            name: self.name.as_deref().map(ToOwned::to_owned),
            context_window: self.context_window,
            has_output_price: self.prices.iter().any(has_output),
        }
    }
}

/// A rate card and when it holds.
#[derive(Debug)]
pub(super) struct Dated {
    pub(super) when: When,
    pub(super) card: RateCard,
}

/// Rates that replace the standard ones in a context (`service_tier` = `flex`).
#[derive(Debug)]
pub(super) struct Variant {
    /// `(key, value)`; all must be there, as they are written.
    pub(super) context: Box<[(Box<str>, Box<str>)]>,
    pub(super) rates: Dated,
}

/// When a price holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    Always,
    /// From this instant on: midnight UTC of the start date.
    From(Timestamp),
    /// Every day from a second of the day (UTC) to before another, past midnight when the end is
    /// the smaller.
    Daily {
        start: i64,
        end: i64,
    },
}

const SECONDS_PER_DAY: i64 = 86_400;

impl When {
    pub(super) fn is_active(self, at: Timestamp) -> bool {
        match self {
            Self::Always => true,
            Self::From(start) => at >= start,
            Self::Daily { start, end } => {
                let second = at.as_second().rem_euclid(SECONDS_PER_DAY);
                if end < start {
                    second >= start || second < end
                } else {
                    start <= second && second < end
                }
            }
        }
    }
}

/// How requests to one model at one provider are priced. Cheap to share, independent of time:
/// time and context are arguments of every question.
#[derive(Debug)]
pub struct ModelPricing {
    /// Id of the provider in the data; `None` when only an override knows the model.
    pub(super) provider: Option<Arc<str>>,
    pub(super) model: Option<Arc<Model>>,
    /// Variants are the model's own provider's; who resells the model has only standard prices.
    pub(super) variants_apply: bool,
    /// A request that bills any audio bills at least this much.
    pub(super) least_audio_seconds: u64,
    /// A configured price, which takes the place of all token rates.
    pub(super) override_card: Option<RateCard>,
}

impl ModelPricing {
    /// The id of the model in the price data.
    pub fn model_id(&self) -> Option<&str> {
        self.model.as_ref().map(|model| &*model.id)
    }

    /// The name of the model for people.
    pub fn model_name(&self) -> Option<&str> {
        self.model.as_ref()?.name.as_deref()
    }

    /// The id of the provider in the price data, which may sell models of another.
    pub fn provider_id(&self) -> Option<&str> {
        self.provider.as_deref()
    }

    /// The most input tokens the model reads, if known: the bound of input that nobody sees.
    pub fn context_window(&self) -> Option<u64> {
        self.model.as_ref()?.context_window
    }

    /// Whether the token rates are configured rather than the data's.
    pub const fn is_override(&self) -> bool {
        self.override_card.is_some()
    }

    /// The rates of a request made at `at` in `context`, whose last entry for a key counts.
    pub(super) fn rates(&self, context: &[(&str, String)], at: Timestamp) -> Rates<'_> {
        let mut rates = Rates::NONE;
        if let Some(card) = &self.override_card {
            rates.lay_under(card, |_| true);
        }
        let Some(model) = &self.model else {
            return rates;
        };
        let open = |unit| self.override_card.is_none() || !node(unit).is_token;
        if self.variants_apply && !context.is_empty() {
            for variant in &model.variants {
                if variant.applies(context, at) {
                    rates.lay_under(&variant.rates.card, open);
                }
            }
        }
        let mut latest_first = model.prices.iter().rev();
        let active = latest_first.find(|dated| dated.when.is_active(at));
        if let Some(dated) = active.or_else(|| model.prices.first()) {
            rates.lay_under(&dated.card, open);
        }
        rates
    }
}

impl Variant {
    fn applies(&self, context: &[(&str, String)], at: Timestamp) -> bool {
        self.rates.when.is_active(at)
            && self.context.iter().all(|(key, value)| {
                let mut latest_first = context.iter().rev();
                let given = latest_first.find(|(given, _)| *given == &**key);
                given.is_some_and(|(_, given)| **given == **value)
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_start_date_begins_at_midnight_utc() {
        let when = When::From(at("2025-06-10T00:00:00Z"));
        assert!(!when.is_active(at("2025-06-09T23:59:59.999Z")));
        assert!(when.is_active(at("2025-06-10T00:00:00Z")));
        assert!(!when.is_active(at("2025-06-10T01:00:00+02:00")));
    }

    #[test]
    fn a_daily_window_excludes_its_end_and_may_pass_midnight() {
        let day = When::Daily {
            start: 1_800,
            end: 59_400,
        };
        assert!(day.is_active(at("2025-05-01T00:30:00Z")));
        assert!(!day.is_active(at("2025-05-01T16:30:00Z")));
        let night = When::Daily {
            start: 59_400,
            end: 1_800,
        };
        assert!(night.is_active(at("2025-05-01T16:30:00Z")));
        assert!(night.is_active(at("2025-05-01T00:29:59.999Z")));
        assert!(!night.is_active(at("2025-05-01T00:30:00Z")));
    }
}
