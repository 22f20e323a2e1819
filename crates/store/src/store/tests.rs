use super::*;
use crate::{
    StoreError,
    sql::built_query,
    testing::{CANARY, DeclaredKey, KEY, World, declared, provision},
};
use tollgate_core::secret::Secret;

/// Every byte of every file in the data directory.
fn bytes_on_disk(world: &World) -> Vec<u8> {
    let mut bytes = Vec::new();
    for file in std::fs::read_dir(world.dir.path()).unwrap() {
        bytes.extend(std::fs::read(file.unwrap().path()).unwrap());
    }
    bytes
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|window| window == text.as_bytes())
}

async fn run(store: &Store, sql: &str) {
    let mut tx = store.database.write().await.unwrap();
    let sql = built_query("test", sql.to_owned());
    assert_eq!(sql.execute(&mut tx).await.unwrap(), 1);
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn no_secret_is_on_disk_in_the_clear() {
    let world = World::new();
    let store = world.store().await;
    provision(&store, &declared()).await;
    let open = bytes_on_disk(&world);
    assert!(
        contains(&open, "support-bot"),
        "the search finds what is there"
    );
    assert!(!contains(&open, CANARY) && !contains(&open, KEY));
    store.close().await;
    let closed = bytes_on_disk(&world);
    assert!(contains(&closed, "support-bot"));
    assert!(!contains(&closed, CANARY) && !contains(&closed, KEY));
}

#[tokio::test]
async fn another_master_key_is_refused_at_the_start() {
    let world = World::new();
    provision(&*world.store().await, &declared()).await;
    let other = MasterKey::parse(&Secret::new("43".repeat(32)), "test").unwrap();
    let (clock, entropy) = (world.clock.clone(), world.entropy.clone());
    let opened = Store::open(&world.database(), &other, clock, entropy).await;
    assert!(matches!(opened, Err(StoreError::WrongMasterKey)));
    world.store().await.snapshot().await.unwrap();
}

#[tokio::test]
async fn what_another_process_changes_is_seen_by_the_revision() {
    let world = World::new();
    let server = world.store().await;
    provision(&server, &declared()).await;
    let before = server.revision().await.unwrap();
    let command_line = world.store().await;
    let made = command_line
        .create_api_key(&DeclaredKey::own("ci"))
        .await
        .unwrap();
    assert!(server.revision().await.unwrap() > before);
    let hash = server.key_hasher().hash(made.secret.expose());
    assert!(server.snapshot().await.unwrap().keys.contains_key(&hash));
}

#[tokio::test]
async fn two_processes_write_at_once_and_both_succeed() {
    let world = World::new();
    let (one, other) = (world.store().await, world.store().await);
    provision(&one, &declared()).await;
    for round in 0..10 {
        let (a, b) = (format!("a{round}"), format!("b{round}"));
        let (a, b) = (DeclaredKey::own(&a), DeclaredKey::own(&b));
        let (a, b) = tokio::join!(one.create_api_key(&a), other.create_api_key(&b));
        a.unwrap();
        b.unwrap();
    }
    assert_eq!(one.list_api_keys().await.unwrap().len(), 21);
}

#[tokio::test]
async fn a_row_that_makes_no_sense_is_named() {
    let world = World::new();
    let store = world.store().await;
    provision(&store, &declared()).await;
    run(&store, "UPDATE provider SET kind = 'carrier-pigeon'").await;
    let error = store.snapshot().await.unwrap_err().to_string();
    assert!(
        error.contains("`provider`") && error.contains("`kind`"),
        "{error}"
    );
    let org = store.list_api_keys().await;
    org.unwrap();

    run(
        &store,
        "UPDATE provider SET kind = 'openai', credential_sealed = x'00'",
    )
    .await;
    let error = store.snapshot().await.unwrap_err();
    assert!(matches!(error, StoreError::BrokenSeal { .. }));
}

#[tokio::test]
async fn a_newer_database_and_an_altered_history_are_refused() {
    let world = World::new();
    let store = world.store().await;
    let open = || {
        let (clock, entropy) = (world.clock.clone(), world.entropy.clone());
        let (path, key) = (world.database(), World::master_key());
        async move { Store::open(&path, &key, clock, entropy).await }
    };
    run(
        &store,
        "INSERT INTO migration (version, checksum) VALUES (99, '')",
    )
    .await;
    assert!(matches!(
        open().await,
        Err(StoreError::Newer { found: 99, .. })
    ));
    run(&store, "DELETE FROM migration WHERE version = 99").await;
    run(
        &store,
        "UPDATE migration SET checksum = 'x' WHERE version = 1",
    )
    .await;
    assert!(matches!(open().await, Err(StoreError::MigrationChanged(1))));
}

#[tokio::test]
async fn the_database_is_private_and_commits_outlive_a_power_loss() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::new();
    let store = world.store().await;
    for file in std::fs::read_dir(world.dir.path()).unwrap() {
        let mode = file.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0);
    }
    let mut tx = store.database.write().await.unwrap();
    let journal = query("pragma", "PRAGMA journal_mode")
        .one(&mut tx)
        .await
        .unwrap();
    assert_eq!(journal.text("journal_mode").unwrap(), "wal");
    let synchronous = query("pragma", "PRAGMA synchronous")
        .one(&mut tx)
        .await
        .unwrap();
    assert_eq!(synchronous.integer("synchronous").unwrap(), 2, "FULL");
}

#[test]
fn only_sqlite_urls_are_opened_and_relative_ones_lie_in_the_data_directory() {
    let dir = Path::new("/var/lib/tollgate");
    let path = |url| crate::sqlite_path(url, dir).ok();
    assert_eq!(path("sqlite:tollgate.db"), Some(dir.join("tollgate.db")));
    assert_eq!(path("sqlite:///srv/t.db"), Some("/srv/t.db".into()));
    for bad in [
        "postgres://db/x",
        "sqlite:",
        "sqlite::memory:",
        "sqlite:a?mode=ro",
    ] {
        assert_eq!(path(bad), None, "{bad}");
    }
}
