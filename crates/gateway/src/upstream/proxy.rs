//! The outbound proxy: which hosts are reached through it.
//!
//! A host is reached by a tunnel (CONNECT), whatever its scheme, so the proxy sees its name and
//! nothing of what is said. Of a provider whose URL came through an API it sees the address that
//! passed the guard instead: it would look the name up itself, and might find another. This machine and cloud metadata servers are never asked for through a
//! proxy: there they would be the proxy's own.

use http::Uri;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use std::net::IpAddr;
use tollgate_core::secret::Secret;

/// The proxy and what goes past it.
pub(super) struct Proxies(Matcher);

impl Proxies {
    /// The proxy at `url` for everything but `past`; `None` when the URL is not one of a proxy.
    pub(super) fn new(url: &Secret, past: &[String]) -> Option<Self> {
        let uri: Uri = url.expose().parse().ok()?;
        let known = matches!(uri.scheme_str(), Some("http" | "https"));
        if !known || uri.host().is_none_or(str::is_empty) {
            return None;
        }
        let matcher = Matcher::builder().all(url.expose()).no(past.join(","));
        Some(Self(matcher.build()))
    }

    /// The proxy that stands between us and this host.
    pub(super) fn between(&self, uri: &Uri) -> Option<Intercept> {
        if uri.host().is_some_and(is_near) {
            return None;
        }
        self.0.intercept(uri)
    }
}

/// Whether a host means this machine or what the platform says about it.
fn is_near(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']).trim_end_matches('.');
    match host.parse() {
        Ok(IpAddr::V4(address)) => address.is_loopback() || address.is_link_local(),
        Ok(IpAddr::V6(address)) => {
            // The metadata server of AWS has a unique local address: fd00:ec2::254.
            let aws = matches!(address.segments(), [0xfd00, 0x0ec2, ..]);
            address.is_loopback() || address.is_unicast_link_local() || aws
        }
        Err(_name) => {
            let lower = host.to_ascii_lowercase();
            lower == "localhost"
                || lower.ends_with(".localhost")
                || lower == "metadata.google.internal"
        }
    }
}

#[cfg(test)]
mod tests;
