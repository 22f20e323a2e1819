//! Prices usages as the gateway does, for comparison with other calculators: one JSON object per
//! line in (`provider`, `model`, `at`, `usage`), the cost in nano-dollars (or `error`) per line out.

use std::io::{BufRead, Write};
use tollgate_core::{price::PriceBook, unit::Unit, usage::Usage};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let book = PriceBook::bundled()?;
    let mut out = std::io::BufWriter::new(std::io::stdout());
    for line in std::io::stdin().lock().lines() {
        let asked: serde_json::Value = serde_json::from_str(&line?)?;
        match cost(&book, &asked) {
            Some(nano) => writeln!(out, "{nano}")?,
            None => writeln!(out, "error")?,
        }
    }
    Ok(())
}

fn cost(book: &PriceBook, asked: &serde_json::Value) -> Option<i64> {
    let mut usage = Usage::NONE;
    for (key, count) in asked.get("usage")?.as_object()? {
        usage.set(Unit::from_usage_key(key)?, count.as_u64()?);
    }
    let pricing = book.find(
        asked.get("provider")?.as_str(),
        asked.get("model")?.as_str()?,
    )?;
    let cost = pricing
        .cost(&usage, &[], asked.get("at")?.as_str()?.parse().ok()?)
        .ok()?;
    Some(cost.total.as_nano())
}
