use crate::{
    ManagedBy,
    testing::{DeclaredKey, KEY, World, declared, provision},
};
use tollgate_core::{api_key::ApiKeyState, entropy::FixedEntropy, id::ApiKeyId};

#[tokio::test]
async fn a_key_made_by_hand_works_is_listed_and_dies_when_revoked() {
    let world = World::new();
    let store = world.store().await;
    provision(&store, &declared()).await;
    let made = store
        .create_api_key(&DeclaredKey::own("by hand"))
        .await
        .unwrap();
    let hash = store.key_hasher().hash(made.secret.expose());
    let snapshot = store.snapshot().await.unwrap();
    assert_eq!(snapshot.revision, 2);
    assert_eq!(snapshot.keys[&hash].key.id, made.id);

    let listed = store.list_api_keys().await.unwrap();
    let line = listed.iter().find(|line| line.key.id == made.id).unwrap();
    assert_eq!(
        (&*line.project, line.managed_by),
        ("support-bot", ManagedBy::Admin)
    );
    assert!(
        made.secret
            .expose()
            .starts_with(line.key.display_prefix.trim_end_matches('…'))
    );

    store.revoke_api_key(made.id).await.unwrap();
    let snapshot = store.snapshot().await.unwrap();
    assert_eq!(snapshot.revision, 3);
    assert!(!snapshot.keys.contains_key(&hash));
    let listed = store.list_api_keys().await.unwrap();
    let line = listed.iter().find(|line| line.key.id == made.id).unwrap();
    assert_eq!(line.key.state, ApiKeyState::Revoked);
    store.revoke_api_key(made.id).await.unwrap();
    assert_eq!(
        store.revision().await.unwrap(),
        3,
        "revoking twice changes nothing"
    );
}

#[tokio::test]
async fn a_name_is_taken_until_its_key_is_revoked() {
    let world = World::new();
    let store = world.store().await;
    provision(&store, &declared()).await;
    let first = store.create_api_key(&DeclaredKey::own("ci")).await.unwrap();
    let refused = store
        .create_api_key(&DeclaredKey::own("ci"))
        .await
        .unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("already has an API key named `ci`")
    );
    store.revoke_api_key(first.id).await.unwrap();
    store.create_api_key(&DeclaredKey::own("ci")).await.unwrap();

    let mut elsewhere = DeclaredKey::own("ci");
    elsewhere.project = "nowhere".into();
    let refused = store.create_api_key(&elsewhere).await.unwrap_err();
    assert_eq!(refused.to_string(), "no project `nowhere`");
}

#[tokio::test]
async fn a_blocked_key_stays_blocked_through_provisioning_until_it_is_cleared() {
    let world = World::new();
    let store = world.store().await;
    provision(&store, &declared()).await;
    let hash = store.key_hasher().hash(KEY);
    let id = store.snapshot().await.unwrap().keys[&hash].key.id;
    let state = async || store.snapshot().await.unwrap().keys[&hash].key.state;

    store.block_api_key(id).await.unwrap();
    assert_eq!(state().await, ApiKeyState::Blocked);
    let mut less = declared();
    less.api_keys[0].allowed_routes.clear();
    provision(&store, &less).await;
    assert_eq!(state().await, ApiKeyState::Blocked);
    store.unblock_api_key(id).await.unwrap();
    assert_eq!(state().await, ApiKeyState::Active);
}

#[tokio::test]
async fn keys_of_the_file_are_switched_there_and_others_by_hand() {
    let world = World::new();
    let store = world.store().await;
    provision(&store, &declared()).await;
    let of_file = store.list_api_keys().await.unwrap()[0].key.id;
    let refused = store.disable_api_key(of_file).await.unwrap_err();
    assert!(refused.to_string().contains("managed by the settings file"));

    let own = store.create_api_key(&DeclaredKey::own("ci")).await.unwrap();
    let hash = store.key_hasher().hash(own.secret.expose());
    let state = async || store.snapshot().await.unwrap().keys[&hash].key.state;
    store.disable_api_key(own.id).await.unwrap();
    assert_eq!(state().await, ApiKeyState::Disabled);
    store.enable_api_key(own.id).await.unwrap();
    assert_eq!(state().await, ApiKeyState::Active);

    let unknown = ApiKeyId::new(world.now(), &FixedEntropy(0));
    let refused = store.revoke_api_key(unknown).await.unwrap_err();
    assert!(refused.to_string().contains("no API key key_"));
}
