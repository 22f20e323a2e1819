//! Walks the parsed file along the [schema](super::schema), collecting problems instead of
//! stopping at the first. A value is looked for in flags, then variables, then the file, then the
//! schema's default; whichever gave it is remembered for `config show`.
//!
//! [`Table`] finds values, [`Value`](super::value::Value) turns them into types. Both report to
//! their [`Reader`]; what they return is `None` only after a problem was reported, or when the key
//! is optional and absent.

use super::{
    Origin, Override,
    environment::{self, Environment},
    problem::{Complaint, Place, Problem, Severity, help_choose},
    schema::{self, Default, Section, Shape},
    value::{Given, Value, describe, show},
};
use std::{cell::RefCell, collections::BTreeSet, ops::Range, path::Path};
use toml::de::{DeTable, DeValue};

/// What the whole reading shares.
pub(super) struct Reader<'a> {
    /// The text of the file.
    pub(super) text: &'a str,
    /// The file's directory, which relative paths in it are taken from. `None` for the built-in
    /// text of a first run, whose values count as defaults.
    pub(super) dir: Option<&'a Path>,
    /// The environment.
    pub(super) environment: &'a Environment,
    /// Values from flags.
    pub(super) overrides: &'a [Override],
    /// What is wrong so far.
    pub(super) problems: RefCell<Vec<Problem>>,
    /// What was read so far, and where it came from.
    pub(super) origins: RefCell<Vec<Origin>>,
    /// Variables that were read as secrets.
    pub(super) secret_variables: RefCell<BTreeSet<String>>,
}

impl Reader<'_> {
    /// Where a span of the file is.
    pub(super) fn place(&self, span: &Range<usize>) -> Place {
        if self.dir.is_none() {
            return Place::Default;
        }
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.matches('\n').count() + 1;
        let column = before
            .get(line_start..)
            .map_or(1, |line| line.chars().count() + 1);
        Place::File { line, column }
    }

    pub(super) fn error(&self, place: &Place, key: &str, complaint: Complaint) {
        self.report(Severity::Error, place, key, complaint);
    }

    pub(super) fn report(
        &self,
        severity: Severity,
        place: &Place,
        key: &str,
        complaint: Complaint,
    ) {
        self.problems.borrow_mut().push(Problem {
            severity,
            place: place.clone(),
            key: key.to_owned(),
            message: complaint.message,
            help: complaint.help,
        });
    }

    pub(super) fn remember(&self, key: &str, value: String, place: &Place) {
        self.origins.borrow_mut().push(Origin {
            key: key.to_owned(),
            value,
            place: place.clone(),
        });
    }

    fn flag_or_variable(&self, path: &str) -> Option<(Place, &str)> {
        let given = self.overrides.iter().find(|given| given.key == path);
        if let Some(given) = given {
            return Some((Place::Flag(given.flag), &given.value));
        }
        let name = environment::variable_for(path)?;
        let value = self.environment.get(&name)?;
        Some((Place::Environment(name), value))
    }
}

/// A table of the file, or the place where it would stand.
#[derive(Clone)]
pub(super) struct Table<'a> {
    pub(super) reader: &'a Reader<'a>,
    pub(super) path: String,
    pub(super) place: Place,
    section: &'static Section,
    values: Option<&'a DeTable<'a>>,
}

impl<'a> Table<'a> {
    /// The table at `path`; reports keys it must not have.
    pub(super) fn new(
        reader: &'a Reader<'a>,
        section: &'static Section,
        path: String,
        place: Place,
        values: Option<&'a DeTable<'a>>,
    ) -> Self {
        let table = Self {
            reader,
            path,
            place,
            section,
            values,
        };
        table.report_unknown_keys();
        table
    }

    /// Whether the file has it, or a flag or variable gives one of its values.
    pub(super) fn is_given(&self) -> bool {
        let mut given = self.values.is_some();
        schema::each_scalar(self.section, &self.path, &mut |path, _| {
            given |= self.reader.flag_or_variable(path).is_some();
        });
        given
    }

