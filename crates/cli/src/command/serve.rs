//! `tollgate serve`.

use crate::{args::ServeArgs, settings::Settings};

/// Runs the gateway until it is asked to stop.
pub fn run(_args: &ServeArgs, _settings: &Settings) -> anyhow::Result<()> {
    anyhow::bail!("`serve` is not built yet")
}
