//! From samples to a table of medians and ratios. Figures are integers in thousandths.

use crate::target::Target;
use serde_json::Value;
use std::{collections::BTreeMap, fmt::Write as _};

/// A figure in thousandths.
type Milli = u64;

/// A row of the table: which load, its label, and how the figure follows from a sample.
type Row = (usize, &'static str, fn(&Value) -> Milli);

/// Samples by load and target.
pub type Samples = BTreeMap<(usize, usize), Vec<Value>>;

fn median(samples: &[Value], figure: impl Fn(&Value) -> Milli) -> Milli {
    let mut figures: Vec<Milli> = samples.iter().map(figure).collect();
    figures.sort_unstable();
    figures.get(figures.len() / 2).copied().unwrap_or(0)
}

fn number(sample: &Value, name: &str) -> u64 {
    sample.get(name).and_then(Value::as_u64).unwrap_or(0)
}

fn per(sample: &Value, what: &str, count: &str) -> Milli {
    number(sample, what) * 1_000 / number(sample, count).max(1)
}

/// The table of all figures, in Markdown.
pub fn tables(targets: &[Target], samples: &Samples) -> String {
    let figures: [Row; 8] = [
        (0, "CPU per request, 1 KB (µs)", |s| {
            per(s, "cpu_us", "requests")
        }),
        (1, "CPU per request, 100 KB (µs)", |s| {
            per(s, "cpu_us", "requests")
        }),
        (0, "requests per second, 1 KB", |s| {
            number(s, "requests") * 1_000_000_000 / number(s, "elapsed_us").max(1)
        }),
        (2, "median latency at 1,000/s (µs)", |s| {
            number(s, "p50_us") * 1_000
        }),
        (3, "CPU per read chunk, 400 streams (µs)", |s| {
            per(s, "cpu_us", "reads")
        }),
        (3, "time to first byte, median (µs)", |s| {
            number(s, "p50_us") * 1_000
        }),
        (4, "memory per open stream (KiB)", |s| {
            number(s, "rss_kib").saturating_sub(number(s, "rss_before_kib")) * 1_000
                / number(s, "open").max(1)
        }),
        (4, "CPU per read chunk, slow streams (µs)", |s| {
            per(s, "cpu_us", "reads")
        }),
    ];
    let mut text = String::from("| figure |");
    let names: Vec<&str> = targets.iter().map(|target| target.name).collect();
    for name in &names {
        let _ = write!(text, " {name} |");
    }
    text.push_str(" Tollgate / bare |\n|---|");
    text.push_str(&"---|".repeat(names.len() + 1));
    text.push('\n');
    let bare = names.iter().position(|name| *name == "bare proxy");
    let ours = names.iter().position(|name| *name == "Tollgate");
    for (load, label, figure) in figures {
        let of = |target: usize| {
            samples
                .get(&(load, target))
                .map_or(0, |s| median(s, figure))
        };
        let _ = write!(text, "| {label} |");
        for target in 0..names.len() {
            let _ = write!(text, " {} |", decimal(of(target), 1));
        }
        let ratio = match (bare, ours) {
            (Some(bare), Some(ours)) => of(ours) * 1_000 / of(bare).max(1),
            _ => 0,
        };
        let _ = writeln!(text, " {} |", decimal(ratio, 2));
    }
    text
}

fn decimal(milli: Milli, places: usize) -> String {
    let fraction: String = format!("{:03}", milli % 1_000)
        .chars()
        .take(places)
        .collect();
    format!("{}.{fraction}", milli / 1_000)
}
