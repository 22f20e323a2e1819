use super::*;
use http::HeaderName;
use tollgate_core::{
    api_key::ApiKey,
    entropy::FixedEntropy,
    id::{ApiKeyId, OrganizationId, ProjectId},
    organization::Organization,
    snapshot::OrganizationSnapshot,
};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

/// The first bytes of the secret, so that a test sees what was hashed.
struct Plain;

impl Hash for Plain {
    fn hash(&self, secret: &str) -> KeyHash {
        let mut hash = [0; 32];
        for (slot, byte) in hash.iter_mut().zip(secret.bytes()) {
            *slot = byte;
        }
        KeyHash(hash)
    }
}

fn snapshot(keys: &[(&str, u8, ApiKeyState, Option<Timestamp>)]) -> Snapshot {
    let organization = OrganizationId::new(NOW, &FixedEntropy(1));
    let project = ProjectId::new(NOW, &FixedEntropy(2));
    let org = OrganizationSnapshot {
        organization: Organization {
            id: organization,
            name: "Acme".into(),
            time_zone: jiff::tz::TimeZone::UTC,
        },
        projects: [].into(),
        members: [].into(),
        providers: [].into(),
        groups: [].into(),
        limits: [].into(),
    };
    let keys = keys.iter().map(|(secret, number, state, expires_at)| {
        let key = ApiKey {
            id: ApiKeyId::new(NOW, &FixedEntropy(*number)),
            name: (*secret).to_owned(),
            display_prefix: String::new(),
            project,
            member: None,
            state: *state,
            expires_at: *expires_at,
            allowed_routes: vec![],
            allowed_models: vec![],
        };
        (organization, Plain.hash(secret), key)
    });
    Snapshot::new(1, [org], keys)
}

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()))
        .collect()
}

fn outcome(pairs: &[(&'static str, &'static str)], query: Option<&str>) -> Result<String, Kind> {
    let snapshot = snapshot(&[
        ("a-good-key-of-enough-letters", 3, ApiKeyState::Active, None),
        ("second-key-of-enough-letters", 4, ApiKeyState::Active, None),
        (
            "disabled-key-with-enough-let",
            5,
            ApiKeyState::Disabled,
            None,
        ),
        (
            "revoked-key-with-enough-lett",
            6,
            ApiKeyState::Revoked,
            None,
        ),
        (
            "expired-key-with-enough-lett",
            7,
            ApiKeyState::Active,
            Some(NOW),
        ),
        (
            "blocked-key-with-enough-lett",
            8,
            ApiKeyState::Blocked,
            None,
        ),
    ]);
    identify(&headers(pairs), query, &snapshot, &Plain, NOW)
        .map(|principal| principal.key_name.clone())
        .map_err(|error| error.kind())
}

#[test]
fn a_key_is_found_in_every_place_that_an_sdk_uses() {
    let good = Ok("a-good-key-of-enough-letters".to_owned());
    for pairs in [
        &[("authorization", "Bearer a-good-key-of-enough-letters")][..],
        &[("authorization", "bearer  a-good-key-of-enough-letters")],
        &[("x-api-key", "a-good-key-of-enough-letters")],
        &[("x-goog-api-key", "a-good-key-of-enough-letters")],
        &[("api-key", "a-good-key-of-enough-letters")],
        &[
            ("authorization", "Bearer a-good-key-of-enough-letters"),
            ("x-goog-api-key", "a-good-key-of-enough-letters"),
        ],
        &[
            ("authorization", "Bearer a-good-key-of-enough-letters"),
            ("x-goog-api-key", "unset"),
        ],
    ] {
        assert_eq!(outcome(pairs, None), good, "{pairs:?}");
    }
    assert_eq!(
        outcome(&[], Some("alt=sse&key=a-good-key-of-enough-letters")),
        good
    );
}

#[test]
fn two_different_keys_of_ours_are_refused() {
    let pairs = [
        ("authorization", "Bearer a-good-key-of-enough-letters"),
        ("x-api-key", "second-key-of-enough-letters"),
    ];
    assert_eq!(outcome(&pairs, None), Err(Kind::Unauthenticated));
}

#[test]
fn only_a_bad_credential_is_unauthenticated() {
    for (key, kind) in [
        ("", Kind::Unauthenticated),
        ("Bearer not-a-key-that-we-know", Kind::Unauthenticated),
        ("Basic a-good-key-of-enough-letters", Kind::Unauthenticated),
        ("Bearer revoked-key-with-enough-lett", Kind::Unauthenticated),
        ("Bearer expired-key-with-enough-lett", Kind::Unauthenticated),
        ("Bearer disabled-key-with-enough-let", Kind::Forbidden),
        ("Bearer blocked-key-with-enough-lett", Kind::Forbidden),
    ] {
        assert_eq!(outcome(&[("authorization", key)], None), Err(kind), "{key}");
    }
    assert_eq!(outcome(&[], None), Err(Kind::Unauthenticated));
}
