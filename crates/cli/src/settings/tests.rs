//! A whole file that is good, and where values come from. Files that are bad: [`bad`] and
//! [`bad_declared`]. Every kind of provider: [`providers`].

mod bad;
mod bad_declared;
mod providers;

use super::{
    Override, Settings,
    environment::{Environment, OTHERS, setting_variables, variable_for},
    problem::{Place, SettingsError},
    reference,
};
use std::{collections::BTreeSet, path::Path, time::Duration};
use tollgate_core::{
    limit::{LimitUnit, WindowKind},
    provider::{Credential, CredentialPlacement, ProviderKind},
    secret::Secret,
};
use tollgate_gateway::settings::GatewaySettings;

const EXAMPLE: &str = include_str!("../../../../tollgate.example.toml");

fn environment(variables: &[(&str, &str)]) -> Environment {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Environment::new(variables.iter().map(owned))
}

fn example_environment() -> Environment {
    environment(&[
        ("OPENAI_API_KEY", "sk-openai-0123456789"),
        ("ANTHROPIC_API_KEY", "sk-ant-0123456789"),
        ("AZURE_OPENAI_API_KEY", "azure-0123456789"),
        ("AZURE_CLIENT_SECRET", "entra~0123456789"),
        ("AWS_SECRET_ACCESS_KEY", "aws/0123456789+"),
        ("AWS_SESSION_TOKEN", "aws-session-0123456789"),
        ("AWS_BEARER_TOKEN_BEDROCK", "bedrock-0123456789"),
        ("GOOGLE_KEY_JSON", providers::KEY_JSON),
        ("GROQ_API_KEY", "gsk_0123456789"),
        ("MISTRAL_API_KEY", "mistral-0123456789"),
        ("OPENROUTER_API_KEY", "sk-or-0123456789"),
        ("SUPPORT_BOT_KEY", "correct-horse-battery"),
    ])
}

fn parse(text: &str, environment: &Environment) -> Result<Settings, SettingsError> {
    Settings::parse(text, Some(Path::new("tollgate.toml")), environment, &[])
}

