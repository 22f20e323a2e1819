//! What passes through is what was sent, to the byte, but for the edits and headers that are named:
//! random requests met by recorded answers in random pieces, all through one gateway.

mod dice;
mod fixtures;
mod request;

use crate::support::{CREDENTIAL, Stage, provider, stage};
use bytes::Bytes;
use dice::Dice;
use fixtures::{Fixture, whole_answers};
use http::{HeaderMap, Method};
use request::{HOUSE_MODEL, Request, Route, request};
use tollgate_testkit::{Answer, Received, Upstream};

/// Headers of a client that go on, and others that do not.
const FROM_CLIENT: [(&str, &str); 7] = [
    ("accept", "*/*"),
    ("anthropic-beta", "a-1,b-2"),
    ("anthropic-version", "2026-10-21"),
    ("user-agent", "Canary/1.0 (x; y)"),
    ("x-stainless-lang", "python"),
    ("x-twice", "one"),
    ("x-twice", "two"),
];
const OF_CLIENT_ALONE: [(&str, &str); 8] = [
    ("accept-encoding", "gzip, br"),
    ("connection", "keep-alive, x-hop"),
    ("x-hop", "1"),
    ("cookie", "session=1"),
    ("openai-organization", "org-of-the-caller"),
    ("traceparent", "00-1-2-01"),
    ("via", "1.1 edge"),
    ("x-forwarded-for", "203.0.113.7"),
];

/// Headers of an upstream that go on, and others that do not.
const FROM_UPSTREAM: [(&str, &str); 6] = [
    ("openai-processing-ms", "17"),
    ("request-id", "req_theirs"),
    ("server", "theirs"),
    ("x-ratelimit-remaining-requests", "99"),
    ("x-twice", "one"),
    ("x-twice", "two"),
];
const OF_UPSTREAM_ALONE: [(&str, &str); 7] = [
    ("alt-svc", "h3=\":443\""),
    ("anthropic-organization-id", "org-of-the-operator"),
    ("connection", "x-hop"),
    ("openai-organization", "org-of-the-operator"),
    ("set-cookie", "__cf=1"),
    ("strict-transport-security", "max-age=1"),
    ("x-hop", "1"),
];

/// The routes: the stage's providers, the same with the cost in the body, and a group with a map,
/// where whoever speaks a format by birth comes before Google, which speaks OpenAI's too.
fn routes(upstream: &str) -> String {
    let priced = |slug, kind, base: &str| {
        let base = format!("{upstream}{base}");
        provider(slug, kind, &base, "report_cost = \"body\"")
    };
    let target = |priority, provider, model| {
        let models = format!("{{ \"{HOUSE_MODEL}\" = \"{model}\" }}");
        format!("{{ provider = \"{provider}\", priority = {priority}, models = {models} }},")
    };
    [
        priced("priced-openai", "openai", "/v1"),
        priced("priced-anthropic", "anthropic", ""),
        priced("priced-google", "google-gemini", ""),
        "[[routing_group]]\nslug = \"mapped\"\ntargets = [".to_owned(),
        target(0, "openai", "gpt-5.2"),
        target(0, "anthropic", "claude-sonnet-4-5"),
        target(1, "google", "gemini-2.5-flash"),
        "]".to_owned(),
    ]
    .concat()
}

#[tokio::test]
async fn bytes_and_headers_pass_but_for_the_named_edits() {
    let upstream = Upstream::start().await;
    let mut stage = stage(&upstream.url(), &routes(&upstream.url())).await;
    for (name, value) in FROM_CLIENT.into_iter().chain(OF_CLIENT_ALONE) {
        stage.client = stage.client.header(name, value);
    }
    let (fixtures, mut dice) = (whole_answers(), Dice(7));
    let mut seen = Seen::default();
    for _ in 0..240 {
        let fixture = fixtures.get(dice.below(fixtures.len())).unwrap();
        let route = Route::any(fixture, &mut dice);
        let request = request(fixture.endpoint, fixture.stream, route, &mut dice);
        let passed = pass(&stage, &upstream, fixture, &request, &mut dice).await;
        seen.note(route, &passed);
    }
    assert!(
        seen.costs.min(seen.mapped) > 30 && seen.withheld > 5,
        "{seen:?}"
    );
    assert_eq!(stage.books().await.entries.len(), 240);
}

