//! Everything that is printed. A command's result goes to standard output, so that it can be piped;
//! warnings, notes and errors go to standard error. Colour only where a terminal shows it.

use crate::{
    args::Args,
    settings::{
        environment::Environment,
        problem::{Problem, SettingsError, Severity},
    },
};
use serde::Serialize;
use std::{
    io::{self, IsTerminal as _, Write as _},
    path::Path,
};

const RED: &str = "\u{1b}[1;31m";
const YELLOW: &str = "\u{1b}[1;33m";
const PLAIN: &str = "\u{1b}[0m";

/// The standard streams of one command.
#[derive(Debug)]
pub struct Printer {
    is_quiet: bool,
    has_colour: bool,
}

impl Printer {
    /// A printer as the flags and the environment want it; `args` is `None` when they are wrong.
    pub fn new(environment: &Environment, args: Option<&Args>) -> Self {
        let no_color =
            args.is_some_and(|args| args.global.no_color) || environment.get("NO_COLOR").is_some();
        Self {
            is_quiet: args.is_some_and(|args| args.global.quiet),
            has_colour: !no_color && io::stderr().is_terminal(),
        }
    }

    /// A result, for people or as it is.
    pub fn result(&mut self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        writeln!(out, "{text}")
    }

    /// A result for programs.
    pub fn json(&mut self, value: &impl Serialize) -> io::Result<()> {
        let text = serde_json::to_string_pretty(value)?;
        self.result(&text)
    }

    /// A result as an aligned table. Columns named in `right` hold numbers.
    pub fn table(
        &mut self,
        header: &[&str],
        right: &[usize],
        rows: &[Vec<String>],
    ) -> io::Result<()> {
        self.result(&align(header, right, rows))
    }

    /// Something that is good to know. Not printed when quiet.
    pub fn note(&mut self, text: &str) -> io::Result<()> {
        if self.is_quiet {
            return Ok(());
        }
        writeln!(io::stderr().lock(), "{text}")
    }

    /// That a server is ready: printed even when quiet, because programs wait for it.
    pub fn ready(&mut self, text: &str) -> io::Result<()> {
        writeln!(io::stderr().lock(), "{text}")
    }

    /// Why the command failed.
    pub fn error(&mut self, text: &str) -> io::Result<()> {
        let error = self.coloured(RED, "error:");
        writeln!(io::stderr().lock(), "{error} {text}")
    }

    /// Settings that cannot be used.
    pub fn settings_error(&mut self, error: &SettingsError) -> io::Result<()> {
        self.problems(&error.problems, error.file.as_deref())?;
        let count = |severity| {
            let of_it = |problem: &&Problem| problem.severity == severity;
            error.problems.iter().filter(of_it).count()
        };
        let errors = plural(count(Severity::Error), "error");
        let summary = match count(Severity::Warning) {
            0 => errors,
            warnings => format!("{errors}, {}", plural(warnings, "warning")),
        };
        self.error(&format!("the settings cannot be used: {summary}"))
    }

    /// Problems of settings. Warnings are not printed when quiet.
    pub fn problems(&mut self, problems: &[Problem], file: Option<&Path>) -> io::Result<()> {
        let mut err = io::stderr().lock();
        for problem in problems {
            let text = problem.display(file);
            let text = match problem.severity {
                Severity::Warning if self.is_quiet => continue,
                Severity::Warning => {
                    text.replacen("warning:", &self.coloured(YELLOW, "warning:"), 1)
                }
                Severity::Error => text.replacen("error:", &self.coloured(RED, "error:"), 1),
            };
            writeln!(err, "{text}")?;
        }
        Ok(())
    }

    /// Help, version, or what is wrong with the command line.
    pub fn usage(&mut self, usage: &clap::Error) -> io::Result<()> {
        if usage.use_stderr() {
            let text = usage.render();
            let mut err = io::stderr().lock();
            if self.has_colour {
                return write!(err, "{}", text.ansi());
            }
            return write!(err, "{text}");
        }
        write!(io::stdout().lock(), "{}", usage.render())
    }

    fn coloured(&self, colour: &str, text: &str) -> String {
        if self.has_colour {
            format!("{colour}{text}{PLAIN}")
        } else {
            text.to_owned()
        }
    }
}

/// `1 error`, `2 errors`.
pub fn plural(count: usize, noun: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{ending}")
}

/// Columns two spaces apart, each as wide as its widest cell.
fn align(header: &[&str], right: &[usize], rows: &[Vec<String>]) -> String {
    let header: Vec<String> = header.iter().map(|&name| name.to_owned()).collect();
    let lines: Vec<&Vec<String>> = std::iter::once(&header).chain(rows).collect();
    let cell_width = |line: &&Vec<String>, column| {
        line.get(column)
            .map_or(0, |cell: &String| cell.chars().count())
    };
    let width = |column| lines.iter().map(|line| cell_width(line, column)).max();
    let widths: Vec<usize> = (0..header.len()).map(|i| width(i).unwrap_or(0)).collect();
    let format_line = |line: &&Vec<String>| {
        let cells = line.iter().zip(&widths).enumerate();
        let cells = cells.map(|(column, (cell, &width))| {
            if right.contains(&column) {
                format!("{cell:>width$}")
            } else {
                format!("{cell:<width$}")
            }
        });
        let cells: Vec<String> = cells.collect();
        cells.join("  ").trim_end().to_owned()
    };
    let lines: Vec<String> = lines.iter().map(format_line).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_numbers_stand_right() {
        let rows = [
            vec!["short".to_owned(), "$3.42".to_owned()],
            vec!["a longer näme".to_owned(), "$10.00".to_owned()],
        ];
        insta::assert_snapshot!(align(&["NAME", "COST"], &[1], &rows), @r#"
        NAME             COST
        short           $3.42
        a longer näme  $10.00
        "#);
    }
}