    /// The value of a key, remembered for `config show`. A required key that is absent is reported.
    pub(super) fn value(&self, name: &str) -> Option<Value<'a>> {
        let value = self.peek(name)?;
        value.remember();
        Some(value)
    }

    /// As [`Self::value`], but not remembered: for secrets.
    pub(super) fn peek(&self, name: &str) -> Option<Value<'a>> {
        let key = self.section.key(name);
        debug_assert!(
            key.is_some(),
            "`{name}` is not in the schema of `{}`",
            self.path
        );
        let key = key?;
        let path = schema::join(&self.path, name);
        let reader = self.reader;
        let value = |place, given| {
            Some(Value {
                reader,
                key: path.clone(),
                shape: key.shape,
                place,
                given,
            })
        };
        if let Some((place, text)) = reader.flag_or_variable(&path) {
            return value(place, Given::Text(text));
        }
        if let Some((place, given)) = self.written(name) {
            return value(place, Given::Toml(given));
        }
        match key.default {
            Default::Text(text) => value(Place::Default, Given::Text(text)),
            Default::None(_) => None,
            Default::Required => {
                let complaint = Complaint::new("this key is missing", key.help_missing());
                reader.error(&self.place, &path, complaint);
                None
            }
        }
    }

    /// The table under a key, absent or not.
    pub(super) fn table(&self, name: &str) -> Table<'a> {
        let path = schema::join(&self.path, name);
        let shape = self.section.key(name).map(|key| key.shape);
        let (Some(Shape::Table(section)), reader) = (shape, self.reader) else {
            debug_assert!(false, "`{path}` is not a table in the schema");
            return self.clone();
        };
        let (place, values) = match self.written(name) {
            Some((place, DeValue::Table(values))) => (place, Some(values)),
            Some((place, other)) => {
                let wrong = Complaint::new(
                    format!("expected a table, found {}", describe(other)),
                    format!("write `[{path}]` on a line of its own, or `{name} = {{ … }}`"),
                );
                reader.error(&place, &path, wrong);
                (place, None)
            }
            None => (Place::WholeFile, None),
        };
        Table::new(reader, section, path, place, values)
    }

    /// The elements of an array of tables. A required array that is absent is reported.
    pub(super) fn tables(&self, name: &str) -> Vec<Table<'a>> {
        let Some(Shape::Tables(section)) = self.section.key(name).map(|key| key.shape) else {
            debug_assert!(false, "`{name}` is not an array of tables in the schema");
            return Vec::new();
        };
        let path = schema::join(&self.path, name);
        let reader = self.reader;
        let Some((place, given)) = self.written(name) else {
            // Reports it when it is required.
            self.peek(name);
            return Vec::new();
        };
        let DeValue::Array(elements) = given else {
            let complaint = Complaint::new(
                format!("expected an array of tables, found {}", describe(given)),
                if self.path.is_empty() {
                    format!("write `[[{name}]]` above each of them")
                } else {
                    format!("write `{name} = [{{ … }}, {{ … }}]`")
                },
            );
            reader.error(&place, &path, complaint);
            return Vec::new();
        };
        let element = |(index, element): (usize, &'a toml::Spanned<DeValue<'a>>)| {
            let path = format!("{path}[{index}]");
            let place = reader.place(&element.span());
            let DeValue::Table(values) = element.get_ref() else {
                let complaint = Complaint::new(
                    format!("expected a table, found {}", describe(element.get_ref())),
                    "write `{ key = value, … }`",
                );
                reader.error(&place, &path, complaint);
                return None;
            };
            Some(Table::new(reader, section, path, place, Some(values)))
        };
        elements.iter().enumerate().filter_map(element).collect()
    }

    /// What the file has under `name`, and where.
    pub(super) fn written(&self, name: &str) -> Option<(Place, &'a DeValue<'a>)> {
        let value = self.values?.get(name)?;
        Some((self.reader.place(&value.span()), value.get_ref()))
    }

    /// The secret table under a key; `None` when it is absent or, after a report, not a table.
    pub(super) fn secret_table(&self, name: &str) -> Option<Table<'a>> {
        let shape = self.section.key(name).map(|key| key.shape);
        let Some(Shape::Secret(section) | Shape::UrlOrSecret(section)) = shape else {
            debug_assert!(false, "`{name}` is not a secret in the schema");
            return None;
        };
        let path = schema::join(&self.path, name);
        let (place, given) = self.written(name)?;
        let DeValue::Table(values) = given else {
            let complaint = Complaint::new(
                format!("expected a secret table, found {}", describe(given)),
                "write `{ env = \"NAME\" }`, `{ file = \"path\" }` or `{ value = \"…\" }`",
            );
            self.reader.error(&place, &path, complaint);
            return None;
        };
        Some(Table::new(self.reader, section, path, place, Some(values)))
    }

    /// The entries of a table whose keys the operator chooses, in the order of the file.
    pub(super) fn free_entries(&self, name: &str) -> Vec<(String, Value<'a>)> {
        let Some(key) = self.section.key(name) else {
            debug_assert!(false, "`{name}` is not in the schema of `{}`", self.path);
            return Vec::new();
        };
        let path = schema::join(&self.path, name);
        let Some((place, given)) = self.written(name) else {
            return Vec::new();
        };
        let DeValue::Table(values) = given else {
            let complaint = Complaint::new(
                format!("expected a table, found {}", describe(given)),
                format!("write `{name} = {{ \"name\" = … }}`"),
            );
            self.reader.error(&place, &path, complaint);
            return Vec::new();
        };
        let mut entries: Vec<_> = values.iter().collect();
        entries.sort_by_key(|(name, _)| name.span().start);
        entries
            .into_iter()
            .map(|(name, value)| {
                let name = name.get_ref().to_string();
                let value = Value {
                    reader: self.reader,
                    key: schema::join(&path, &name),
                    shape: key.shape,
                    place: self.reader.place(&value.span()),
                    given: Given::Toml(value.get_ref()),
                };
                (name, value)
            })
            .collect()
    }

    /// Reports a problem with the table as a whole.
    pub(super) fn refuse(&self, complaint: Complaint) {
        self.reader.error(&self.place, &self.path, complaint);
    }

    /// Reports a problem with a key that the table does not have.
    pub(super) fn refuse_absent(&self, name: &str, complaint: Complaint) {
        let path = schema::join(&self.path, name);
        self.reader.error(&self.place, &path, complaint);
    }

    /// Reports a problem with a key that the file has.
    pub(super) fn refuse_key(&self, name: &str, complaint: Complaint) {
        let place = self.written(name).map(|(place, _)| place);
        let path = schema::join(&self.path, name);
        let place = place.as_ref().unwrap_or(&self.place);
        self.reader.error(place, &path, complaint);
    }

    /// Reports a warning about the table as a whole.
    pub(super) fn warn(&self, message: impl Into<String>, help: impl Into<String>) {
        let complaint = Complaint::new(message, help);
        self.reader
            .report(Severity::Warning, &self.place, &self.path, complaint);
    }

    fn report_unknown_keys(&self) {
        for (name, value) in self.values.into_iter().flatten() {
            let written = name.get_ref().as_ref();
            if self.section.key(written).is_some() {
                continue;
            }
            let path = schema::join(&self.path, written);
            let later = schema::LATER.iter().find(|(name, _)| *name == path);
            let complaint = match later {
                Some((_, what)) => Complaint::new(
                    "unknown key",
                    format!("take it out: this version has no {what} yet"),
                ),
                None => Complaint::new("unknown key", self.help_unknown(written, value.get_ref())),
            };
            self.reader
                .error(&self.reader.place(&name.span()), &path, complaint);
        }
    }

    fn help_unknown(&self, written: &str, value: &DeValue<'_>) -> String {
        let known = self.section.keys.iter().map(|key| key.name);
        // A root scalar below a table header belongs to that table: the usual slip of TOML.
        if !self.path.is_empty() && schema::ROOT.key(written).is_some() {
            return match value {
                DeValue::Table(_) | DeValue::Array(_) => format!("did you mean `[{written}]`?"),
                _ => format!("move `{written} = {}` above the first table", show(value)),
            };
        }
        help_choose(written, known)
    }
}
