use super::*;
use crate::testing::{CANARY, KEY, World, api_key, declared, limit, provider, provision};
use tollgate_core::{
    api_key::ApiKeyState,
    declared::Declared,
    limit::{Scope, WindowKind},
    provider::Credential,
    secret::Secret,
    snapshot::{KeyEntry, Snapshot},
};

fn key_of<'s>(store: &Store, snapshot: &'s Snapshot, secret: &str) -> Option<&'s KeyEntry> {
    let hash = store.key_hasher().hash(secret);
    snapshot.keys.get(&hash).map(|entry| &**entry)
}

async fn state_of(store: &Store, secret: &str) -> Option<ApiKeyState> {
    let snapshot = store.snapshot().await.unwrap();
    key_of(store, &snapshot, secret).map(|entry| entry.key.state)
}

#[tokio::test]
async fn what_is_declared_is_what_the_data_plane_sees() {
    let world = World::new();
    let store = world.store().await;
    let done = provision(&store, &declared()).await;
    assert!(done.changed && done.made_keys.is_empty() && done.disabled.is_empty());

    let snapshot = store.snapshot().await.unwrap();
    assert_eq!(snapshot.revision, 1);
    let org = snapshot.organizations.values().next().unwrap();
    assert_eq!(org.organization.name, "Acme");
    assert_eq!(
        org.organization.time_zone.iana_name(),
        Some("Europe/Berlin")
    );
    let openai = org.provider_by_slug("openai").unwrap();
    let Some(Credential::Placed { secret, .. }) = &openai.credential else {
        panic!("a plain secret was declared");
    };
    assert_eq!(secret.expose(), CANARY);
    let target = &org.groups["fast"].targets[0];
    assert_eq!(target.provider, openai.id);
    assert_eq!((target.priority, target.weight), (0, 3));
    assert_eq!(
        target.models,
        [("gpt-5.2".to_owned(), "gpt-5.2-mini".to_owned())]
    );

    let entry = key_of(&store, &snapshot, KEY).unwrap();
    assert_eq!(entry.key.allowed_routes, ["fast"]);
    assert_eq!(entry.principal.project_slug, "support-bot");
    let member = entry.principal.ids.member.unwrap();
    assert_eq!(org.members[&member].email, "dev@example.com");
    let limits = &org.limits[&Scope::ApiKey(entry.key.id)];
    assert_eq!(
        (limits[0].window, limits[0].amount),
        (WindowKind::Day, 5_000_000_000)
    );
    assert!(key_of(&store, &snapshot, "another secret of mine").is_none());
}

#[tokio::test]
async fn declaring_the_same_again_changes_nothing() {
    let world = World::new();
    let store = world.store().await;
    provision(&store, &declared()).await;
    let again = provision(&store, &declared()).await;
    assert!(!again.changed);
    assert_eq!(store.revision().await.unwrap(), 1);
}

#[tokio::test]
async fn a_change_moves_the_revision_and_keeps_the_ids() {
    let world = World::new();
    let store = world.store().await;
    provision(&store, &declared()).await;
    let before = store.snapshot().await.unwrap();
    let mut changed = declared();
    changed.providers[0].base_url = "https://proxy.example.com/v1".into();
    changed.api_keys[0].secret = Some(Secret::new("a-rotated-secret-of-mine"));
    changed.api_keys[0].limits = vec![limit(WindowKind::Day, 7), limit(WindowKind::Week, 20)];
    assert!(provision(&store, &changed).await.changed);

    let after = store.snapshot().await.unwrap();
    assert_eq!(after.revision, 2);
    assert_eq!(state_of(&store, KEY).await, None, "the old secret is gone");
    let old = key_of(&store, &before, KEY).unwrap();
    let new = key_of(&store, &after, "a-rotated-secret-of-mine").unwrap();
    assert_eq!(old.key.id, new.key.id);
    let org = &after.organizations[&new.principal.ids.organization];
    assert_eq!(org.limits[&Scope::ApiKey(new.key.id)].len(), 2);
    let openai = org.provider_by_slug("openai").unwrap();
    assert_eq!(openai.base_url, "https://proxy.example.com/v1");
}

