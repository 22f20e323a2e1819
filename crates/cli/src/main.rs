//! The `tollgate` binary: the process's own arguments and environment, and its exit code.

use std::process::ExitCode;
use tollgate_cli::settings::environment::Environment;

/// Requests allocate many small, short-lived pieces; measured, this saves a fifth of their time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    tollgate_cli::run(std::env::args_os(), &Environment::of_process())
}
