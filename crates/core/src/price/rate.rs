//! Rates and exact sums. A rate is a decimal number of dollars per lot of a unit; a sum of rates
//! times counts is kept as an integer over one common denominator and rounded once, at the end.

use super::error::{PriceDataError, PriceError};
use crate::{money::NanoUsd, unit::Unit};

/// Dollars for one lot of a unit ([`crate::unit::UnitInfo::per`]: a million tokens, a thousand
/// searches), in attodollars: the data has rates of 18 decimals (`0.041666666666666664`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Rate(u128);

/// Decimals a rate can have.
const DECIMALS: i32 = 18;
/// Attodollars in a nano-dollar.
const ATTO_PER_NANO: u128 = 1_000_000_000;
/// A multiple of every unit's lot: the common denominator of costs.
const LOTS: u128 = 9_000_000_000;

impl Rate {
    /// Free.
    pub(super) const ZERO: Self = Self(0);

    /// The rate written as this JSON number, exactly.
    pub(super) fn parse(text: &str) -> Result<Self, PriceDataError> {
        let refuse = || {
            PriceDataError::new(format!(
                "`{text}` is not a rate: a decimal number of dollars, zero or more, of at most \
                 {DECIMALS} decimals, is needed"
            ))
        };
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let fraction = fraction.trim_end_matches('0');
        let exponent: i32 = exponent.parse().map_err(|_| refuse())?;
        let decimals = i32::try_from(fraction.len()).map_err(|_| refuse())?;
        let digits = format!("{whole}{fraction}");
        if whole.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(refuse());
        }
        let digits: u128 = digits.parse().map_err(|_| refuse())?;
        if digits == 0 {
            return Ok(Self::ZERO);
        }
        exponent
            .checked_sub(decimals)
            .and_then(|shift| shift.checked_add(DECIMALS))
            .and_then(|shift| u32::try_from(shift).ok())
            .and_then(|shift| 10_u128.checked_pow(shift))
            .and_then(|scale| digits.checked_mul(scale))
            .map(Self)
            .ok_or_else(refuse)
    }

    /// The rate of this much money a lot; `None` when negative.
    pub(super) fn from_money(money: NanoUsd) -> Option<Self> {
        let nano = u128::try_from(money.as_nano()).ok()?;
        nano.checked_mul(ATTO_PER_NANO).map(Self)
    }

    /// The price of a lot, rounded up to a nano-dollar; the largest amount when past the range.
    pub(super) fn round_up(self) -> NanoUsd {
        i64::try_from(self.0.div_ceil(ATTO_PER_NANO)).map_or(NanoUsd::MAX, NanoUsd::from_nano)
    }

    /// Attodollars a lot.
    pub(super) const fn as_atto(self) -> u128 {
        self.0
    }
}

/// A sum of costs without rounding: attodollars times [`LOTS`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ExactSum(u128);

impl ExactSum {
    /// Adds `count` of `unit` at `rate`.
    pub(super) fn add(&mut self, rate: Rate, unit: Unit, count: u64) -> Result<(), PriceError> {
        let lots = LOTS / u128::from(unit.info().per);
        let cost = rate
            .0
            .checked_mul(u128::from(count))
            .and_then(|cost| cost.checked_mul(lots))
            .ok_or(PriceError::OutOfRange)?;
        self.add_sum(Self(cost))
    }

    /// Adds another sum.
    pub(super) fn add_sum(&mut self, other: Self) -> Result<(), PriceError> {
        self.0 = self.0.checked_add(other.0).ok_or(PriceError::OutOfRange)?;
        Ok(())
    }

    /// The amount, rounded half up to a nano-dollar.
    pub(super) fn round(self) -> Result<NanoUsd, PriceError> {
        let denominator = LOTS * ATTO_PER_NANO;
        let (whole, rest) = (self.0 / denominator, self.0 % denominator);
        let nano = whole + u128::from(rest >= denominator - rest);
        i64::try_from(nano)
            .map(NanoUsd::from_nano)
            .map_err(|_| PriceError::OutOfRange)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_digit_for_digit() {
        for (text, atto) in [
            ("0", 0),
            ("3", 3_000_000_000_000_000_000),
            ("0.0375", 37_500_000_000_000_000),
            ("0.041666666666666664", 41_666_666_666_666_664),
            ("2.50000000000000000000", 2_500_000_000_000_000_000),
            ("1.5e-7", 150_000_000_000),
            ("6E+2", 600_000_000_000_000_000_000),
            ("0e999", 0),
        ] {
            assert_eq!(Rate::parse(text).map(Rate::as_atto), Ok(atto), "{text}");
        }
    }

    #[test]
    fn what_is_not_exactly_a_rate_is_refused() {
        for text in [
            "-1",
            "",
            ".5",
            "\"3\"",
            "true",
            "1e",
            "NaN",
            "0.0000000000000000001",
            "1e40",
            "1e99999999999",
            "[1]",
        ] {
            assert!(Rate::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn every_lot_divides_the_common_denominator() {
        for info in Unit::ALL {
            assert_eq!(LOTS % u128::from(info.per), 0, "{}", info.usage_key);
        }
    }

    #[test]
    fn a_sum_is_rounded_half_up_once() {
        let rate = Rate::parse("0.0005").unwrap();
        let mut sum = ExactSum::default();
        sum.add(rate, Unit::InputTokens, 1).unwrap();
        assert_eq!(sum.round(), Ok(NanoUsd::from_nano(1)), "half a nano-dollar");
        sum.add(rate, Unit::OutputTokens, 1).unwrap();
        assert_eq!(sum.round(), Ok(NanoUsd::from_nano(1)), "two halves");
    }

    #[test]
    fn overflow_is_an_error() {
        let mut sum = ExactSum::default();
        let dear = Rate::parse("600").unwrap();
        assert_eq!(
            sum.add(dear, Unit::Requests, u64::MAX),
            Err(PriceError::OutOfRange)
        );
        sum.add(dear, Unit::InputTokens, 20_000_000_000_000)
            .unwrap();
        assert_eq!(sum.round(), Err(PriceError::OutOfRange));
    }
}
