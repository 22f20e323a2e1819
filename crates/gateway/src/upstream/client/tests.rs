use super::*;
use crate::upstream::{
    failure::FailureClass,
    scene::{self, post, provider, read_head, settings, text},
};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};
use tollgate_core::{
    error::Kind,
    provider::{Connection, ProviderKind},
};
use tollgate_testkit::{Answer as Scripted, Chunk, End, Upstream, certificates::Certificates};

fn plain() -> Provider {
    provider(ProviderKind::OpenAiCompatible, None)
}

fn hello() -> Scripted {
    Scripted::new(200, "text/plain", "hello")
}

async fn failure(client: &Client, provider: &Provider, url: &str) -> SendError {
    text(client, provider, url).await.unwrap_err()
}

/// Takes connections and closes them: TLS begins and never comes to anything.
async fn closing_server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            let _hello = socket.read_u8().await;
        }
    });
    url
}

/// What is in the way, by what it looks like from here.
#[tokio::test]
async fn a_failure_before_the_head_has_a_class() {
    let client = scene::client(&settings());
    let mut impatient = plain();
    impatient.connection = Connection {
        connect_timeout: Some(Duration::from_millis(100)),
        head_timeout: Some(Duration::from_millis(100)),
        ..Connection::default()
    };
    let upstream = Upstream::start().await;
    upstream.answer_at(
        "/reset",
        Scripted {
            head: None,
            chunks: Vec::new(),
            then: End::Reset,
            ..hello()
        },
    );
    upstream.answer_at(
        "/cut",
        Scripted {
            head: None,
            chunks: Vec::new(),
            then: End::Cut,
            ..hello()
        },
    );
    upstream.answer_at(
        "/silent",
        Scripted {
            head: None,
            chunks: Vec::new(),
            then: End::Stall,
            ..hello()
        },
    );
    upstream.answer_at("/garbage", Scripted::raw("SSH-2.0-OpenSSH_9.9\r\n\r\n"));
    upstream.answer_at("/packed", hello().header("content-encoding", "br"));
    // Takes connections and says nothing: TLS never begins.
    let mute = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mute = mute.local_addr().unwrap();
    let at = |path: &str| format!("{}{path}", upstream.url());
    let cases = [
        (Upstream::refusing().await, FailureClass::Unreachable, false),
        (
            format!("https://{mute}/"),
            FailureClass::ConnectTimeout,
            false,
        ),
        (closing_server().await, FailureClass::Tls, false),
        (at("/silent"), FailureClass::HeadTimeout, true),
        (at("/reset"), FailureClass::Reset, true),
        (at("/cut"), FailureClass::Reset, true),
        (at("/garbage"), FailureClass::Garbled, true),
        (at("/packed"), FailureClass::Garbled, true),
    ];
    for (url, class, may_have_arrived) in cases {
        let failure = failure(&client, &impatient, &url).await;
        assert_eq!(failure.class, class, "{url}: {failure:?}");
        assert_eq!(failure.may_have_arrived, may_have_arrived, "{url}");
    }
}

#[tokio::test]
async fn a_name_that_leads_nowhere_is_unreachable() {
    let names = scene::Told::new(&[&[]]);
    let client = Client::with_names(&settings(), scene::clock(), names).unwrap();
    let failure = failure(&client, &plain(), "http://nowhere.test/v1").await;
    assert_eq!(failure.class, FailureClass::Unreachable);
    assert_eq!(failure.error.kind(), Kind::UpstreamUnreachable);
    let context = failure.error.context().unwrap();
    assert!(context.contains("nowhere.test has no address"), "{context}");
}

#[tokio::test]
async fn an_authority_of_its_own_is_trusted_for_that_provider_alone() {
    let certificates = Certificates::for_loopback();
    let upstream = Upstream::start_tls(&certificates).await;
    upstream.always(hello());
    let url = format!("https://localhost:{}/v1", upstream.address().port());
    let client = scene::client(&settings());
    let mut trusting = plain();
    trusting.connection.ca_pem = Some(certificates.authority_pem.clone());
    assert_eq!(text(&client, &trusting, &url).await.unwrap(), "hello");

    // The connection that the other provider opened is not lent out.
    let failure = failure(&client, &plain(), &url).await;
    assert_eq!(failure.class, FailureClass::Tls);
    assert!(!failure.may_have_arrived);

    // Trust in the authority is not trust in any name.
    let url = url.replace("localhost", "elsewhere.test");
    let failure = text(&client, &trusting, &url).await.unwrap_err();
    assert_eq!(failure.class, FailureClass::Tls);

    let mut broken = plain();
    broken.connection.ca_pem = Some("no certificate".to_owned());
    let failure = text(&client, &broken, &url).await.unwrap_err();
    assert_eq!(failure.class, FailureClass::Tls);
    assert!(
        failure
            .error
            .context()
            .unwrap()
            .contains("holds no certificate")
    );
}

