//! One value and its way to a type. Texts from flags, variables and defaults take the same way as
//! those of the file, so all of them are checked alike.

use super::{
    problem::{Complaint, Place, Severity, help_choose},
    reader::{Reader, Table},
    schema::{Section, Shape},
    text,
};
use jiff::SignedDuration;
use std::{
    borrow::Cow,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    time::Duration,
};
use toml::de::DeValue;

/// A value as it was given.
#[derive(Clone, Copy)]
pub(super) enum Given<'a> {
    /// In the file.
    Toml(&'a DeValue<'a>),
    /// By a flag, a variable or a default.
    Text(&'a str),
}

/// A value, its key, and where it came from.
#[derive(Clone)]
pub(super) struct Value<'a> {
    pub(super) reader: &'a Reader<'a>,
    pub(super) key: String,
    pub(super) shape: Shape,
    pub(super) place: Place,
    pub(super) given: Given<'a>,
}

impl<'a> Value<'a> {
    /// Reports an error about this value.
    pub(super) fn refuse(&self, complaint: Complaint) {
        self.reader.error(&self.place, &self.key, complaint);
    }

    /// Reports a warning about this value.
    pub(super) fn warn(&self, message: impl Into<String>, help: impl Into<String>) {
        let complaint = Complaint::new(message, help);
        self.reader
            .report(Severity::Warning, &self.place, &self.key, complaint);
    }

    /// Remembers the value for `config show`.
    pub(super) fn remember(&self) {
        self.reader.remember(&self.key, self.shown(), &self.place);
    }

    /// The value as it would be written in the file.
    pub(super) fn shown(&self) -> String {
        match self.given {
            Given::Toml(value) => show(value),
            Given::Text(text) if matches!(self.shape, Shape::Bare(_)) => text.to_owned(),
            Given::Text(text) => quote(text),
        }
    }

