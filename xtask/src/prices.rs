//! `cargo xtask prices [VERSION]`: refreshes the bundled data from the `genai-prices` package.
//!
//! The package is installed by pip into a directory of its own under `target/`, and `dump.py`
//! writes what the price book reads. The snapshot records the package's version. Loading it is
//! checked by the tests of `tollgate-core`, which also price the golden cases with it.

use anyhow::{Context, bail, ensure};
use std::{
    fs, io,
    path::Path,
    process::{Command, Output},
};

const SNAPSHOT: &str = "crates/core/data/prices.json";
const DUMP: &str = include_str!("prices/dump.py");

/// Runs the task.
///
/// # Errors
/// More than one argument, no Python 3.11 with pip, no such version, an unwritable tree.
pub fn run(args: &[String]) -> anyhow::Result<()> {
    let requirement = match args {
        [] => "genai-prices".to_owned(),
        [version] => format!("genai-prices=={version}"),
        _ => bail!("usage: cargo xtask prices [VERSION]"),
    };
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let packages = root.join("target/prices");
    match fs::remove_dir_all(&packages) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("empty {}", packages.display()));
        }
        Ok(()) | Err(_) => {}
    }
    let mut install = Command::new("python3");
    install
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ])
        .arg("--target")
        .arg(&packages)
        .arg(&requirement);
    output(&mut install, "install the genai-prices package")?;
    let mut dump = Command::new("python3");
    dump.args(["-c", DUMP]).env("PYTHONPATH", &packages);
    let book = output(&mut dump, "dump the price data")?.stdout;
    ensure!(
        book.starts_with(b"{"),
        "the dump of the price data is not a JSON object"
    );
    let snapshot = root.join(SNAPSHOT);
    fs::write(&snapshot, book).with_context(|| format!("write {}", snapshot.display()))
}

fn output(command: &mut Command, doing: &str) -> anyhow::Result<Output> {
    let output = command
        .output()
        .with_context(|| format!("{doing}: python3 3.11 or newer with pip is needed"))?;
    ensure!(
        output.status.success(),
        "{doing}: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(output)
}
