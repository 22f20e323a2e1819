//! Tests of the price book as a whole: golden cases, agreement with the official calculator,
//! properties, and the data.

mod crosscheck;
mod data;
mod golden;
mod overrides;
mod properties;
mod routed;
mod units;

use super::PriceBook;
use crate::{clock::Timestamp, unit::Unit, usage::Usage};
use std::sync::{Arc, LazyLock};

/// The bundled snapshot as text.
const SNAPSHOT: &str = include_str!("../../data/prices.json");

static BOOK: LazyLock<Arc<PriceBook>> = LazyLock::new(|| Arc::new(PriceBook::bundled().unwrap()));

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn noon() -> Timestamp {
    at("2026-11-15T12:00:00Z")
}

fn usage(counts: &[(Unit, u64)]) -> Usage {
    let mut usage = Usage::NONE;
    for (unit, count) in counts {
        usage.set(*unit, *count);
    }
    usage
}

/// Adds `count` of what `unit` counts: to the unit and to all that it is part of.
fn add_item(usage: &mut Usage, unit: Unit, count: u64) {
    for info in Unit::ALL.iter().filter(|info| unit.is_within(info.unit)) {
        usage.add(info.unit, count);
    }
}

/// Everything an answer splits its tokens into.
fn token_units() -> Vec<Unit> {
    let is_token =
        |unit: &Unit| unit.is_within(Unit::InputTokens) || unit.is_within(Unit::OutputTokens);
    Unit::ALL
        .iter()
        .map(|info| info.unit)
        .filter(is_token)
        .collect()
}
