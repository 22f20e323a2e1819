//! `limits = { daily = "5.00", requests = { daily = 1000 }, … }`: dollars as decimal strings,
//! because a float is no money; requests and tokens as whole numbers.

use super::{
    problem::Complaint,
    reader::Table,
    text,
    value::{Given, Value, show},
};
use tollgate_core::{
    declared::DeclaredLimit,
    limit::{Limit, LimitAction, LimitUnit, WindowKind},
    money::NanoUsd,
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
    value.parse(text::dollars)
}