/// What was met, so that a test that meets nothing fails.
#[derive(Debug, Default)]
struct Seen {
    costs: usize,
    withheld: usize,
    mapped: usize,
}

impl Seen {
    fn note(&mut self, route: Route, passed: &Passed) {
        self.costs += usize::from(passed.cost);
        self.withheld += usize::from(passed.withheld);
        self.mapped += usize::from(route == Route::Mapped);
    }
}

/// Which edits an answer had.
struct Passed {
    cost: bool,
    withheld: bool,
}

/// Sends one request through, and compares both ways.
async fn pass(
    stage: &Stage,
    upstream: &Upstream,
    fixture: &Fixture,
    request: &Request,
    dice: &mut Dice,
) -> Passed {
    let largest = [1, 7, 64, 1_000].get(dice.below(4)).copied().unwrap_or(1);
    let sizes: Vec<_> = (0..64).map(|_| dice.below(largest) + 1).collect();
    upstream.answer(with_headers(fixture.answer(&sizes)));
    let body = Bytes::copy_from_slice(request.body.as_bytes());
    let answered = stage.client.send(Method::POST, &request.path, body).await;
    let id = &fixture.id;
    assert_eq!(answered.status, 200, "{id}: {}", request.path);
    assert_to_client(&answered.headers, &fixture.content_type);
    let text = answered.text().await;
    assert_to_upstream(&upstream.requests().pop().unwrap(), request);
    let expected = if request.asks_for_usage {
        fixture.without_usage_events()
    } else {
        fixture.body.clone()
    };
    let without_cost = without_cost(&text);
    assert_eq!(without_cost, expected, "{id}: the client got other bytes");
    let priced = request.path.contains("/priced-");
    assert!(
        priced || text == without_cost,
        "{id}: a cost nobody asked for"
    );
    Passed {
        cost: text != without_cost,
        withheld: expected != fixture.body,
    }
}

fn with_headers(mut answer: Answer) -> Answer {
    for (name, value) in FROM_UPSTREAM.into_iter().chain(OF_UPSTREAM_ALONE) {
        answer = answer.header(name, value);
    }
    answer
}

/// Takes the costs out again, which the gateway wrote into an answer.
fn without_cost(text: &str) -> String {
    let marks = [
        (
            r#",{"text":"","partMetadata":{"logfire_ai_gateway":{"cost":""#,
            r#""}}}"#,
        ),
        (r#""logfire_ai_gateway":{"cost":""#, r#""},"#),
    ];
    let mut text = text.to_owned();
    for (open, close) in marks {
        while let Some((before, rest)) = text.split_once(open) {
            let (_cost, after) = rest.split_once(close).expect("an insertion is whole");
            text = format!("{before}{after}");
        }
    }
    text
}

fn assert_to_client(headers: &HeaderMap, content_type: &str) {
    let ours = |name: &str| {
        ["tollgate-", "logfire-", "pydantic-"]
            .iter()
            .any(|start| name.starts_with(start))
            || ["date", "content-length", "transfer-encoding"].contains(&name)
    };
    let pairs = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.to_str().unwrap()));
    let mut theirs: Vec<_> = pairs.filter(|(name, _)| !ours(name)).collect();
    theirs.sort_unstable();
    let mut expected = FROM_UPSTREAM.to_vec();
    expected.push(("content-type", content_type));
    expected.sort_unstable();
    assert_eq!(theirs, expected);
}

fn assert_to_upstream(received: &Received, request: &Request) {
    assert_eq!(received.target, request.upstream_path);
    assert_eq!(
        String::from_utf8_lossy(&received.body),
        request.upstream_body
    );
    let length = request.upstream_body.len().to_string();
    let credential = if request.upstream_path.contains("messages") {
        ("x-api-key", CREDENTIAL.to_owned())
    } else if request.upstream_path.contains("v1beta") {
        ("x-goog-api-key", CREDENTIAL.to_owned())
    } else {
        ("authorization", format!("Bearer {CREDENTIAL}"))
    };
    let mut expected = FROM_CLIENT.to_vec();
    expected.extend([
        ("accept-encoding", "identity"),
        ("content-length", &*length),
        ("content-type", "application/json"),
        (credential.0, &*credential.1),
        ("host", received.header("host").unwrap()),
    ]);
    expected.sort_unstable();
    let pairs = received
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    let mut sent: Vec<_> = pairs.collect();
    sent.sort_unstable();
    assert_eq!(sent, expected);
}