/// With a pool per HTTP/2 connection, about a hundred would be under way at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_streams_to_one_host_run_at_once() {
    const STREAMS: usize = 2_000;
    let most = rustix::process::getrlimit(rustix::process::Resource::Nofile).maximum;
    let raised = rustix::process::Rlimit {
        current: most,
        maximum: most,
    };
    rustix::process::setrlimit(rustix::process::Resource::Nofile, raised).unwrap();
    let upstream = Upstream::start().await;
    // Not one ends, so not one makes room for another.
    upstream.always(Scripted {
        then: End::Stall,
        chunks: vec![Chunk::now("data: 1\n\n")],
        ..Scripted::sse([""])
    });
    let client = scene::client(&settings());
    let mut streams = Vec::new();
    for _ in 0..STREAMS {
        let (client, url) = (client.clone(), upstream.url());
        streams.push(tokio::spawn(async move {
            let mut answer = client.send(&plain(), post(&url, "{}")).await.unwrap();
            let first = answer.body.frame().await.unwrap().unwrap();
            assert_eq!(first.into_data().unwrap(), "data: 1\n\n");
            answer
        }));
    }
    let mut open = Vec::new();
    for stream in streams {
        open.push(stream.await.unwrap());
    }
    assert_eq!(upstream.requests().len(), STREAMS);
    assert_eq!(open.len(), STREAMS);
}

#[tokio::test]
async fn connections_made_alike_share_a_pool_whoever_they_are_for() {
    let upstream = Upstream::start().await;
    upstream.always(hello());
    let client = scene::client(&settings());
    for _revision in 0..3 {
        let mut other = plain();
        other.slug = "other".to_owned();
        for provider in [plain(), other] {
            text(&client, &provider, &upstream.url()).await.unwrap();
        }
    }
    assert_eq!(client.transport.pools(), 1);
    let mut hasty = plain();
    hasty.connection.connect_timeout = Some(Duration::from_secs(1));
    text(&client, &hasty, &upstream.url()).await.unwrap();
    assert_eq!(client.transport.pools(), 2);
}

/// Answers every request with a 101 and echoes, or with a refusal.
async fn echoing_server(switches: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/socket", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let _head = read_head(&mut socket).await;
        if !switches {
            let refusal = b"HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno";
            socket.write_all(refusal).await.unwrap();
            return;
        }
        let head = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\n\
                    upgrade: echo\r\nx-said: hi\r\n\r\n";
        socket.write_all(head.as_bytes()).await.unwrap();
        let (mut read, mut write) = socket.split();
        let _gone = tokio::io::copy(&mut read, &mut write).await;
    });
    url
}

fn wanting_echo(url: &str) -> Request<RequestBody> {
    let mut request = post(url, "");
    *request.method_mut() = http::Method::GET;
    *request.body_mut() = RequestBody::default();
    let headers = request.headers_mut();
    headers.insert("connection", "Upgrade".parse().unwrap());
    headers.insert("upgrade", "echo".parse().unwrap());
    request
}

#[tokio::test]
async fn a_connection_that_switches_protocols_is_handed_over() {
    let url = echoing_server(true).await;
    let client = scene::client(&settings());
    let upgrade = client.upgrade(&plain(), wanting_echo(&url)).await.unwrap();
    let Upgrade::Switched {
        headers,
        mut socket,
    } = upgrade
    else {
        panic!("it switched");
    };
    assert_eq!(headers.get("x-said").unwrap(), "hi");
    socket.write_all(b"ping").await.unwrap();
    let mut echoed = [0; 4];
    socket.read_exact(&mut echoed).await.unwrap();
    assert_eq!(&echoed, b"ping");
}

#[tokio::test]
async fn a_refusal_to_switch_protocols_is_an_answer() {
    let url = echoing_server(false).await;
    let client = scene::client(&settings());
    let upgrade = client.upgrade(&plain(), wanting_echo(&url)).await.unwrap();
    let Upgrade::Refused(answer) = upgrade else {
        panic!("it refused");
    };
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(answer.body.collect().await.unwrap().to_bytes(), "no");
}
