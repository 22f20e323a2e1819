//! Reloading: on SIGHUP and when the settings file has changed. A good file is in force for the
//! next request; a bad one is reported, whole, and the old settings stay. What belongs to the
//! process itself (addresses, paths, the log) takes a restart, and the log says so.

use crate::settings::{FileStamp, Settings};
use std::{convert::Infallible, time::Duration};
use tokio::{
    signal::unix::Signal,
    time::{MissedTickBehavior, interval},
};
use tollgate_core::{api_key::ApiKeyState, declared::Declared};
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
    provision_as(store, manager(settings), &settings.declared).await
}

fn manager(settings: &Settings) -> ManagedBy {
    match settings.file {
        Some(_) => ManagedBy::File,
        None => ManagedBy::FirstRun,
    }
}

async fn provision_as(
    store: &Store,
    by: ManagedBy,
    declared: &Declared,
) -> anyhow::Result<Provisioned> {
    if by == ManagedBy::File {
        let none = Declared::default();
        store.provision(&none, ManagedBy::FirstRun).await?;
    }
    Ok(store.provision(declared, by).await?)
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
    let provisioned = match provision_again(store, &settings).await {
        Ok(provisioned) => provisioned,
        Err(error) => {
            tracing::error!("the settings were not reloaded, the old stay in force: {error:#}");
            return None;
        }
    };
    report(&provisioned);
    if let Err(error) = gateway.follow().await {
        tracing::error!(%error, "the new settings cannot be followed yet: trying again");
    }
    tracing::info!(changed = provisioned.changed, "settings reloaded");
    Some(settings)
}

/// Provisions without making keys: a made key's secret is shown once, on standard output at the
/// start, and goes to no log.
async fn provision_again(store: &Store, settings: &Settings) -> anyhow::Result<Provisioned> {
    let by = manager(settings);
    let known = store.list_api_keys().await?;
    let mut declared = settings.declared.clone();
    declared.api_keys.retain(|wanted| {
        let stands = known.iter().any(|listing| {
            let revoked = listing.key.state == ApiKeyState::Revoked;
            (&listing.project, &listing.key.name) == (&wanted.project, &wanted.name)
                && (!revoked || listing.managed_by == by)
        });
        let makes = wanted.secret.is_none() && !stands;
        if makes {
            tracing::warn!(
                "API key `{}` of project `{}` is declared without a key: it will be made at the \
                 next start, or set `key`",
                wanted.name,
                wanted.project
            );
        }
        !makes
    });
    provision_as(store, by, &declared).await
}

/// Says what was switched off and what stays so.
pub(super) fn report(provisioned: &Provisioned) {
    for name in &provisioned.disabled {
        tracing::warn!("{name} is no longer declared: disabled");
    }
    for name in &provisioned.still_revoked {
        tracing::warn!("{name} is declared but was revoked: give it another secret");
    }
}
