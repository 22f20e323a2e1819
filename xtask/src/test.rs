//! `cargo xtask test`: everything that must hold before a change goes in, on a machine that has a
//! Rust toolchain, a C compiler, Python 3 and Node. What else is needed is installed under
//! `target/`, from the package registries.
//!
//! Every part runs, whatever became of the one before it: one run shows all that is wrong. The
//! last line is `N passed, N failed`.

mod process;
mod tally;

use crate::tidy;
use anyhow::{Context as _, bail};
use process::Task;
use std::{fmt, path::Path, time::Duration};
use tally::Tally;

/// What to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// Formatting, tidiness, lints.
    Checks,
    /// Every test of the workspace.
    Unit,
    /// Real clients against the binary.
    Conformance,
}

impl Part {
    const ALL: [Self; 3] = [Self::Checks, Self::Unit, Self::Conformance];
}

/// The command line.
#[derive(Debug, PartialEq, Eq)]
struct Choice {
    parts: Vec<Part>,
    only: Option<String>,
}

/// A run.
struct Run<'a> {
    root: &'a Path,
    /// Added up over all steps.
    total: Tally,
    failures: Vec<String>,
}

/// Whether all of it passed.
pub(crate) fn run(root: &Path, arguments: &[String]) -> anyhow::Result<bool> {
    let choice = parse(arguments)?;
    let mut run = Run {
        root,
        total: Tally::default(),
        failures: Vec::new(),
    };
    for part in &choice.parts {
        match part {
            Part::Checks => run.checks()?,
            Part::Unit => run.unit(choice.only.as_deref())?,
            Part::Conformance => run.conformance(choice.only.as_deref())?,
        }
    }
    println!();
    for failure in &run.failures {
        println!("failed: {failure}");
    }
    println!("{} passed, {} failed", run.total.passed, run.total.failed);
    Ok(run.total.failed == 0)
}

fn parse(arguments: &[String]) -> anyhow::Result<Choice> {
    let mut choice = Choice {
        parts: Vec::new(),
        only: None,
    };
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "checks" => choice.parts.push(Part::Checks),
            "unit" => choice.parts.push(Part::Unit),
            "conformance" => choice.parts.push(Part::Conformance),
            "--only" => {
                let name = words.next().context("--only needs a name after it")?;
                choice.only = Some(name.clone());
            }
            other => bail!("{other:?} is no part of the tests: unit, conformance, checks, --only"),
        }
    }
    if choice.parts.is_empty() {
        choice.parts = Part::ALL.to_vec();
    }
    Ok(choice)
}

impl Run<'_> {
    fn checks(&mut self) -> anyhow::Result<()> {
        self.step("formatting", |run| run.command("cargo fmt --all --check"))?;
        self.step("tidiness", |run| {
            let findings = tidy::run(run.root)?;
            Ok(Tally::one(findings == 0))
        })?;
        self.step("lints", |run| {
            run.command("cargo clippy --quiet --workspace --all-targets --locked -- -D warnings")
        })
    }

    fn unit(&mut self, only: Option<&str>) -> anyhow::Result<()> {
        let nextest = self.nextest();
        self.step("tests of the workspace", |run| {
            let line = if nextest {
                "cargo nextest run --workspace --locked --profile ci --status-level fail \
                 --final-status-level slow --no-tests pass"
            } else {
                "cargo test --quiet --workspace --locked --no-fail-fast"
            };
            let ended = Task::new(run.root, line).arguments(only).run()?;
            Ok(Tally::of_tests(&ended.text, ended.success))
        })
    }

    fn conformance(&mut self, only: Option<&str>) -> anyhow::Result<()> {
        self.step("conformance: the binaries", |run| {
            run.command("cargo build --locked -p tollgate-cli -p tollgate-testkit --bins")?;
            run.command("cargo build --locked -p tollgate-core --example price")
        })?;
        self.step("conformance: real clients", |run| {
            let mut task = Task::new(run.root, "python3 conformance/run.py");
            if only.is_some() {
                task = task.arguments(["--only"]).arguments(only);
            }
            let ended = task.run()?;
            Ok(Tally::of_conformance(&ended.text, ended.success))
        })
    }

    /// Whether tests run under nextest (a process and a time limit each); it is installed where
    /// it is missing, and done without where that fails.
    fn nextest(&self) -> bool {
        let present = || Task::new(self.root, "cargo nextest --version").quiet_success();
        if present() {
            return true;
        }
        println!("cargo-nextest is missing: installing it into target/tools, once");
        let line = "cargo install --quiet --locked cargo-nextest --root target/tools";
        let installed = Task::new(self.root, line).run();
        if installed.is_ok_and(|ended| ended.success) && present() {
            return true;
        }
        println!("cargo-nextest cannot be installed: `cargo test` runs the tests");
        false
    }

    /// A command that passes or fails as a whole.
    fn command(&self, line: &str) -> anyhow::Result<Tally> {
        Ok(Tally::one(Task::new(self.root, line).run()?.success))
    }

    fn step(
        &mut self,
        name: &str,
        body: impl FnOnce(&Self) -> anyhow::Result<Tally>,
    ) -> anyhow::Result<()> {
        println!("\n=== {name}");
        let clock = process::Stopwatch::start();
        let tally = body(self).with_context(|| format!("{name} could not be run"))?;
        println!("=== {name}: {tally} ({})", Seconds(clock.elapsed()));
        if tally.failed > 0 {
            self.failures.push(format!("{name} ({})", tally.failed));
        }
        self.total += tally;
        Ok(())
    }
}

struct Seconds(Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} s", self.0.as_secs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn nothing_named_means_everything() {
        let choice = parse(&[]).unwrap();
        assert_eq!((choice.parts, choice.only), (Part::ALL.to_vec(), None));
    }

    #[test]
    fn parts_and_filters_are_understood() {
        let choice = parse(&words("conformance --only openai")).unwrap();
        assert_eq!(choice.parts, [Part::Conformance]);
        assert_eq!(choice.only.as_deref(), Some("openai"));
        assert!(parse(&words("everything")).is_err());
        assert!(parse(&words("unit --only")).is_err());
    }
}