    /// The text of a string.
    pub(super) fn text(&self) -> Option<Cow<'a, str>> {
        match self.given {
            Given::Text(text) => Some(Cow::Borrowed(text)),
            Given::Toml(DeValue::String(text)) => Some(Cow::Borrowed(text.as_ref())),
            Given::Toml(other) => {
                let help = match other {
                    DeValue::Integer(_)
                    | DeValue::Float(_)
                    | DeValue::Boolean(_)
                    | DeValue::Datetime(_) => format!("quote it: `\"{}\"`", show(other)),
                    _ => format!("write a {}", self.shape.describe()),
                };
                self.refuse(Complaint::new(
                    format!("expected a string, found {}", describe(other)),
                    help,
                ));
                None
            }
        }
    }

    /// A string, parsed.
    pub(super) fn parse<T>(&self, parse: impl FnOnce(&str) -> Result<T, Complaint>) -> Option<T> {
        match parse(&self.text()?) {
            Ok(parsed) => Some(parsed),
            Err(complaint) => {
                self.refuse(complaint);
                None
            }
        }
    }

    /// A string that is not blank.
    pub(super) fn name(&self) -> Option<String> {
        self.parse(|text| match text.trim() {
            "" => Err(Complaint::new("this is blank", "give it a name")),
            name => Ok(name.to_owned()),
        })
    }

    /// One of the words that the schema lists, and what it stands for.
    pub(super) fn choice<T: Copy>(&self, choices: &[(&'static str, T)]) -> Option<T> {
        let words = choices.iter().map(|(word, _)| *word);
        debug_assert!(
            matches!(self.shape, Shape::Word(listed) if words.clone().eq(listed.iter().copied())),
            "the words of `{}` are not those of the schema",
            self.key
        );
        self.parse(|text| {
            let chosen = choices.iter().find(|(word, _)| *word == text);
            chosen.map(|(_, meaning)| *meaning).ok_or_else(|| {
                Complaint::new(format!("unknown value `{text}`"), help_choose(text, words))
            })
        })
    }

    /// A whole number in a range.
    pub(super) fn integer(&self, range: &RangeInclusive<i64>) -> Option<i64> {
        let number = match self.given {
            Given::Toml(DeValue::Integer(number)) => {
                i64::from_str_radix(number.as_str(), number.radix()).ok()
            }
            Given::Text(text) => text.parse().ok(),
            Given::Toml(other) => {
                let found = describe(other);
                self.refuse(Complaint::new(
                    format!("expected a whole number, found {found}"),
                    "write it without quotes and decimals: `1000`",
                ));
                return None;
            }
        };
        let number = number.filter(|number| range.contains(number));
        if number.is_none() {
            let (from, to) = (range.start(), range.end());
            self.refuse(Complaint::new(
                format!("`{}` is not a whole number in range", self.shown()),
                format!("write one from {from} to {to}"),
            ));
        }
        number
    }

    /// `true` or `false`.
    pub(super) fn boolean(&self) -> Option<bool> {
        match self.given {
            Given::Toml(DeValue::Boolean(boolean)) => Some(*boolean),
            Given::Text("true") => Some(true),
            Given::Text("false") => Some(false),
            Given::Text(_) | Given::Toml(_) => {
                let found = match self.given {
                    Given::Toml(value) => describe(value).to_owned(),
                    Given::Text(text) => format!("`{text}`"),
                };
                self.refuse(Complaint::new(
                    format!("expected a boolean, found {found}"),
                    "write `true` or `false`, without quotes",
                ));
                None
            }
        }
    }

    /// A duration such as `30s`, `500ms` or `1h 30m`, in a range.
    pub(super) fn duration(&self, range: &RangeInclusive<Duration>) -> Option<Duration> {
        self.parse(|text| {
            let parsed: SignedDuration = text.parse().map_err(|_| {
                Complaint::new(
                    format!("`{text}` is not a duration"),
                    "write a number and a unit: `500ms`, `30s`, `10m` or `1h`",
                )
            })?;
            Duration::try_from(parsed)
                .ok()
                .filter(|duration| range.contains(duration))
                .ok_or_else(|| {
                    Complaint::new(
                        format!("`{text}` is out of range"),
                        format!(
                            "write a duration from {} to {}",
                            show_duration(*range.start()),
                            show_duration(*range.end())
                        ),
                    )
                })
        })
    }

    /// A size in bytes, in a range whose ends are powers of two.
    pub(super) fn size(&self, range: &RangeInclusive<u64>) -> Option<u64> {
        self.parse(|text| {
            let bytes = text::size(text)?;
            if range.contains(&bytes) {
                return Ok(bytes);
            }
            let (from, to) = (
                text::show_size(*range.start()),
                text::show_size(*range.end()),
            );
            Err(Complaint::new(
                format!("`{text}` is out of range"),
                format!("write a size from {from} to {to}"),
            ))
        })
    }

    /// A path; one in the file is relative to the file's directory.
    pub(super) fn path(&self) -> Option<PathBuf> {
        let text = self.name()?;
        let path = Path::new(&text);
        Some(match (self.reader.dir, &self.place) {
            (Some(dir), Place::File { .. }) => dir.join(path),
            _ => path.to_owned(),
        })
    }

    /// The strings of an array; what is no string is reported.
    pub(super) fn elements(&self) -> Vec<Value<'a>> {
        let Given::Toml(DeValue::Array(elements)) = self.given else {
            self.refuse(Complaint::new(
                "expected an array of strings",
                "write `[\"one\", \"two\"]`",
            ));
            return Vec::new();
        };
        let element = |(index, element): (usize, &'a toml::Spanned<DeValue<'a>>)| Value {
            reader: self.reader,
            key: format!("{}[{index}]", self.key),
            shape: self.shape,
            place: self.reader.place(&element.span()),
            given: Given::Toml(element.get_ref()),
        };
        elements.iter().enumerate().map(element).collect()
    }

    /// The value as a table with the keys of `section`.
    pub(super) fn into_table(self, section: &'static Section) -> Option<Table<'a>> {
        let Given::Toml(DeValue::Table(values)) = self.given else {
            self.refuse(Complaint::new(
                "expected a table",
                "write `{ key = value, … }`",
            ));
            return None;
        };
        Some(Table::new(
            self.reader,
            section,
            self.key,
            self.place,
            Some(values),
        ))
    }
}

/// What a value is, with its article.
pub(super) fn describe(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a float",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    }
}

/// A value as TOML on one line.
pub(super) fn show(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => quote(text),
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.to_string(),
        DeValue::Boolean(boolean) => boolean.to_string(),
        DeValue::Datetime(datetime) => datetime.to_string(),
        DeValue::Array(elements) => {
            let elements: Vec<_> = elements.iter().map(|e| show(e.get_ref())).collect();
            format!("[{}]", elements.join(", "))
        }
        DeValue::Table(table) => {
            let entry = |(name, value): (&toml::Spanned<Cow<'_, str>>, &toml::Spanned<_>)| {
                let name = super::schema::join("", name.get_ref());
                format!("{name} = {}", show(value.get_ref()))
            };
            let entries: Vec<_> = table.iter().map(entry).collect();
            format!("{{ {} }}", entries.join(", "))
        }
    }
}

/// A duration as it would be written.
fn show_duration(duration: Duration) -> String {
    SignedDuration::try_from(duration).map_or_else(
        |_| format!("{duration:?}"),
        |duration| format!("{duration:#}"),
    )
}

/// A basic string of TOML.
fn quote(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
