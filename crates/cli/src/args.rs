//! The command line as typed. Nothing is resolved here: a value that has a setting becomes an
//! [`Override`] and takes the same way as the file's.

mod values;

pub use values::When;

use crate::settings::Override;
use clap::{Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use tollgate_core::{limit::WindowKind, money::NanoUsd};

/// A self-hosted gateway between applications and language models.
#[derive(Debug, Parser)]
#[command(
    name = "tollgate",
    version,
    propagate_version = true,
    disable_help_subcommand = true,
    max_term_width = 100
)]
pub struct Args {
    /// Flags of every command.
    #[command(flatten)]
    pub global: GlobalArgs,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Flags of every command.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Global options")]
pub struct GlobalArgs {
    /// Settings file [default: tollgate.toml] [env: TOLLGATE_CONFIG]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where everything is kept [default: tollgate-data] [env: TOLLGATE_DATA_DIR]
    #[arg(long, global = true, value_name = "DIR")]
    pub data_dir: Option<String>,
    /// Print results and errors, nothing else
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Print without colour [env: NO_COLOR]
    #[arg(long, global = true)]
    pub no_color: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the gateway
    Serve(ServeArgs),
    /// Check, show or look up settings
    #[command(subcommand)]
    Config(ConfigCommand),
    /// List, make and end API keys
    #[command(subcommand)]
    Keys(KeysCommand),
    /// List providers, or try one out
    #[command(subcommand)]
    Providers(ProvidersCommand),
    /// Show what was used and what it cost, answers of the simulated provider left out
    Usage(UsageArgs),
}

/// `tollgate serve`.
#[derive(Debug, clap::Args)]
pub struct ServeArgs {
    /// Where to listen: an IP address and a port [default: 127.0.0.1:8787]
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<String>,
    /// Form of log lines: text or json [default: text]
    #[arg(long, value_name = "FORMAT")]
    pub log_format: Option<String>,
}

/// Print JSON instead of text.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct OutputArgs {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `tollgate config …`.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Report everything that is wrong with the settings
    Check(OutputArgs),
    /// Print every value in force and where it came from
    Show(OutputArgs),
    /// Print the reference of all settings, in Markdown
    Reference,
}

/// `tollgate keys …`.
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// List API keys
    List(ListKeysArgs),
    /// Make an API key and print it, once
    Create(Box<CreateKeyArgs>),
    /// End an API key for ever
    Revoke(KeyArgs),
    /// Switch an API key off for a while
    Disable(KeyArgs),
    /// Switch an API key on again
    Enable(KeyArgs),
    /// Clear the block of an API key that asked for a model without a price
    Unblock(KeyArgs),
}

/// `tollgate keys list`.
#[derive(Debug, clap::Args)]
pub struct ListKeysArgs {
    /// Revoked keys too
    #[arg(long)]
    pub all: bool,
    /// Form of the output.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `tollgate keys create`.
#[derive(Debug, clap::Args)]
pub struct CreateKeyArgs {
    /// Its name, unique in the project
    pub name: String,
    /// Slug of its project
    #[arg(long, value_name = "SLUG", default_value = "default")]
    pub project: String,
    /// E-mail address of its owner: makes it a personal key
    #[arg(long, value_name = "EMAIL", value_parser = values::email)]
    pub member: Option<String>,
    /// When it stops working: 2027-01-01T00:00:00Z, 2027-01-01, or a time from now: 24h
    #[arg(long, value_name = "WHEN", value_parser = values::when)]
    pub expires: Option<When>,
    /// Its limits.
    #[command(flatten)]
    pub limits: LimitArgs,
    /// A provider or routing group it may use; repeat for more [default: all]
    #[arg(long = "allow-route", value_name = "SLUG")]
    pub routes: Vec<String>,
    /// A model it may use; repeat for more [default: all]
    #[arg(long = "allow-model", value_name = "MODEL")]
    pub models: Vec<String>,
    /// Form of the output.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Limits of a key.
#[derive(Debug, clap::Args)]
pub struct LimitArgs {
    /// Cap on dollars a day
    #[arg(long, value_name = "DOLLARS", value_parser = values::dollars)]
    pub limit_daily: Option<NanoUsd>,
    /// Cap on dollars a week
    #[arg(long, value_name = "DOLLARS", value_parser = values::dollars)]
    pub limit_weekly: Option<NanoUsd>,
    /// Cap on dollars a month
    #[arg(long, value_name = "DOLLARS", value_parser = values::dollars)]
    pub limit_monthly: Option<NanoUsd>,
    /// Cap on dollars in all
    #[arg(long, value_name = "DOLLARS", value_parser = values::dollars)]
    pub limit_total: Option<NanoUsd>,
    /// Cap on requests: daily=1000; repeat for more
    #[arg(long, value_name = "WINDOW=COUNT", value_parser = values::count)]
    pub limit_requests: Vec<(WindowKind, i64)>,
    /// Cap on tokens: monthly=2000000; repeat for more
    #[arg(long, value_name = "WINDOW=COUNT", value_parser = values::count)]
    pub limit_tokens: Vec<(WindowKind, i64)>,
}

/// A command on one key.
#[derive(Debug, clap::Args)]
pub struct KeyArgs {
    /// Its id, or its name if no other key has that name
    pub key: String,
    /// Form of the output.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `tollgate providers …`.
#[derive(Debug, Subcommand)]
pub enum ProvidersCommand {
    /// List providers
    List(OutputArgs),
    /// Check that a provider can be reached and takes the credential, and list its models
    Test(TestProviderArgs),
}

/// `tollgate providers test`.
#[derive(Debug, clap::Args)]
pub struct TestProviderArgs {
    /// Its slug
    #[arg(value_name = "SLUG")]
    pub provider: String,
    /// Form of the output.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `tollgate usage`.
#[derive(Debug, clap::Args)]
pub struct UsageArgs {
    /// What to sum up by
    #[arg(long, value_enum, default_value_t = UsageBy::Project)]
    pub by: UsageBy,
    /// From when on: 2026-11-01, 2026-11-01T12:00:00Z, or so long ago: 24h [default: this month]
    #[arg(long, value_name = "WHEN", value_parser = values::when)]
    pub since: Option<When>,
    /// Up to when, exclusive [default: now]
    #[arg(long, value_name = "WHEN", value_parser = values::when)]
    pub until: Option<When>,
    /// Form of the output.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// What usage is summed up by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum UsageBy {
    /// Each project
    Project,
    /// Each member
    Member,
    /// Each API key
    Key,
    /// Each model that answered
    Model,
    /// Each provider
    Provider,
    /// Each day, in UTC
    Day,
}

impl Args {
    /// The values that outrank the settings.
    pub fn overrides(&self) -> Vec<Override> {
        let mut overrides = Vec::new();
        let mut push = |key, flag, value: Option<&String>| {
            overrides.extend(value.cloned().map(|value| Override { key, flag, value }));
        };
        push("data_dir", "--data-dir", self.global.data_dir.as_ref());
        if let Command::Serve(serve) = &self.command {
            push("server.listen", "--listen", serve.listen.as_ref());
            push("log.format", "--log-format", serve.log_format.as_ref());
        }
        overrides
    }
}
