//! What requests share: the view they run on, the books, the client, the store's handles.
//!
//! A [`View`] is one revision of everything: a request loads it once and sees that revision from
//! start to end. Changing settings makes a new view and swaps it in whole.

use crate::{
    books::SharedBook,
    health::Health,
    objects,
    request_log::RequestLog,
    settings::GatewaySettings,
    tasks::Tasks,
    upstream::{Client, ClientError},
};
use arc_swap::{ArcSwap, Guard};
use bytes::Bytes;
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;
use tollgate_core::{
    clock::{Clock, Timestamp},
    entropy::Entropy,
    error::{Error, Kind},
    id::{OrganizationId, ProviderId},
    ledger::estimate::Estimates,
    price::{PriceBook, ProviderPrices},
    snapshot::{OrganizationSnapshot, Snapshot},
};
use tollgate_store::{HoldFile, KeyHasher, Store, StoreError, WriterHandle};

/// How often it is looked which deferred work is due.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// One revision of everything a request looks at.
#[derive(Debug)]
pub struct View {
    /// Settings and keys.
    pub snapshot: Snapshot,
    /// Prices by provider.
    pub prices: HashMap<ProviderId, Arc<ProviderPrices>>,
    /// Which price data that is.
    pub price_version: Arc<str>,
    /// The books by organisation.
    pub books: HashMap<OrganizationId, Arc<SharedBook>>,
}

impl View {
    /// The settings of an organisation.
    pub(crate) fn organization(&self, id: OrganizationId) -> Result<&OrganizationSnapshot, Error> {
        let found = self.snapshot.organizations.get(&id);
        found.map(AsRef::as_ref).ok_or_else(not_loaded)
    }

    /// The book of an organisation.
    pub(crate) fn book(&self, id: OrganizationId) -> Result<&Arc<SharedBook>, Error> {
        self.books.get(&id).ok_or_else(not_loaded)
    }
}

/// A key leads to an organisation of the same view; that it is missing is a defect of ours.
fn not_loaded() -> Error {
    Error::new(
        Kind::Internal,
        "the organization of this API key is not loaded",
    )
}

/// What the composition root hands in.
pub struct Parts {
    /// Bounds and timeouts.
    pub settings: GatewaySettings,
    /// Settings and accounts.
    pub store: Arc<Store>,
    /// Proof of open holds.
    pub hold_file: Arc<HoldFile>,
    /// Group commit of facts and records.
    pub writer: WriterHandle,
    /// The wall clock.
    pub clock: Arc<dyn Clock>,
    /// Cryptographically secure randomness.
    pub entropy: Arc<dyn Entropy>,
    /// The prices to start with.
    pub prices: Arc<PriceBook>,
    /// One line per request.
    pub request_log: RequestLog,
}

/// Why the data plane does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The settings cannot be read from the store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Upstreams cannot be reached as the settings say.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// An account cannot be opened.
    #[error("the ledger cannot be opened: {0}")]
    Ledger(String),
}

/// Why the settings in the store are not followed yet.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// They cannot be read: the old view stays in force.
    #[error("the settings stay as they are: {0}")]
    Store(#[from] StoreError),
    /// They are in force, but not all limits count what was running before.
    #[error(
        "limits of running requests are not counted yet: {}",
        .0.context().unwrap_or(.0.message())
    )]
    Ledger(Error),
}

/// Why a document could not be had.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct FetchError(String);

/// The data plane.
pub struct Gateway {
    pub(crate) parts: Parts,
    pub(crate) hasher: KeyHasher,
    pub(crate) client: Client,
    /// How providers are doing, whatever view is in force.
    pub(crate) health: Arc<Health>,
    /// Whose the objects are that live at providers.
    pub(crate) objects: objects::Cache,
    /// When deferred work was last looked at. Locked while it is.
    looked: Arc<tokio::sync::Mutex<Option<Instant>>>,
    view: ArcSwap<View>,
    price_book: ArcSwap<PriceBook>,
    estimates: Mutex<Estimates>,
    draining: AtomicBool,
    tasks: Tasks,
    /// The revision that the view and every book have. Locked while either is changed.
    followed: tokio::sync::Mutex<u64>,
}

