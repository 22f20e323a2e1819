//! What is wrong with the settings. A problem says where (file, line and column, or variable, or
//! flag), which key, what, and what to do; a run reports all of them, in the order of the file.

use std::{fmt, path::PathBuf};

/// Where a value came from, or should have stood.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The settings file; line and column count from 1, columns in characters.
    File {
        /// Line.
        line: usize,
        /// Column.
        column: usize,
    },
    /// The settings file as a whole.
    WholeFile,
    /// An environment variable of this name.
    Environment(String),
    /// A command-line flag.
    Flag(&'static str),
    /// Nowhere: it was left out.
    Default,
}

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The settings cannot be used.
    Error,
    /// They can, but it is probably not what was meant.
    Warning,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// Where.
    pub place: Place,
    /// Dotted path of the key; empty for the file as a whole.
    pub key: String,
    /// What is wrong. Never shows a secret.
    pub message: String,
    /// What to do.
    pub help: String,
}

/// Everything that is wrong with the settings: at least one error, and the warnings.
#[derive(Debug)]
pub struct SettingsError {
    /// The file, if one was read.
    pub file: Option<PathBuf>,
    /// In the order of the file, then of variables and flags.
    pub problems: Vec<Problem>,
}

/// What a parser has against a text: what is wrong, and what to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Complaint {
    pub(crate) message: String,
    pub(crate) help: String,
}

impl Complaint {
    pub(super) fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: help.into(),
        }
    }
}

impl Severity {
    /// The word in messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

impl Place {
    /// `tollgate.toml:12:9`, `TOLLGATE_SERVER_LISTEN`, `--listen`.
    pub fn display(&self, file: Option<&std::path::Path>) -> String {
        let file = || file.map_or_else(|| "settings".to_owned(), |file| file.display().to_string());
        match self {
            Self::File { line, column } => format!("{}:{line}:{column}", file()),
            Self::WholeFile => file(),
            Self::Environment(name) => name.clone(),
            Self::Flag(flag) => (*flag).to_owned(),
            Self::Default => "default".to_owned(),
        }
    }
}

impl Problem {
    /// Two lines: `place: error: key: message` and `  help: …`.
    pub fn display(&self, file: Option<&std::path::Path>) -> String {
        let place = self.place.display(file);
        let severity = self.severity.as_str();
        let key = match self.key.as_str() {
            "" => String::new(),
            key => format!("{key}: "),
        };
        let (message, help) = (&self.message, &self.help);
        format!("{place}: {severity}: {key}{message}\n  help: {help}")
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            f.write_str(&problem.display(self.file.as_deref()))?;
        }
        Ok(())
    }
}

impl std::error::Error for SettingsError {}

/// The candidate a mistyped word was probably meant to be.
pub(super) fn did_you_mean<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let word = word.to_ascii_lowercase();
    candidates
        .into_iter()
        .map(|candidate| {
            let lower = candidate.to_ascii_lowercase();
            let edits = strsim::damerau_levenshtein(&word, &lower);
            let length = word.chars().count().max(lower.chars().count());
            let contained = word.len() >= 3
                && (lower.contains(word.as_str()) || (lower.len() >= 3 && word.contains(&lower)));
            (edits, contained, length, candidate)
        })
        // A third of the letters wrong is a slip; more is another word.
        .filter(|(edits, contained, length, _)| *contained || edits * 3 <= *length)
        .min_by_key(|(edits, ..)| *edits)
        .map(|(.., candidate)| candidate)
}

/// Help for a word that is none of `candidates`: the likely one, or all of them.
pub(super) fn help_choose<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str> + Clone,
) -> String {
    if let Some(meant) = did_you_mean(word, candidates.clone()) {
        return format!("did you mean `{meant}`?");
    }
    let known: Vec<String> = candidates
        .into_iter()
        .map(|candidate| format!("`{candidate}`"))
        .collect();
    match known.as_slice() {
        [] => "there is none yet: declare it first".to_owned(),
        [only] => format!("the only one is {only}"),
        known => format!("choose one of {}", known.join(", ")),
    }
}
