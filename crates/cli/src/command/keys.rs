//! `tollgate keys list|create|revoke|disable|enable|unblock`, on the store of this machine. A
//! running server sees the change within a second.

use crate::{
    args::{CreateKeyArgs, KeyArgs, KeysCommand, LimitArgs, ListKeysArgs},
    printer::Printer,
};
use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use tollgate_core::{
    api_key::{ApiKey, ApiKeyState},
    clock::{Clock, Timestamp},
    declared::{DeclaredApiKey, DeclaredLimit},
    id::ApiKeyId,
    limit::{LimitAction, LimitUnit, WindowKind},
    money::NanoUsd,
};
use tollgate_store::{ApiKeyListing, Store};

/// Runs one of them.
pub async fn run(
    command: &KeysCommand,
    store: &Store,
    clock: &dyn Clock,
    printer: &mut Printer,
) -> anyhow::Result<()> {
    match command {
        KeysCommand::List(args) => list(args, store, clock.now(), printer).await,
        KeysCommand::Create(args) => create(args, store, clock.now(), printer).await,
        KeysCommand::Revoke(args) => {
            let key = find(store, &args.key).await?;
            store.revoke_api_key(key.id).await?;
            changed(args, &key, ApiKeyState::Revoked, printer)
        }
        KeysCommand::Disable(args) => {
            let key = find(store, &args.key).await?;
            expect_state(&key, ApiKeyState::Active, "disable")?;
            store.disable_api_key(key.id).await?;
            changed(args, &key, ApiKeyState::Disabled, printer)
        }
        KeysCommand::Enable(args) => {
            let key = find(store, &args.key).await?;
            expect_state(&key, ApiKeyState::Disabled, "enable")?;
            store.enable_api_key(key.id).await?;
            changed(args, &key, ApiKeyState::Active, printer)
        }
        KeysCommand::Unblock(args) => {
            let key = find(store, &args.key).await?;
            expect_state(&key, ApiKeyState::Blocked, "unblock")?;
            store.unblock_api_key(key.id).await?;
            changed(args, &key, ApiKeyState::Active, printer)
        }
    }
}

async fn list(
    args: &ListKeysArgs,
    store: &Store,
    now: Timestamp,
    printer: &mut Printer,
) -> anyhow::Result<()> {
    let keys = store.list_api_keys().await?;
    let is_wanted = |key: &&ApiKeyListing| args.all || key.key.state != ApiKeyState::Revoked;
    let keys: Vec<&ApiKeyListing> = keys.iter().filter(is_wanted).collect();
    if args.output.json {
        let keys: Vec<Value> = keys.iter().map(|key| key_json(key, now)).collect();
        return Ok(printer.json(&keys)?);
    }
    if keys.is_empty() {
        return Ok(printer.note("no API keys: make one with `tollgate keys create NAME`")?);
    }
    let rows: Vec<Vec<String>> = keys.iter().map(|key| key_row(key, now)).collect();
    let header = ["NAME", "PROJECT", "MEMBER", "KEY", "STATE", "EXPIRES", "ID"];
    Ok(printer.table(&header, &[], &rows)?)
}

fn key_row(listing: &ApiKeyListing, now: Timestamp) -> Vec<String> {
    let key = &listing.key;
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    vec![
        key.name.clone(),
        listing.project.clone(),
        or_dash(listing.member.clone()),
        key.display_prefix.clone(),
        state_word(key, now).to_owned(),
        or_dash(key.expires_at.map(|at| at.to_string())),
        key.id.to_string(),
    ]
}

fn key_json(listing: &ApiKeyListing, now: Timestamp) -> Value {
    let key = &listing.key;
    json!({
        "id": key.id,
        "name": key.name,
        "prefix": key.display_prefix,
        "project": listing.project,
        "member": listing.member,
        "state": state_word(key, now),
        "expires_at": key.expires_at,
        "routes": key.allowed_routes,
        "models": key.allowed_models,
        "managed_by": listing.managed_by.as_str(),
        "created_at": listing.created_at,
    })
}

/// Expiry is not stored as a state, but it is what people look for.
fn state_word(key: &ApiKey, now: Timestamp) -> &'static str {
    let is_expired = key.expires_at.is_some_and(|at| at <= now);
    match key.state {
        ApiKeyState::Active if is_expired => "expired",
        state => state.as_str(),
    }
}

async fn create(
    args: &CreateKeyArgs,
    store: &Store,
    now: Timestamp,
    printer: &mut Printer,
) -> anyhow::Result<()> {
    let expires_at = args.expires.map(|when| {
        when.after(now)
            .filter(|at| *at > now)
            .context("--expires is not in the future")
    });
    let wanted = DeclaredApiKey {
        name: args.name.clone(),
        project: args.project.clone(),
        member: args.member.clone(),
        secret: None,
        expires_at: expires_at.transpose()?,
        allowed_routes: args.routes.clone(),
        allowed_models: args.models.clone(),
        limits: limits(&args.limits),
    };
    let made = store.create_api_key(&wanted).await?;
    let key = made.secret.expose();
    if args.output.json {
        return Ok(printer.json(&json!({
            "id": made.id,
            "name": made.name,
            "project": made.project,
            "key": key,
        }))?);
    }
    printer.note("This key is shown once and never again:")?;
    Ok(printer.result(key)?)
}