#[test]
fn the_example_is_good_and_uses_every_key() {
    let settings = parse(EXAMPLE, &example_environment()).unwrap();
    assert_eq!(settings.warnings, []);

    let declared = &settings.declared;
    let organization = declared.organization.as_ref().unwrap();
    assert_eq!(
        (&*organization.name, &*organization.time_zone),
        ("Acme", "UTC")
    );
    assert_eq!(organization.limits[0].amount, 100_000_000_000);

    let placed = |placement, secret| {
        let secret = Secret::new(secret);
        Some(Credential::Placed { placement, secret })
    };
    let (openai, anthropic) = (&declared.providers[0], &declared.providers[1]);
    let x_api_key = CredentialPlacement::Header("x-api-key".to_owned());
    assert_eq!(openai.base_url, "https://api.openai.com/v1");
    assert_eq!(
        openai.credential,
        placed(CredentialPlacement::Bearer, "sk-openai-0123456789")
    );
    assert_eq!(anthropic.credential, placed(x_api_key, "sk-ant-0123456789"));
    let price = &declared.providers[2].prices[0];
    assert_eq!(
        (&*price.model, price.input.as_nano()),
        ("llama3.3", 100_000_000)
    );
    let kinds = |slug: &str| {
        let found = declared.providers.iter().find(|p| p.slug == slug);
        found.map(|provider| provider.kind)
    };
    assert_eq!(kinds("demo"), Some(ProviderKind::Simulated));
    assert_eq!(kinds("vertex"), Some(ProviderKind::GoogleVertex));

    let targets = &declared.groups[0].targets;
    let renamed = ("gpt-5.2".to_owned(), "llama3.3".to_owned());
    assert_eq!((targets[0].weight, targets[1].weight), (3, 1));
    assert_eq!(targets[1].models, [renamed]);
    let claude = &declared.groups[1];
    let priorities = claude.targets.iter().map(|target| target.priority);
    assert_eq!(priorities.collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(claude.time_budget, Some(Duration::from_secs(30)));

    let key = &declared.api_keys[0];
    let limits = key.limits.iter().map(|l| (l.window, l.unit, l.amount));
    let expected = [
        (WindowKind::Day, LimitUnit::Cost, 5_000_000_000),
        (WindowKind::Day, LimitUnit::Requests, 1_000),
        (WindowKind::Total, LimitUnit::Tokens, 2_000_000),
    ];
    assert_eq!(limits.collect::<Vec<_>>(), expected);
    assert_eq!(
        key.secret.as_ref().unwrap().expose(),
        "correct-horse-battery"
    );
    assert_eq!(key.allowed_routes, ["fast", "anthropic"]);
    let personal = &declared.api_keys[1];
    assert_eq!(personal.member.as_deref(), Some("dev@example.com"));
    assert_eq!(
        personal.expires_at.unwrap().to_string(),
        "2027-01-01T00:00:00Z"
    );
}

#[test]
fn the_example_shows_every_key_of_the_reference() {
    let mut missing = BTreeSet::new();
    for line in reference::render().lines() {
        let Some(rest) = line.strip_prefix("| `") else {
            continue;
        };
        let key = rest.split('`').next().unwrap();
        let is_variable = key.starts_with(char::is_uppercase);
        let forms = [format!("{key} ="), format!("[{key}]"), format!(".{key}]")];
        let is_shown = is_variable || forms.iter().any(|form| EXAMPLE.contains(form));
        if !is_shown {
            missing.insert(key.to_owned());
        }
    }
    assert_eq!(missing, BTreeSet::new());
}

#[test]
fn without_a_file_there_is_what_a_first_run_needs() {
    let none = Environment::default();
    let settings = Settings::parse(super::FIRST_RUN, None, &none, &[]).unwrap();
    let declared = &settings.declared;
    assert_eq!(declared.organization.as_ref().unwrap().name, "Default");
    assert_eq!(declared.projects[0].slug, "default");
    let simulated = &declared.providers[0];
    assert_eq!(
        (&*simulated.slug, simulated.kind),
        ("simulated", ProviderKind::Simulated)
    );
    assert_eq!(declared.api_keys[0].name, "Quick Start");
    assert!(declared.api_keys[0].secret.is_none());
    assert!(
        settings
            .origins
            .iter()
            .all(|origin| origin.place == Place::Default)
    );
}

#[test]
fn an_empty_file_declares_nothing_and_a_variable_can_name_the_organization() {
    let settings = parse("", &Environment::default()).unwrap();
    assert!(settings.declared.organization.is_none());
    let named = environment(&[("TOLLGATE_ORGANIZATION_LIMITS_REQUESTS_DAILY", "10")]);
    let organization = parse("", &named).unwrap().declared.organization.unwrap();
    assert_eq!(
        (&*organization.name, organization.limits[0].amount),
        ("Default", 10)
    );
}

#[test]
fn a_flag_outranks_a_variable_and_a_variable_outranks_the_file() {
    let file = "[server]\nlisten = \"127.0.0.1:1\"\n";
    let listen = |environment: &Environment, overrides: &[Override]| {
        let path = Some(Path::new("tollgate.toml"));
        let settings = Settings::parse(file, path, environment, overrides).unwrap();
        let mut origins = settings.origins.into_iter();
        let origin = origins
            .find(|origin| origin.key == "server.listen")
            .unwrap();
        (settings.server.listen.port(), origin.place)
    };
    let none = Environment::default();
    let variable = environment(&[("TOLLGATE_SERVER_LISTEN", "127.0.0.1:2")]);
    let empty = environment(&[("TOLLGATE_SERVER_LISTEN", "")]);
    let flag = [Override {
        key: "server.listen",
        flag: "--listen",
        value: "127.0.0.1:3".to_owned(),
    }];
    let in_file = Place::File {
        line: 2,
        column: 10,
    };
    assert_eq!(listen(&none, &[]), (1, in_file.clone()));
    assert_eq!(listen(&empty, &[]), (1, in_file));
    let by_variable = Place::Environment("TOLLGATE_SERVER_LISTEN".to_owned());
    assert_eq!(listen(&variable, &[]), (2, by_variable));
    assert_eq!(listen(&variable, &flag), (3, Place::Flag("--listen")));
}

#[test]
fn a_path_in_the_file_is_relative_to_the_file_and_one_in_a_variable_is_not() {
    let file = Some(Path::new("/etc/tollgate/tollgate.toml"));
    let text = "data_dir = \"data\"\n";
    let storage = |environment: &Environment| {
        let settings = Settings::parse(text, file, environment, &[]);
        settings.unwrap().storage
    };
    let in_file = storage(&Environment::default());
    assert_eq!(
        in_file.database,
        Path::new("/etc/tollgate/data/tollgate.db")
    );
    let by_variable = storage(&environment(&[("TOLLGATE_DATA_DIR", "data")]));
    assert_eq!(by_variable.database, Path::new("data/tollgate.db"));
}

#[test]
fn a_secret_file_loses_the_white_space_around_it_and_secrets_are_never_shown() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("key.txt"), "correct-horse-battery\n").unwrap();
    let text = "[[project]]\nslug = \"a\"\n\
        [[api_key]]\nname = \"one\"\nproject = \"a\"\nkey = { file = \"key.txt\" }\n\
        [[api_key]]\nname = \"two\"\nproject = \"a\"\nkey = { value = \"another-horse-battery\" }\n";
    let file = dir.path().join("tollgate.toml");
    let none = Environment::default();
    let settings = Settings::parse(text, Some(&file), &none, &[]).unwrap();
    let secret = settings.declared.api_keys[0].secret.as_ref().unwrap();
    assert_eq!(secret.expose(), "correct-horse-battery");
    let keys = settings
        .origins
        .iter()
        .filter(|origin| origin.key.contains("].key"));
    let shown: Vec<&str> = keys.map(|origin| origin.value.as_str()).collect();
    assert_eq!(shown, ["{ file = \"key.txt\" }", "{ value = \"…\" }"]);
    assert!(!format!("{settings:?}").contains("horse"));
}

