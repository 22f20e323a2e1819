//! Sockets: accepts connections, speaks HTTP/1.1 and HTTP/2 (prior knowledge, or ALPN over TLS),
//! and drains on stop: no new connection, running requests finish within the bound.

mod opening;

use crate::{pipeline, state::Gateway, tasks::Tasks};
use futures_util::FutureExt as _;
use hyper::service::service_fn;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::{
        conn::auto,
        graceful::{GracefulShutdown, Watcher},
    },
};
use opening::Opening;
use std::{future::Future, io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_rustls::TlsAcceptor;

/// A pause after a failed accept (no file descriptors left), so that the loop does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How long a TLS handshake may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// Connections served at once; more wait in the system's queue. A bound for memory and descriptors
/// under a flood, far above what one process is asked to do.
const CONNECTIONS_MAX: usize = 20_000;

/// How long an HTTP/2 connection is silent before its peer is asked whether it is there.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(30);

/// How long the peer may take to say so.
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(20);

type Server = auto::Builder<Tasks>;

/// A bound socket, ready to serve.
pub struct Listener {
    socket: TcpListener,
    tls: Option<TlsAcceptor>,
}

impl Listener {
    /// Binds `address`; port 0 takes a free one.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn bind(
        address: SocketAddr,
        tls: Option<Arc<rustls::ServerConfig>>,
    ) -> io::Result<Self> {
        let socket = TcpListener::bind(address).await?;
        Ok(Self {
            socket,
            tls: tls.map(TlsAcceptor::from),
        })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// When the socket is gone.
    pub fn local_address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Serves until `stop` resolves, then drains: returns when every task of the gateway is gone.
    /// `hurry` ends the draining before its time.
    pub async fn serve(
        self,
        gateway: Arc<Gateway>,
        stop: impl Future<Output = ()>,
        hurry: impl Future<Output = ()>,
    ) {
        let graceful = GracefulShutdown::new();
        let server = Arc::new(server(&gateway));
        let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        tokio::pin!(stop);
        loop {
            tokio::select! {
                biased;
                () = &mut stop => break,
                accepted = self.accept(&places) => match accepted {
                    Ok((stream, place)) => self.take(stream, place, &server, &gateway, &graceful),
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be accepted");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
            }
        }
        drop(self.socket);
        gateway.start_draining();
        // Tells every connection. That they have ended is seen below, with all other tasks.
        let _told = graceful.shutdown().now_or_never();
        let enough = async {
            tokio::select! {
                () = tokio::time::sleep(gateway.settings().drain_timeout) => {}
                () = hurry => {}
            }
        };
        if !gateway.tasks().finish(enough).await {
            tracing::warn!("stopped with requests still running: their holds are settled as seen");
        }
    }

    /// Waits for a free place, then for a connection.
    async fn accept(
        &self,
        places: &Arc<Semaphore>,
    ) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
        let place = Arc::clone(places).acquire_owned().await;
        let place = place.map_err(io::Error::other)?;
        let (stream, _peer) = self.socket.accept().await?;
        Ok((stream, place))
    }

    fn take(
        &self,
        stream: TcpStream,
        place: OwnedSemaphorePermit,
        server: &Arc<Server>,
        gateway: &Arc<Gateway>,
        graceful: &GracefulShutdown,
    ) {
        // Without this the second stream on a kept-alive connection waits 40 ms for its first
        // chunk (Nagle against delayed acknowledgements).
        if stream.set_nodelay(true).is_err() || bound_stalls(&stream).is_err() {
            return;
        }
        let watcher = graceful.watcher();
        let (server, served) = (Arc::clone(server), Arc::clone(gateway));
        match self.tls.clone() {
            None => gateway.spawn(async move {
                connection(stream, &server, served, watcher).await;
                drop(place);
            }),
            Some(tls) => gateway.spawn(async move {
                let shaken = tokio::time::timeout(HANDSHAKE_TIMEOUT, tls.accept(stream)).await;
                match shaken {
                    Ok(Ok(stream)) => connection(stream, &server, served, watcher).await,
                    Ok(Err(error)) => tracing::debug!(%error, "TLS handshake failed"),
                    Err(_elapsed) => tracing::debug!("TLS handshake timed out"),
                }
                drop(place);
            }),
        }
    }
}

/// How connections are served. Streams of HTTP/2 run as tasks of the gateway.
fn server(gateway: &Gateway) -> Server {
    let mut server = auto::Builder::new(gateway.tasks().clone());
    server
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(gateway.settings().head_timeout)
        .pipeline_flush(false)
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(Some(KEEP_ALIVE_INTERVAL))
        .keep_alive_timeout(KEEP_ALIVE_TIMEOUT);
    server
}

async fn connection<S>(stream: S, server: &Server, gateway: Arc<Gateway>, watcher: Watcher)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let stream = Opening::new(stream, gateway.settings().head_timeout);
    let service = service_fn(move |request| {
        let gateway = Arc::clone(&gateway);
        // Boxed, so that a connection that streams does not keep the state of the steps before.
        let served = Box::pin(pipeline::serve(gateway, request));
        async move { Ok::<_, std::convert::Infallible>(served.await) }
    });
    let served = watcher.watch(
        server
            .serve_connection_with_upgrades(TokioIo::new(stream), service)
            .into_owned(),
    );
    if let Err(error) = served.await {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// A client that takes nothing for this long is hung up on: its stream would keep a hold and an
/// upstream for as long as it likes. (On HTTP/2 a stalled window of one stream is not seen by this.)
#[cfg(target_os = "linux")]
const STALL_MAX_MS: u32 = 120_000;

#[cfg(target_os = "linux")]
fn bound_stalls(stream: &TcpStream) -> io::Result<()> {
    Ok(rustix::net::sockopt::set_tcp_user_timeout(
        stream,
        STALL_MAX_MS,
    )?)
}

/// Only Linux has the option; elsewhere the request's deadline is the bound.
#[cfg(not(target_os = "linux"))]
fn bound_stalls(_stream: &TcpStream) -> io::Result<()> {
    Ok(())
}
