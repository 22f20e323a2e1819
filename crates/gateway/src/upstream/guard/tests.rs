use super::*;
use crate::upstream::{
    failure::FailureClass,
    scene::{self, Told, settings, stranger, text},
};
use std::sync::atomic::Ordering;
use tollgate_testkit::{Answer, Upstream};

#[test]
fn only_addresses_of_the_public_internet_are_public() {
    let table = [
        ("8.8.8.8", true),
        ("1.1.1.1", true),
        ("100.63.255.255", true),
        ("100.128.0.1", true),
        ("172.15.255.255", true),
        ("172.32.0.1", true),
        ("192.169.0.1", true),
        ("198.17.255.255", true),
        ("198.20.0.1", true),
        ("223.255.255.255", true),
        // This host, this network.
        ("0.0.0.0", false),
        ("0.1.2.3", false),
        ("127.0.0.1", false),
        ("127.255.255.254", false),
        // Private.
        ("10.0.0.1", false),
        ("172.16.0.1", false),
        ("172.31.255.255", false),
        ("192.168.1.1", false),
        // Carrier-grade NAT, with Alibaba's metadata server.
        ("100.64.0.1", false),
        ("100.100.100.200", false),
        ("100.127.255.255", false),
        // Link-local, with the metadata servers of AWS, Google and Azure.
        ("169.254.0.1", false),
        ("169.254.169.254", false),
        ("169.254.170.2", false),
        // Protocol assignments, with Oracle's metadata server.
        ("192.0.0.192", false),
        // Azure's platform.
        ("168.63.129.16", false),
        ("168.63.129.17", true),
        // Documentation, benchmarks, 6to4 relays.
        ("192.0.2.1", false),
        ("198.51.100.1", false),
        ("203.0.113.1", false),
        ("198.18.0.1", false),
        ("198.19.255.255", false),
        ("192.88.99.1", false),
        // Multicast, reserved, broadcast.
        ("224.0.0.1", false),
        ("239.255.255.255", false),
        ("240.0.0.1", false),
        ("255.255.255.255", false),
        ("2606:4700:4700::1111", true),
        ("2a00:1450:4001::200e", true),
        ("2001:4860:4860::8888", true),
        ("2001:200::1", true),
        ("::", false),
        ("::1", false),
        // IPv4 inside: mapped, compatible, translated, 6to4, Teredo.
        ("::ffff:8.8.8.8", false),
        ("::ffff:127.0.0.1", false),
        ("::127.0.0.1", false),
        ("64:ff9b::8.8.8.8", false),
        ("64:ff9b:1::a00:1", false),
        ("2002:7f00:1::", false),
        ("2001::1", false),
        // Unique local, with the metadata server of AWS; link-local; site-local.
        ("fd00:ec2::254", false),
        ("fc00::1", false),
        ("fe80::1", false),
        ("fec0::1", false),
        // Documentation, discard, segment routing, multicast.
        ("2001:db8::1", false),
        ("3fff::1", false),
        ("3fff:fff::1", false),
        ("3fff:1000::1", true),
        ("100::1", false),
        ("5f00::1", false),
        ("ff02::1", false),
    ];
    for (address, public) in table {
        assert_eq!(is_public(address.parse().unwrap()), public, "{address}");
    }
}

fn client(names: Arc<Told>) -> crate::upstream::Client {
    crate::upstream::Client::with_names(&settings(), scene::clock(), names).unwrap()
}

#[tokio::test]
async fn a_private_address_is_not_dialled_however_it_is_written() {
    let upstream = Upstream::start().await;
    let port = upstream.address().port();
    let client = client(Told::new(&[&["127.0.0.1"]]));
    for host in ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "upstream.test"] {
        let url = format!("http://{host}:{port}/v1");
        let failure = text(&client, &stranger(), &url).await.unwrap_err();
        assert_eq!(failure.class, FailureClass::Unreachable, "{host}");
        assert!(!failure.may_have_arrived, "{host}");
        let context = failure.error.context().unwrap();
        assert!(context.contains("is not a public address"), "{context}");
    }
    assert!(upstream.requests().is_empty());
}

/// Numbers that are no address in dotted form are names to us; the platform's resolver reads them
/// as addresses, and those are checked.
#[tokio::test]
async fn an_address_in_disguise_is_checked_as_what_it_resolves_to() {
    let system = crate::upstream::Client::new(&settings(), scene::clock()).unwrap();
    for host in ["2130706433", "127.1", "0x7f000001", "localhost"] {
        let url = format!("http://{host}:9/v1");
        let failure = text(&system, &stranger(), &url).await.unwrap_err();
        assert_eq!(failure.class, FailureClass::Unreachable, "{host}");
        let context = failure.error.context().unwrap();
        assert!(
            !context.contains("refused"),
            "{host} was dialled: {context}"
        );
    }
}

#[tokio::test]
async fn a_name_that_changes_its_mind_is_dialled_where_it_was_checked() {
    let upstream = Upstream::start().await;
    let names = Told::new(&[&["10.0.0.1", "192.0.2.1"], &["127.0.0.1"]]);
    let guard = Guard {
        names: Arc::clone(&names) as Arc<dyn Names>,
        reach: NetworkReach::PublicOnly,
    };
    guard.look_up("rebinding.test").await.unwrap_err();
    assert_eq!(names.asked.load(Ordering::Relaxed), 1);

    // First a public address, then this machine: one look-up per connection, and its answer is
    // what is dialled. The public address leads nowhere from here.
    let names = Told::new(&[&["240.0.0.1", "9.9.9.9"], &["127.0.0.1"]]);
    let guard = Guard {
        names: Arc::clone(&names) as Arc<dyn Names>,
        reach: NetworkReach::PublicOnly,
    };
    let found = guard.look_up("rebinding.test").await.unwrap();
    assert_eq!(found, ["9.9.9.9".parse::<IpAddr>().unwrap()]);

    let names = Told::new(&[&["8.8.8.8"], &["127.0.0.1"]]);
    let client = client(Arc::clone(&names));
    let url = format!("http://rebinding.test:{}/v1", upstream.address().port());
    let mut provider = stranger();
    provider.connection.connect_timeout = Some(std::time::Duration::from_millis(200));
    text(&client, &provider, &url).await.unwrap_err();
    assert_eq!(names.asked.load(Ordering::Relaxed), 1);
    assert!(
        upstream.requests().is_empty(),
        "the second answer was dialled"
    );
}

#[tokio::test]
async fn the_settings_file_s_providers_and_allowed_networks_reach_private_addresses() {
    let upstream = Upstream::start().await;
    upstream.always(Answer::new(200, "text/plain", "hello"));
    let url = format!("http://upstream.test:{}/v1", upstream.address().port());
    let mut of_file = stranger();
    of_file.connection.reach = NetworkReach::Any;
    let client = client(Told::new(&[&["127.0.0.1"]]));
    assert_eq!(text(&client, &of_file, &url).await.unwrap(), "hello");

    let mut settings = settings();
    settings.allow_private_networks = true;
    let client = scene::client(&settings);
    assert_eq!(text(&client, &stranger(), &url).await.unwrap(), "hello");
    assert_eq!(
        text(&client, &stranger(), &upstream.url()).await.unwrap(),
        "hello"
    );
}
