//! The settings: `tollgate.toml`, `TOLLGATE_…` variables and flags become one [`Settings`] value in
//! which every name is valid and every reference resolves.
//!
//! [`schema`] lists every key, `reader` walks the file along it, `process` and `declared` build
//! the types. Nothing stops at the first fault: a [`SettingsError`] holds all of them, each with
//! its place and what to do. Where each value came from is kept for `config show`.

mod certificates;
mod declared;
pub mod environment;
mod limits;
pub mod problem;
pub mod process;
mod reader;
pub mod reference;
pub mod schema;
mod secret;
pub(crate) mod text;
mod value;

#[cfg(test)]
mod tests;

use environment::{CONFIG, Environment};
use problem::{Complaint, Place, Problem, SettingsError, Severity, did_you_mean};
use process::{
    LedgerSettings, LogSettings, PricesSettings, ServerSettings, StorageSettings, UpstreamSettings,
};
use reader::{Reader, Table};
use std::{
    cell::RefCell,
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};
use tollgate_core::declared::Declared;
use toml::de::DeTable;

/// The settings file that is looked for when none is named.
pub const DEFAULT_FILE: &str = "tollgate.toml";

/// What is declared when there is no settings file: enough for a first request.
const FIRST_RUN: &str = include_str!("settings/first_run.toml");

/// Everything an operator can say, checked.
#[derive(Debug)]
pub struct Settings {
    /// The file that was read; `None` on a first run.
    pub file: Option<PathBuf>,
    /// The state the file was in when it was read.
    pub stamp: Option<FileStamp>,
    /// The listener.
    pub server: ServerSettings,
    /// Reaching providers.
    pub upstream: UpstreamSettings,
    /// The data directory and the database.
    pub storage: StorageSettings,
    /// The price data.
    pub prices: PricesSettings,
    /// Holds.
    pub ledger: LedgerSettings,
    /// The log.
    pub log: LogSettings,
    /// What the store is made equal to.
    pub declared: Declared,
    /// Every value in force, in the order of the schema.
    pub origins: Vec<Origin>,
    /// What is probably not meant.
    pub warnings: Vec<Problem>,
}

/// What tells one state of a file from another: when it was written, and its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileStamp {
    written_at: SystemTime,
    bytes: u64,
}

impl FileStamp {
    /// The state a file is in; `None` when there is none.
    pub fn of(file: &Path) -> Option<Self> {
        let metadata = fs::metadata(file).ok()?;
        Some(Self {
            written_at: metadata.modified().ok()?,
            bytes: metadata.len(),
        })
    }
}

/// A value and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Dotted path, as `server.listen` or `provider[0].slug`.
    pub key: String,
    /// As it would be written in the file; of a secret only where it is.
    pub value: String,
    /// What gave it.
    pub place: Place,
}

/// A value from a command-line flag: outranks variable and file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// Path of the key.
    pub key: &'static str,
    /// The flag, for messages.
    pub flag: &'static str,
    /// The value as typed.
    pub value: String,
}

impl Settings {
    /// Reads the file at `path`, or the one that `TOLLGATE_CONFIG` names, or `tollgate.toml`. Only
    /// the last may be absent: then the settings are those of a first run.
    pub fn load(
        path: Option<&Path>,
        environment: &Environment,
        overrides: &[Override],
    ) -> Result<Self, SettingsError> {
        let named = path.or_else(|| environment.get(CONFIG).map(Path::new));
        let path = named.unwrap_or(Path::new(DEFAULT_FILE));
        // Before it is read: a change in between is seen as one.
        let stamp = FileStamp::of(path);
        match fs::read_to_string(path) {
            Ok(text) => Ok(Self {
                stamp,
                ..Self::parse(&text, Some(path), environment, overrides)?
            }),
            Err(error) if named.is_none() && error.kind() == io::ErrorKind::NotFound => {
                Self::parse(FIRST_RUN, None, environment, overrides)
            }
            Err(error) => Err(SettingsError {
                file: Some(path.to_owned()),
                problems: vec![Problem {
                    severity: Severity::Error,
                    place: Place::WholeFile,
                    key: String::new(),
                    message: format!("cannot read the settings: {}", secret::reason(&error)),
                    help: "name a file that exists and may be read: `--config FILE`".to_owned(),
                }],
            }),
        }
    }

