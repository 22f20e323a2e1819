//! Providers of every kind: what each needs, what follows from it, and every form of a credential.

use super::{environment, parse};
use crate::settings::{Settings, environment::Environment, tests::bad::complaints_in};
use insta::assert_snapshot;
use std::{path::Path, time::Duration};
use tollgate_core::{
    declared::DeclaredProvider,
    provider::{
        Credential, CredentialPlacement, Entra, OnClientGone, ProviderKind, SigningKeys,
        profile::BaseUrl,
    },
    secret::Secret,
};

/// A service account's key file, as Google writes it, over several lines.
pub(super) const KEY_JSON: &str = r#"{
  "type": "service_account",
  "project_id": "my-project",
  "private_key": "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----\n",
  "client_email": "tollgate@my-project.iam.gserviceaccount.com",
  "token_uri": "https://oauth2.googleapis.com/token"
}"#;

fn secrets() -> Environment {
    environment(&[
        ("KEY", "sk-hunter2"),
        ("KEY_JSON", KEY_JSON),
        ("NO_JSON", "hunter2 hunter2"),
        (
            "HALF_JSON",
            r#"{"client_email": "a@b", "token_uri": "https://t"}"#,
        ),
        (
            "ODD_JSON",
            r#"{"client_email": "a@b", "private_key": "hunter2", "token_uri": "https://t"}"#,
        ),
    ])
}

/// The only provider of a file; `rest` is what follows slug and kind.
fn one(kind: &str, rest: &str) -> DeclaredProvider {
    let text = format!("[[provider]]\nslug = \"one\"\nkind = \"{kind}\"\n{rest}\n");
    let settings = parse(&text, &secrets());
    settings.unwrap().declared.providers.remove(0)
}

/// The keys that a kind cannot do without.
fn needed(kind: ProviderKind) -> &'static str {
    match (kind, kind.profile().base_url) {
        (_, BaseUrl::Required) => "base_url = \"https://example.com\"",
        (_, BaseUrl::OfRegion { .. }) => "region = \"eu-west-1\"",
        (_, BaseUrl::OfLocation) => "project = \"p\"\nlocation = \"europe-west4\"",
        (_, BaseUrl::Fixed(_)) => "",
    }
}

#[test]
fn every_kind_can_be_declared_and_does_what_its_profile_says() {
    for kind in ProviderKind::ALL {
        let provider = one(kind.as_str(), needed(kind));
        assert_eq!(provider.kind, kind);
        let profile = kind.profile();
        assert_eq!(
            (provider.cancel_stops_billing, provider.on_client_gone),
            (profile.cancel_stops_billing, profile.on_client_gone()),
            "{kind:?}"
        );
        let own = kind.default_base_url(&provider.site);
        let expected = own.unwrap_or_else(|| "https://example.com".to_owned());
        assert_eq!(provider.base_url, expected);
    }
}

#[test]
fn what_the_file_says_outranks_the_kind() {
    let said = "region = \"us-east-1\"\nbase_url = \"http://127.0.0.1:1/\"\n\
                on_client_gone = \"cancel\"\ncancel_stops_billing = true";
    let provider = one("bedrock", said);
    assert_eq!(provider.base_url, "http://127.0.0.1:1");
    assert!(provider.cancel_stops_billing);
    assert_eq!(provider.on_client_gone, OnClientGone::Cancel);
}

#[test]
fn an_api_key_of_vertex_needs_no_project() {
    let key = "credential = { env = \"KEY\", placement = \"header:x-goog-api-key\" }";
    let provider = one("google-vertex", &format!("location = \"global\"\n{key}"));
    assert_eq!(provider.base_url, "https://aiplatform.googleapis.com");
    assert_eq!(provider.site.project, None);
}

#[test]
fn a_connection_has_limits_of_its_own() {
    let provider = one(
        "openai",
        "connect_timeout = \"2s\"\nhead_timeout = \"90s\"\nidle_timeout = \"250ms\"\n\
         max_concurrency = 7\nallow_deferred = true",
    );
    let connection = provider.connection;
    assert_eq!(connection.connect_timeout, Some(Duration::from_secs(2)));
    assert_eq!(connection.head_timeout, Some(Duration::from_secs(90)));
    assert_eq!(connection.idle_timeout, Some(Duration::from_millis(250)));
    assert_eq!(connection.max_concurrency, Some(7));
    assert!(provider.allow_deferred && connection.ca_pem.is_none());
}

