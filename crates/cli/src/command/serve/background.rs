//! What runs beside the requests: following the store, tending the books, refreshing prices.

use super::prices;
use crate::settings::Settings;
use std::{sync::Arc, time::Duration};
use tokio::{
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};
use tollgate_gateway::state::Gateway;

/// How often the store is asked whether somebody changed it: a revoked key is dead within this.
const FOLLOW: Duration = Duration::from_millis(500);

/// How often windows are opened ahead.
const TEND: Duration = Duration::from_secs(1);

/// Starts the tasks; they end when the set is dropped.
pub(super) fn start(gateway: &Arc<Gateway>, settings: &Settings) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    tasks.spawn(follow(Arc::clone(gateway)));
    tasks.spawn(tend(Arc::clone(gateway)));
    tasks.spawn(prices::refresh(
        Arc::clone(gateway),
        settings.prices.clone(),
    ));
    tasks
}

async fn follow(gateway: Arc<Gateway>) {
    let mut ticks = interval(FOLLOW);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut failing = false;
    loop {
        ticks.tick().await;
        match gateway.follow().await {
            Ok(true) => tracing::info!("the settings changed: in force from the next request"),
            Ok(false) if failing => tracing::info!("the store can be followed again"),
            Ok(false) => {}
            Err(error) if !failing => {
                tracing::error!(%error, "the settings cannot be followed: trying again");
                failing = true;
                continue;
            }
            Err(_) => continue,
        }
        failing = false;
    }
}

async fn tend(gateway: Arc<Gateway>) {
    let mut ticks = interval(TEND);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        gateway.tend().await;
    }
}
