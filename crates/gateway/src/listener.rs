//! Sockets: accepts connections, speaks HTTP/1.1 and HTTP/2 (prior knowledge, or ALPN over TLS),
//! and drains on stop: no new connection, running requests finish within the bound.

use crate::{pipeline, state::Gateway};
use hyper::service::service_fn;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
};
use std::{future::Future, io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_rustls::TlsAcceptor;

/// A pause after a failed accept (no file descriptors left), so that the loop does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How long a TLS handshake may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

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

    /// Serves until `stop` resolves, then drains.
    pub async fn serve(self, gateway: Arc<Gateway>, stop: impl Future<Output = ()>) {
        let graceful = GracefulShutdown::new();
        let mut server = auto::Builder::new(TokioExecutor::new());
        server
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(gateway.settings().head_timeout)
            .pipeline_flush(false)
            .http2()
            .timer(TokioTimer::new());
        let server = Arc::new(server);
        let mut connections = JoinSet::new();
        tokio::pin!(stop);
        loop {
            tokio::select! {
                biased;
                () = &mut stop => break,
                Some(_ended) = connections.join_next() => {}
                accepted = self.socket.accept() => match accepted {
                    Ok((stream, _peer)) => {
                        self.take(stream, &server, &gateway, &graceful, &mut connections);
                    }
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be accepted");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
            }
        }
        drop(self.socket);
        gateway.start_draining();
        let drained = tokio::time::timeout(gateway.settings().drain_timeout, graceful.shutdown());
        if drained.await.is_err() {
            tracing::warn!("stopping with requests still running: their holds are settled as seen");
            // Each settles as it is dropped, so before the writer ends.
            connections.shutdown().await;
        }
    }

    fn take(
        &self,
        stream: TcpStream,
        server: &Arc<auto::Builder<TokioExecutor>>,
        gateway: &Arc<Gateway>,
        graceful: &GracefulShutdown,
        connections: &mut JoinSet<()>,
    ) {
        // Without this the second stream on a kept-alive connection waits 40 ms for its first
        // chunk (Nagle against delayed acknowledgements).
        if stream.set_nodelay(true).is_err() {
            return;
        }
        let watcher = graceful.watcher();
        let (server, gateway) = (Arc::clone(server), Arc::clone(gateway));
        match self.tls.clone() {
            None => {
                connections
                    .spawn(async move { connection(stream, &server, gateway, watcher).await });
            }
            Some(tls) => {
                connections.spawn(async move {
                    let shaken = tokio::time::timeout(HANDSHAKE_TIMEOUT, tls.accept(stream)).await;
                    match shaken {
                        Ok(Ok(stream)) => connection(stream, &server, gateway, watcher).await,
                        Ok(Err(error)) => tracing::debug!(%error, "TLS handshake failed"),
                        Err(_elapsed) => tracing::debug!("TLS handshake timed out"),
                    }
                });
            }
        }
    }
}

async fn connection<S>(
    stream: S,
    server: &auto::Builder<TokioExecutor>,
    gateway: Arc<Gateway>,
    watcher: hyper_util::server::graceful::Watcher,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request| {
        let gateway = Arc::clone(&gateway);
        // Boxed, so that a connection that streams does not keep the state of the steps before.
        let served = Box::pin(pipeline::serve(gateway, request));
        async move { Ok::<_, std::convert::Infallible>(served.await) }
    });
    let served = watcher.watch(
        server
            .serve_connection(TokioIo::new(stream), service)
            .into_owned(),
    );
    if let Err(error) = served.await {
        tracing::debug!(%error, "a connection ended early");
    }
}
