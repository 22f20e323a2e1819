//! `cargo xtask tidy`: the rules of the house that no compiler checks. Each rule is a file and a
//! pure function from the tree to findings, so it is tested on made-up trees.
//!
//! The tree is what git tracks or would track (ignored files are nobody's business).

mod crates;
mod docs;
mod names;
mod size;
mod source;
mod steps;
mod words;

use anyhow::{Context as _, ensure};
use std::{fmt, path::Path, process::Command};

/// Every file of the project.
pub(crate) struct Tree {
    pub(crate) files: Vec<File>,
}

/// One of them.
pub(crate) struct File {
    /// From the project's root, with forward slashes.
    pub(crate) path: String,
    pub(crate) bytes: u64,
    /// `None` when it is not text.
    pub(crate) text: Option<String>,
}

/// Something to mend.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    path: String,
    /// 0 = the whole file.
    line: usize,
    message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.message),
            line => write!(f, "{}:{line}: {}", self.path, self.message),
        }
    }
}

impl Finding {
    fn new(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            line,
            message: message.into(),
        }
    }
}

impl Tree {
    /// What git knows of, and what it would add.
    fn read(root: &Path) -> anyhow::Result<Self> {
        let listed = Command::new("git")
            .args([
                "ls-files",
                "-z",
                "--cached",
                "--others",
                "--exclude-standard",
            ])
            .current_dir(root)
            .output()
            .context("git lists the project's files")?;
        ensure!(listed.status.success(), "git ls-files failed");
        let paths = String::from_utf8(listed.stdout)?;
        let mut files = Vec::new();
        for path in paths.split_terminator('\0') {
            let full = root.join(path);
            // Tracked, but deleted in the work tree.
            let Ok(bytes) = std::fs::read(&full) else {
                continue;
            };
            files.push(File {
                path: path.to_owned(),
                bytes: u64::try_from(bytes.len())?,
                text: String::from_utf8(bytes).ok(),
            });
        }
        Ok(Self { files })
    }

    /// The text of one file.
    fn text(&self, path: &str) -> Option<&str> {
        let file = self.files.iter().find(|file| file.path == path)?;
        file.text.as_deref()
    }

    /// Path and text of every text file.
    fn all_texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files
            .iter()
            .filter_map(|file| Some((file.path.as_str(), file.text.as_deref()?)))
    }

    /// Those with this extension.
    fn texts<'a>(&'a self, wanted: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.all_texts()
            .filter(move |(path, _)| extension(path) == wanted)
    }

    #[cfg(test)]
    fn of(files: &[(&str, &str)]) -> Self {
        let file = |(path, text): &(&str, &str)| File {
            path: (*path).to_owned(),
            bytes: u64::try_from(text.len()).unwrap(),
            text: Some((*text).to_owned()),
        };
        Self {
            files: files.iter().map(file).collect(),
        }
    }
}

/// What follows the last dot of a file's name.
fn extension(path: &str) -> &str {
    let extension = Path::new(path).extension();
    extension.and_then(|it| it.to_str()).unwrap_or_default()
}

/// Prints every finding; how many there are.
pub(crate) fn run(root: &Path) -> anyhow::Result<usize> {
    let tree = Tree::read(root)?;
    let mut findings = crates::check(&crates::metadata(root)?);
    for rule in [
        names::check,
        size::check,
        words::check,
        docs::check,
        steps::check,
    ] {
        findings.extend(rule(&tree));
    }
    for finding in &findings {
        println!("{finding}");
    }
    Ok(findings.len())
}