    /// Reads settings from a text. `path` is where it came from; `None` = the built-in text.
    fn parse(
        text: &str,
        path: Option<&Path>,
        environment: &Environment,
        overrides: &[Override],
    ) -> Result<Self, SettingsError> {
        let reader = Reader {
            text,
            dir: path.map(|path| path.parent().unwrap_or(Path::new(""))),
            environment,
            overrides,
            problems: RefCell::default(),
            origins: RefCell::default(),
            secret_variables: RefCell::default(),
        };
        let file = path.map(Path::to_owned);
        let settings = read(&reader, file.clone());
        let mut problems = reader.problems.take();
        problems.sort_by(|a, b| a.place.cmp(&b.place));
        let is_error = |problem: &Problem| problem.severity == Severity::Error;
        match settings {
            Some(settings) if !problems.iter().any(is_error) => Ok(Self {
                origins: in_order(reader.origins.take()),
                warnings: problems,
                ..settings
            }),
            _ => Err(SettingsError { file, problems }),
        }
    }
}

/// Names are read before the rest of their tables: puts what belongs together side by side.
fn in_order(mut origins: Vec<Origin>) -> Vec<Origin> {
    origins.sort_by_cached_key(|origin| {
        let (head, rest) = origin.key.split_once('.').unwrap_or((&origin.key, ""));
        let (table, index) = head.split_once('[').unwrap_or((head, ""));
        let keys = schema::ROOT.keys.iter();
        let table = keys.map(|key| key.name).position(|name| name == table);
        let index: Option<u32> = index.trim_end_matches(']').parse().ok();
        let is_nested = rest.contains('.');
        (table, index, is_nested)
    });
    origins
}

fn read(reader: &Reader<'_>, file: Option<PathBuf>) -> Option<Settings> {
    let (document, faults) = DeTable::parse_recoverable(reader.text);
    for fault in &faults {
        let place = fault
            .span()
            .map_or(Place::WholeFile, |span| reader.place(&span));
        let complaint = Complaint::new(fault.message(), help_with_syntax(fault.message()));
        reader.error(&place, "", complaint);
    }
    // What is recovered from a broken file is not what was meant: checking it would mislead.
    if !faults.is_empty() {
        return None;
    }
    let values = Some(document.get_ref());
    let root = Table::new(
        reader,
        &schema::ROOT,
        String::new(),
        Place::WholeFile,
        values,
    );
    let storage = process::storage(&root);
    let server = process::server(&root);
    let upstream = process::upstream(&root);
    let prices = process::prices(&root);
    let ledger = process::ledger(&root);
    let log = process::log(&root);
    let declared = declared::read(&root);
    warn_of_unknown_variables(reader);
    Some(Settings {
        file,
        stamp: None,
        server: server?,
        upstream: upstream?,
        storage: storage?,
        prices: prices?,
        ledger: ledger?,
        log: log?,
        declared,
        origins: Vec::new(),
        warnings: Vec::new(),
    })
}

fn help_with_syntax(message: &str) -> &'static str {
    if message.starts_with("string values must be quoted") {
        "put the value between quotes: `key = \"value\"`"
    } else if message.starts_with("duplicate key") {
        "take one of the two out, or write `[[…]]` for one more of a kind"
    } else {
        "correct it there: https://toml.io describes the format"
    }
}

fn warn_of_unknown_variables(reader: &Reader<'_>) {
    let settings = environment::setting_variables();
    let others = environment::OTHERS.iter().map(|variable| variable.name);
    let known: Vec<&str> = settings.iter().map(String::as_str).chain(others).collect();
    let secrets = reader.secret_variables.borrow();
    for name in reader.environment.own_names() {
        if known.contains(&name) || secrets.contains(name) {
            continue;
        }
        let help = match did_you_mean(name, known.iter().copied()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => "`tollgate config reference` lists the variables".to_owned(),
        };
        let place = Place::Environment(name.to_owned());
        let complaint = Complaint::new("unknown variable: it has no effect", help);
        reader.report(Severity::Warning, &place, "", complaint);
    }
}
