//! The price data: what the gateway starts with, and its refresh.

use crate::settings::process::{PriceSource, PricesSettings};
use anyhow::Context as _;
use std::{fs, path::Path, sync::Arc};
use tokio::time::{MissedTickBehavior, interval};
use tollgate_core::price::PriceBook;
use tollgate_gateway::state::Gateway;

/// The largest price data taken from a URL, in bytes (the official file has under one million).
const DATA_BYTES_MAX: usize = 64 << 20;

/// The prices to start with. A URL is not waited for: the bundled data serves until it has answered.
///
/// # Errors
/// A file that cannot be read or is no price data.
pub(super) fn first(settings: &PricesSettings) -> anyhow::Result<Arc<PriceBook>> {
    let book = match &settings.source {
        PriceSource::Bundled | PriceSource::Url(_) => PriceBook::bundled()?,
        PriceSource::File(path) => from_file(path)?,
    };
    Ok(Arc::new(book))
}

fn from_file(path: &Path) -> anyhow::Result<PriceBook> {
    let data = fs::read(path).with_context(|| format!("prices.file {}", path.display()))?;
    PriceBook::from_json(&data).with_context(|| format!("prices.file {}", path.display()))
}

/// Loads the data again at each interval. Data that cannot be had or read leaves the old in force.
pub(super) async fn refresh(gateway: Arc<Gateway>, settings: PricesSettings) {
    let mut ticks = interval(settings.interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    if matches!(settings.source, PriceSource::File(_)) {
        // Read at the start already.
        ticks.tick().await;
    }
    loop {
        ticks.tick().await;
        let loaded = match &settings.source {
            PriceSource::Bundled => return,
            PriceSource::File(path) => {
                let path = path.clone();
                read(move || from_file(&path)).await
            }
            PriceSource::Url(url) => from_url(&gateway, url).await,
        };
        let result = match loaded {
            Ok(book) if book.version() == &*gateway.view().price_version => continue,
            Ok(book) => gateway
                .set_prices(Arc::new(book))
                .await
                .map_err(anyhow::Error::from),
            Err(error) => Err(error),
        };
        match result {
            Ok(()) => {
                tracing::info!(version = %gateway.view().price_version, "new price data is in force");
            }
            Err(error) => {
                tracing::error!(
                    error = format!("{error:#}"),
                    "the price data could not be refreshed: the old stays in force"
                );
            }
        }
    }
}

async fn from_url(gateway: &Gateway, url: &str) -> anyhow::Result<PriceBook> {
    let data = gateway
        .fetch(url, DATA_BYTES_MAX)
        .await
        .with_context(|| format!("prices.url {url}"))?;
    let url = url.to_owned();
    read(move || PriceBook::from_json(&data).with_context(|| format!("prices.url {url}"))).await
}

/// Reads price data where no request waits for it: it takes tens of milliseconds.
async fn read(
    price_data: impl FnOnce() -> anyhow::Result<PriceBook> + Send + 'static,
) -> anyhow::Result<PriceBook> {
    tokio::task::spawn_blocking(price_data).await?
}
