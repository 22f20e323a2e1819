//! Reloading: on SIGHUP and when the settings file has changed. A good file is in force for the
//! next request; a bad one is reported, whole, and the old settings stay. What belongs to the
//! process itself (addresses, paths, the log) takes a restart, and the log says so.

use crate::settings::{FileStamp, Settings};
use std::{convert::Infallible, time::Duration};
use tokio::{
    signal::unix::Signal,
    time::{MissedTickBehavior, interval},
};
use tollgate_core::declared::Declared;
use tollgate_gateway::state::Gateway;
use tollgate_store::{ManagedBy, Provisioned, Store};

/// Reads the settings anew, from the same place and under the same flags as at the start.
pub(crate) type Load<'l> = &'l dyn Fn() -> anyhow::Result<Settings>;

/// How often the file is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Makes the store equal to what is declared.
///
/// Where a file declares it, the defaults of a first run without one are switched off.
///
/// # Errors
/// When the store cannot be written.
pub(super) async fn provision(store: &Store, settings: &Settings) -> anyhow::Result<Provisioned> {
    if settings.file.is_none() {
        return Ok(store
            .provision(&settings.declared, ManagedBy::FirstRun)
            .await?);
    }
    store
        .provision(&Declared::default(), ManagedBy::FirstRun)
        .await?;
    Ok(store.provision(&settings.declared, ManagedBy::File).await?)
}

/// Follows the file for as long as the server runs, and reloads it whenever `hangup` comes.
pub(super) async fn follow_file(
    store: &Store,
    gateway: &Gateway,
    mut settings: Settings,
    load: Load<'_>,
    mut hangup: Signal,
) -> Infallible {
    let mut ticks = interval(LOOK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut seen = settings.stamp;
    loop {
        let asked = tokio::select! {
            _ = ticks.tick() => false,
            _ = hangup.recv() => true,
        };
        let now = settings.file.as_deref().and_then(FileStamp::of);
        if asked || now != seen {
            seen = now;
            if let Some(loaded) = reload(store, gateway, &settings, load).await {
                settings = loaded;
            }
        }
    }
}

async fn reload(
    store: &Store,
    gateway: &Gateway,
    old: &Settings,
    load: Load<'_>,
) -> Option<Settings> {
    let settings = match load() {
        Ok(settings) => settings,
        Err(error) => {
            tracing::error!("the settings were not reloaded, the old stay in force:\n{error:#}");
            return None;
        }
    };
    let restart = [
        ("server", settings.server != old.server),
        ("upstream", settings.upstream != old.upstream),
        ("storage", settings.storage != old.storage),
        ("prices", settings.prices != old.prices),
        ("ledger", settings.ledger != old.ledger),
        ("log", settings.log != old.log),
    ];
    for (section, _) in restart.iter().filter(|(_, changed)| *changed) {
        tracing::warn!("[{section}] changed: that takes a restart");
    }
    let provisioned = match provision(store, &settings).await {
        Ok(provisioned) => provisioned,
        Err(error) => {
            tracing::error!("the settings were not reloaded, the old stay in force: {error:#}");
            return None;
        }
    };
    report(&provisioned);
    if let Err(error) = gateway.follow().await {
        tracing::error!(%error, "the new settings cannot be read from the store yet");
    }
    tracing::info!(changed = provisioned.changed, "settings reloaded");
    Some(settings)
}

/// Says what was switched off and what was made. A made key's secret goes to no log: a key that is
/// declared without one while the server runs must be made by `tollgate keys create`.
pub(super) fn report(provisioned: &Provisioned) {
    for name in &provisioned.disabled {
        tracing::warn!("{name} is no longer declared: disabled");
    }
    for name in &provisioned.still_revoked {
        tracing::warn!("{name} is declared but was revoked: give it another secret");
    }
}