impl Gateway {
    /// Loads the first view and stands ready.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start(parts: Parts) -> Result<Arc<Self>, StartError> {
        let client = Client::new(&parts.settings, Arc::clone(&parts.clock))?;
        let snapshot = parts.store.snapshot().await?;
        let view = view_of(snapshot, &parts.prices, &HashMap::new());
        let gateway = Arc::new(Self {
            hasher: parts.store.key_hasher(),
            client,
            health: Health::new(parts.settings.health),
            objects: objects::Cache::default(),
            looked: Arc::default(),
            price_book: ArcSwap::new(Arc::clone(&parts.prices)),
            estimates: Mutex::default(),
            draining: AtomicBool::new(false),
            tasks: Tasks::default(),
            followed: tokio::sync::Mutex::new(view.snapshot.revision),
            view: ArcSwap::from_pointee(view),
            parts,
        });
        gateway.configure_books().await.map_err(|error| {
            StartError::Ledger(error.context().unwrap_or(error.message()).to_owned())
        })?;
        Ok(gateway)
    }

    /// Bounds and timeouts.
    pub fn settings(&self) -> &GatewaySettings {
        &self.parts.settings
    }

    /// The revision in force.
    pub fn view(&self) -> Guard<Arc<View>> {
        self.view.load()
    }

    /// Follows the store when its revision has moved: for the next request and the next top-up.
    /// Whether it had moved.
    ///
    /// # Errors
    /// See [`FollowError`]; to be called again.
    pub async fn follow(&self) -> Result<bool, FollowError> {
        let mut followed = self.followed.lock().await;
        let revision = self.parts.store.revision().await?;
        if revision <= *followed {
            return Ok(false);
        }
        if revision > self.view().snapshot.revision {
            self.adopt(&self.price_book.load_full()).await?;
        }
        let revision = self.view().snapshot.revision;
        self.configure_books().await.map_err(FollowError::Ledger)?;
        *followed = revision;
        Ok(true)
    }

    /// Puts other price data in force.
    ///
    /// # Errors
    /// When the settings cannot be read from the store; the old prices stay in force.
    pub async fn set_prices(&self, book: Arc<PriceBook>) -> Result<(), StoreError> {
        // Settings that are new with it are followed at the next turn.
        let _one_at_a_time = self.followed.lock().await;
        self.adopt(&book).await?;
        self.price_book.store(book);
        Ok(())
    }

    /// Makes a view of the latest settings and these prices. Only under the lock of `followed`:
    /// two at once could put back what the other has replaced.
    async fn adopt(&self, book: &Arc<PriceBook>) -> Result<(), StoreError> {
        let snapshot = self.parts.store.snapshot().await?;
        let view = view_of(snapshot, book, &self.view().books);
        self.view.store(Arc::new(view));
        Ok(())
    }

    /// Gets a document from the web with the client that providers are called with.
    ///
    /// # Errors
    /// [`FetchError`], in words.
    pub async fn fetch(&self, url: &str, bytes_max: usize) -> Result<Bytes, FetchError> {
        self.client.fetch(url, bytes_max).await.map_err(FetchError)
    }

    /// Opens windows ahead, forgets closed ones and tasks that ended, looks at deferred work; to
    /// be called about once a second.
    pub async fn tend(self: &Arc<Self>) {
        self.tasks.reap();
        self.look_at_deferred();
        let view = self.view.load_full();
        for book in view.books.values() {
            if let Err(error) = book.tend(&*self.parts.clock, &self.parts.store).await {
                tracing::warn!(
                    reason = error.context(),
                    "the next windows could not be opened ahead"
                );
            }
        }
    }

    /// Asks for bills that are due, now and then, beside everything else.
    fn look_at_deferred(self: &Arc<Self>) {
        let Ok(mut looked) = Arc::clone(&self.looked).try_lock_owned() else {
            return;
        };
        let is_due = looked.is_none_or(|at| at.elapsed() >= LOOK_EVERY);
        if is_due && !self.is_draining() {
            *looked = Some(Instant::now());
            let gateway = Arc::clone(self);
            self.spawn(async move {
                objects::look_at_due(&gateway).await;
                drop(looked);
            });
        }
    }

    /// Refuses what comes from now on.
    pub fn start_draining(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Whether the gateway is stopping.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// What runs beside the accept loop.
    pub fn tasks(&self) -> &Tasks {
        &self.tasks
    }

    /// Runs a task that may outlive the request it belongs to: a stop waits for it.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }

    /// A number drawn evenly.
    pub(crate) fn draw(&self) -> u32 {
        let mut bytes = [0; 4];
        self.parts.entropy.fill(&mut bytes);
        u32::from_le_bytes(bytes)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.parts.clock.now()
    }

    pub(crate) fn estimates(&self) -> MutexGuard<'_, Estimates> {
        // What was learned stays useful whatever happened to the one who last learned.
        self.estimates
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Configures the book of every organisation, also after one could not be.
    async fn configure_books(&self) -> Result<(), Error> {
        let view = self.view.load_full();
        let mut first_error = None;
        for (id, org) in &view.snapshot.organizations {
            if let Some(book) = view.books.get(id) {
                let limits = Arc::new(org.limits.clone());
                let zone = &org.organization.time_zone;
                let store = &self.parts.store;
                let configured = book
                    .configure(view.snapshot.revision, zone, &limits, store)
                    .await;
                first_error = first_error.or(configured.err());
            }
        }
        first_error.map_or(Ok(()), Err)
    }
}

fn view_of(
    snapshot: Snapshot,
    book: &Arc<PriceBook>,
    known: &HashMap<OrganizationId, Arc<SharedBook>>,
) -> View {
    let books = snapshot
        .organizations
        .iter()
        .map(|(id, org)| {
            let fresh = || Arc::new(SharedBook::new(org.organization.time_zone.clone()));
            (*id, known.get(id).cloned().unwrap_or_else(fresh))
        })
        .collect();
    let providers = snapshot
        .organizations
        .values()
        .flat_map(|org| org.providers.values());
    let prices = providers
        .filter_map(|provider| match ProviderPrices::new(Arc::clone(book), provider) {
            Ok(prices) => Some((provider.id, Arc::new(prices))),
            Err(error) => {
                tracing::error!(provider = provider.slug, %error, "the provider is out of service: its prices are unusable");
                None
            }
        })
        .collect();
    View {
        price_version: book.version().into(),
        snapshot,
        prices,
        books,
    }
}
