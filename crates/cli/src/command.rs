//! One file per command. Each takes what was typed and the settings, does one thing through the
//! library crates, and prints its result.

pub mod config;
pub mod serve;

use crate::{
    args::{Args, Command},
    printer::Printer,
    settings::{Settings, environment::Environment},
};

/// Runs the command that was typed.
pub fn run(args: Args, environment: &Environment, printer: &mut Printer) -> anyhow::Result<()> {
    let overrides = args.overrides();
    let load = |printer: &mut Printer| -> anyhow::Result<Settings> {
        let settings = Settings::load(args.global.config.as_deref(), environment, &overrides)?;
        printer.problems(&settings.warnings, settings.file.as_deref())?;
        Ok(settings)
    };
    match &args.command {
        Command::Serve(serve) => serve::run(serve, &load(printer)?),
        Command::Config(command) => {
            let load = || Settings::load(args.global.config.as_deref(), environment, &overrides);
            config::run(command, load, printer)
        }
        Command::Keys(_) | Command::Usage(_) => anyhow::bail!("not built yet"),
    }
}
