use super::*;
use crate::{
    Store,
    testing::{CANARY, World, declared, provider as openai, provision},
};
use std::{sync::Arc, time::Duration};
use tollgate_core::{
    declared::Declared,
    provider::{Entra, OnClientGone, SigningKeys},
    secret::Secret,
};

/// A provider that uses every column.
fn bedrock() -> DeclaredProvider {
    DeclaredProvider {
        kind: ProviderKind::Bedrock,
        base_url: "https://bedrock-runtime.us-east-1.amazonaws.com".into(),
        site: Site {
            region: Some("us-east-1".into()),
            project: Some("a-project".into()),
            location: Some("us-east5".into()),
            api_version: Some("2025-04-01-preview".into()),
        },
        credential: Some(Credential::Aws(SigningKeys {
            access_key_id: "AKIAIOSFODNN7EXAMPLE".into(),
            secret_access_key: Secret::new(CANARY),
            session_token: Some(Secret::new("a-session-token")),
        })),
        connection: provider::Connection {
            connect_timeout: Some(Duration::from_millis(1_500)),
            head_timeout: Some(Duration::from_secs(90)),
            idle_timeout: Some(Duration::from_secs(30)),
            max_concurrency: Some(20),
            ca_pem: Some("-----BEGIN CERTIFICATE-----".into()),
            reach: NetworkReach::Any,
        },
        on_client_gone: OnClientGone::Drain,
        cancel_stops_billing: false,
        allow_deferred: true,
        forward_trace: true,
        ..openai("bedrock")
    }
}

fn with(provider: DeclaredProvider) -> Declared {
    Declared {
        providers: vec![openai("openai"), provider],
        ..declared()
    }
}

async fn stored(store: &Store, slug: &str) -> Arc<Provider> {
    let snapshot = store.snapshot().await.unwrap();
    let organization = snapshot.organizations.values().next().unwrap();
    Arc::clone(organization.provider_by_slug(slug).unwrap())
}

#[tokio::test]
async fn every_part_of_a_provider_comes_back_and_declaring_it_again_changes_nothing() {
    let world = World::new();
    let store = world.store().await;
    provision(&store, &with(bedrock())).await;
    let found = stored(&store, "bedrock").await;
    assert_eq!(*found, provider(found.id, &bedrock(), ManagedBy::File));
    assert_eq!(found.connection, bedrock().connection);
    assert!(!provision(&store, &with(bedrock())).await.changed);
}

#[tokio::test]
async fn each_part_that_changes_is_seen_and_kept() {
    let world = World::new();
    let store = world.store().await;
    provision(&store, &with(bedrock())).await;
    let changes: [fn(&mut DeclaredProvider); 6] = [
        |provider| provider.site.region = Some("eu-west-1".into()),
        |provider| provider.site.api_version = None,
        |provider| provider.connection.head_timeout = None,
        |provider| provider.connection.ca_pem = None,
        |provider| provider.allow_deferred = false,
        |provider| provider.credential = Some(Credential::AwsChain),
    ];
    let mut wanted = bedrock();
    for change in changes {
        change(&mut wanted);
        assert!(provision(&store, &with(wanted.clone())).await.changed);
        let found = stored(&store, "bedrock").await;
        assert_eq!(*found, provider(found.id, &wanted, ManagedBy::File));
    }
    assert!(!provision(&store, &with(wanted)).await.changed);
}

#[tokio::test]
async fn only_a_url_of_the_settings_file_may_lead_into_the_private_network() {
    let world = World::new();
    let store = world.store().await;
    store
        .provision(&with(bedrock()), ManagedBy::Admin)
        .await
        .unwrap();
    let reach = async || stored(&store, "bedrock").await.connection.reach;
    assert_eq!(reach().await, NetworkReach::PublicOnly);
    let taken_over = provision(&store, &with(bedrock())).await;
    assert!(taken_over.changed);
    assert_eq!(reach().await, NetworkReach::Any);
}

#[tokio::test]
async fn the_list_names_everybody_who_keeps_one_and_what_is_switched_off() {
    let world = World::new();
    let store = world.store().await;
    assert!(store.list_providers().await.unwrap().is_empty());
    provision(&store, &with(bedrock())).await;
    provision(&store, &declared()).await;
    let listed = store.list_providers().await.unwrap();
    let listed = listed.iter().map(|listing| {
        let slug = &*listing.provider.slug;
        (slug, listing.managed_by, listing.disabled)
    });
    let expected = [
        ("bedrock", ManagedBy::File, true),
        ("openai", ManagedBy::File, false),
    ];
    assert_eq!(listed.collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn a_time_finer_than_a_column_does_not_change_with_each_start() {
    let world = World::new();
    let store = world.store().await;
    let mut fine = with(bedrock());
    let micros = Some(Duration::from_micros(1_500_700));
    fine.providers[1].connection.idle_timeout = micros;
    fine.groups[0].time_budget = micros;
    provision(&store, &fine).await;
    let whole = Some(Duration::from_millis(1_500));
    let bedrock = stored(&store, "bedrock").await;
    assert_eq!(bedrock.connection.idle_timeout, whole);
    let snapshot = store.snapshot().await.unwrap();
    let organization = snapshot.organizations.values().next().unwrap();
    assert_eq!(organization.groups["fast"].time_budget, whole);
    assert!(!provision(&store, &fine).await.changed);
    fine.groups[0].time_budget = None;
    assert!(provision(&store, &fine).await.changed);
}

#[tokio::test]
async fn a_credential_without_its_secret_or_without_its_word_is_named() {
    let world = World::new();
    let store = world.store().await;
    let mut declared = with(bedrock());
    declared.providers[1].credential = Some(Credential::Entra(Entra {
        tenant_id: "tenant".into(),
        client_id: "client".into(),
        client_secret: Secret::new(CANARY),
        authority: Entra::PUBLIC_AUTHORITY.into(),
    }));
    provision(&store, &declared).await;
    for (edit, column) in [
        ("credential_placement = NULL", "credential_placement"),
        (
            "credential_placement = 'google:default'",
            "credential_sealed",
        ),
        (
            "credential_placement = 'carrier-pigeon:1'",
            "credential_sealed",
        ),
    ] {
        let mut tx = store.database.write().await.unwrap();
        let sql = format!("UPDATE provider SET {edit} WHERE slug = 'bedrock'");
        let edit = crate::sql::built_query("provider", sql);
        assert_eq!(edit.execute(&mut tx).await.unwrap(), 1);
        tx.commit().await.unwrap();
        let error = store.snapshot().await.unwrap_err().to_string();
        assert!(
            error.contains("provider") && error.contains(column),
            "{error}"
        );
    }
}
