//! Money: integer nano-dollars, checked arithmetic, decimal text at the edge. There is no way from
//! a float to money, and no conversion that turns a failure into zero.

use std::{fmt, str::FromStr};

/// Nano-dollars in one dollar.
pub const NANO_PER_DOLLAR: i64 = 1_000_000_000;

/// An amount of money in billionths of a US dollar. Range: ±9.2 billion dollars.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NanoUsd(i64);

/// Why a text is not an amount of money.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseMoneyError {
    /// Not `12`, `12.34` or `-0.5`.
    #[error("`{0}` is not a decimal number of dollars, such as \"20.00\"")]
    NotDecimal(String),
    /// More than nine decimals would be lost.
    #[error("`{0}` has more than nine decimals: a nano-dollar is the smallest amount")]
    TooPrecise(String),
    /// Outside ±9.2 billion dollars.
    #[error("`{0}` is outside ±9.2 billion dollars")]
    OutOfRange(String),
}

impl NanoUsd {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The largest amount.
    pub const MAX: Self = Self(i64::MAX);

    /// An amount from nano-dollars.
    pub const fn from_nano(nano: i64) -> Self {
        Self(nano)
    }

    /// Whole dollars; `None` past the range.
    pub const fn from_dollars(dollars: i64) -> Option<Self> {
        match dollars.checked_mul(NANO_PER_DOLLAR) {
            Some(nano) => Some(Self(nano)),
            None => None,
        }
    }

    /// The amount in nano-dollars.
    pub const fn as_nano(self) -> i64 {
        self.0
    }

    /// Sum, `None` past the range.
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(nano) => Some(Self(nano)),
            None => None,
        }
    }

    /// Difference, `None` past the range.
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(nano) => Some(Self(nano)),
            None => None,
        }
    }

    /// For people: dollars with at least two decimals and no digits lost (`$3.42`, `$0.0123`).
    pub fn display_dollars(self) -> String {
        if self.0 < 0 {
            format!("-${}", self.magnitude())
        } else {
            format!("${}", self.magnitude())
        }
    }

    fn magnitude(self) -> String {
        let nano = self.0.unsigned_abs();
        let per = NANO_PER_DOLLAR.unsigned_abs();
        let (dollars, fraction) = (nano / per, nano % per);
        let digits = format!("{fraction:09}");
        let kept = digits.trim_end_matches('0');
        format!("{dollars}.{kept:0<2}")
    }
}

/// Decimal dollars, at least two decimals, full precision: `20.00`, `0.004550001`.
impl fmt::Display for NanoUsd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < 0 {
            f.write_str("-")?;
        }
        f.write_str(&self.magnitude())
    }
}

/// Decimal dollars, exactly: more than nine decimals is an error, not a rounding.
impl FromStr for NanoUsd {
    type Err = ParseMoneyError;

    fn from_str(text: &str) -> Result<Self, ParseMoneyError> {
        let not_decimal = || ParseMoneyError::NotDecimal(text.to_owned());
        let out_of_range = || ParseMoneyError::OutOfRange(text.to_owned());
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
        let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !all_digits(whole) || !all_digits(fraction) {
            return Err(not_decimal());
        }
        let fraction = fraction.trim_end_matches('0');
        if fraction.len() > 9 {
            return Err(ParseMoneyError::TooPrecise(text.to_owned()));
        }
        let dollars: i64 = whole.parse().map_err(|_| out_of_range())?;
        let nano: i64 = format!("{fraction:0<9}")
            .parse()
            .map_err(|_| not_decimal())?;
        let total = dollars
            .checked_mul(NANO_PER_DOLLAR)
            .and_then(|d| d.checked_add(nano))
            .ok_or_else(out_of_range)?;
        Ok(Self(if negative { -total } else { total }))
    }
}

impl serde::Serialize for NanoUsd {
    /// A decimal string: JSON numbers lose exactness above 2^53.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_round_trips_without_losing_a_digit() {
        for (text, nano, shown) in [
            ("20", 20_000_000_000, "20.00"),
            ("0.0123", 12_300_000, "0.0123"),
            ("0.000000001", 1, "0.000000001"),
            ("-1.5", -1_500_000_000, "-1.50"),
        ] {
            let money: NanoUsd = text.parse().unwrap();
            assert_eq!(money.as_nano(), nano);
            assert_eq!(money.to_string(), shown);
            assert_eq!(shown.parse(), Ok(money));
        }
    }

    #[test]
    fn bad_amounts_are_errors_never_zero() {
        for text in [
            "", ".", "1.", ".5", "1e3", "$5", "1,000", " 1", "+1", "NaN", "0x10",
        ] {
            assert!(
                matches!(text.parse::<NanoUsd>(), Err(ParseMoneyError::NotDecimal(_))),
                "{text}"
            );
        }
        assert!(matches!(
            "0.0000000001".parse::<NanoUsd>(),
            Err(ParseMoneyError::TooPrecise(_))
        ));
        assert!(matches!(
            "9300000000".parse::<NanoUsd>(),
            Err(ParseMoneyError::OutOfRange(_))
        ));
        assert!(
            "0.1000000000000".parse::<NanoUsd>().is_ok(),
            "trailing zeros lose nothing"
        );
    }
}
