//! `tollgate serve`: puts the parts together, runs them until told to stop, takes them apart in
//! order. Everything a request needs is made here and handed down; nothing is global.
//!
//! Start: data directory (locked) → master key → store → declared settings → hold file and what a
//! killed process left in it → prices → writer → gateway → socket. Stop: no new connections, running
//! requests finish, the writer commits the rest.

mod background;
mod open_files;
mod prices;
mod reload;
mod tls;
mod welcome;

use crate::{
    clock::SystemClock,
    data_plane::bounds,
    entropy::SystemEntropy,
    open_store::open_or_create,
    printer::Printer,
    settings::{
        Settings,
        environment::Environment,
        process::{LogFormat, LogSettings},
    },
};
use anyhow::Context as _;
use std::{io, sync::Arc};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};
use tollgate_core::{clock::Clock, entropy::Entropy, id::NodeId};
use tollgate_gateway::{
    listener::Listener,
    request_log::{self, RequestLog},
    state::{Gateway, Parts},
};
use tollgate_store::{BootId, DataDir, HOLD_FILE, HoldFile, LedgerWriter, WriterSettings};

/// Runs the gateway until it is asked to stop. `load` reads the settings again, for a reload.
pub fn run(
    settings: Settings,
    environment: &Environment,
    load: reload::Load<'_>,
    printer: &mut Printer,
) -> anyhow::Result<()> {
    start_log(&settings.log)?;
    open_files::allow_many();
    // Fails only when a provider was installed before: then that one serves as well.
    let _installed = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the runtime does not start")?;
    runtime.block_on(serve(settings, environment, load, printer))
}

fn start_log(settings: &LogSettings) -> anyhow::Result<()> {
    let filter = tracing_subscriber::EnvFilter::try_new(&settings.filter)
        .with_context(|| format!("log.filter `{}`", settings.filter))?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr);
    match settings.format {
        LogFormat::Text => lines.with_ansi(false).init(),
        LogFormat::Json => lines.json().init(),
    }
    Ok(())
}

async fn serve(
    settings: Settings,
    environment: &Environment,
    load: reload::Load<'_>,
    printer: &mut Printer,
) -> anyhow::Result<()> {
    let stops = count_stops()?;
    // Caught from the start on: by default it ends the process.
    let hangup = signal(SignalKind::hangup())?;
    let directory = DataDir::open(&settings.storage.data_dir)?;
    let holder = format!(
        "process {}, listening on {}",
        std::process::id(),
        settings.server.listen
    );
    let _lock = directory.lock(&holder)?;
    let listener = Listener::bind(
        settings.server.listen,
        tls::load(settings.server.tls.as_ref())?,
    )
    .await
    .with_context(|| {
        format!(
            "cannot listen on {}: is something else there? choose another with --listen",
            settings.server.listen
        )
    })?;

    let (clock, entropy): (Arc<dyn Clock>, Arc<dyn Entropy>) =
        (Arc::new(SystemClock), Arc::new(SystemEntropy));
    let store = Arc::new(open_or_create(&settings.storage, &directory, environment).await?);
    let provisioned = reload::provision(&store, &settings).await?;

    let node = NodeId::new(clock.now(), &*entropy);
    let (holds, scan) = HoldFile::open(&directory.file(HOLD_FILE), node, BootId::current()?)?;
    report_recovery(&store.recover(&holds, scan).await?);
    let holds = Arc::new(holds);
    let writer = LedgerWriter::start(
        Arc::clone(&store),
        Arc::clone(&holds),
        WriterSettings::default(),
    );
    let request_log = RequestLog::start(line_format(settings.log.format), io::stderr());
    let gateway = Gateway::start(Parts {
        settings: bounds(&settings, environment),
        store: Arc::clone(&store),
        hold_file: holds,
        writer: writer.handle(),
        clock,
        entropy,
        prices: prices::first(&settings.prices)?,
        request_log: request_log.clone(),
    })
    .await?;

    let address = listener.local_address()?;
    welcome::print(&settings, address, &provisioned, printer)?;
    let tasks = background::start(&gateway, &settings);
    let served = listener.serve(
        Arc::clone(&gateway),
        asked_to_stop(stops.clone()),
        asked_to_hurry(stops),
    );
    tokio::pin!(served);
    tokio::select! {
        () = &mut served => {}
        never = reload::follow_file(&store, &gateway, settings, load, hangup) => match never {},
    }

    drop(tasks);
    let finished = writer.finish().await;
    // It blocks while standard error does.
    let _closed = tokio::task::spawn_blocking(move || request_log.close()).await;
    store.close().await;
    finished
        .context("some requests could not be posted; their slots keep them for the next start")?;
    printer.note("stopped")?;
    Ok(())
}

fn report_recovery(recovered: &tollgate_store::Recovered) {
    if recovered.settled + recovered.expired > 0 || recovered.torn > 0 {
        tracing::warn!(
            settled = recovered.settled,
            expired = recovered.expired,
            expired_cost = %recovered.expired_cost,
            torn = recovered.torn,
            "the last process did not stop cleanly: what it left was posted, open holds in full"
        );
    }
    if recovered.rebooted {
        tracing::warn!(
            "the machine was started anew: holds of its last milliseconds may be missing"
        );
    }
}

fn line_format(format: LogFormat) -> request_log::LogFormat {
    match format {
        LogFormat::Text => request_log::LogFormat::Text,
        LogFormat::Json => request_log::LogFormat::Json,
    }
}

/// Counts the signals that ask us to stop.
fn count_stops() -> io::Result<watch::Receiver<u32>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let (counted, count) = watch::channel(0);
    tokio::spawn(async move {
        while !counted.is_closed() {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            counted.send_modify(|count| *count += 1);
        }
    });
    Ok(count)
}

/// Waits until we were asked to stop for the first time.
async fn asked_to_stop(mut stops: watch::Receiver<u32>) {
    // The counting ends with the runtime alone.
    let _counting = stops.wait_for(|count| *count >= 1).await;
    tracing::info!("stopping: running requests may finish; ask again to end them at once");
}

/// Waits until we are asked once more after that.
async fn asked_to_hurry(mut stops: watch::Receiver<u32>) {
    let _counting = stops.wait_for(|count| *count >= 2).await;
    tracing::warn!("stopping at once");
}
