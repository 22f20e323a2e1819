//! `limits = { daily = "5.00", requests = { daily = 1000 }, … }`: dollars as decimal strings,
//! because a float is no money; requests and tokens as whole numbers.

use super::{
    problem::Complaint,
    reader::Table,
    value::{Given, Value, show},
};
use tollgate_core::{
    declared::DeclaredLimit,
    limit::{Limit, LimitAction, LimitUnit, WindowKind},
    money::{NANO_PER_DOLLAR, NanoUsd},
};
use toml::de::DeValue;

/// The limits of whatever `owner` declares.
pub(super) fn read(owner: &Table<'_>) -> Vec<DeclaredLimit> {
    let table = owner.table("limits");
    let mut limits = windows(&table, LimitUnit::Cost, |value| {
        dollars(value).map(NanoUsd::as_nano)
    });
    for unit in [LimitUnit::Requests, LimitUnit::Tokens] {
        let counts = table.table(unit.as_str());
        limits.extend(windows(&counts, unit, |value| {
            value.integer(&(0..=Limit::AMOUNT_MAX))
        }));
    }
    limits
}

fn windows(
    table: &Table<'_>,
    unit: LimitUnit,
    amount: impl Fn(&Value<'_>) -> Option<i64>,
) -> Vec<DeclaredLimit> {
    let limit = |window: WindowKind| {
        Some(DeclaredLimit {
            window,
            unit,
            amount: amount(&table.value(window.as_str())?)?,
            action: LimitAction::Block,
        })
    };
    WindowKind::ALL.into_iter().filter_map(limit).collect()
}

/// An amount of money, zero or more.
pub(super) fn dollars(value: &Value<'_>) -> Option<NanoUsd> {
    if let Given::Toml(number @ (DeValue::Integer(_) | DeValue::Float(_))) = value.given {
        value.refuse(Complaint::new(
            "money is a decimal string, not a number",
            format!("quote it: `\"{}\"`", show(number)),
        ));
        return None;
    }
    value.parse(|text| {
        let amount: NanoUsd = text.parse().map_err(|error| {
            Complaint::new(format!("{error}"), "write dollars as in `\"20.00\"`")
        })?;
        if amount < NanoUsd::ZERO {
            let help = "write zero or more; leave the key out for no limit";
            return Err(Complaint::new(format!("`{text}` is negative"), help));
        }
        if amount.as_nano() > Limit::AMOUNT_MAX {
            let most = Limit::AMOUNT_MAX / NANO_PER_DOLLAR;
            let help = format!("write at most \"{most}\"");
            return Err(Complaint::new(format!("`{text}` is out of range"), help));
        }
        Ok(amount)
    })
}
