//! `tollgate usage`: what was used and what it cost, from the store of this machine.

use crate::{
    args::{UsageArgs, UsageBy},
    printer::Printer,
};
use anyhow::{Context as _, ensure};
use jiff::tz::TimeZone;
use serde_json::{Value, json};
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
        return Ok(printer.note(&format!("no usage from {since} to {until}"))?);
    }
    let total = total(&lines)?;
    let mut rows: Vec<Vec<String>> = lines.iter().map(row).collect();
    if lines.len() > 1 {
        rows.push(row(&total));
    }
    let header = [
        heading(args.by),
        "REQUESTS",
        "INPUT TOKENS",
        "OUTPUT TOKENS",
        "COST",
    ];
    printer.table(&header, &[1, 2, 3, 4], &rows)?;
    if total.uncertain > 0 {
        let text = format!(
            "the cost of {} of these requests is an estimate",
            total.uncertain
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
        requests: 0,
        input_tokens: 0,
        output_tokens: 0,
        uncertain: 0,
    };
    for line in lines {
        let sum = total.cost.checked_add(line.cost);
        total.cost = sum.context("the costs do not fit one sum: ask for a shorter time")?;
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
    let total = total(lines)?;
    let lines: Vec<Value> = lines
        .iter()
        .map(|line| {
            let mut object = sums(line);
            object["name"] = json!(line.name);
            object
        })
        .collect();
    Ok(printer.json(&json!({
        "by": heading(by).to_lowercase(),
        "since": query.since,
        "until": query.until,
        "lines": lines,
        "total": sums(&total),
    }))?)
}

fn sums(line: &Spend) -> Value {
    json!({
        "requests": line.requests,
        "input_tokens": line.input_tokens,
        "output_tokens": line.output_tokens,
        "cost": line.cost,
        "estimated_requests": line.uncertain,
    })
}
