//! `tollgate providers`: what there is, and whether it works.

use super::{provisioned, transcript};
use serde_json::json;
use std::{fs, net::TcpListener, path::Path};
use tempfile::TempDir;
use tollgate_testkit::{Answer, Upstream};

/// What the scripted providers must never see repeated.
const SECRET: &str = "sk-proj-hunter2hunter2";

/// A directory with a settings file that declares the provider `one`.
fn declares(kind: &str, base_url: &str) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let text = format!(
        "[[provider]]\nslug = \"one\"\nkind = \"{kind}\"\nbase_url = \"{base_url}\"\n\
         credential = {{ value = \"{SECRET}\" }}\n"
    );
    fs::write(directory.path().join("tollgate.toml"), text).unwrap();
    directory
}

/// The transcript of trying it out; times and ports, which differ, are written over.
fn tried(directory: &Path, address: &str, words: &[&str]) -> String {
    let typed = [&["providers", "test", "one"], words].concat();
    let transcript = transcript(directory, &typed).replace(address, "127.0.0.1:1");
    assert!(!transcript.contains("hunter2"), "{transcript}");
    let without_times = transcript.lines().map(|line| {
        let (start, end) = match line.split_once("\"milliseconds\": ") {
            Some((indent, _)) => (format!("{indent}\"milliseconds\": N"), ","),
            None => match line.rsplit_once(" in ") {
                Some((start, time)) if time.ends_with(" ms") => (format!("{start} in N"), " ms"),
                _ => (line.to_owned(), ""),
            },
        };
        start + end
    });
    without_times.collect::<Vec<_>>().join("\n")
}

async fn answered(kind: &str, path: &str, answer: Answer, words: &[&str]) -> (String, Upstream) {
    let upstream = Upstream::start().await;
    upstream.answer_at(path, answer);
    (transcript_of(kind, &upstream, words).await, upstream)
}

async fn transcript_of(kind: &str, upstream: &Upstream, words: &[&str]) -> String {
    let directory = match kind {
        "openai" => declares(kind, &format!("{}/v1", upstream.url())),
        _ => declares(kind, &upstream.url()),
    };
    let address = upstream.address().to_string();
    let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
    let transcript = tokio::task::spawn_blocking(move || {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        tried(directory.path(), &address, &words)
    });
    transcript.await.unwrap()
}

