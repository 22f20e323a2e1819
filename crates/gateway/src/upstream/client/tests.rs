use super::*;
use crate::upstream::{
    failure::FailureClass,
    scene::{self, post, provider, settings, stranger, text},
};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use tollgate_core::{
    error::Kind,
    provider::{Connection, ProviderKind},
    secret::Secret,
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
        (
            at("/reset").replace("http:", "https:"),
            FailureClass::Tls,
            false,
        ),
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

async fn read_head(socket: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
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

/// A proxy that connects whoever asks to one address; gives what it was asked.
async fn connecting_proxy(
    to: String,
    status: &'static str,
) -> (String, tokio::sync::mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (tell, told) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            tell.send(read_head(&mut socket).await).unwrap();
            let mut upstream = TcpStream::connect(&to).await.unwrap();
            socket
                .write_all(format!("HTTP/1.1 {status}\r\n\r\n").as_bytes())
                .await
                .unwrap();
            tokio::spawn(async move {
                let _gone = tokio::io::copy_bidirectional(&mut socket, &mut upstream).await;
            });
        }
    });
    (address, told)
}

#[tokio::test]
async fn a_host_is_reached_through_a_tunnel_of_the_proxy() {
    let certificates = Certificates::for_loopback();
    let plain_upstream = Upstream::start().await;
    let secure_upstream = Upstream::start_tls(&certificates).await;
    for (upstream, url, asked) in [
        (
            &plain_upstream,
            "http://model.test/v1",
            "CONNECT model.test:80 HTTP/1.1",
        ),
        (
            &plain_upstream,
            "http://model.test:8080/v1",
            "CONNECT model.test:8080 HTTP/1.1",
        ),
        (
            &secure_upstream,
            "https://model.test/v1",
            "CONNECT model.test:443 HTTP/1.1",
        ),
    ] {
        upstream.always(hello());
        let to = upstream.address().to_string();
        let (proxy, mut told) = connecting_proxy(to, "200 OK").await;
        let mut settings = settings();
        settings.proxy = Some(Secret::new(format!("http://user:p%40ss@{proxy}")));
        let client = scene::client(&settings);
        let mut provider = plain();
        provider.connection.ca_pem = Some(certificates.authority_pem.clone());
        let sent = text(&client, &provider, url).await;
        let head = told.recv().await.unwrap();
        assert_eq!(head.lines().next(), Some(asked));
        // user:p@ss
        assert!(
            head.contains("\r\nProxy-Authorization: Basic dXNlcjpwQHNz\r\n"),
            "{head}"
        );
        match sent {
            Ok(text) => assert_eq!(text, "hello"),
            // The certificate is for this machine: TLS is with the host, not with the proxy.
            Err(failure) => assert_eq!(
                (failure.class, url),
                (FailureClass::Tls, "https://model.test/v1")
            ),
        }
    }
}

#[tokio::test]
async fn the_proxy_is_passed_by_for_what_is_named_and_refusals_of_it_are_told() {
    let upstream = Upstream::start().await;
    upstream.always(hello());
    let mut settings = settings();
    let refusing = Upstream::refusing().await;
    settings.proxy = Some(Secret::new(refusing));
    settings.no_proxy = vec!["internal.test".to_owned()];
    let client = scene::client(&settings);
    let url = |host: &str| format!("http://{host}:{}/v1", upstream.address().port());
    for near in [
        "internal.test",
        "llm.internal.test",
        "127.0.0.1",
        "localhost",
    ] {
        assert_eq!(
            text(&client, &plain(), &url(near)).await.unwrap(),
            "hello",
            "{near}"
        );
    }
    let beyond = text(&client, &plain(), &url("model.test"))
        .await
        .unwrap_err();
    assert_eq!(beyond.class, FailureClass::Unreachable);
    assert!(!beyond.may_have_arrived);

    let to = upstream.address().to_string();
    let (proxy, _told) = connecting_proxy(to, "407 Proxy Authentication Required").await;
    settings.proxy = Some(Secret::new(format!("http://user:hunter2@{proxy}")));
    let client = scene::client(&settings);
    let beyond = text(&client, &plain(), &url("model.test"))
        .await
        .unwrap_err();
    assert_eq!(beyond.class, FailureClass::Unreachable);
    let context = beyond.error.context().unwrap();
    assert!(
        context.contains("proxy authorization required"),
        "{context}"
    );
    assert!(!format!("{beyond:?}").contains("hunter2"));
}

/// The proxy would dial it from inside the operator's network.
#[tokio::test]
async fn a_provider_set_through_an_api_cannot_have_the_proxy_dial_inside() {
    let upstream = Upstream::start().await;
    upstream.always(hello());
    let to = upstream.address().to_string();
    let (proxy, mut told) = connecting_proxy(to, "200 OK").await;
    let mut settings = settings();
    settings.proxy = Some(Secret::new(format!("http://{proxy}")));
    let inside = scene::client(&settings);
    for host in ["inside.test", "10.0.0.1", "[fd00::1]"] {
        let url = format!("http://{host}/v1");
        let failure = text(&inside, &stranger(), &url).await.unwrap_err();
        assert_eq!(failure.class, FailureClass::Unreachable, "{host}");
    }
    assert!(told.try_recv().is_err(), "the proxy was asked");

    let names = scene::Told::new(&[&["8.8.8.8"]]);
    let outside = Client::with_names(&settings, scene::clock(), names).unwrap();
    let url = "http://outside.test/v1";
    assert_eq!(text(&outside, &stranger(), url).await.unwrap(), "hello");
    assert!(
        told.recv()
            .await
            .unwrap()
            .starts_with("CONNECT outside.test:80")
    );
}

#[tokio::test]
async fn a_proxy_that_is_no_url_is_refused_at_the_start() {
    let mut settings = settings();
    settings.proxy = Some(Secret::new("socks5://user:hunter2@proxy.test"));
    let refused = Client::new(&settings, scene::clock()).err().unwrap();
    assert!(matches!(refused, ClientError::Proxy));
    assert!(!refused.to_string().contains("hunter2"));
}
