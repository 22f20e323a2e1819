//! `tollgate usage`: what was used and what it cost, from the store of this machine.

use crate::{
    args::{UsageArgs, UsageBy},
    printer::Printer,
};
use anyhow::{Context as _, ensure};
use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::json;
use tollgate_core::{
    clock::{Clock, Timestamp},
    money::NanoUsd,
};
use tollgate_store::{Grouping, Spend, SpendQuery, Store};

/// Prints the report.
pub async fn run(
    args: &UsageArgs,
    store: &Store,
    clock: &dyn Clock,
    printer: &mut Printer,
) -> anyhow::Result<()> {
    let now = clock.now();
    let since = match args.since {
        Some(when) => when.before(now).context("--since is out of range")?,
        None => start_of_month(now)?,
    };
    let until = match args.until {
        Some(when) => when.before(now).context("--until is out of range")?,
        None => now,
    };
    ensure!(
        since < until,
        "--since must be before --until: {since} is not before {until}"
    );
    let snapshot = store.snapshot().await?;
    let organizations = snapshot.organizations.keys();
    let organization = organizations.min().copied();
    let organization =
        organization.context("there is no organisation yet: run `tollgate serve` once")?;
    let query = SpendQuery {
        organization,
        since,
        until,
        project: None,
        member: None,
        api_key: None,
        by: grouping(args.by),
    };
    let lines = store.spend(&query).await?;
    if args.output.json {
        return print_json(&query, args.by, &lines, printer);
    }
    if lines.is_empty() {
        return Ok(printer.note(&format!(
            "no usage from {since} to {until} (answers of the simulated provider are left out)"
        ))?);
    }
    let total = total(&lines)?;
    let header = [
        heading(args.by),
        "REQUESTS",
        "INPUT TOKENS",
        "OUTPUT TOKENS",
        "COST",
    ];
    printer.table(&header, &[1, 2, 3, 4], &rows(&lines, &total))?;
    if total.uncertain > 0 {
        let text = format!(
            "the cost of {} of these requests is an estimate",
            total.uncertain
        );
        printer.note(&text)?;
    }
    if total.abandoned_cost > NanoUsd::ZERO {
        let text = format!(
            "{} of it is for attempts that were given up and may have been billed",
            total.abandoned_cost.display_dollars()
        );
        printer.note(&text)?;
    }
    Ok(())
}

/// The start of the month in UTC: what bills are made of.
fn start_of_month(now: Timestamp) -> anyhow::Result<Timestamp> {
    let today = now.to_zoned(TimeZone::UTC).date();
    Ok(today.first_of_month().to_zoned(TimeZone::UTC)?.timestamp())
}

const fn grouping(by: UsageBy) -> Grouping {
    match by {
        UsageBy::Project => Grouping::Project,
        UsageBy::Member => Grouping::Member,
        UsageBy::Key => Grouping::ApiKey,
        UsageBy::Model => Grouping::Model,
        UsageBy::Provider => Grouping::Provider,
        UsageBy::Day => Grouping::Day,
    }
}

const fn heading(by: UsageBy) -> &'static str {
    match by {
        UsageBy::Project => "PROJECT",
        UsageBy::Member => "MEMBER",
        UsageBy::Key => "KEY",
        UsageBy::Model => "MODEL",
        UsageBy::Provider => "PROVIDER",
        UsageBy::Day => "DAY",
    }
}

/// A row for each line, and one for all of them where there are several.
fn rows(lines: &[Spend], total: &Spend) -> Vec<Vec<String>> {
    let total = (lines.len() > 1).then_some(total);
    lines.iter().chain(total).map(row).collect()
}

fn row(line: &Spend) -> Vec<String> {
    let name = if line.name.is_empty() {
        "-"
    } else {
        &line.name
    };
    vec![
        name.to_owned(),
        line.requests.to_string(),
        line.input_tokens.to_string(),
        line.output_tokens.to_string(),
        line.cost.display_dollars(),
    ]
}