#[tokio::test]
async fn a_good_key_lists_the_models() {
    let models = json!({ "data": [{ "id": "gpt-5.2" }, { "id": "gpt-5.2-mini" }] });
    let answer = Answer::json(200, &models);
    let (transcript, upstream) = answered("openai", "/v1/models", answer, &[]).await;
    insta::assert_snapshot!(transcript, @"
    exit code: 0
    --- stdout
    GET http://127.0.0.1:1/v1/models (list of models, free): 200 in N ms
    2 models: gpt-5.2, gpt-5.2-mini
    provider `one` is good
    ");
    let request = upstream.only_request();
    assert_eq!(
        request.header("authorization"),
        Some(&*format!("Bearer {SECRET}"))
    );

    let answer = Answer::json(200, &json!({ "data": [{ "id": "claude-sonnet-4-5" }] }));
    let (transcript, upstream) = answered("anthropic", "/v1/models", answer, &["--json"]).await;
    insta::assert_snapshot!(transcript, @r#"
    exit code: 0
    --- stdout
    {
      "calls": [
        {
          "method": "GET",
          "milliseconds": N,
          "status": 200,
          "url": "http://127.0.0.1:1/v1/models?limit=1000",
          "what": "list of models, free"
        }
      ],
      "credential_proven": true,
      "fault": null,
      "good": true,
      "help": null,
      "kind": "anthropic",
      "models": [
        "claude-sonnet-4-5"
      ],
      "provider": "one",
      "said": null
    }
    "#);
    let request = upstream.only_request();
    assert_eq!(request.header("x-api-key"), Some(SECRET));
    assert_eq!(request.header("anthropic-version"), Some("2023-06-01"));
}

#[tokio::test]
async fn a_list_that_everybody_gets_is_said_to_prove_nothing() {
    let list = || Answer::json(200, &json!({ "data": [{ "id": "llama3.3" }] }));
    let upstream = Upstream::start().await;
    upstream.answer(list());
    upstream.answer(list());
    let transcript = transcript_of("openai-compatible", &upstream, &[]).await;
    insta::assert_snapshot!(transcript, @"
    exit code: 0
    --- stdout
    GET http://127.0.0.1:1/models (list of models, free): 200 in N ms
    GET http://127.0.0.1:1/models (the same without the credential): 200 in N ms
    1 model: llama3.3
    provider `one` answers
    --- stderr
    everybody gets this list: whether the credential is good shows with the first request
    ");
    let [with, without] = <[_; 2]>::try_from(upstream.requests()).unwrap();
    assert!(with.header("authorization").is_some());
    assert_eq!(without.header("authorization"), None);
}

#[tokio::test]
async fn a_wrong_key_is_refused_and_not_repeated() {
    let said = format!(
        "Incorrect API key provided: {SECRET} (sk-proj-****nter2). Find yours at \
         https://platform.openai.com/account/api-keys."
    );
    let body = json!({ "error": { "message": said, "code": "invalid_api_key" } });
    let answer = Answer::json(401, &body);
    let (transcript, _upstream) = answered("openai-compatible", "/models", answer, &[]).await;
    insta::assert_snapshot!(transcript, @"
    exit code: 1
    --- stdout
    GET http://127.0.0.1:1/models (list of models, free): 401 in N ms
    --- stderr
    error: provider `one` refuses the credential: Incorrect API key provided: [redacted] ([redacted]). Find yours at https://platform.openai.com/account/api-keys.
      help: make a valid one at the provider and put it where `tollgate config show` says this one comes from
    ");
    let answer = Answer::json(401, &body);
    let (transcript, _upstream) =
        answered("openai-compatible", "/models", answer, &["--json"]).await;
    insta::assert_snapshot!(transcript, @r#"
    exit code: 1
    --- stdout
    {
      "calls": [
        {
          "method": "GET",
          "milliseconds": N,
          "status": 401,
          "url": "http://127.0.0.1:1/models",
          "what": "list of models, free"
        }
      ],
      "credential_proven": false,
      "fault": "refuses the credential",
      "good": false,
      "help": "make a valid one at the provider and put it where `tollgate config show` says this one comes from",
      "kind": "openai-compatible",
      "models": null,
      "provider": "one",
      "said": "Incorrect API key provided: [redacted] ([redacted]). Find yours at https://platform.openai.com/account/api-keys."
    }
    --- stderr
    error: provider `one` refuses the credential: Incorrect API key provided: [redacted] ([redacted]). Find yours at https://platform.openai.com/account/api-keys.
      help: make a valid one at the provider and put it where `tollgate config show` says this one comes from
    "#);
}

#[tokio::test]
async fn what_is_not_the_api_is_said_to_be_something_else() {
    let page = Answer::new(200, "text/html", "<!doctype html><title>Welcome</title>");
    let (transcript, _upstream) = answered("openai-compatible", "/models", page, &[]).await;
    insta::assert_snapshot!(transcript, @"
    exit code: 1
    --- stdout
    GET http://127.0.0.1:1/models (list of models, free): 200 in N ms
    --- stderr
    error: provider `one` answers with something else than this API
      help: check `kind` and `base_url`: they lead somewhere else
    ");
    let nothing = Answer::new(404, "text/plain", "404 page not found");
    let (transcript, _upstream) = answered("openai-compatible", "/models", nothing, &[]).await;
    insta::assert_snapshot!(transcript, @"
    exit code: 1
    --- stdout
    GET http://127.0.0.1:1/models (list of models, free): 404 in N ms
    --- stderr
    error: provider `one` has no such endpoint: 404 page not found
      help: check `base_url`; a server without a list of models shows with the first request whether it works
    ");
}

#[tokio::test]
async fn a_host_that_is_not_there_cannot_be_reached() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = gone.local_addr().unwrap().to_string();
    drop(gone);
    let directory = declares("openai-compatible", &format!("http://{address}/v1"));
    insta::assert_snapshot!(tried(directory.path(), &address, &[]), @"
    exit code: 1
    --- stdout
    GET http://127.0.0.1:1/v1/models (list of models, free): no answer in N ms
    --- stderr
    error: provider `one` cannot be reached: client error (Connect): tcp connect error: Connection refused (os error 111)
      help: check `base_url`, the network, and `proxy` of `[upstream]`
    ");
}

#[tokio::test]
async fn the_simulated_provider_needs_no_asking_and_an_unknown_one_is_none() {
    let directory = provisioned().await;
    let run = |words| transcript(directory.path(), words);
    insta::assert_snapshot!(run(&["providers", "test", "simulated"]), @"
    exit code: 0
    --- stdout
    built in: there is nothing to ask
    provider `simulated` is good
    ");
    insta::assert_snapshot!(run(&["providers", "test", "openai"]), @"
    exit code: 1
    --- stderr
    error: there is no provider `openai`: see `tollgate providers list`
    ");
}

#[tokio::test]
async fn the_list_shows_what_a_credential_is_and_nothing_of_it() {
    let directory = declares("openai-compatible", "https://llm.example.com/v1");
    let file = directory.path().join("tollgate.toml");
    let more = format!(
        "[[provider]]\nslug = \"bedrock\"\nkind = \"bedrock\"\nregion = \"us-east-1\"\n\
         [provider.credential]\nplacement = \"aws-keys\"\naccess_key_id = \"AKIA\"\n\
         value = \"{SECRET}\"\n"
    );
    fs::write(&file, fs::read_to_string(&file).unwrap() + &more).unwrap();
    let run = |words| {
        let transcript = transcript(directory.path(), words);
        assert!(!transcript.contains("hunter2"), "{transcript}");
        transcript
    };
    insta::assert_snapshot!(run(&["providers", "list"]), @"
    exit code: 0
    --- stdout
    SLUG     KIND               ADDRESS                                          CREDENTIAL  FROM  STATE
    bedrock  bedrock            https://bedrock-runtime.us-east-1.amazonaws.com  aws-keys    file  active
    one      openai-compatible  https://llm.example.com/v1                       bearer      file  active
    ");
    insta::assert_snapshot!(run(&["providers", "list", "--json"]), @r#"
    exit code: 0
    --- stdout
    [
      {
        "base_url": "https://bedrock-runtime.us-east-1.amazonaws.com",
        "credential": "aws-keys",
        "kind": "bedrock",
        "managed_by": "file",
        "slug": "bedrock",
        "state": "active"
      },
      {
        "base_url": "https://llm.example.com/v1",
        "credential": "bearer",
        "kind": "openai-compatible",
        "managed_by": "file",
        "slug": "one",
        "state": "active"
      }
    ]
    "#);
    let shown = run(&["config", "show"]);
    let of_providers = shown.lines().filter(|line| line.starts_with("provider["));
    insta::assert_snapshot!(of_providers.collect::<Vec<_>>().join("\n"), @r#"
    provider[0].slug                      "one"                         tollgate.toml:2:8
    provider[0].kind                      "openai-compatible"           tollgate.toml:3:8
    provider[0].credential                { value = "…" }               tollgate.toml:5:14
    provider[0].base_url                  "https://llm.example.com/v1"  tollgate.toml:4:12
    provider[0].unpriced                  "refuse"                      default
    provider[0].report_cost               "header"                      default
    provider[0].allow_deferred            false                         default
    provider[0].forward_trace             false                         default
    provider[1].slug                      "bedrock"                     tollgate.toml:7:8
    provider[1].kind                      "bedrock"                     tollgate.toml:8:8
    provider[1].credential                { value = "…" }               tollgate.toml:10:1
    provider[1].region                    "us-east-1"                   tollgate.toml:9:10
    provider[1].unpriced                  "refuse"                      default
    provider[1].report_cost               "header"                      default
    provider[1].allow_deferred            false                         default
    provider[1].forward_trace             false                         default
    provider[1].credential.placement      "aws-keys"                    tollgate.toml:11:13
    provider[1].credential.access_key_id  "AKIA"                        tollgate.toml:12:17
    "#);
}
