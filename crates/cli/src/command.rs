//! One file per command. Each takes what was typed and the settings, does one thing through the
//! library crates, and prints its result.

pub mod config;
pub mod keys;
pub mod providers;
pub mod serve;
pub mod usage;

use crate::{
    args::{Args, Command},
    clock::SystemClock,
    open_store::open_existing,
    printer::Printer,
    settings::{Settings, environment::Environment, problem::SettingsError},
};

/// Runs the command that was typed.
pub fn run(args: &Args, environment: &Environment, printer: &mut Printer) -> anyhow::Result<()> {
    let overrides = args.overrides();
    let load = || Settings::load(args.global.config.as_deref(), environment, &overrides);
    match &args.command {
        Command::Serve(_) => {
            let settings = load_and_warn(load, printer)?;
            let reload = || load().map_err(anyhow::Error::from);
            serve::run(settings, environment, &reload, printer)
        }
        Command::Config(command) => config::run(command, load, printer),
        Command::Keys(command) => {
            let settings = load_and_warn(load, printer)?;
            block_on(async {
                let store = open_existing(&settings.storage, environment).await?;
                keys::run(command, &store, &SystemClock, printer).await?;
                store.close().await;
                Ok(())
            })
        }
        Command::Providers(command) => {
            let settings = load_and_warn(load, printer)?;
            block_on(providers::run(command, &settings, environment, printer))
        }
        Command::Usage(args) => {
            let settings = load_and_warn(load, printer)?;
            block_on(async {
                let store = open_existing(&settings.storage, environment).await?;
                usage::run(args, &store, &SystemClock, printer).await?;
                store.close().await;
                Ok(())
            })
        }
    }
}

fn load_and_warn(
    load: impl FnOnce() -> Result<Settings, SettingsError>,
    printer: &mut Printer,
) -> anyhow::Result<Settings> {
    let settings = load()?;
    printer.problems(&settings.warnings, settings.file.as_deref())?;
    Ok(settings)
}

fn block_on(command: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(command)
}
