//! The upstream's own figure of its cost, as decimal text: no float touches money.

use crate::json::Count;
use serde::Deserialize;
use serde_json::value::RawValue;
use tollgate_core::money::NanoUsd;

/// The cost fields of a usage object.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Cost<'a> {
    /// xAI: 10^-10 dollars, tools and tier included.
    #[serde(default, rename = "cost_in_usd_ticks")]
    ticks: Count,
    /// OpenRouter: dollars. With the caller's own provider key it is OpenRouter's fee alone.
    #[serde(borrow, rename = "cost")]
    dollars: Option<&'a RawValue>,
    is_byok: Option<bool>,
    #[serde(borrow, rename = "cost_details")]
    details: Option<CostDetails<'a>>,
}

#[derive(Debug, Deserialize)]
struct CostDetails<'a> {
    #[serde(borrow)]
    upstream_inference_cost: Option<&'a RawValue>,
}

impl Cost<'_> {
    /// The cost; `None` when the upstream gives none that can be read.
    pub(crate) fn total(&self) -> Option<NanoUsd> {
        if let Some(ticks) = self.ticks.0 {
            let nano = ticks / 10 + u64::from(ticks % 10 >= 5);
            return i64::try_from(nano).ok().map(NanoUsd::from_nano);
        }
        let cost = dollars(self.dollars?.get())?;
        if !self.is_byok.unwrap_or(false) {
            return Some(cost);
        }
        let upstream = self.details.as_ref()?.upstream_inference_cost?;
        cost.checked_add(dollars(upstream.get())?)
    }
}

/// A JSON number of dollars (`0.00321`, `3.21e-3`) to the nano-dollar, half up; `None` for what is
/// no number, negative or out of range.
fn dollars(number: &str) -> Option<NanoUsd> {
    let (mantissa, exponent) = match number.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (number, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut digits = String::with_capacity(whole.len() + fraction.len());
    digits.push_str(whole);
    digits.push_str(fraction);
    if !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    // The value is digits × 10^shift nano-dollars.
    let shift = exponent
        .checked_add(9)?
        .checked_sub(i32::try_from(fraction.len()).ok()?)?;
    if let Ok(zeros) = usize::try_from(shift) {
        if zeros > 18 {
            return digits
                .bytes()
                .all(|digit| digit == b'0')
                .then_some(NanoUsd::ZERO);
        }
        digits.extend(std::iter::repeat_n('0', zeros));
        return digits.parse().ok().map(NanoUsd::from_nano);
    }
    let dropped = usize::try_from(shift.unsigned_abs()).ok()?;
    let kept = digits.len().saturating_sub(dropped);
    let first_dropped = (dropped <= digits.len())
        .then(|| digits.as_bytes().get(kept))
        .flatten();
    let nano: i64 = match digits.get(..kept)? {
        "" => 0,
        text => text.parse().ok()?,
    };
    let round = i64::from(first_dropped.is_some_and(|digit| *digit >= b'5'));
    nano.checked_add(round).map(NanoUsd::from_nano)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dollars_are_read_to_the_nano_dollar_and_rounded_half_up() {
        let table = [
            ("0", Some(0)),
            ("12", Some(12_000_000_000)),
            ("0.00321", Some(3_210_000)),
            ("3.21e-3", Some(3_210_000)),
            ("1E2", Some(100_000_000_000)),
            ("0.0000000005", Some(1)),
            ("0.00000000049", Some(0)),
            ("4.9e-10", Some(0)),
            ("5e-10", Some(1)),
            ("9e-11", Some(0)),
            ("0.1234567895", Some(123_456_790)),
            ("1e30", None),
            ("0e30", Some(0)),
            ("1e-400", Some(0)),
            ("-1", None),
            ("\"1\"", None),
            ("{}", None),
            ("99999999999", None),
        ];
        for (text, nano) in table {
            assert_eq!(dollars(text), nano.map(NanoUsd::from_nano), "{text}");
        }
    }

    #[test]
    fn costs_are_read_where_providers_put_them() {
        let table = [
            (r#"{"cost_in_usd_ticks":232856000}"#, Some(23_285_600)),
            (r#"{"cost_in_usd_ticks":15}"#, Some(2)),
            (r#"{"cost":0.5,"is_byok":false}"#, Some(500_000_000)),
            (
                r#"{"cost":0.1,"is_byok":true,"cost_details":{"upstream_inference_cost":0.2}}"#,
                Some(300_000_000),
            ),
            (r#"{"cost":0.1,"is_byok":true}"#, None),
            (r#"{"cost":{"total_cost":1}}"#, None),
            (r#"{"cost":null}"#, None),
        ];
        for (usage, nano) in table {
            let cost: Cost<'_> = serde_json::from_str(usage).expect(usage);
            assert_eq!(cost.total(), nano.map(NanoUsd::from_nano), "{usage}");
        }
    }
}