fn credential(kind: &str, rest: &str) -> Option<Credential> {
    let needed = needed(ProviderKind::from_word(kind).unwrap());
    one(kind, &format!("{needed}\ncredential = {{ {rest} }}")).credential
}

#[test]
fn every_form_of_a_credential_is_what_it_says() {
    let secret = || Secret::new("sk-hunter2");
    let placed = |placement| {
        let secret = secret();
        Some(Credential::Placed { placement, secret })
    };
    let header = |name: &str| CredentialPlacement::Header(name.to_owned());
    let key = "env = \"KEY\"";
    assert_eq!(credential("azure", key), placed(header("api-key")));
    assert_eq!(
        credential("bedrock", key),
        placed(CredentialPlacement::Bearer)
    );
    assert_eq!(
        credential(
            "google-vertex",
            &format!("placement = \"header:X-Goog-Api-Key\", {key}")
        ),
        placed(header("x-goog-api-key"))
    );
    let keys = |session_token| {
        Some(Credential::Aws(SigningKeys {
            access_key_id: "AKIA".to_owned(),
            secret_access_key: secret(),
            session_token,
        }))
    };
    let aws = format!("placement = \"aws-keys\", access_key_id = \"AKIA\", {key}");
    assert_eq!(credential("bedrock", &aws), keys(None));
    let session = format!("{aws}, session_token = {{ {key} }}");
    assert_eq!(credential("bedrock-mantle", &session), keys(Some(secret())));
    assert_eq!(
        credential("bedrock", "placement = \"aws-chain\""),
        Some(Credential::AwsChain)
    );
    assert_eq!(
        credential("google-vertex", "placement = \"google-default\""),
        Some(Credential::GoogleDefault)
    );
    for account in [
        "env = \"KEY_JSON\"",
        "env = \"KEY_JSON\", placement = \"google-service-account\"",
    ] {
        let Some(Credential::GoogleServiceAccount(account)) = credential("google-vertex", account)
        else {
            panic!("a key file is a service account");
        };
        assert_eq!(account.key_json.expose(), KEY_JSON);
    }
    let entra = |authority: &str| {
        Some(Credential::Entra(Entra {
            tenant_id: "t".to_owned(),
            client_id: "c".to_owned(),
            client_secret: secret(),
            authority: authority.to_owned(),
        }))
    };
    let parts = format!("placement = \"entra\", tenant_id = \"t\", client_id = \"c\", {key}");
    assert_eq!(credential("azure", &parts), entra(Entra::PUBLIC_AUTHORITY));
    let elsewhere = format!("{parts}, authority = \"https://login.microsoftonline.us/\"");
    assert_eq!(
        credential("azure", &elsewhere),
        entra("https://login.microsoftonline.us")
    );
}

/// What an operator reads about one provider of each of these kinds and texts.
fn complaints_about(providers: &[(&str, &str)]) -> String {
    let table = |(index, (kind, rest)): (usize, &(&str, &str))| {
        format!("[[provider]]\nslug = \"p{index}\"\nkind = \"{kind}\"\n{rest}\n")
    };
    let text: Vec<String> = providers.iter().enumerate().map(table).collect();
    let text = text.concat();
    let complaints = complaints_in(&text, &secrets());
    assert!(!complaints.contains("hunter2"), "{complaints}");
    complaints
}