fn limits(args: &LimitArgs) -> Vec<DeclaredLimit> {
    let limit = |window, unit, amount| DeclaredLimit {
        window,
        unit,
        amount,
        action: LimitAction::Block,
    };
    let dollars = [
        (WindowKind::Day, args.limit_daily),
        (WindowKind::Week, args.limit_weekly),
        (WindowKind::Month, args.limit_monthly),
        (WindowKind::Total, args.limit_total),
    ];
    let dollars = dollars.into_iter().filter_map(|(window, amount)| {
        Some(limit(
            window,
            LimitUnit::Cost,
            amount.map(NanoUsd::as_nano)?,
        ))
    });
    let requests = args.limit_requests.iter();
    let requests = requests.map(|(window, count)| limit(*window, LimitUnit::Requests, *count));
    let tokens = args.limit_tokens.iter();
    let tokens = tokens.map(|(window, count)| limit(*window, LimitUnit::Tokens, *count));
    dollars.chain(requests).chain(tokens).collect()
}

/// The key with this id, or the only one with this name that is not revoked.
async fn find(store: &Store, wanted: &str) -> anyhow::Result<ApiKey> {
    let keys = store.list_api_keys().await?.into_iter().map(|key| key.key);
    let mut found: Vec<ApiKey> = match wanted.parse::<ApiKeyId>() {
        Ok(id) => keys.filter(|key| key.id == id).collect(),
        Err(_) => keys
            .filter(|key| key.name == wanted && key.state != ApiKeyState::Revoked)
            .collect(),
    };
    match (found.pop(), found.len()) {
        (Some(key), 0) => Ok(key),
        (Some(_), others) => bail!(
            "{} API keys are named `{wanted}`: name one by its id, see `tollgate keys list`",
            others + 1
        ),
        (None, _) => bail!("there is no API key `{wanted}`: see `tollgate keys list --all`"),
    }
}

fn expect_state(key: &ApiKey, expected: ApiKeyState, verb: &str) -> anyhow::Result<()> {
    if key.state == expected {
        return Ok(());
    }
    let (name, state, expected) = (&key.name, key.state.as_str(), expected.as_str());
    bail!("API key `{name}` is {state}: there is nothing to {verb} unless it is {expected}")
}

fn changed(
    args: &KeyArgs,
    key: &ApiKey,
    state: ApiKeyState,
    printer: &mut Printer,
) -> anyhow::Result<()> {
    let word = state.as_str();
    if args.output.json {
        return Ok(printer.json(&json!({ "id": key.id, "name": key.name, "state": word }))?);
    }
    let text = format!("API key `{}` ({}) is {word}", key.name, key.display_prefix);
    Ok(printer.result(&text)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Args, Command};
    use clap::Parser as _;

    fn declared_limits(words: &[&str]) -> Vec<(WindowKind, LimitUnit, i64)> {
        let typed = ["tollgate", "keys", "create", "x"].iter().chain(words);
        let args = Args::try_parse_from(typed).unwrap();
        let Command::Keys(KeysCommand::Create(create)) = args.command else {
            panic!("another command was parsed");
        };
        let limits = limits(&create.limits);
        let parts = limits
            .iter()
            .map(|limit| (limit.window, limit.unit, limit.amount));
        parts.collect()
    }

    #[test]
    fn each_limit_flag_is_the_limit_it_names() {
        let dollars = [
            ("--limit-daily", WindowKind::Day),
            ("--limit-weekly", WindowKind::Week),
            ("--limit-monthly", WindowKind::Month),
            ("--limit-total", WindowKind::Total),
        ];
        for (flag, window) in dollars {
            let expected = [(window, LimitUnit::Cost, 1_500_000_000)];
            assert_eq!(declared_limits(&[flag, "1.50"]), expected);
        }
        let words = ["--limit-requests", "daily=10", "--limit-tokens", "total=7"];
        let expected = [
            (WindowKind::Day, LimitUnit::Requests, 10),
            (WindowKind::Total, LimitUnit::Tokens, 7),
        ];
        assert_eq!(declared_limits(&words), expected);
        assert_eq!(declared_limits(&[]), []);
    }

    #[test]
    fn an_expired_key_is_shown_as_expired_unless_it_is_worse_off() {
        let at: Timestamp = "2026-11-21T00:00:00Z".parse().unwrap();
        let key = |state| ApiKey {
            id: ApiKeyId::from_bytes([1; 16]),
            name: "k".to_owned(),
            display_prefix: "tgk_1234…".to_owned(),
            project: tollgate_core::id::ProjectId::from_bytes([2; 16]),
            member: None,
            state,
            expires_at: Some(at),
            allowed_routes: Vec::new(),
            allowed_models: Vec::new(),
        };
        let before = at.checked_sub(jiff::SignedDuration::from_nanos(1)).unwrap();
        assert_eq!(state_word(&key(ApiKeyState::Active), before), "active");
        assert_eq!(state_word(&key(ApiKeyState::Active), at), "expired");
        assert_eq!(state_word(&key(ApiKeyState::Revoked), at), "revoked");
    }
}