#[tokio::test]
async fn what_leaves_the_file_stops_and_comes_back_when_it_is_declared_again() {
    let world = World::new();
    let store = world.store().await;
    provision(&store, &declared()).await;
    let mut less = declared();
    less.api_keys.clear();
    less.groups.clear();
    let done = provision(&store, &less).await;
    assert_eq!(
        done.disabled,
        ["routing_group `fast`", "API key `Quick Start`"]
    );
    assert_eq!(state_of(&store, KEY).await, Some(ApiKeyState::Disabled));
    let org = store.snapshot().await.unwrap();
    let org = org.organizations.values().next().unwrap();
    assert!(org.groups.is_empty() && org.providers.len() == 1);
    assert!(!provision(&store, &less).await.changed);

    let back = provision(&store, &declared()).await;
    assert!(back.made_keys.is_empty());
    assert_eq!(state_of(&store, KEY).await, Some(ApiKeyState::Active));
}

#[tokio::test]
async fn a_limit_that_leaves_the_file_is_removed_but_not_one_of_an_admin() {
    let world = World::new();
    let store = world.store().await;
    provision(&store, &declared()).await;
    let by_admin = Declared {
        organization: declared().organization.map(|mut organization| {
            organization.limits = vec![limit(WindowKind::Week, 900)];
            organization
        }),
        ..Declared::default()
    };
    store.provision(&by_admin, ManagedBy::Admin).await.unwrap();
    let mut less = declared();
    less.organization.as_mut().unwrap().limits.clear();
    provision(&store, &less).await;
    let snapshot = store.snapshot().await.unwrap();
    let org = snapshot.organizations.values().next().unwrap();
    let windows: Vec<_> = org.limits[&Scope::Organization(org.organization.id)]
        .iter()
        .map(|limit| limit.window)
        .collect();
    assert_eq!(windows, [WindowKind::Week]);
}

#[tokio::test]
async fn a_key_without_a_secret_gets_one_once() {
    let world = World::new();
    let store = world.store().await;
    let mut wanted = declared();
    wanted.api_keys[0].secret = None;
    let first = provision(&store, &wanted).await;
    let [made] = first.made_keys.as_slice() else {
        panic!("one key is made")
    };
    assert_eq!(
        (&*made.name, &*made.project),
        ("Quick Start", "support-bot")
    );
    assert!(made.secret.expose().starts_with("tgk_"));
    assert_eq!(
        state_of(&store, made.secret.expose()).await,
        Some(ApiKeyState::Active)
    );

    let second = provision(&store, &wanted).await;
    assert!(second.made_keys.is_empty() && !second.changed);
    assert_eq!(
        state_of(&store, made.secret.expose()).await,
        Some(ApiKeyState::Active)
    );
}

#[tokio::test]
async fn a_disabled_project_or_member_takes_its_keys_along() {
    let world = World::new();
    let store = world.store().await;
    provision(&store, &declared()).await;
    let mut less = declared();
    less.members.clear();
    less.api_keys[0].member = None;
    provision(&store, &less).await;
    assert_eq!(state_of(&store, KEY).await, Some(ApiKeyState::Active));

    let by_admin = store
        .create_api_key(&crate::testing::DeclaredKey::own("by hand"))
        .await;
    let by_admin = by_admin.unwrap().secret;
    assert_eq!(
        state_of(&store, by_admin.expose()).await,
        Some(ApiKeyState::Active)
    );
    let mut none = declared();
    none.projects.clear();
    none.api_keys.clear();
    provision(&store, &none).await;
    assert_eq!(
        state_of(&store, by_admin.expose()).await,
        Some(ApiKeyState::Disabled)
    );
}

#[tokio::test]
async fn what_the_file_never_named_is_left_alone() {
    let world = World::new();
    let store = world.store().await;
    provision(&store, &declared()).await;
    let made = store
        .create_api_key(&crate::testing::DeclaredKey::own("by hand"))
        .await
        .unwrap();
    provision(&store, &declared()).await;
    assert_eq!(
        state_of(&store, made.secret.expose()).await,
        Some(ApiKeyState::Active)
    );
}

