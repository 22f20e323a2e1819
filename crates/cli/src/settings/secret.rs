//! Secrets: `{ env = "NAME" }`, `{ file = "path" }` or `{ value = "…" }`. A settings file says where
//! a secret is; the text goes from there into a [`Secret`] and never into a message.

use super::{
    problem::Complaint,
    reader::Table,
    value::{Given, Value},
};
use std::{fs, io::Read as _, path::Path};
use tollgate_core::secret::Secret;
use toml::de::DeValue;

/// Largest secret file in bytes: it is a mistyped path otherwise.
const SECRET_FILE_BYTES_MAX: u64 = 64 << 10;

/// The secret under `name`; `None` when it is absent, or after a report.
pub(super) fn read(table: &Table<'_>, name: &str) -> Option<Secret> {
    in_header(&table.secret_table(name)?)
}

/// The secret of this table, fit to stand in a header.
pub(super) fn in_header(table: &Table<'_>) -> Option<Secret> {
    let (text, value) = source(table)?;
    if text.expose().bytes().all(|byte| byte.is_ascii_graphic()) {
        return Some(text);
    }
    value.refuse(Complaint::new(
        "the secret holds a space or a character that is not visible ASCII",
        "such a secret cannot stand in a header: copy it again",
    ));
    None
}

/// The secret of this table: any text, over any number of lines.
pub(super) fn of_any_lines(table: &Table<'_>) -> Option<Secret> {
    source(table).map(|(text, _)| text)
}

/// The text of the only source this table has, and where that is named.
fn source<'a>(table: &Table<'a>) -> Option<(Secret, Value<'a>)> {
    let mut sources: Vec<_> = ["env", "file", "value"]
        .into_iter()
        .filter_map(|source| Some((source, table.peek(source)?)))
        .collect();
    let found = sources.len();
    let Some((source, value)) = sources.pop().filter(|_| found == 1) else {
        let message = match found {
            0 => "this secret has no source",
            _ => "this secret has more than one source",
        };
        let help = "write exactly one of `env = \"NAME\"`, `file = \"path\"`, `value = \"…\"`";
        table.refuse(Complaint::new(message, help));
        return None;
    };
    let shown = match source {
        "value" => "{ value = \"…\" }".to_owned(),
        source => format!("{{ {source} = {} }}", value.shown()),
    };
    table.reader.remember(&table.path, shown, &table.place);
    let text = match source {
        "env" => from_environment(&value),
        "file" => from_file(&value),
        _ => from_settings(&value),
    }?;
    Some((text, value))
}

fn from_environment(value: &Value<'_>) -> Option<Secret> {
    let name = value.name()?;
    let found = value.reader.environment.get(&name).map(Secret::new);
    if found.is_none() {
        value.refuse(Complaint::new(
            format!("the environment variable `{name}` is not set"),
            format!("set it where Tollgate is started: `export {name}=…`"),
        ));
    }
    value.reader.secret_variables.borrow_mut().insert(name);
    found
}

fn from_file(value: &Value<'_>) -> Option<Secret> {
    let path = value.path()?;
    match read_secret_file(&path) {
        Ok(secret) => Some(secret),
        Err(complaint) => {
            value.refuse(complaint);
            None
        }
    }
}

fn read_secret_file(path: &Path) -> Result<Secret, Complaint> {
    let shown = path.display();
    let unreadable = |error: std::io::Error| {
        Complaint::new(
            format!("cannot read `{shown}`: {}", reason(&error)),
            "name a file that the user running Tollgate may read",
        )
    };
    let file = fs::File::open(path).map_err(unreadable)?;
    let mut text = zeroize::Zeroizing::new(String::new());
    file.take(SECRET_FILE_BYTES_MAX + 1)
        .read_to_string(&mut text)
        .map_err(unreadable)?;
    let is_too_long = u64::try_from(text.len()).is_ok_and(|len| len > SECRET_FILE_BYTES_MAX);
    if is_too_long || text.trim().is_empty() {
        let size = if is_too_long {
            "over 64 KiB long"
        } else {
            "empty"
        };
        return Err(Complaint::new(
            format!("`{shown}` is {size}"),
            "name the file that holds the secret and nothing else",
        ));
    }
    Ok(Secret::new(text.trim()))
}

fn from_settings(value: &Value<'_>) -> Option<Secret> {
    match value.given {
        Given::Toml(DeValue::String(text)) if !text.is_empty() => Some(Secret::new(text.as_ref())),
        Given::Toml(_) | Given::Text(_) => {
            let help = "write the secret between quotes, or name a variable: `{ env = \"NAME\" }`";
            value.refuse(Complaint::new("expected a string that is not empty", help));
            None
        }
    }
}

/// What the operating system says, without the error number.
pub(super) fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((reason, _)) => reason.to_lowercase(),
        None => text,
    }
}