#[test]
fn a_key_may_expire_at_a_date_of_toml_as_well_as_at_a_string() {
    let expiry = |written: &str| {
        let key = "[[api_key]]\nname = \"k\"\nproject = \"a\"\nexpires_at = ";
        let text = format!("[[project]]\nslug = \"a\"\n{key}{written}\n");
        let settings = parse(&text, &Environment::default()).unwrap();
        settings.declared.api_keys[0]
            .expires_at
            .unwrap()
            .to_string()
    };
    assert_eq!(expiry("2027-01-01T01:00:00+01:00"), "2027-01-01T00:00:00Z");
    assert_eq!(expiry("\"2027-01-01T00:00:00Z\""), "2027-01-01T00:00:00Z");
}

#[test]
fn the_defaults_are_those_of_the_data_plane() {
    let Settings {
        server,
        upstream,
        ledger,
        ..
    } = parse("", &Environment::default()).unwrap();
    let data_plane = GatewaySettings::default();
    assert_eq!(server.body_limit, data_plane.body_limit);
    assert_eq!(server.upload_limit, data_plane.upload_limit);
    assert_eq!(server.head_timeout, data_plane.head_timeout);
    assert_eq!(server.body_idle_timeout, data_plane.body_idle_timeout);
    assert_eq!(server.request_deadline, data_plane.request_deadline);
    assert_eq!(server.drain_timeout, data_plane.drain_timeout);
    assert_eq!(upstream.connect_timeout, data_plane.connect_timeout);
    assert_eq!(upstream.head_timeout, data_plane.upstream_head_timeout);
    assert_eq!(upstream.idle_timeout, data_plane.upstream_idle_timeout);
    let health = data_plane.health;
    assert_eq!(upstream.unhealthy_after, health.failures);
    assert_eq!(upstream.probe_interval, health.probe_interval);
    assert_eq!(upstream.retry_after_max, health.retry_after_max);
    assert_eq!(
        upstream.first_content_timeout,
        data_plane.first_content_timeout
    );
    assert_eq!(ledger.hold_wait, data_plane.hold_wait);
    assert_eq!(ledger.uncapped, data_plane.estimates.uncapped);
}

#[test]
fn every_setting_of_a_single_table_has_a_variable_of_its_own() {
    assert_eq!(
        variable_for("server.tls.key").unwrap(),
        "TOLLGATE_SERVER_TLS_KEY"
    );
    assert_eq!(variable_for("provider[0].slug"), None);
    let names = setting_variables();
    let others = OTHERS.iter().map(|variable| variable.name.to_owned());
    let unique: BTreeSet<String> = names.iter().cloned().chain(others).collect();
    assert_eq!(unique.len(), names.len() + OTHERS.len());
}

#[test]
fn every_variable_works() {
    // Refused values prove that the variable is read: none of them may be overlooked.
    for name in setting_variables() {
        let set = environment(&[(&name, "\u{1}")]);
        let settings = parse("", &set);
        let place = Place::Environment(name.clone());
        let is_read = match settings {
            Err(error) => error.problems.iter().any(|problem| problem.place == place),
            Ok(settings) => {
                let is_known = settings.warnings.is_empty();
                is_known && settings.origins.iter().any(|origin| origin.place == place)
            }
        };
        assert!(is_read, "{name} has no effect");
    }
}

/// `tollgate config reference > docs/settings.md` brings it up to date.
#[test]
fn the_page_on_settings_is_the_reference() {
    let page = include_str!("../../../../docs/settings.md");
    assert_eq!(page.trim_end(), reference::render().trim_end());
}
