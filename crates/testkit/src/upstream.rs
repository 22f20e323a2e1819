//! A scripted provider on a real socket. It answers what the test says, in the order the test says
//! it, and keeps what it was sent: method, target, headers in their order and case, body, times,
//! how much of the answer was written and whether the client was still there.
//!
//! It is written on the bare socket, because most of what it must be able to do (two lengths, a
//! body cut short, a reset, bytes that are not HTTP) is what an HTTP library exists to prevent.
//!
//! Tests in other languages steer it over HTTP (see the `control` module): paths that start with
//! `/_` are for them and stand in no log.
//!
//! It can demand a credential and run the token endpoints that hand some out (see
//! [`crate::demand`]), and it can listen behind TLS.
//!
//! A request nobody scripted, or one that is not HTTP, fails the test when the upstream is dropped.

mod connection;
mod control;
mod received;
mod socket;

pub use received::{Bill, Ended, Received};

use crate::{
    answer::Answer,
    certificates::Certificates,
    demand::{Accounts, Demand, Issuer},
    provider::{self, Provider},
};
use socket::Socket;
use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    net::SocketAddr,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::{Instant, timeout},
};
use tokio_rustls::TlsAcceptor;

/// How long a test waits for something that must happen; only a failing test waits that long.
const PATIENCE: Duration = Duration::from_secs(20);

/// A provider that does what it is told. Serves until it is dropped.
#[derive(Debug)]
pub struct Upstream {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinSet<()>,
}

type Answerer = Box<dyn Fn(&Received) -> Answer + Send>;

/// What to say next. The first that has something answers: the request's path, the queue, the
/// closure.
#[derive(Default)]
struct Script {
    by_path: HashMap<String, VecDeque<Answer>>,
    queue: VecDeque<Answer>,
    otherwise: Option<Answerer>,
    /// Under a path, what credential is demanded; the longest path counts.
    demands: Vec<(String, Demand)>,
}

struct Shared {
    started: Instant,
    url: String,
    secure_url: OnceLock<String>,
    issuer: OnceLock<Issuer>,
    script: Mutex<Script>,
    log: watch::Sender<Vec<Received>>,
    complaints: Mutex<Vec<String>>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

impl Upstream {
    /// An upstream on a free port with an empty script.
    pub async fn start() -> Self {
        Self::start_at(SocketAddr::from(([127, 0, 0, 1], 0))).await
    }

    /// The same on a given address: to come back after an outage, or for another process.
    pub async fn start_at(address: SocketAddr) -> Self {
        Self::listen(address, None).await
    }

    /// An upstream behind TLS, on a free port with an empty script.
    pub async fn start_tls(certificates: &Certificates) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        Self::listen(address, Some(certificates.acceptor())).await
    }

    /// Listens behind TLS too, on a port of its own: the script, the log and the demands are the
    /// same. Accounts handed out from now on name this door. Gives its URL.
    pub async fn listen_tls_too(&mut self, certificates: &Certificates) -> String {
        let listener = TcpListener::bind(("127.0.0.1", 0))
            .await
            .expect("a port is free");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        let shared = Arc::clone(&self.shared);
        self.accepting
            .spawn(accept(listener, Some(certificates.acceptor()), shared));
        let url = format!("https://{address}");
        self.shared.secure_url.get_or_init(|| url).clone()
    }

