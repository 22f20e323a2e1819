//! `tollgate config check|show|reference`.

use crate::{
    args::ConfigCommand,
    printer::{Printer, plural},
    settings::{
        Settings,
        problem::{Place, Problem, SettingsError},
        reference,
    },
};
use serde_json::{Value, json};
use std::path::Path;

/// Runs one of them. `load` reads the settings; the reference needs none.
pub fn run(
    command: &ConfigCommand,
    load: impl FnOnce() -> Result<Settings, SettingsError>,
    printer: &mut Printer,
) -> anyhow::Result<()> {
    match command {
        ConfigCommand::Check(output) if output.json => check_json(load(), printer),
        ConfigCommand::Check(_) => check(&load()?, printer),
        ConfigCommand::Show(output) => show(&load()?, output.json, printer),
        ConfigCommand::Reference => Ok(printer.result(reference::render().trim_end())?),
    }
}

fn check(settings: &Settings, printer: &mut Printer) -> anyhow::Result<()> {
    let file = settings.file.as_deref();
    printer.problems(&settings.warnings, file)?;
    let name = file.map_or_else(
        || "no settings file: first-run defaults".to_owned(),
        |file| format!("{} is good", file.display()),
    );
    let declared = &settings.declared;
    let counts = [
        (declared.projects.len(), "project"),
        (declared.members.len(), "member"),
        (declared.providers.len(), "provider"),
        (declared.groups.len(), "routing group"),
        (declared.api_keys.len(), "API key"),
    ];
    let counts = counts.into_iter().filter(|(count, _)| *count > 0);
    let counts: Vec<String> = counts.map(|(count, noun)| plural(count, noun)).collect();
    let counts = match counts.as_slice() {
        [] => "declares nothing".to_owned(),
        counts => counts.join(", "),
    };
    Ok(printer.result(&format!("{name} ({counts})"))?)
}

/// The problems are the result, so a failure prints them and nothing else.
fn check_json(
    loaded: Result<Settings, SettingsError>,
    printer: &mut Printer,
) -> anyhow::Result<()> {
    let (file, problems, failure) = match loaded {
        Ok(settings) => (settings.file, settings.warnings, None),
        Err(error) => (error.file.clone(), error.problems.clone(), Some(error)),
    };
    let list = problems.iter();
    let list: Vec<Value> = list
        .map(|problem| problem_json(problem, file.as_deref()))
        .collect();
    printer.json(&json!({ "valid": failure.is_none(), "file": file, "problems": list }))?;
    match failure {
        None => Ok(()),
        Some(_) => anyhow::bail!("the settings cannot be used"),
    }
}

fn problem_json(problem: &Problem, file: Option<&Path>) -> Value {
    let Problem {
        severity,
        place,
        key,
        message,
        help,
    } = problem;
    let (line, column) = match place {
        Place::File { line, column } => (Some(line), Some(column)),
        Place::WholeFile | Place::Environment(_) | Place::Flag(_) | Place::Default => (None, None),
    };
    json!({
        "severity": severity.as_str(),
        "place": place.display(file),
        "line": line,
        "column": column,
        "key": key,
        "message": message,
        "help": help,
    })
}

fn show(settings: &Settings, json: bool, printer: &mut Printer) -> anyhow::Result<()> {
    let file = settings.file.as_deref();
    if json {
        let values: Vec<Value> = settings
            .origins
            .iter()
            .map(|origin| {
                json!({
                    "key": origin.key,
                    "value": origin.value,
                    "origin": origin.place.display(file),
                })
            })
            .collect();
        return Ok(printer.json(&values)?);
    }
    printer.problems(&settings.warnings, file)?;
    let rows: Vec<Vec<String>> = settings
        .origins
        .iter()
        .map(|origin| {
            vec![
                origin.key.clone(),
                origin.value.clone(),
                origin.place.display(file),
            ]
        })
        .collect();
    Ok(printer.table(&["KEY", "VALUE", "FROM"], &[], &rows)?)
}