#[test]
fn a_part_of_an_address_that_is_missing_wrong_or_somebody_elses_is_reported() {
    assert_snapshot!(complaints_about(&[
        ("bedrock", ""),
        ("google-vertex", ""),
        ("azure", "region = \"us-east-1\""),
        ("openai", "project = \"p\"\nlocation = \"global\"\napi_version = \"1\""),
        ("bedrock-mantle", "region = \"us-east-1.evil.example/\""),
        ("ollama", "max_concurrency = 0\nconnect_timeout = \"0s\"\nca_file = \"no/such.pem\""),
    ]), @r#"
    tollgate.toml:1:1: error: provider[0].region: this key is missing: the address and the signatures name it
      help: add `region = "us-east-1"`, or whichever is yours
    tollgate.toml:5:1: error: provider[1].project: this key is missing: paths name it
      help: add `project = "my-project"`, or whichever is yours
    tollgate.toml:5:1: error: provider[1].location: this key is missing: the address and paths name it
      help: add `location = "us-central1"`, or whichever is yours
    tollgate.toml:9:1: error: provider[2].base_url: this key is missing: this kind of provider has no address of its own
      help: add `base_url = "https://RESOURCE.openai.azure.com"`, or `"https://RESOURCE.services.ai.azure.com"` for Microsoft Foundry
    tollgate.toml:9:1: warning: provider[2]: no credential: the provider will refuse every request
      help: add `credential = { env = "NAME" }`
    tollgate.toml:12:10: error: provider[2].region: this kind of provider has no such key
      help: take it out: it is for `bedrock` and `bedrock-mantle`
    tollgate.toml:13:1: warning: provider[3]: no credential: the provider will refuse every request
      help: add `credential = { env = "NAME" }`
    tollgate.toml:16:11: error: provider[3].project: this kind of provider has no such key
      help: take it out: it is for `google-vertex`
    tollgate.toml:17:12: error: provider[3].location: this kind of provider has no such key
      help: take it out: it is for `google-vertex`
    tollgate.toml:18:15: error: provider[3].api_version: this kind of provider has no such key
      help: take it out: it is for `azure`
    tollgate.toml:22:10: error: provider[4].region: `us-east-1.evil.example/` is empty, too long, or holds a character that cannot stand here
      help: write letters, digits and any of `-`
    tollgate.toml:26:19: error: provider[5].max_concurrency: `0` is not a whole number in range
      help: write one from 1 to 1000000
    tollgate.toml:27:19: error: provider[5].connect_timeout: `0s` is out of range
      help: write a duration from 1ms to 24h
    tollgate.toml:28:11: error: provider[5].ca_file: cannot read `no/such.pem`: no such file or directory
      help: name a PEM file that the user running Tollgate may read
    "#);
}

#[test]
fn a_credential_that_makes_no_sense_for_its_kind_is_reported() {
    assert_snapshot!(complaints_about(&[
        ("openai", "credential = { placement = \"aws-chain\" }"),
        ("groq", "credential = { placement = \"google-default\", env = \"KEY\" }"),
        ("mistral", "credential = { placement = \"entra\" }"),
        ("xai", "credential = { env = \"KEY\", access_key_id = \"A\", tenant_id = \"t\" }"),
        ("anthropic", "credential = { placement = \"cookie\", env = \"KEY\" }"),
    ]), @r#"
    tollgate.toml:4:28: error: provider[0].credential.placement: this placement is for `bedrock` and `bedrock-mantle`
      help: take the key out, or write `bearer`, `header:NAME` or `query:NAME`
    tollgate.toml:8:28: error: provider[1].credential.placement: this placement is for `google-vertex`
      help: take the key out, or write `bearer`, `header:NAME` or `query:NAME`
    tollgate.toml:12:28: error: provider[2].credential.placement: this placement is for `azure`
      help: take the key out, or write `bearer`, `header:NAME` or `query:NAME`
    tollgate.toml:16:45: error: provider[3].credential.access_key_id: this key has no place in a credential of this form
      help: write `placement = "aws-keys"` too, or take the key out
    tollgate.toml:16:62: error: provider[3].credential.tenant_id: this key has no place in a credential of this form
      help: write `placement = "entra"` too, or take the key out
    tollgate.toml:20:28: error: provider[4].credential.placement: unknown placement `cookie`
      help: write `bearer`, `header:NAME`, `query:NAME`, or one of `aws-keys`, `aws-chain`, `google-service-account`, `google-default`, `entra`
    "#);
}

#[test]
fn a_credential_with_parts_missing_or_broken_is_reported_and_never_repeated() {
    let azure = "base_url = \"https://example.openai.azure.com\"\n";
    let azure = format!("{azure}credential = {{ placement = \"entra\", env = \"KEY\" }}");
    let vertex =
        |rest: &str| format!("project = \"p\"\nlocation = \"global\"\ncredential = {{ {rest} }}");
    let aws = |rest: &str| format!("region = \"us-east-1\"\ncredential = {{ {rest} }}");
    assert_snapshot!(complaints_about(&[
        ("bedrock", &aws("placement = \"aws-keys\", env = \"KEY\"")),
        ("bedrock", &aws("placement = \"aws-keys\", access_key_id = \"A/B\", env = \"NO_JSON\"")),
        ("bedrock", &aws("placement = \"aws-keys\", access_key_id = \"A\", env = \"KEY\", \
                          session_token = \"hunter2\"")),
        ("azure", &azure),
        ("google-vertex", &vertex("env = \"NO_JSON\"")),
        ("google-vertex", &vertex("env = \"HALF_JSON\"")),
        ("google-vertex", &vertex("env = \"ODD_JSON\"")),
        ("google-vertex", &vertex("placement = \"google-service-account\"")),
    ]), @r#"
    tollgate.toml:5:14: error: provider[0].credential.access_key_id: this key is missing
      help: add `access_key_id = "AKIA…"`
    tollgate.toml:10:56: error: provider[1].credential.access_key_id: `A/B` is empty, too long, or holds a character that cannot stand here
      help: write letters, digits and any of `-_.`
    tollgate.toml:10:69: error: provider[1].credential.env: the secret holds a space or a character that is not visible ASCII
      help: such a secret cannot stand in a header: copy it again
    tollgate.toml:15:90: error: provider[2].credential.session_token: expected a secret table, found a string
      help: write `{ env = "NAME" }`, `{ file = "path" }` or `{ value = "…" }`
    tollgate.toml:20:14: error: provider[3].credential.tenant_id: this key is missing
      help: add `tenant_id = "…"`
    tollgate.toml:20:14: error: provider[3].credential.client_id: this key is missing
      help: add `client_id = "…"`
    tollgate.toml:26:14: error: provider[4].credential: this is not the JSON of a service account's key file
      help: give the JSON file that Google Cloud made with the key, whole; other kinds of credentials go by `placement = "google-default"`, an API key by `placement = "header:x-goog-api-key"`
    tollgate.toml:32:14: error: provider[5].credential: this service account's key file has no `private_key`
      help: give the JSON file that Google Cloud made with the key, whole; other kinds of credentials go by `placement = "google-default"`, an API key by `placement = "header:x-goog-api-key"`
    tollgate.toml:38:14: error: provider[6].credential: the `private_key` of this key file does not begin with `-----BEGIN `
      help: give the JSON file that Google Cloud made with the key, whole; other kinds of credentials go by `placement = "google-default"`, an API key by `placement = "header:x-goog-api-key"`
    tollgate.toml:44:14: error: provider[7].credential: this secret has no source
      help: write exactly one of `env = "NAME"`, `file = "path"`, `value = "…"`
    "#);
}

/// A certificate of an authority that signs nothing.
const AUTHORITY: &str = include_str!("authority.pem");

#[test]
fn a_file_of_authorities_is_read_and_holds_certificates_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let read = |content: &str| {
        std::fs::write(dir.path().join("ca.pem"), content).unwrap();
        let text = "[[provider]]\nslug = \"p\"\nkind = \"openai-compatible\"\n\
                    base_url = \"https://llm.internal\"\nca_file = \"ca.pem\"\n";
        let file = dir.path().join("tollgate.toml");
        Settings::parse(text, Some(Path::new(&file)), &Environment::default(), &[])
    };
    let settings = read(AUTHORITY).unwrap();
    let provider = settings.declared.providers.into_iter().next().unwrap();
    assert_eq!(provider.connection.ca_pem.as_deref(), Some(AUTHORITY));

    let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    let broken = AUTHORITY.replacen("MII", "AAA", 1);
    for (content, expected) in [
        ("", "holds no certificate"),
        ("hunter2", "holds no certificate"),
        (&format!("{AUTHORITY}{key}"), "holds a private key"),
        (
            &format!("{AUTHORITY}{broken}"),
            "certificate 2 of this file",
        ),
        (&AUTHORITY.repeat(4_000), "over 1 MiB long"),
    ] {
        let error = read(content).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert!(!error.contains("hunter2"));
    }
}
