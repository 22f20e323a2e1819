//! Connections to upstreams, pooled, and one exchange over them.
//!
//! HTTP/1.1 upstream on purpose: a pooled HTTP/2 client opens one connection per host, whose
//! stream limit (about 100) would queue everything beyond it. Redirects are never followed.
//!
//! Connections that are made alike share a pool, whatever provider and revision of the settings
//! they are made for.

use super::{
    body::RequestBody,
    connect::{Connector, Way},
    failure::{FailureClass, SendError},
    guard::{Guard, Names},
    proxy::Proxies,
    trust,
    turn::Turn,
};
use crate::settings::GatewaySettings;
use arc_swap::ArcSwap;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper_util::{
    client::legacy,
    rt::{TokioExecutor, TokioTimer},
};
use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tollgate_core::provider::{Connection, NetworkReach};

/// How long an unused connection to an upstream is kept. Below the 60 s after which common load
/// balancers close theirs, so that a request rarely meets a connection being closed.
const IDLE_CONNECTION: Duration = Duration::from_secs(50);

/// The most pools at once; one more replaces the oldest, whose running exchanges go on.
const POOLS_MAX: usize = 256;

/// Sends requests and waits for heads.
pub(super) struct Transport {
    pools: ArcSwap<Vec<Arc<Pool>>>,
    /// Held while a pool is added.
    adding: Mutex<()>,
    names: Arc<dyn Names>,
    proxies: Option<Arc<Proxies>>,
    /// Trust without authorities of a provider's own.
    tls: Arc<rustls::ClientConfig>,
    connect_timeout: Duration,
    head_timeout: Duration,
    allow_private_networks: bool,
}

/// Connections that are made alike.
struct Pool {
    ca_pem: Option<String>,
    reach: NetworkReach,
    connect_timeout: Duration,
    client: legacy::Client<Connector, RequestBody>,
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The certificate authorities of the platform cannot be read.
    #[error("the platform's certificate authorities cannot be read: {0}")]
    TrustStore(io::Error),
    /// The proxy's URL is none.
    #[error("the outbound proxy is not a URL like http://proxy.example:3128")]
    Proxy,
}

impl Transport {
    pub(super) fn new(
        settings: &GatewaySettings,
        names: Arc<dyn Names>,
    ) -> Result<Self, ClientError> {
        let proxies = match &settings.proxy {
            Some(url) => {
                let proxies = Proxies::new(url, &settings.no_proxy).ok_or(ClientError::Proxy)?;
                Some(Arc::new(proxies))
            }
            None => None,
        };
        Ok(Self {
            pools: ArcSwap::default(),
            adding: Mutex::default(),
            names,
            proxies,
            tls: trust::tls(None).map_err(ClientError::TrustStore)?,
            connect_timeout: settings.connect_timeout,
            head_timeout: settings.upstream_head_timeout,
            allow_private_networks: settings.allow_private_networks,
        })
    }

    /// Sends a request and waits for the head of its answer, but not for as long as the client
    /// takes to send a body that is passed on. A request that was never written, because a kept
    /// connection turned out to be closed, is sent once more on another.
    pub(super) async fn send(
        &self,
        connection: &Connection,
        request: Request<RequestBody>,
    ) -> Result<Response<Incoming>, SendError> {
        let pool = self.pool(connection)?;
        let limit = connection.head_timeout.unwrap_or(self.head_timeout);
        let turn = Turn::begin();
        let request = request.map(|body| turn.watch(body));
        tokio::select! {
            biased;
            answered = pool.client.request(request) => answered.map_err(SendError::from),
            () = turn.overdue(limit) => Err(SendError::no_head(limit)),
        }
    }

    /// Whether a provider may be reached whatever its addresses are.
    pub(super) fn reach(&self, connection: &Connection) -> NetworkReach {
        if self.allow_private_networks {
            NetworkReach::Any
        } else {
            connection.reach
        }
    }

    /// The pool for connections of this making. Few pools make a scan faster than any hash.
    fn pool(&self, connection: &Connection) -> Result<Arc<Pool>, SendError> {
        let reach = self.reach(connection);
        let connect_timeout = connection.connect_timeout.unwrap_or(self.connect_timeout);
        let is_it = |pool: &&Arc<Pool>| {
            pool.reach == reach
                && pool.connect_timeout == connect_timeout
                && pool.ca_pem == connection.ca_pem
        };
        if let Some(pool) = self.pools.load().iter().find(is_it) {
            return Ok(Arc::clone(pool));
        }
        let _one_at_a_time = self.adding.lock().unwrap_or_else(PoisonError::into_inner);
        let known = self.pools.load();
        if let Some(pool) = known.iter().find(is_it) {
            return Ok(Arc::clone(pool));
        }
        let pool = Arc::new(Pool {
            ca_pem: connection.ca_pem.clone(),
            reach,
            connect_timeout,
            client: self.client(connection, reach, connect_timeout)?,
        });
        let kept = known
            .iter()
            .skip((known.len() + 1).saturating_sub(POOLS_MAX));
        let pools = kept.chain([&pool]).map(Arc::clone).collect();
        self.pools.store(Arc::new(pools));
        Ok(pool)
    }

    /// How many pools there are.
    #[cfg(test)]
    pub(super) fn pools(&self) -> usize {
        self.pools.load().len()
    }

    fn client(
        &self,
        connection: &Connection,
        reach: NetworkReach,
        within: Duration,
    ) -> Result<legacy::Client<Connector, RequestBody>, SendError> {
        let tls = match &connection.ca_pem {
            None => Arc::clone(&self.tls),
            Some(pem) => trust::tls(Some(pem)).map_err(|error| {
                let what = format!("the provider's certificate authorities are unusable: {error}");
                SendError::not_sent(FailureClass::Tls, what)
            })?,
        };
        let way = Way {
            guard: Guard {
                names: Arc::clone(&self.names),
                reach,
            },
            proxies: self.proxies.clone(),
            tls,
            within,
        };
        let client = legacy::Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE_CONNECTION)
            .pool_timer(TokioTimer::new())
            .build(Connector::new(way));
        Ok(client)
    }
}
