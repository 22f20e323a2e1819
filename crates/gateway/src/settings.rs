//! What an operator may tune of the data plane. Every bound of the request path is here.

use crate::upstream::GoogleDefaults;
use std::time::Duration;
use tollgate_core::ledger::{exposure::UncappedPolicy, waiting::PATIENCE};
use tollgate_core::secret::Secret;

/// Bounds and timeouts of the data plane.
#[derive(Clone, Debug)]
pub struct GatewaySettings {
    /// Largest request body in bytes.
    pub body_limit: u64,
    /// Largest file that may be uploaded, in bytes with the form around it. It is passed on while
    /// it comes.
    pub upload_limit: u64,
    /// Where clients reach this gateway, without a trailing slash; `None` = where the request at
    /// hand came to.
    pub public_url: Option<String>,
    /// The listener speaks TLS: clients reach it by `https` URLs.
    pub serves_tls: bool,
    /// Longest silence while a request body arrives.
    pub body_idle_timeout: Duration,
    /// Longest wait for a request's head on a new or kept-alive connection.
    pub head_timeout: Duration,
    /// Longest wait for a TCP and TLS connection to an upstream.
    pub connect_timeout: Duration,
    /// Longest wait for an upstream's response head once the request is sent. Reasoning models
    /// that do not stream are silent for minutes; official SDKs wait 600 s.
    pub upstream_head_timeout: Duration,
    /// Longest silence inside an upstream's answer.
    pub upstream_idle_timeout: Duration,
    /// Longest life of a request from the first byte upstream to the last: the term of its hold.
    pub request_deadline: Duration,
    /// How long a request may wait for other requests' holds before it is refused.
    pub hold_wait: Duration,
    /// How long running requests may finish after a stop was asked for.
    pub drain_timeout: Duration,
    /// How holds are estimated.
    pub estimates: EstimatePolicy,
    /// The proxy through which upstreams are reached, as a URL (`http://` or `https://`), perhaps
    /// with user and password; `None` = directly.
    pub proxy: Option<Secret>,
    /// Hosts reached without the proxy: names with their subdomains, addresses, networks
    /// (`10.0.0.0/8`), or `*`. This machine itself and cloud metadata are never proxied.
    pub no_proxy: Vec<String>,
    /// Providers set through an API may stand for private addresses too.
    pub allow_private_networks: bool,
    /// Where Google's application default credentials of this machine are.
    pub google_defaults: GoogleDefaults,
    /// When a provider is taken out of its routing groups, and tried again.
    pub health: HealthPolicy,
    /// Longest wait for the first content of a stream once its head is there, as long as there is
    /// another target to try; `None` = the head is let go after [`HEAD_HELD_FOR`], and nothing can
    /// be tried elsewhere any more.
    pub first_content_timeout: Option<Duration>,
}

/// When a provider is taken out of its routing groups, and tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HealthPolicy {
    /// So many failures in a row take it out; at least 1.
    pub failures: u32,
    /// How long it is out then; after that one request at a time finds out whether it is back.
    pub probe_interval: Duration,
    /// The longest `retry-after` that is obeyed.
    pub retry_after_max: Duration,
}

impl Default for HealthPolicy {
    fn default() -> Self {
        Self {
            failures: 3,
            probe_interval: Duration::from_secs(10),
            retry_after_max: Duration::from_mins(5),
        }
    }
}

/// How holds are estimated (`docs/ledger.md`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EstimatePolicy {
    /// No learned figures for the input and no partial cover: a limit is never passed by an
    /// estimate, and blocks earlier.
    pub strict: bool,
    /// What becomes of a request that cannot be cut and states no output cap.
    pub uncapped: UncappedPolicy,
}

impl Default for GatewaySettings {
    fn default() -> Self {
        Self {
            body_limit: 64 << 20,
            upload_limit: 512 << 20,
            public_url: None,
            serves_tls: false,
            body_idle_timeout: Duration::from_secs(30),
            head_timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(10),
            upstream_head_timeout: Duration::from_mins(10),
            upstream_idle_timeout: Duration::from_mins(10),
            request_deadline: Duration::from_hours(1),
            hold_wait: PATIENCE,
            drain_timeout: Duration::from_secs(30),
            estimates: EstimatePolicy::default(),
            proxy: None,
            no_proxy: Vec::new(),
            allow_private_networks: false,
            google_defaults: GoogleDefaults::default(),
            health: HealthPolicy::default(),
            first_content_timeout: None,
        }
    }
}

/// How long the head of a stream is held back while there is another target to try.
pub const HEAD_HELD_FOR: Duration = Duration::from_secs(15);

/// Bytes of a stream held back at most.
pub(crate) const HELD_BYTES_MAX: usize = 64 << 10;

/// How long the body of an error is waited for while there is another target to try.
pub(crate) const ERROR_BODY_WAIT: Duration = Duration::from_secs(5);

/// An answer up to this size that is not streamed is read whole before its head goes out, so that
/// its cost can stand in a header.
pub(crate) const WHOLE_ANSWER_MAX: usize = 1 << 20;

/// A larger answer passes while it comes; up to this size its usage is still read at the end.
pub(crate) const MEASURED_ANSWER_MAX: usize = 64 << 20;
