//! The command line: [`args`] (as typed) → [`settings`] (merged, checked) → one file per command in
//! [`command`]. The composition root: here, and nowhere else, stand the real clock, the real
//! randomness, the environment and the standard streams.
//!
//! Results go to standard output, everything else to standard error. Exit codes: 0 done, 1 failed,
//! 2 wrong usage.

pub mod args;
pub mod clock;
pub mod command;
pub mod data_plane;
pub mod entropy;
pub mod open_store;
pub mod printer;
pub mod settings;

use args::Args;
use clap::Parser as _;
use printer::Printer;
use settings::{environment::Environment, problem::SettingsError};
use std::{ffi::OsString, io, process::ExitCode};

/// Runs one command line.
pub fn run(arguments: impl IntoIterator<Item = OsString>, environment: &Environment) -> ExitCode {
    let parsed = Args::try_parse_from(arguments);
    let mut printer = Printer::new(environment, parsed.as_ref().ok());
    let outcome = match parsed {
        Ok(args) => command::run(&args, environment, &mut printer),
        Err(usage) => return print_usage(&usage, &mut printer),
    };
    let Err(error) = outcome else {
        return ExitCode::SUCCESS;
    };
    if is_broken_pipe(&error) {
        // Whoever read the output has seen enough.
        return ExitCode::SUCCESS;
    }
    // There is nobody left to tell when this fails too.
    let _ = match error.downcast_ref::<SettingsError>() {
        Some(settings) => printer.settings_error(settings),
        None => printer.error(&format!("{error:#}")),
    };
    ExitCode::FAILURE
}

/// Help and version are results; the rest is the caller's mistake.
fn print_usage(usage: &clap::Error, printer: &mut Printer) -> ExitCode {
    // There is nobody left to tell when this fails too.
    let _ = printer.usage(usage);
    u8::try_from(usage.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from)
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
