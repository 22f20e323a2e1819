//! Addresses at which no request ever arrives.

use std::time::Duration;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpSocket, TcpStream},
    task::JoinSet,
    time::timeout,
};
use tollgate_testkit::{Certificates, Upstream};

/// How long a connection on loopback may take before the listener counts as crowded.
const CROWDED: Duration = Duration::from_millis(100);

/// An address, and what makes it useless for as long as this is kept.
#[derive(Debug)]
pub(super) struct Nowhere {
    url: String,
    #[expect(dead_code, reason = "kept, not read")]
    props: Props,
}

#[derive(Debug)]
#[expect(dead_code, reason = "kept, not read")]
enum Props {
    None,
    Crowd(TcpListener, Vec<TcpStream>),
    Stranger(JoinSet<()>),
    Untrusted(Upstream),
}

impl Nowhere {
    /// Without the dialect's own path.
    pub(super) fn url(&self) -> String {
        self.url.clone()
    }

    /// Connections are refused.
    pub(super) async fn refusing() -> Self {
        Self {
            url: Upstream::refusing().await,
            props: Props::None,
        }
    }

    /// A connection is neither made nor refused: so many wait to be accepted that the system drops
    /// whoever comes next.
    pub(super) async fn crowded() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
        let listener = socket.listen(1).unwrap();
        let address = listener.local_addr().unwrap();
        let mut waiting = Vec::new();
        while let Ok(connected) = timeout(CROWDED, TcpStream::connect(address)).await {
            waiting.push(connected.unwrap());
            assert!(waiting.len() < 100, "the system keeps no bound");
        }
        Self {
            url: format!("http://{address}"),
            props: Props::Crowd(listener, waiting),
        }
    }

    /// Somebody listens who speaks plain HTTP where TLS is expected.
    pub(super) async fn without_tls() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut talking = JoinSet::new();
        talking.spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let _greeted = stream.read(&mut [0; 1024]).await;
                let _told = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
            }
        });
        Self {
            url: format!("https://{address}"),
            props: Props::Stranger(talking),
        }
    }

    /// Its certificate is of an authority that nobody knows.
    pub(super) async fn untrusted() -> Self {
        let upstream = Upstream::start_tls(&Certificates::for_loopback()).await;
        Self {
            url: upstream.url(),
            props: Props::Untrusted(upstream),
        }
    }
}
