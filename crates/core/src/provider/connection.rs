//! How a provider is reached: time limits, trust, load.

use std::time::Duration;

/// What of an upstream's connection differs from the process-wide settings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Connection {
    /// Longest wait for a TCP and TLS connection.
    pub connect_timeout: Option<Duration>,
    /// Longest wait for the head of an answer once the request is sent.
    pub head_timeout: Option<Duration>,
    /// Longest silence inside an answer.
    pub idle_timeout: Option<Duration>,
    /// The most requests at once; more go to another target or are refused with 503. `None` = no
    /// bound.
    pub max_concurrency: Option<u32>,
    /// Certificate authorities trusted besides the platform's, as PEM.
    pub ca_pem: Option<String>,
    /// Which addresses may be dialled.
    pub reach: NetworkReach,
}

/// Which addresses a provider's host may stand for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum NetworkReach {
    /// Any: the operator of the machine wrote the URL into the settings file.
    #[default]
    Any,
    /// No private, loopback, link-local or metadata address: the URL came through an API.
    PublicOnly,
}
