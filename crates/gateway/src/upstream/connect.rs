//! How a connection is made: name, guard, proxy, TCP, TLS, all within one time limit.
//!
//! The layers, inside out: the guarded dialler, the tunnel through the proxy where one stands in
//! between, TLS with the host itself, the time limit.

use super::{
    failure::{FailureClass, chain, find},
    guard::Guard,
    proxy::Proxies,
};
use http::{Uri, uri};
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::{
    client::legacy::connect::{HttpConnector, proxy::Tunnel},
    rt::TokioIo,
};
use std::{
    error::Error,
    fmt, io,
    net::IpAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::net::TcpStream;
use tower_service::Service;

/// After how much silence the other end is asked for a sign of life. Models think for minutes;
/// address translators forget connections that are silent for longer than about two.
const KEEP_ALIVE: Duration = Duration::from_mins(1);

type Connecting<T> = Pin<Box<dyn Future<Output = Result<T, ConnectError>> + Send>>;

/// How a connection may be made.
pub(super) struct Way {
    pub(super) guard: Guard,
    pub(super) proxies: Option<Arc<Proxies>>,
    pub(super) tls: Arc<rustls::ClientConfig>,
    pub(super) within: Duration,
}

/// Why there is no connection.
#[derive(Debug)]
pub(super) struct ConnectError {
    class: FailureClass,
    text: String,
}

impl ConnectError {
    fn new(class: FailureClass, text: impl Into<String>) -> Self {
        Self {
            class,
            text: text.into(),
        }
    }

    /// What went wrong on the way to a host before TLS with it.
    fn before_tls(error: &(dyn Error + 'static)) -> Self {
        if let Some(Self { class, text }) = find::<Self>(error) {
            return Self::new(*class, text);
        }
        // Each address of a host has its share of the time.
        let late = find::<io::Error>(error).is_some_and(|io| io.kind() == io::ErrorKind::TimedOut);
        let class = if late {
            FailureClass::ConnectTimeout
        } else {
            FailureClass::Unreachable
        };
        Self::new(class, chain(error))
    }

    pub(super) fn class(&self) -> FailureClass {
        self.class
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Error for ConnectError {}

/// Makes connections.
#[derive(Clone)]
pub(super) struct Connector {
    tls: HttpsConnector<Path>,
    within: Duration,
}

impl Connector {
    pub(super) fn new(way: Way) -> Self {
        let dialler = |guard: Guard| {
            let mut http = HttpConnector::new_with_resolver(guard.clone());
            http.set_nodelay(true);
            http.enforce_http(false);
            http.set_connect_timeout(Some(way.within));
            http.set_keepalive(Some(KEEP_ALIVE));
            Dialler { http, guard }
        };
        let proxy = way.proxies.map(|proxies| {
            // The operator's own address: it needs no guard.
            let unguarded = Guard {
                reach: tollgate_core::provider::NetworkReach::Any,
                ..way.guard.clone()
            };
            let connector = HttpsConnector::from((dialler(unguarded), Arc::clone(&way.tls)));
            (proxies, connector)
        });
        let path = Path {
            direct: dialler(way.guard),
            proxy,
        };
        Self {
            tls: HttpsConnector::from((path, way.tls)),
            within: way.within,
        }
    }
}

impl Service<Uri> for Connector {
    type Response = MaybeHttpsStream<Socket>;
    type Error = ConnectError;
    type Future = Connecting<Self::Response>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let (connecting, within) = (self.tls.call(uri), self.within);
        Box::pin(async move {
            match tokio::time::timeout(within, connecting).await {
                Ok(Ok(connected)) => Ok(connected),
                Ok(Err(error)) => Err(error.downcast().map_or_else(
                    |tls| ConnectError::new(FailureClass::Tls, chain(&*tls)),
                    |before| *before,
                )),
                Err(_elapsed) => Err(ConnectError::new(
                    FailureClass::ConnectTimeout,
                    format!("no connection within {within:?}"),
                )),
            }
        })
    }
}

/// A socket to the host, or to the proxy with a tunnel to the host.
type Socket = MaybeHttpsStream<TokioIo<TcpStream>>;

/// Gets to a host: directly or through the proxy.
#[derive(Clone)]
struct Path {
    direct: Dialler,
    proxy: Option<(Arc<Proxies>, HttpsConnector<Dialler>)>,
}

impl Service<Uri> for Path {
    type Response = Socket;
    type Error = ConnectError;
    type Future = Connecting<Socket>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let found = self.proxy.as_ref().and_then(|(proxies, connector)| {
            proxies
                .between(&uri)
                .map(|proxy| (proxy, connector.clone()))
        });
        let Some((proxy, connector)) = found else {
            let dialling = self.direct.call(uri);
            return Box::pin(async move { Ok(MaybeHttpsStream::Http(dialling.await?)) });
        };
        let guard = self.direct.guard.clone();
        Box::pin(async move {
            let host = uri.host().unwrap_or_default();
            let checked = guard.address_to_pass_on(host).await;
            let checked = checked.map_err(|error| ConnectError::before_tls(&error))?;
            let mut tunnel = Tunnel::new(proxy.uri().clone(), connector);
            if let Some(auth) = proxy.basic_auth() {
                tunnel = tunnel.with_auth(auth.clone());
            }
            let tunnelled = tunnel.call(far_end(&uri, checked)?).await;
            tunnelled.map_err(|error| ConnectError::before_tls(&error))
        })
    }
}

/// Where the proxy is to connect to: the host, or, where its name was looked up and checked, the
/// address that passed, so that the proxy does not look the name up again and find another. The
/// tunnel takes a URL without a port for one of port 443.
fn far_end(uri: &Uri, checked: Option<IpAddr>) -> Result<Uri, ConnectError> {
    let host = match checked {
        Some(IpAddr::V4(address)) => address.to_string(),
        Some(IpAddr::V6(address)) => format!("[{address}]"),
        None => uri.host().unwrap_or_default().to_owned(),
    };
    let is_plain = uri.scheme() == Some(&uri::Scheme::HTTP);
    let port = uri.port_u16().unwrap_or(if is_plain { 80 } else { 443 });
    let far_end = Uri::builder()
        .scheme(uri::Scheme::HTTP)
        .authority(format!("{host}:{port}"))
        .path_and_query("/")
        .build();
    far_end.map_err(|error| ConnectError::new(FailureClass::Unreachable, error.to_string()))
}

/// Dials what the guard lets through.
#[derive(Clone)]
struct Dialler {
    http: HttpConnector<Guard>,
    guard: Guard,
}

impl Service<Uri> for Dialler {
    type Response = TokioIo<TcpStream>;
    type Error = ConnectError;
    type Future = Connecting<Self::Response>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        self.http
            .poll_ready(cx)
            .map_err(|error| ConnectError::before_tls(&error))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        // The connector looks up names alone; an address in the URL would pass the guard by.
        if let Err(error) = self.guard.check_literal(uri.host().unwrap_or_default()) {
            return Box::pin(async move { Err(ConnectError::before_tls(&error)) });
        }
        let dialling = self.http.call(uri);
        Box::pin(async move {
            dialling
                .await
                .map_err(|error| ConnectError::before_tls(&error))
        })
    }
}
