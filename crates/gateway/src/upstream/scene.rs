//! What the tests of this folder have in common: a client on a clock that is moved by hand, with a
//! resolver that says what the test says, and a provider to send to.

use super::{body::RequestBody, client::Client, failure::SendError, guard::Names};
use crate::settings::GatewaySettings;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Method, Request};
use http_body_util::BodyExt;
use std::{
    io,
    net::IpAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{io::AsyncReadExt as _, net::TcpStream};
use tollgate_core::{
    clock::ManualClock,
    id::ProviderId,
    provider::{
        Connection, Credential, NetworkReach, OnClientGone, Provider, ProviderKind, ReportCost,
        Site, UnpricedPolicy,
    },
};

/// Resolves names as told: each look-up gets the next answer, the last one stays.
#[derive(Default)]
pub(super) struct Told {
    answers: Mutex<Vec<Vec<IpAddr>>>,
    pub(super) asked: AtomicUsize,
}

impl Told {
    pub(super) fn new(answers: &[&[&str]]) -> Arc<Self> {
        let parse = |answer: &&[&str]| answer.iter().map(|text| text.parse().unwrap()).collect();
        Arc::new(Self {
            answers: Mutex::new(answers.iter().rev().map(parse).collect()),
            asked: AtomicUsize::new(0),
        })
    }
}

impl Names for Told {
    fn look_up(&self, _host: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let mut answers = self.answers.lock().unwrap();
        let answer = match answers.len() {
            0 | 1 => answers.last().cloned().unwrap_or_default(),
            _ => answers.pop().unwrap(),
        };
        Box::pin(async move { Ok(answer) })
    }
}

/// A clock that stands at the present: upstreams that verify signatures have the machine's.
pub(super) fn clock() -> Arc<ManualClock> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the other end of the wire has a real clock"
    )]
    Arc::new(ManualClock::new(jiff::Timestamp::now()))
}

/// Bounds that a failing test does not wait long for.
pub(super) fn settings() -> GatewaySettings {
    GatewaySettings {
        connect_timeout: Duration::from_secs(5),
        upstream_head_timeout: Duration::from_secs(5),
        ..GatewaySettings::default()
    }
}

/// A client for which every name is this machine.
pub(super) fn client(settings: &GatewaySettings) -> Client {
    client_at(settings, clock())
}

pub(super) fn client_at(settings: &GatewaySettings, clock: Arc<ManualClock>) -> Client {
    Client::with_names(settings, clock, Told::new(&[&["127.0.0.1"]])).unwrap()
}

pub(super) fn provider(kind: ProviderKind, credential: Option<Credential>) -> Provider {
    Provider {
        id: ProviderId::from_bytes([7; 16]),
        slug: "upstream".to_owned(),
        kind,
        base_url: "https://upstream.test".to_owned(),
        site: Site {
            region: Some("us-east-1".to_owned()),
            ..Site::default()
        },
        credential,
        connection: Connection::default(),
        unpriced: UnpricedPolicy::default(),
        report_cost: ReportCost::default(),
        on_client_gone: OnClientGone::default(),
        prices: Vec::new(),
        cancel_stops_billing: true,
        allow_deferred: false,
        forward_trace: false,
    }
}

/// A provider whose URL came through an API.
pub(super) fn stranger() -> Provider {
    let mut provider = provider(ProviderKind::OpenAiCompatible, None);
    provider.connection.reach = NetworkReach::PublicOnly;
    provider
}

pub(super) fn post(url: &str, body: &'static str) -> Request<RequestBody> {
    let mut request = Request::new(RequestBody::from(Bytes::from(body)));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = url.parse().unwrap();
    request
}

/// The whole text of an answer.
pub(super) async fn text(
    client: &Client,
    provider: &Provider,
    url: &str,
) -> Result<String, SendError> {
    let answer = client.send(provider, post(url, "{}")).await?;
    let body = answer.body.collect().await.unwrap().to_bytes();
    Ok(String::from_utf8(body.to_vec()).unwrap())
}

/// Reads one head off a socket.
pub(super) async fn read_head(socket: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}
