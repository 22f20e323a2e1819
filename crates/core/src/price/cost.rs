//! The cost of a usage: split the counts so that nothing is counted twice, multiply, sum exactly,
//! round once.

use super::{
    card::Rates,
    error::PriceError,
    lattice::{self, MOST_SPECIFIC_FIRST, Node, UnitSet},
    model::ModelPricing,
    rate::ExactSum,
    repair,
};
use crate::{
    clock::Timestamp,
    money::NanoUsd,
    unit::{Direction, Unit},
    usage::Usage,
};

/// What a usage cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// All of it; more than input and output together when searches or requests are charged.
    pub total: NanoUsd,
    /// What the input cost, rounded on its own.
    pub input: NanoUsd,
    /// What the output cost, rounded on its own.
    pub output: NanoUsd,
    /// The counts contradicted each other; this is the dearer reading of them.
    pub approximate: bool,
}

/// A cost before rounding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ExactCost {
    total: ExactSum,
    input: ExactSum,
    output: ExactSum,
    pub(super) approximate: bool,
}

impl ModelPricing {
    /// What `usage` costs in a request made at `at` in `context` (`("service_tier", "flex")`).
    ///
    /// Counts that contradict each other (cached audio without its count) are priced in the
    /// dearer of two readings and flagged: an answer already given is never "unable to calculate".
    ///
    /// # Errors
    /// [`PriceError::OutOfRange`].
    pub fn cost(
        &self,
        usage: &Usage,
        context: &[(&str, String)],
        at: Timestamp,
    ) -> Result<Cost, PriceError> {
        self.exact_cost(usage, context, at)?.round()
    }

    /// [`Self::cost`] before rounding.
    pub(super) fn exact_cost(
        &self,
        usage: &Usage,
        context: &[(&str, String)],
        at: Timestamp,
    ) -> Result<ExactCost, PriceError> {
        let rates = self.rates(context, at);
        let billed = self.billed(usage);
        match price(&rates, &billed) {
            Err(PriceError::Inconsistent { .. }) => {
                let readings = repair::readings(&billed);
                let [by_type, by_modality] = readings.map(|reading| price(&rates, &reading));
                let dearer = by_type?.max(by_modality?);
                Ok(ExactCost {
                    approximate: true,
                    ..dearer
                })
            }
            exact => exact,
        }
    }

    /// The cost of counts as they are, contradictions an error.
    #[cfg(test)]
    pub(super) fn strict_cost(
        &self,
        usage: &Usage,
        context: &[(&str, String)],
        at: Timestamp,
    ) -> Result<Cost, PriceError> {
        price(&self.rates(context, at), &self.billed(usage))?.round()
    }

    /// `usage` with the least that is billed.
    fn billed(&self, usage: &Usage) -> Usage {
        let mut billed = usage.clone();
        let seconds = match usage.get(Unit::AudioSeconds) {
            0 => usage.get(Unit::InputAudioSeconds),
            seconds => seconds,
        };
        if self.least_audio_seconds > 0 && seconds > 0 {
            let seconds = seconds.max(self.least_audio_seconds);
            billed.set(Unit::AudioSeconds, seconds);
            billed.set(Unit::InputAudioSeconds, seconds);
        }
        billed
    }
}

impl ExactCost {
    /// Adds another cost of the same request.
    pub(super) fn add(&mut self, other: Self) -> Result<(), PriceError> {
        self.total.add_sum(other.total)?;
        self.input.add_sum(other.input)?;
        self.output.add_sum(other.output)?;
        self.approximate |= other.approximate;
        Ok(())
    }

    pub(super) fn round(self) -> Result<Cost, PriceError> {
        Ok(Cost {
            total: self.total.round()?,
            input: self.input.round()?,
            output: self.output.round()?,
            approximate: self.approximate,
        })
    }
}

/// Prices each priced unit for what it counts beyond its priced parts.
fn price(rates: &Rates<'_>, usage: &Usage) -> Result<ExactCost, PriceError> {
    let reported = lattice::reported(usage);
    let input_tokens = if rates.is_tiered() {
        count(lattice::node(Unit::InputTokens), usage, reported)?
    } else {
        0
    };
    let mut cost = ExactCost::default();
    let mut own = Usage::NONE;
    for node in MOST_SPECIFIC_FIRST.iter() {
        let Some(rate) = rates.get(node.unit) else {
            continue;
        };
        let count = if node.unit == Unit::Requests {
            1
        } else {
            let parts = node
                .parts
                .iter()
                .map(|part| u128::from(own.get(part)))
                .sum();
            u128::from(count(node, usage, reported)?)
                .checked_sub(parts)
                .and_then(|own| u64::try_from(own).ok())
                .ok_or_else(|| inconsistent(node.unit, "its parts exceed the whole"))?
        };
        own.set(node.unit, count);
        let mut sum = ExactSum::default();
        sum.add(rate.at(input_tokens), node.unit, count)?;
        cost.total.add_sum(sum)?;
        match node.unit.direction() {
            Some(Direction::Input) => cost.input.add_sum(sum)?,
            Some(Direction::Output) => cost.output.add_sum(sum)?,
            None => {}
        }
    }
    Ok(cost)
}

/// The count of a unit. Zero only when nothing that was reported says otherwise.
fn count(node: &Node, usage: &Usage, reported: UnitSet) -> Result<u64, PriceError> {
    let count = usage.get(node.unit);
    if count == 0 && reported.meets(node.parts) {
        return Err(inconsistent(
            node.unit,
            "parts of it are reported, the whole is not",
        ));
    }
    if count == 0 && lattice::is_join_of(node.unit, reported) {
        return Err(inconsistent(
            node.unit,
            "what it overlaps is reported, the overlap is not",
        ));
    }
    Ok(count)
}

fn inconsistent(unit: Unit, problem: &'static str) -> PriceError {
    PriceError::Inconsistent {
        unit: unit.info().usage_key,
        problem,
    }
}