    async fn listen(address: SocketAddr, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind(address)
            .await
            .expect("the upstream's address is free");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        let scheme = if tls.is_some() { "https" } else { "http" };
        let shared = Arc::new(Shared {
            started: Instant::now(),
            url: format!("{scheme}://{address}"),
            secure_url: OnceLock::new(),
            issuer: OnceLock::new(),
            script: Mutex::default(),
            log: watch::Sender::new(Vec::new()),
            complaints: Mutex::default(),
        });
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, tls, Arc::clone(&shared)));
        Self {
            address,
            shared,
            accepting,
        }
    }

    /// An upstream that behaves like a real provider (see [`crate::provider`]) wherever the script
    /// says nothing else.
    pub async fn provider() -> Self {
        let upstream = Self::start().await;
        upstream.be_a_provider();
        upstream
    }

    /// Behaves like a real provider from now on, wherever the script says nothing else.
    pub fn be_a_provider(&self) {
        let provider = Provider::default();
        self.answer_with(move |request| provider.answer(request));
    }

    /// A URL where connections are refused: it was bound a moment ago and is not any more.
    pub async fn refusing() -> String {
        let listener = TcpListener::bind(("127.0.0.1", 0))
            .await
            .expect("a port is free");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        format!("http://{address}")
    }

    /// `http://127.0.0.1:PORT`, or `https` behind TLS.
    pub fn url(&self) -> String {
        self.shared.url.clone()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Queues an answer for the next request that no path claims.
    pub fn answer(&self, answer: Answer) {
        self.script(|script| script.queue.push_back(answer));
    }

    /// Queues an answer for the next request to this path (exact, without the query).
    pub fn answer_at(&self, path: &str, answer: Answer) {
        self.script(|script| {
            let queue = script.by_path.entry(path.to_owned()).or_default();
            queue.push_back(answer);
        });
    }

    /// Answers everything the queues do not claim.
    pub fn answer_with(&self, answerer: impl Fn(&Received) -> Answer + Send + 'static) {
        self.script(|script| script.otherwise = Some(Box::new(answerer)));
    }

    /// Gives this answer to everything the queues do not claim.
    pub fn always(&self, answer: Answer) {
        self.answer_with(move |_| answer.clone());
    }

    /// Demands a credential of every request whose path starts with this; those without it are
    /// refused in the dialect, whatever the script says. Token endpoints judge for themselves.
    pub fn demand(&self, under: &str, demand: Demand) {
        self.script(|script| script.demands.push((under.to_owned(), demand)));
    }

    /// Runs token endpoints from now on, and says whom they know. The first call decides how long
    /// tokens hold.
    pub fn issue_tokens(&self, lifetime: Duration) -> Accounts {
        self.shared.issuer(lifetime).accounts()
    }

    /// Every request so far, in the order their last byte arrived.
    pub fn requests(&self) -> Vec<Received> {
        self.shared.log.borrow().clone()
    }

    /// The only request so far.
    pub fn only_request(&self) -> Received {
        let mut requests = self.requests();
        assert_eq!(requests.len(), 1, "the upstream got one request");
        requests.remove(0)
    }

    /// Waits until there are `count` requests, and gives them.
    pub async fn wait_for_requests(&self, count: usize) -> Vec<Received> {
        self.wait(&format!("{count} requests"), |log| log.len() >= count)
            .await
    }

    /// Waits until the answer to the request with this index is over, one way or the other.
    pub async fn wait_until_over(&self, index: usize) -> Received {
        self.wait(&format!("the end of answer {index}"), |log| {
            log.get(index)
                .is_some_and(|request| request.ended != Ended::Open)
        })
        .await
        .swap_remove(index)
    }

    /// What it would charge, by credential.
    pub fn bill(&self) -> BTreeMap<String, Bill> {
        Bill::of(&self.shared.log.borrow())
    }

    /// Stops serving: the port refuses from now on, open connections are cut.
    pub async fn stop(mut self) -> SocketAddr {
        self.accepting.shutdown().await;
        self.address
    }

    async fn wait(&self, what: &str, mut done: impl FnMut(&[Received]) -> bool) -> Vec<Received> {
        let mut watch = self.shared.log.subscribe();
        let waited = timeout(PATIENCE, watch.wait_for(|log| done(log))).await;
        let Ok(Ok(log)) = waited else {
            unreachable!("waited in vain for {what}; got {:#?}", self.requests())
        };
        log.clone()
    }

    fn script<T>(&self, change: impl FnOnce(&mut Script) -> T) -> T {
        self.shared.script(change)
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.accepting.abort_all();
        if std::thread::panicking() {
            return;
        }
        let complaints = self
            .shared
            .complaints
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        assert!(complaints.is_empty(), "at the upstream: {complaints:#?}");
    }
}

impl Shared {
    /// Whether the credential was what is demanded, and what is said to this request.
    fn answer_to(&self, request: &Received) -> (Option<bool>, Answer) {
        // Token endpoints judge for themselves.
        let issued = self.issuer.get().and_then(|issuer| issuer.answer(request));
        if let Some(issued) = issued {
            let at_path = self.script(|script| script.at_path(request));
            return (None, at_path.unwrap_or(issued));
        }
        let demand = self.script(|script| script.demand_on(request.path()));
        let Some(demand) = demand else {
            return (None, self.scripted(request));
        };
        match demand.check(request, self.issuer.get()) {
            Ok(()) => (Some(true), self.scripted(request)),
            Err(refusal) => {
                let dialect = provider::Dialect::of(request.path());
                let answer = provider::failure(dialect, refusal.status, &refusal.message);
                (Some(false), answer)
            }
        }
    }

    fn scripted(&self, request: &Received) -> Answer {
        self.script(|script| {
            if let Some(answer) = script.at_path(request) {
                return answer;
            }
            if let Some(answer) = script.queue.pop_front() {
                return answer;
            }
            if let Some(answerer) = &script.otherwise {
                return answerer(request);
            }
            self.complain(format!(
                "nobody scripted an answer to {} {}",
                request.method, request.target
            ));
            Answer::new(500, "text/plain", "the script is at its end")
        })
    }

    fn script<T>(&self, change: impl FnOnce(&mut Script) -> T) -> T {
        change(&mut self.script.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn issuer(&self, lifetime: Duration) -> &Issuer {
        let url = self.secure_url.get().unwrap_or(&self.url);
        self.issuer.get_or_init(|| Issuer::new(url, lifetime))
    }

    fn complain(&self, complaint: String) {
        self.complaints
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(complaint);
    }
}

impl Script {
    fn at_path(&mut self, request: &Received) -> Option<Answer> {
        self.by_path.get_mut(request.path())?.pop_front()
    }

    fn demand_on(&self, path: &str) -> Option<Demand> {
        let fitting = self
            .demands
            .iter()
            .filter(|(under, _)| path.starts_with(under));
        let (_, demand) = fitting.max_by_key(|(under, _)| under.len())?;
        Some(demand.clone())
    }
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (stream, _) = accepted.expect("the upstream's socket accepts");
                connections.spawn(serve(stream, tls.clone(), Arc::clone(&shared)));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(stream: TcpStream, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    stream
        .set_nodelay(true)
        .expect("a connected socket takes options");
    let socket = match tls {
        None => Socket::Plain(stream),
        // A client that does not trust the certificate leaves here.
        Some(tls) => match tls.accept(stream).await {
            Ok(stream) => Socket::Tls(Box::new(stream)),
            Err(_) => return,
        },
    };
    connection::Connection::new(socket, shared).serve().await;
}

#[cfg(test)]
mod tests;