#[tokio::test]
async fn first_run_defaults_yield_to_the_file_and_can_be_taken_back() {
    let world = World::new();
    let store = world.store().await;
    let mut defaults = declared();
    defaults.organization = None;
    store
        .provision(&defaults, ManagedBy::FirstRun)
        .await
        .unwrap();
    let org = store.snapshot().await.unwrap();
    let org = org.organizations.values().next().unwrap();
    assert_eq!(org.organization.name, "Default");

    let mut file = declared();
    file.groups.clear();
    file.api_keys[0] = api_key("From the file");
    file.api_keys[0].secret = Some(Secret::new("the-secret-of-the-file"));
    provision(&store, &file).await;
    assert_eq!(
        state_of(&store, KEY).await,
        Some(ApiKeyState::Active),
        "not the file's to disable"
    );
    let again = store
        .provision(&defaults, ManagedBy::FirstRun)
        .await
        .unwrap();
    assert!(!again.changed, "the file's rows are not taken over");

    let gone = store
        .provision(&Declared::default(), ManagedBy::FirstRun)
        .await
        .unwrap();
    assert_eq!(
        gone.disabled,
        ["routing_group `fast`", "API key `Quick Start`"]
    );
    assert_eq!(
        state_of(&store, "the-secret-of-the-file").await,
        Some(ApiKeyState::Active)
    );
}

#[tokio::test]
async fn a_revoked_key_stays_revoked_until_it_gets_another_secret() {
    let world = World::new();
    let store = world.store().await;
    provision(&store, &declared()).await;
    let id = store.list_api_keys().await.unwrap()[0].key.id;
    store.revoke_api_key(id).await.unwrap();
    assert_eq!(state_of(&store, KEY).await, None);

    let done = provision(&store, &declared()).await;
    assert_eq!(
        done.still_revoked,
        ["API key `Quick Start` of project `support-bot`"]
    );
    assert_eq!(state_of(&store, KEY).await, None);
    let mut rotated = declared();
    rotated.api_keys[0].secret = Some(Secret::new("a-secret-nobody-has-seen"));
    assert!(provision(&store, &rotated).await.still_revoked.is_empty());
    assert_eq!(
        state_of(&store, "a-secret-nobody-has-seen").await,
        Some(ApiKeyState::Active)
    );
}

#[tokio::test]
async fn a_declaration_that_cannot_hold_changes_nothing_at_all() {
    let world = World::new();
    let store = world.store().await;
    let mut same_secret = declared();
    same_secret.api_keys.push(api_key("Second"));
    let mut same_slug = declared();
    same_slug.groups[0].slug = "openai".into();
    let mut short = declared();
    short.api_keys[0].secret = Some(Secret::new("short"));
    let mut no_provider = declared();
    no_provider.groups[0].targets[0].provider = "nowhere".into();
    for (bad, says) in [
        (same_secret, "belongs to another key"),
        (same_slug, "both a provider and a routing group"),
        (short, "`Quick Start` is not usable"),
        (no_provider, "no provider `nowhere`"),
    ] {
        let refused = store.provision(&bad, ManagedBy::File).await.unwrap_err();
        assert!(refused.to_string().contains(says), "{refused}");
    }
    let snapshot = store.snapshot().await.unwrap();
    assert!(snapshot.revision == 0 && snapshot.organizations.is_empty());
}

#[tokio::test]
async fn what_was_switched_off_is_in_the_audit() {
    let world = World::new();
    let store = world.store().await;
    provision(&store, &declared()).await;
    let mut other = declared();
    other.providers = vec![provider("backup")];
    other.groups.clear();
    provision(&store, &other).await;
    let mut tx = store.database.read().await.unwrap();
    let rows = query(
        "audit",
        "SELECT actor, subject FROM audit WHERE action = $1",
    )
    .bind("provider.disabled")
    .all(&mut tx)
    .await
    .unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].text("actor").unwrap(), "settings file");
    assert_eq!(rows[0].text("subject").unwrap(), "openai");
}