fn total(lines: &[Spend]) -> anyhow::Result<Spend> {
    let mut total = Spend {
        name: "TOTAL".to_owned(),
        cost: NanoUsd::ZERO,
        abandoned_cost: NanoUsd::ZERO,
        requests: 0,
        input_tokens: 0,
        output_tokens: 0,
        uncertain: 0,
    };
    for line in lines {
        let sum = total.cost.checked_add(line.cost);
        total.cost = sum.context("the costs do not fit one sum: ask for a shorter time")?;
        let sum = total.abandoned_cost.checked_add(line.abandoned_cost);
        // A part of the cost, which fits.
        total.abandoned_cost = sum.unwrap_or(total.cost);
        total.requests = total.requests.saturating_add(line.requests);
        total.input_tokens = total.input_tokens.saturating_add(line.input_tokens);
        total.output_tokens = total.output_tokens.saturating_add(line.output_tokens);
        total.uncertain = total.uncertain.saturating_add(line.uncertain);
    }
    Ok(total)
}

fn print_json(
    query: &SpendQuery,
    by: UsageBy,
    lines: &[Spend],
    printer: &mut Printer,
) -> anyhow::Result<()> {
    Ok(printer.json(&json!({
        "by": heading(by).to_lowercase(),
        "since": query.since,
        "until": query.until,
        "lines": lines.iter().map(Line::of).collect::<Vec<_>>(),
        "total": Sums::of(&total(lines)?),
    }))?)
}

#[derive(Serialize)]
struct Line<'l> {
    name: &'l str,
    #[serde(flatten)]
    sums: Sums,
}

impl<'l> Line<'l> {
    fn of(line: &'l Spend) -> Self {
        Self {
            name: &line.name,
            sums: Sums::of(line),
        }
    }
}

#[derive(Serialize)]
struct Sums {
    requests: u64,
    input_tokens: u64,
    output_tokens: u64,
    cost: NanoUsd,
    abandoned_cost: NanoUsd,
    estimated_requests: u64,
}

impl Sums {
    fn of(line: &Spend) -> Self {
        let Spend {
            name: _,
            cost,
            abandoned_cost,
            requests,
            input_tokens,
            output_tokens,
            uncertain,
        } = *line;
        Self {
            requests,
            input_tokens,
            output_tokens,
            cost,
            abandoned_cost,
            estimated_requests: uncertain,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spend(name: &str, cost: i64, requests: u64) -> Spend {
        Spend {
            name: name.to_owned(),
            cost: NanoUsd::from_nano(cost),
            abandoned_cost: NanoUsd::ZERO,
            requests,
            input_tokens: 10 * requests,
            output_tokens: requests,
            uncertain: 0,
        }
    }

    #[test]
    fn several_lines_have_a_total_and_one_has_none() {
        let one = spend("support-bot", 3_420_000_000, 118);
        let two = spend("", 12_300_000, 2);
        let lines = [one.clone(), two];
        let both = rows(&lines, &total(&lines).unwrap());
        let cells = |index: usize| both[index].join(" ");
        assert_eq!(cells(0), "support-bot 118 1180 118 $3.42");
        assert_eq!(cells(1), "- 2 20 2 $0.0123");
        assert_eq!(cells(2), "TOTAL 120 1200 120 $3.4323");
        let alone = [one];
        assert_eq!(rows(&alone, &total(&alone).unwrap()).len(), 1);
    }

    #[test]
    fn a_sum_past_the_range_is_an_error_and_no_wrong_number() {
        let lines = [spend("a", i64::MAX, 1), spend("b", 1, 1)];
        assert!(total(&lines).is_err());
    }

    #[test]
    fn a_line_of_json_has_the_cost_as_a_decimal_string() {
        let line = spend("gpt-5.2", 4_550_001, 1);
        let json = serde_json::to_string(&Line::of(&line)).unwrap();
        assert_eq!(
            json,
            r#"{"name":"gpt-5.2","requests":1,"input_tokens":10,"output_tokens":1,"cost":"0.004550001","abandoned_cost":"0.00","estimated_requests":0}"#
        );
    }
}
