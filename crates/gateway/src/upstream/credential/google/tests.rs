use super::*;
use std::collections::HashMap;

fn defaults(variables: &[(&str, &str)]) -> GoogleDefaults {
    let variables: HashMap<_, _> = variables.iter().copied().collect();
    GoogleDefaults::new(|name| variables.get(name).map(|value| (*value).to_owned()))
}

#[test]
fn the_defaults_are_looked_for_where_google_s_libraries_look() {
    let named = defaults(&[
        ("GOOGLE_APPLICATION_CREDENTIALS", "/k.json"),
        ("HOME", "/home/a"),
    ]);
    assert_eq!(named.named, Some(PathBuf::from("/k.json")));
    let file = "application_default_credentials.json";
    if cfg!(unix) {
        let well_known = Path::new("/home/a/.config/gcloud").join(file);
        assert_eq!(named.well_known, Some(well_known));
    }
    let moved = defaults(&[("CLOUDSDK_CONFIG", "/etc/gcloud"), ("HOME", "/home/a")]);
    assert_eq!(moved.well_known, Some(Path::new("/etc/gcloud").join(file)));
    assert_eq!(moved.metadata_host, "metadata.google.internal");
    let emulated = defaults(&[("GCE_METADATA_HOST", "127.0.0.1:8080")]);
    assert_eq!(emulated.metadata_host, "127.0.0.1:8080");
}

#[tokio::test]
async fn a_named_file_must_be_there_and_gcloud_s_file_may() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().to_str().unwrap();
    let missing = format!("{home}/missing.json");
    let named = defaults(&[("GOOGLE_APPLICATION_CREDENTIALS", &missing)]);
    let refused = named.find().await.err().unwrap();
    assert!(refused.contains("missing.json cannot be read"), "{refused}");

    let gcloud = defaults(&[("CLOUDSDK_CONFIG", home)]);
    assert!(matches!(
        gcloud.find().await,
        Ok(GoogleSource::Metadata { .. })
    ));
    let file =
        r#"{"type":"authorized_user","client_id":"c","client_secret":"s","refresh_token":"r"}"#;
    std::fs::write(
        folder.path().join("application_default_credentials.json"),
        file,
    )
    .unwrap();
    let Ok(GoogleSource::User(user)) = gcloud.find().await else {
        panic!("it is a user's");
    };
    assert_eq!(user.token_uri, TOKEN_URI);
}

#[test]
fn a_file_that_is_no_key_is_refused_without_quoting_it() {
    for text in [
        "",
        "hunter2",
        r#"{"type":"service_account","client_email":"hunter2"}"#,
        r#"{"type":"external_account","audience":"hunter2"}"#,
        r#"{"type":"authorized_user","client_id":"c","client_secret":"hunter2",
            "refresh_token":"r"}"#,
    ] {
        let account = ServiceAccount {
            key_json: Secret::new(text),
        };
        let refused = GoogleSource::of_account(&account).err().unwrap();
        assert!(!refused.contains("hunter2"), "{refused}");
    }
}

#[test]
fn a_private_key_that_is_none_is_refused() {
    let account = Account {
        email: "a@b".to_owned(),
        key_id: None,
        private_key: Secret::new("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
        token_uri: TOKEN_URI.to_owned(),
    };
    let now = "2026-11-21T12:00:00Z".parse().unwrap();
    assert!(
        assertion::sign(&account, now)
            .unwrap_err()
            .contains("private key")
    );
}
