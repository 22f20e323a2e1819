//! The `tollgate` binary: the process's own arguments and environment, and its exit code.

use std::process::ExitCode;
use tollgate_cli::settings::environment::Environment;

fn main() -> ExitCode {
    tollgate_cli::run(std::env::args_os(), &Environment::of_process())
}
