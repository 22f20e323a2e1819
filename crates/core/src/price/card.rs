//! Rate cards: the rates of one model at one time, tiers included.

use super::{
    error::PriceDataError,
    lattice::{self, Overlap, UnitSet, node},
    rate::Rate,
};
use crate::unit::Unit;

/// The rate of one unit, by the size of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct UnitRate {
    base: Rate,
    /// `(start, rate)`, ascending.
    tiers: Box<[(u64, Rate)]>,
}

impl UnitRate {
    pub(super) fn new(base: Rate, mut tiers: Vec<(u64, Rate)>) -> Self {
        tiers.sort_by_key(|(start, _)| *start);
        Self {
            base,
            tiers: tiers.into(),
        }
    }

    /// The rate in a request of `input_tokens`. Tiers are cliffs: past a start, its rate holds for
    /// every one of the unit.
    pub(super) fn at(&self, input_tokens: u64) -> Rate {
        self.reached(input_tokens).last().unwrap_or(self.base)
    }

    /// The dearest rate in a request of at most `input_tokens`.
    pub(super) fn dearest_up_to(&self, input_tokens: u64) -> Rate {
        self.reached(input_tokens).fold(self.base, Rate::max)
    }

    /// Where tiers start.
    pub(super) fn starts(&self) -> impl Iterator<Item = u64> {
        self.tiers.iter().map(|(start, _)| *start)
    }

    fn reached(&self, input_tokens: u64) -> impl Iterator<Item = Rate> {
        self.tiers
            .iter()
            .take_while(move |(start, _)| input_tokens > *start)
            .map(|(_, rate)| *rate)
    }
}

/// The rates a model (or a variant of its price) states.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct RateCard(Box<[(Unit, UnitRate)]>);

impl RateCard {
    pub(super) fn new(lines: Vec<(Unit, UnitRate)>) -> Self {
        Self(lines.into())
    }

    pub(super) fn units(&self) -> impl Iterator<Item = Unit> {
        self.0.iter().map(|(unit, _)| *unit)
    }
}

/// The rates that apply to one request: the cards of a model, laid over each other.
#[derive(Clone, Copy)]
pub(super) struct Rates<'a> {
    by_unit: [Option<&'a UnitRate>; Unit::COUNT],
    priced: UnitSet,
    tiered: bool,
}

impl<'a> Rates<'a> {
    pub(super) const NONE: Self = Self {
        by_unit: [None; Unit::COUNT],
        priced: UnitSet::EMPTY,
        tiered: false,
    };

    /// Puts the lines of `card` that `open` lets through under what is there: a unit that has a
    /// rate keeps it.
    pub(super) fn lay_under(&mut self, card: &'a RateCard, open: impl Fn(Unit) -> bool) {
        for (unit, rate) in &card.0 {
            if !self.priced.contains(*unit) && open(*unit) {
                self.set(*unit, rate);
            }
        }
    }

    /// The rate of `unit`, if it is priced.
    pub(super) fn get(&self, unit: Unit) -> Option<&'a UnitRate> {
        self.by_unit.get(unit as usize).copied().flatten()
    }

    /// The priced units.
    pub(super) const fn priced(&self) -> UnitSet {
        self.priced
    }

    /// Whether a rate depends on the size of the request.
    pub(super) const fn is_tiered(&self) -> bool {
        self.tiered
    }

    fn set(&mut self, unit: Unit, rate: &'a UnitRate) {
        if let Some(slot) = self.by_unit.get_mut(unit as usize) {
            *slot = Some(rate);
            self.priced.insert(unit);
            self.tiered |= !rate.tiers.is_empty();
        }
    }
}

/// Checks that the counts of `units` can be split without counting anything twice: a priced part
/// needs its priced wholes, two overlapping priced units their priced overlap.
pub(super) fn check_coverage(units: UnitSet) -> Result<(), PriceDataError> {
    let key = |unit: Unit| unit.info().price_key;
    for unit in units.iter() {
        if let Some(whole) = node(unit)
            .wholes
            .iter()
            .find(|whole| !units.contains(*whole))
        {
            let problem = format!("is part of `{}`, which has no rate", key(whole));
            return Err(PriceDataError::new(problem).within(key(unit)));
        }
        for other in units.iter() {
            let problem = match lattice::overlap(unit, other) {
                Overlap::In(both) if !units.contains(both) => format!(
                    "overlaps `{}` in `{}`, which has no rate",
                    key(other),
                    key(both)
                ),
                Overlap::Unnamed => format!("overlaps `{}` in an unknown unit", key(other)),
                Overlap::In(_) | Overlap::None => continue,
            };
            return Err(PriceDataError::new(problem).within(key(unit)));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tier_is_a_cliff_and_a_bound_looks_back_at_dearer_ones() {
        let rate = |text| Rate::parse(text).unwrap();
        let tiers = vec![(200, rate("1")), (100, rate("5"))];
        let unit = UnitRate::new(rate("3"), tiers);
        let at = |tokens| (unit.at(tokens), unit.dearest_up_to(tokens));
        assert_eq!(at(100), (rate("3"), rate("3")));
        assert_eq!(at(101), (rate("5"), rate("5")));
        assert_eq!(
            at(201),
            (rate("1"), rate("5")),
            "it may turn out to be smaller"
        );
    }
}
