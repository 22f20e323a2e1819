//! The environment, as an argument. Every variable that Tollgate reads is listed here: those named
//! one by one in [`OTHERS`], and one for each scalar of the settings file that stands in a single
//! table, named after its path (`server.listen` is `TOLLGATE_SERVER_LISTEN`).
//!
//! A variable outranks the file, a flag outranks the variable, and an empty variable counts as not
//! set. Variables that settings refer to as secrets are the operator's own and have any name.

use super::schema::{self, ROOT};
use std::collections::BTreeMap;

/// What every variable of ours begins with.
pub const PREFIX: &str = "TOLLGATE_";

/// The settings file to read.
pub const CONFIG: &str = "TOLLGATE_CONFIG";

/// What seals stored credentials.
pub const MASTER_KEY: &str = "TOLLGATE_MASTER_KEY";

/// Variables that are no settings.
pub const OTHERS: [Variable; 3] = [
    Variable {
        name: CONFIG,
        doc: "The settings file, `tollgate.toml` by default. Flag: `--config`.",
    },
    Variable {
        name: MASTER_KEY,
        doc: "The key that seals stored credentials. Without it a key file is made in `data_dir` \
              on the first start.",
    },
    Variable {
        name: "NO_COLOR",
        doc: "Any value switches colour off. Flag: `--no-color`.",
    },
];

/// A variable that is no setting.
#[derive(Debug)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What it does, in Markdown.
    pub doc: &'static str,
}

/// The environment of the process, or of a test.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// These variables.
    pub fn new(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(variables.into_iter().collect())
    }

    /// The environment of this process. Variables that are no UTF-8 are left out.
    pub fn of_process() -> Self {
        let variables = std::env::vars_os();
        Self::new(variables.filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        }))
    }

    /// The value of a variable that is set and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// The names of ours that are set.
    pub fn own_names(&self) -> impl Iterator<Item = &str> {
        self.0
            .keys()
            .map(String::as_str)
            .filter(|name| name.starts_with(PREFIX) && self.get(name).is_some())
    }
}

impl std::fmt::Debug for Environment {
    /// Names alone: values may be secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// The variable for a key of a single table; `None` for elements of arrays.
pub fn variable_for(path: &str) -> Option<String> {
    let ours = !path.contains(['[', '"']);
    ours.then(|| format!("{PREFIX}{}", path.replace('.', "_").to_ascii_uppercase()))
}

/// Every variable that stands for a setting.
pub fn setting_variables() -> Vec<String> {
    let mut names = Vec::new();
    schema::each_scalar(&ROOT, "", &mut |path, _| names.extend(variable_for(path)));
    names
}
