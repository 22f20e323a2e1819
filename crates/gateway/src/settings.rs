//! What an operator may tune of the data plane. Every bound of the request path is here.

use std::time::Duration;
use tollgate_core::ledger::{exposure::UncappedPolicy, waiting::PATIENCE};

/// Bounds and timeouts of the data plane.
#[derive(Clone, Debug)]
pub struct GatewaySettings {
    /// Largest request body in bytes.
    pub body_limit: u64,
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
            body_idle_timeout: Duration::from_secs(30),
            head_timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(10),
            upstream_head_timeout: Duration::from_mins(10),
            upstream_idle_timeout: Duration::from_mins(10),
            request_deadline: Duration::from_hours(1),
            hold_wait: PATIENCE,
            drain_timeout: Duration::from_secs(30),
            estimates: EstimatePolicy::default(),
        }
    }
}

/// An answer up to this size that is not streamed is read whole before its head goes out, so that
/// its cost can stand in a header.
pub(crate) const WHOLE_ANSWER_MAX: usize = 1 << 20;

/// A larger answer passes while it comes; up to this size its usage is still read at the end.
pub(crate) const MEASURED_ANSWER_MAX: usize = 64 << 20;
