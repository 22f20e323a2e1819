//! Project tasks: `cargo xtask test | tidy | prices | bench`.
//!
//! Nothing of this is shipped. It prints, spawns and waits for processes, which the crates of the
//! product must not.
#![expect(
    clippy::print_stdout,
    reason = "telling what goes on is what a task is for"
)]

mod bench;
pub mod prices;
mod test;
mod tidy;

use std::{path::PathBuf, process::ExitCode};

const USAGE: &str = "\
usage: cargo xtask TASK

  test [unit | conformance | checks] [--only NAME]
          everything, or one part of it; NAME filters tests or clients
  tidy    the rules of the house that no compiler checks
  prices [VERSION]
          refreshes the bundled price data
  bench [--rounds N] [--seconds N] [--only NAME]
          the gateway beside a bare proxy and nginx, in one run
";

fn main() -> anyhow::Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let root = root.canonicalize()?;
    let Some((task, rest)) = arguments.split_first() else {
        println!("{USAGE}");
        return Ok(ExitCode::FAILURE);
    };
    let fine = match task.as_str() {
        "test" => test::run(&root, rest)?,
        "tidy" => tidy::run(&root)? == 0,
        "prices" => {
            prices::run(rest)?;
            true
        }
        "bench" => {
            bench::run(&root, rest)?;
            true
        }
        _ => {
            println!("{USAGE}");
            false
        }
    };
    Ok(if fine {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
