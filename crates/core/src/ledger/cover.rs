//! What a reservation asks for: at least a floor, at best what it wants.

use crate::{amount::Amount, limit::LimitUnit, money::NanoUsd};

/// Two amounts, `0 ≤ floor ≤ want` in every component. A reservation takes what it wants, or the
/// most between the two that fits everywhere (partial cover), or nothing.
///
/// The way from floor to want is a straight line in steps as fine as its longest
/// component: a limit on cost is then used to its last nano-dollar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cover {
    floor: Amount,
    want: Amount,
}

impl Cover {
    /// A floor and a want; `None` unless `0 ≤ floor ≤ want` in every component.
    pub fn new(floor: Amount, want: Amount) -> Option<Self> {
        let ordered = UNITS.into_iter().all(|unit| {
            0 <= floor.component(unit) && floor.component(unit) <= want.component(unit)
        });
        ordered.then_some(Self { floor, want })
    }

    /// This amount or nothing; `None` when a component is negative.
    pub fn exact(amount: Amount) -> Option<Self> {
        Self::new(amount, amount)
    }

    /// The least that is taken.
    pub const fn floor(&self) -> Amount {
        self.floor
    }

    /// The most that is taken.
    pub const fn want(&self) -> Amount {
        self.want
    }

    /// How many steps lead from the floor to the want; at least 1.
    pub(crate) fn steps(&self) -> i64 {
        UNITS
            .into_iter()
            .map(|unit| self.distance(unit))
            .fold(1, i64::max)
    }

    /// How many of the steps fit where `room` of `unit` is left; `None` when the floor does not.
    pub(crate) fn steps_within(&self, unit: LimitUnit, room: i128) -> Option<i64> {
        let spare = room - i128::from(self.floor.component(unit));
        let distance = i128::from(self.distance(unit));
        if spare < 0 {
            return None;
        }
        if spare >= distance {
            return Some(self.steps());
        }
        // spare < distance ≤ 2^63 here, so the product is in range and the quotient below `steps`.
        i64::try_from(spare * i128::from(self.steps()) / distance).ok()
    }

    /// The amount after `steps` steps: rounded up, yet never above a room that
    /// [`Self::steps_within`] answered for.
    pub(crate) fn after(&self, steps: i64) -> Amount {
        if steps >= self.steps() {
            return self.want;
        }
        let total = i128::from(self.steps());
        let part = |unit| {
            let product = i128::from(self.distance(unit)) * i128::from(steps);
            let rounded_up = (product + total - 1) / total;
            // At most `distance`, so the sum is at most `want`.
            self.floor
                .component(unit)
                .saturating_add(i64::try_from(rounded_up).unwrap_or(0))
        };
        Amount {
            cost: NanoUsd::from_nano(part(LimitUnit::Cost)),
            requests: part(LimitUnit::Requests),
            tokens: part(LimitUnit::Tokens),
        }
    }

    fn distance(&self, unit: LimitUnit) -> i64 {
        self.want.component(unit) - self.floor.component(unit)
    }
}

const UNITS: [LimitUnit; 3] = [LimitUnit::Cost, LimitUnit::Requests, LimitUnit::Tokens];

/// Whether no component is negative.
pub(crate) fn is_quantity(amount: Amount) -> bool {
    UNITS.into_iter().all(|unit| amount.component(unit) >= 0)
}

/// Applies `f` to each component of both.
pub(crate) fn combine(a: Amount, b: Amount, f: impl Fn(i64, i64) -> i64) -> Amount {
    Amount {
        cost: NanoUsd::from_nano(f(a.cost.as_nano(), b.cost.as_nano())),
        requests: f(a.requests, b.requests),
        tokens: f(a.tokens, b.tokens),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn amount(cost: i64, requests: i64, tokens: i64) -> Amount {
        Amount {
            cost: NanoUsd::from_nano(cost),
            requests,
            tokens,
        }
    }

    #[test]
    fn a_floor_above_the_want_or_below_zero_is_no_cover() {
        assert!(Cover::new(amount(2, 1, 0), amount(1, 1, 0)).is_none());
        assert!(Cover::new(amount(-1, 1, 0), amount(1, 1, 0)).is_none());
        assert!(Cover::exact(amount(0, 0, 0)).is_some());
    }

    #[test]
    fn a_tight_limit_on_cost_is_used_to_its_last_nano_dollar() {
        let cover = Cover::new(amount(20, 1, 10), amount(1_020, 1, 110)).unwrap();
        let steps = cover.steps_within(LimitUnit::Cost, 333).unwrap();
        assert_eq!(cover.after(steps), amount(333, 1, 42));
        assert_eq!(cover.steps_within(LimitUnit::Cost, 19), None);
        assert_eq!(cover.after(0), cover.floor());
        assert_eq!(cover.after(cover.steps()), cover.want());
    }

    proptest! {
        #[test]
        fn what_is_taken_fits_and_one_step_more_would_not(
            floor in (0..1_000_i64, 0..1_000_i64),
            more in (0..1_000_000_i64, 0..1_000_000_i64),
            room in 0..1_100_000_i128,
        ) {
            let cover = Cover::new(
                amount(floor.0, 1, floor.1),
                amount(floor.0 + more.0, 1, floor.1 + more.1),
            )
            .unwrap();
            for unit in [LimitUnit::Cost, LimitUnit::Tokens] {
                let component = |steps| i128::from(cover.after(steps).component(unit));
                match cover.steps_within(unit, room) {
                    None => prop_assert!(component(0) > room),
                    Some(steps) => {
                        prop_assert!(component(steps) <= room);
                        prop_assert!(steps == cover.steps() || component(steps + 1) > room);
                    }
                }
            }
        }
    }
}
