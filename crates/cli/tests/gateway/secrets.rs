//! Secrets stay where they belong: no key of a caller and no address goes upstream, no credential
//! of the operator reaches a caller, and neither stands in a log or in the data directory.
//!
//! Everything below is asked once with all secrets in place, with the log at its most talkative;
//! then every byte that left the gateway is searched.

use crate::support::{
    CHAT, CREDENTIAL, GEMINI, KEY, MESSAGES, Stage, chat, chat_stream, command, contents, message,
    provider, read, stage, start,
};
use http::StatusCode;
use std::path::Path;
use tollgate_testkit::{Answer, Client, Upstream, client::Answered};

const TRACE: &str = "[log]\nfilter = \"trace\"";

/// What a caller sends besides its key, and nobody upstream may see.
const OF_THE_CALLER: [(&str, &str); 8] = [
    ("cookie", "session=canary-cookie"),
    ("x-forwarded-for", "203.0.113.77"),
    ("forwarded", "for=203.0.113.77"),
    ("x-real-ip", "203.0.113.77"),
    ("cf-connecting-ip", "203.0.113.77"),
    ("true-client-ip", "203.0.113.77"),
    ("x-goog-api-key", KEY),
    ("proxy-authorization", "Basic canary-proxy"),
];

fn holds(bytes: &[u8], needle: &str) -> bool {
    memchr::memmem::find(bytes, needle.as_bytes()).is_some()
}

/// A provider whose credential stands in the query, and one that is not there.
fn more_providers(upstream: &str, refusing: &str) -> String {
    let in_query = provider("in-query", "openai-compatible", upstream, "");
    let in_query = in_query.replace(" }", ", placement = \"query:subscription-key\" }");
    let away = provider("away", "openai-compatible", refusing, "");
    let away = away.replace(" }", ", placement = \"query:subscription-key\" }");
    format!("{in_query}{away}{TRACE}")
}

/// Asks for everything there is, over HTTP/1.1 and HTTP/2; gives all that the callers got.
async fn ask_all(stage: &Stage, upstream: &Upstream, key: &str) -> Vec<String> {
    let mut told = Vec::new();
    let clients = [
        Client::new(stage.gateway.url()),
        Client::http2(stage.gateway.url()),
    ];
    for mut client in clients {
        client = client.bearer(key);
        for (name, value) in OF_THE_CALLER {
            client = client.header(name, if value == KEY { key } else { value });
        }
        let with_key = format!("{GEMINI}?key={key}&alt=json&access_token={key}");
        for (path, body) in [
            (CHAT, chat("hi")),
            (CHAT, chat_stream("hi")),
            (MESSAGES, message("hi")),
            (&with_key, contents("hi")),
            ("/proxy/in-query/chat/completions", chat("hi")),
            ("/proxy/away/chat/completions", chat("hi")),
            ("/proxy/nowhere/chat/completions", chat("hi")),
        ] {
            told.push(all_of(client.post(path, &body).await).await);
        }
        let echo = format!("Incorrect API key provided: {CREDENTIAL}, {key}");
        for status in [401, 402, 403] {
            let echo = Answer::new(status, "text/plain", echo.clone());
            upstream.answer(echo.header("www-authenticate", CREDENTIAL));
            let answered = client.post(CHAT, &chat("hi")).await;
            assert_eq!(answered.status, StatusCode::BAD_GATEWAY);
            told.push(all_of(answered).await);
        }
        told.push(all_of(client.get("/proxy/models").await).await);
    }
    told
}

/// Head and body of an answer.
async fn all_of(answered: Answered) -> String {
    let head = format!("{:?}", answered.headers);
    head + &read(answered).await.0
}

/// A gateway that has seen every secret, the upstream it sent to, and a key that it made.
async fn talkative() -> (Stage, Upstream, String, Vec<String>) {
    let upstream = Upstream::provider().await;
    let more = more_providers(&upstream.url(), &Upstream::refusing().await);
    let Stage {
        launch, gateway, ..
    } = stage(&upstream.url(), &more).await;
    gateway.stop().await;
    let made = command(&launch, &["keys", "create", "made", "--project", "stage"]);
    let made = made.trim().to_owned();
    let stage = start(launch).await;
    let mut told = ask_all(&stage, &upstream, KEY).await;
    told.extend(ask_all(&stage, &upstream, &made).await);
    (stage, upstream, made, told)
}

#[tokio::test]
async fn no_key_cookie_or_address_of_a_caller_goes_upstream() {
    let (stage, upstream, made, _) = talkative().await;
    let requests = upstream.requests();
    assert!(requests.len() > 20, "much was sent");
    for request in requests {
        let all = format!("{request:?}");
        for secret in [KEY, &made, "canary-cookie", "canary-proxy", "203.0.113.77"] {
            assert!(!holds(all.as_bytes(), secret), "{secret} in {all}");
        }
        assert!(
            all.contains(CREDENTIAL),
            "and it was ours that was presented: {all}"
        );
    }
    stage.gateway.stop().await;
}

#[tokio::test]
async fn no_credential_of_the_operator_reaches_a_caller() {
    let (stage, _upstream, _, told) = talkative().await;
    for answer in told {
        assert!(!holds(answer.as_bytes(), CREDENTIAL), "{answer}");
    }
    stage.gateway.stop().await;
}

#[tokio::test]
async fn no_secret_stands_in_the_log_however_much_it_says() {
    let (stage, _upstream, made, _) = talkative().await;
    let log = stage.books().await.log;
    assert!(log.len() > 1_000, "it said much: {} lines", log.len());
    for line in log {
        for secret in [KEY, CREDENTIAL, &made, "canary-cookie", "canary-proxy"] {
            assert!(!holds(line.as_bytes(), secret), "{line}");
        }
    }
}

#[tokio::test]
async fn no_secret_stands_in_the_data_directory_or_in_what_commands_print() {
    let (stage, _upstream, made, _) = talkative().await;
    let launch = stage.launch.clone();
    // Killed, it leaves the write-ahead log and its slots; stopped, the database alone.
    stage.gateway.kill().await;
    let left_by_a_crash = search(&launch.data_dir(), &made);
    assert!(left_by_a_crash > 3, "{left_by_a_crash} files");
    start(launch.clone()).await.gateway.stop().await;
    search(&launch.data_dir(), &made);
    for words in [
        ["config", "show", "--json"],
        ["keys", "list", "--json"],
        ["usage", "--by=key", "--json"],
    ] {
        let printed = command(&launch, &words);
        for secret in [KEY, CREDENTIAL, &made] {
            assert!(!holds(printed.as_bytes(), secret), "{printed}");
        }
    }
}

/// Looks for the secrets in every file; gives how many there are.
fn search(directory: &Path, made: &str) -> usize {
    let files = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let contents = files.map(|path| (std::fs::read(&path).unwrap(), path));
    contents
        .inspect(|(bytes, path)| {
            for secret in [KEY, CREDENTIAL, made, "canary-cookie", "canary-proxy"] {
                assert!(!holds(bytes, secret), "{secret} in {}", path.display());
            }
        })
        .count()
}
