use super::*;
use crate::upstream::{
    client::Client,
    failure::FailureClass,
    scene::{self, provider, read_head, settings, stranger, text},
};
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpListener, TcpStream},
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
};
use tollgate_core::provider::{Provider, ProviderKind};
use tollgate_testkit::{Answer, Certificates, Upstream};

fn proxies(past: &[&str]) -> Proxies {
    let past: Vec<_> = past.iter().map(|&entry| entry.to_owned()).collect();
    Proxies::new(&Secret::new("http://user:pass@proxy.test:3128"), &past).unwrap()
}

fn is_proxied(proxies: &Proxies, url: &str) -> bool {
    proxies.between(&url.parse().unwrap()).is_some()
}

#[test]
fn everything_goes_through_the_proxy_but_what_is_named_and_what_is_near() {
    let proxies = proxies(&["internal.test", "10.0.0.0/8", "192.0.2.7"]);
    for url in [
        "https://api.openai.com/v1",
        "http://example.test",
        "https://8.8.8.8",
    ] {
        assert!(is_proxied(&proxies, url), "{url}");
    }
    for url in [
        "https://internal.test",
        "https://llm.internal.test",
        "http://10.1.2.3:11434",
        "https://192.0.2.7",
        "http://localhost:11434",
        "http://127.0.0.1",
        "http://[::1]:80",
        "http://169.254.169.254/latest",
        "http://[fd00:ec2::254]/latest",
        "http://metadata.google.internal/computeMetadata",
    ] {
        assert!(!is_proxied(&proxies, url), "{url}");
    }
}

#[test]
fn a_proxy_is_a_url_with_a_host() {
    for url in ["", "proxy", "socks5://proxy.test", "http://", "/path"] {
        assert!(Proxies::new(&Secret::new(url), &[]).is_none(), "{url}");
    }
}

fn plain() -> Provider {
    provider(ProviderKind::OpenAiCompatible, None)
}

fn hello() -> Answer {
    Answer::new(200, "text/plain", "hello")
}

/// A proxy that connects whoever asks to one address; gives what it was asked.
async fn connecting_proxy(to: String, status: &'static str) -> (String, UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (tell, told) = unbounded_channel();
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

    // A name that changes its mind when the proxy looks it up gains nothing.
    for (addresses, dialled) in [
        (&["2606:4700::1111", "8.8.8.8"][..], "8.8.8.8:80"),
        (&["2606:4700::1111"], "[2606:4700::1111]:80"),
    ] {
        let names = scene::Told::new(&[addresses]);
        let outside = Client::with_names(&settings, scene::clock(), names).unwrap();
        let url = "http://outside.test/v1";
        assert_eq!(text(&outside, &stranger(), url).await.unwrap(), "hello");
        let head = told.recv().await.unwrap();
        let expected = format!("CONNECT {dialled} HTTP/1.1");
        assert_eq!(head.lines().next(), Some(expected.as_str()));
    }
    let last = upstream.requests().pop().unwrap();
    assert_eq!(last.header("host"), Some("outside.test"));
}

#[tokio::test]
async fn tls_through_a_checked_address_is_with_the_name() {
    let certificates = Certificates::for_loopback();
    let upstream = Upstream::start_tls(&certificates).await;
    upstream.always(hello());
    let to = upstream.address().to_string();
    let (proxy, mut told) = connecting_proxy(to, "200 OK").await;
    let mut settings = settings();
    settings.proxy = Some(Secret::new(format!("http://{proxy}")));
    let names = scene::Told::new(&[&["8.8.8.8"]]);
    let client = Client::with_names(&settings, scene::clock(), names).unwrap();
    let mut stranger = stranger();
    stranger.connection.ca_pem = Some(certificates.authority_pem.clone());
    let failure = text(&client, &stranger, "https://model.test/v1").await;
    let failure = failure.unwrap_err();
    assert!(
        told.recv()
            .await
            .unwrap()
            .starts_with("CONNECT 8.8.8.8:443")
    );
    // The certificate is for this machine: it is the name that it is checked against.
    assert_eq!(failure.class, FailureClass::Tls);
    let context = failure.error.context().unwrap();
    assert!(context.contains("model.test"), "{context}");
}

#[tokio::test]
async fn a_proxy_that_is_no_url_is_refused_at_the_start() {
    let mut settings = settings();
    settings.proxy = Some(Secret::new("socks5://user:hunter2@proxy.test"));
    let refused = Client::new(&settings, scene::clock()).err().unwrap();
    assert!(matches!(refused, crate::upstream::ClientError::Proxy));
    assert!(!refused.to_string().contains("hunter2"));
}
