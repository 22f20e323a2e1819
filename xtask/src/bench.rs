//! `cargo xtask bench [--rounds N] [--seconds N] [--only NAME]`: builds what is compared in release
//! mode and hands over to the `compare` program of `bench/`.
//!
//! It is no part of the tests: figures of a shared machine are for reading, not for passing.

use anyhow::{Context as _, ensure};
use std::{path::Path, process::Command};

const BUILD: &str = "build --release --locked -p tollgate-bench -p tollgate-cli --bins";

/// Runs the comparison.
pub(crate) fn run(root: &Path, arguments: &[String]) -> anyhow::Result<()> {
    finish(
        Command::new("cargo")
            .args(BUILD.split(' '))
            .current_dir(root),
    )?;
    let compare = root.join("target/release/compare");
    finish(Command::new(compare).args(arguments).current_dir(root))
}

fn finish(command: &mut Command) -> anyhow::Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command
        .status()
        .with_context(|| format!("`{program}` could not be started"))?;
    ensure!(status.success(), "`{program}` failed");
    Ok(())
}
