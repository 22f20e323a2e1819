//! Which addresses may be dialled. A provider whose URL came through an API must not lead into the
//! operator's network: its name is looked up once, private and special addresses are left out, and
//! exactly the addresses that passed are dialled, so a name that changes its mind gains nothing.
//!
//! An address is judged by what is globally reachable (IANA's special-purpose registries), not by
//! a list of bad ones: of IPv6 only global unicast passes, and there no range that carries an IPv4
//! address inside.

use futures_util::future::BoxFuture;
use hyper_util::client::legacy::connect::dns::Name;
use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    task::{Context, Poll},
    vec,
};
use tollgate_core::provider::NetworkReach;
use tower_service::Service;

/// Looks names up.
pub(crate) trait Names: Send + Sync {
    /// The addresses of a host.
    fn look_up(&self, host: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

/// The resolver of the platform.
#[derive(Debug)]
pub(crate) struct SystemNames;

impl Names for SystemNames {
    fn look_up(&self, host: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        Box::pin(async move {
            let found = tokio::net::lookup_host((host, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// Looks names up and keeps what may be dialled.
#[derive(Clone)]
pub(super) struct Guard {
    pub(super) names: Arc<dyn Names>,
    pub(super) reach: NetworkReach,
}

impl Guard {
    /// Checks an address that stands in a URL as it is.
    pub(super) fn check_literal(&self, host: &str) -> io::Result<()> {
        let literal: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
        match literal {
            Some(address) if !self.admits(address) => Err(refusal(host)),
            _ => Ok(()),
        }
    }

    /// The addresses of a host that may be dialled: at least one.
    pub(super) async fn look_up(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let mut found = self.names.look_up(host.to_owned()).await?;
        if found.is_empty() {
            return Err(io::Error::new(
                io::ErrorKind::NotFound,
                format!("{host} has no address"),
            ));
        }
        found.retain(|address| self.admits(*address));
        if found.is_empty() {
            return Err(refusal(host));
        }
        Ok(found)
    }

    /// The address by which somebody else is to dial a host for us; `None` where the host may be
    /// given as it stands. Of several it is one of IPv4, which every proxy can dial.
    pub(super) async fn address_to_pass_on(&self, host: &str) -> io::Result<Option<IpAddr>> {
        self.check_literal(host)?;
        let literal = host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
        match self.reach {
            NetworkReach::PublicOnly if !literal => {
                let found = self.look_up(host).await?;
                Ok(found.into_iter().min_by_key(IpAddr::is_ipv6))
            }
            NetworkReach::PublicOnly | NetworkReach::Any => Ok(None),
        }
    }

    fn admits(&self, address: IpAddr) -> bool {
        match self.reach {
            NetworkReach::Any => true,
            NetworkReach::PublicOnly => is_public(address),
        }
    }
}

fn refusal(host: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::PermissionDenied,
        format!(
            "{host} is not a public address; the settings file may allow private networks for \
             providers set through the API"
        ),
    )
}

impl Service<Name> for Guard {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = BoxFuture<'static, io::Result<Self::Response>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let guard = self.clone();
        Box::pin(async move {
            let found = guard.look_up(name.as_str()).await?;
            // The connector puts the port in.
            let addresses: Vec<_> = found.into_iter().map(|ip| (ip, 0).into()).collect();
            Ok(addresses.into_iter())
        })
    }
}

/// Whether an address is one of the public internet.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// A host that answers for the platform in Azure's virtual networks, although its address looks
/// public.
const AZURE_WIRE_SERVER: Ipv4Addr = Ipv4Addr::new(168, 63, 129, 16);

fn is_public_v4(address: Ipv4Addr) -> bool {
    let special = matches!(
        address.octets(),
        [0 | 10 | 127 | 224..=255, ..]
            | [100, 64..=127, ..]
            | [169, 254, ..]
            | [172, 16..=31, ..]
            | [192, 0, 0 | 2, _]
            | [192, 88, 99, _]
            | [192, 168, ..]
            | [198, 18 | 19, ..]
            | [198, 51, 100, _]
            | [203, 0, 113, _]
    );
    !special && address != AZURE_WIRE_SERVER
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    // Global unicast. Outside of it: loopback, mapped and translated IPv4, unique local, link
    // local, multicast.
    let [first @ 0x2000..=0x3fff, second, ..] = address.segments() else {
        return false;
    };
    let special = matches!(
        (first, second),
        // Protocol assignments, Teredo among them; documentation.
        (0x2001, 0..=0x01ff | 0x0db8)
            // 6to4 carries any IPv4 address.
            | (0x2002, _)
            // Documentation.
            | (0x3fff, 0..=0x0fff)
    );
    !special
}

#[cfg(test)]
mod tests;
