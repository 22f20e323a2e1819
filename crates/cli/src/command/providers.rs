//! `tollgate providers list|test`: those that the settings declare, and those that others have put
//! into the store of this machine. No server has to run, and the store need not be there yet.

mod report;

use crate::{
    args::{OutputArgs, ProvidersCommand, TestProviderArgs},
    clock::SystemClock,
    data_plane::bounds,
    open_store::open_existing,
    printer::Printer,
    settings::{Settings, environment::Environment},
};
use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc};
use tollgate_core::{
    id::ProviderId,
    provider::{Credential, CredentialPlacement, NetworkReach, Provider},
};
use tollgate_gateway::{probe, upstream::Client};
use tollgate_store::{ManagedBy, ProviderListing};

/// Runs one of them.
pub async fn run(
    command: &ProvidersCommand,
    settings: &Settings,
    environment: &Environment,
    printer: &mut Printer,
) -> anyhow::Result<()> {
    let known = known(settings, environment).await?;
    match command {
        ProvidersCommand::List(output) => list(*output, &known, printer),
        ProvidersCommand::Test(args) => {
            let settings = bounds(settings, environment);
            let client = Client::new(&settings, Arc::new(SystemClock))?;
            test(args, &known, &client, printer).await
        }
    }
}

/// Every provider by slug. What the settings file declares counts as it stands there, whether a
/// server has read it yet or not.
async fn known(
    settings: &Settings,
    environment: &Environment,
) -> anyhow::Result<BTreeMap<String, ProviderListing>> {
    let mut known = BTreeMap::new();
    if settings.storage.database.exists() {
        let store = open_existing(&settings.storage, environment).await?;
        for listing in store.list_providers().await? {
            known.insert(listing.provider.slug.clone(), listing);
        }
        store.close().await;
    }
    let managed_by = match settings.file {
        Some(_) => ManagedBy::File,
        None => ManagedBy::FirstRun,
    };
    for declared in &settings.declared.providers {
        let stands = known.get(&declared.slug);
        if managed_by == ManagedBy::FirstRun && stands.is_some() {
            continue;
        }
        let id = stands.map_or(ProviderId::from_bytes([0; 16]), |found| found.provider.id);
        let provider = declared.clone().into_provider(id, NetworkReach::Any);
        let listing = ProviderListing {
            provider,
            managed_by,
            disabled: false,
        };
        known.insert(declared.slug.clone(), listing);
    }
    Ok(known)
}

fn list(
    output: OutputArgs,
    known: &BTreeMap<String, ProviderListing>,
    printer: &mut Printer,
) -> anyhow::Result<()> {
    if output.json {
        let providers: Vec<Value> = known.values().map(listing_json).collect();
        return Ok(printer.json(&providers)?);
    }
    if known.is_empty() {
        return Ok(printer.note("no providers: declare one in a `[[provider]]` table")?);
    }
    let header = ["SLUG", "KIND", "ADDRESS", "CREDENTIAL", "FROM", "STATE"];
    let rows: Vec<_> = known.values().map(row).collect();
    Ok(printer.table(&header, &[], &rows)?)
}

fn row(listing: &ProviderListing) -> Vec<String> {
    let provider = &listing.provider;
    vec![
        provider.slug.clone(),
        provider.kind.as_str().to_owned(),
        provider.base_url.clone(),
        credential_words(provider.credential.as_ref()),
        listing.managed_by.as_str().to_owned(),
        state(listing).to_owned(),
    ]
}

fn listing_json(listing: &ProviderListing) -> Value {
    let provider = &listing.provider;
    json!({
        "slug": provider.slug,
        "kind": provider.kind.as_str(),
        "base_url": provider.base_url,
        "credential": credential_words(provider.credential.as_ref()),
        "managed_by": listing.managed_by.as_str(),
        "state": state(listing),
    })
}

const fn state(listing: &ProviderListing) -> &'static str {
    if listing.disabled {
        "disabled"
    } else {
        "active"
    }
}

/// What a credential is, as settings call it, and nothing of its text.
fn credential_words(credential: Option<&Credential>) -> String {
    let word = match credential {
        None => "-",
        Some(Credential::Placed { placement, .. }) => match placement {
            CredentialPlacement::Bearer => "bearer",
            CredentialPlacement::Header(name) => return format!("header:{name}"),
            CredentialPlacement::Query(name) => return format!("query:{name}"),
        },
        Some(Credential::Aws(_)) => "aws-keys",
        Some(Credential::AwsChain) => "aws-chain",
        Some(Credential::GoogleServiceAccount(_)) => "google-service-account",
        Some(Credential::GoogleDefault) => "google-default",
        Some(Credential::Entra(_)) => "entra",
    };
    word.to_owned()
}

async fn test(
    args: &TestProviderArgs,
    known: &BTreeMap<String, ProviderListing>,
    client: &Client,
    printer: &mut Printer,
) -> anyhow::Result<()> {
    let listing = known.get(&args.provider);
    let listing = listing.with_context(|| {
        let slug = &args.provider;
        format!("there is no provider `{slug}`: see `tollgate providers list`")
    })?;
    let provider: &Provider = &listing.provider;
    let probe = probe::probe(provider, client).await;
    if args.output.json {
        printer.json(&report::json(provider, &probe))?;
    } else {
        for line in report::lines(provider, &probe) {
            printer.result(&line)?;
        }
    }
    match &probe.finding {
        Ok(good) if !good.proven => {
            let text = "everybody gets this list: whether the credential is good shows with the \
                        first request";
            Ok(printer.note(text)?)
        }
        Ok(_) => Ok(()),
        Err(bad) => bail!(report::failure(provider, bad)),
    }
}
