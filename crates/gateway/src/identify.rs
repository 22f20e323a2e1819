//! Step 2, identify: the principal behind the credential.
//!
//! A credential may stand in any header that any dialect's SDK uses, and some SDKs send it twice
//! or beside a placeholder (`x-goog-api-key: unset`). So all places are read, and exactly one
//! *known* credential must come out of them. 401 means a bad credential and nothing else: clients
//! answer it by signing in again.

use http::{HeaderMap, header};
use std::sync::Arc;
use tollgate_core::{
    api_key::{self, ApiKeyState, KeyHash},
    clock::Timestamp,
    error::{Error, Kind},
    principal::Principal,
    snapshot::{KeyEntry, Snapshot},
};

/// Hashes a credential as it is stored.
pub(crate) trait Hash {
    /// The keyed hash of `secret`.
    fn hash(&self, secret: &str) -> KeyHash;
}

impl Hash for tollgate_store::KeyHasher {
    fn hash(&self, secret: &str) -> KeyHash {
        tollgate_store::KeyHasher::hash(self, secret)
    }
}

const HEADERS: [&str; 3] = ["x-api-key", "x-goog-api-key", "api-key"];

/// Finds the principal of a request.
///
/// # Errors
/// [`Kind::Unauthenticated`] without exactly one known, unexpired, unrevoked credential;
/// [`Kind::Forbidden`] for one that is switched off.
pub(crate) fn identify(
    headers: &HeaderMap,
    query: Option<&str>,
    snapshot: &Snapshot,
    hasher: &dyn Hash,
    now: Timestamp,
) -> Result<Arc<Principal>, Error> {
    let mut presented = 0;
    let mut known: Option<&Arc<KeyEntry>> = None;
    let mut previous: Option<&str> = None;
    for secret in credentials(headers, query) {
        presented += 1;
        if previous == Some(secret) || !api_key::is_well_formed(secret) {
            continue;
        }
        previous = Some(secret);
        let Some(entry) = snapshot.keys.get(&hasher.hash(secret)) else {
            continue;
        };
        match known {
            Some(other) if other.key.id != entry.key.id => return Err(two_credentials()),
            _ => known = Some(entry),
        }
    }
    match known {
        Some(entry) => usable(entry, now),
        None if presented == 0 => Err(Error::new(
            Kind::Unauthenticated,
            "no API key: send it as `Authorization: Bearer <key>`",
        )),
        None => Err(Error::new(
            Kind::Unauthenticated,
            "the API key is not known to this gateway: check for a copying error, or ask an admin for a new one",
        )),
    }
}

fn usable(entry: &KeyEntry, now: Timestamp) -> Result<Arc<Principal>, Error> {
    let name = &entry.key.name;
    match entry.key.state {
        ApiKeyState::Active => {}
        ApiKeyState::Revoked => {
            return Err(Error::new(
                Kind::Unauthenticated,
                format!("the API key `{name}` was revoked: ask an admin for a new one"),
            ));
        }
        ApiKeyState::Disabled => {
            return Err(Error::new(
                Kind::Forbidden,
                format!("the API key `{name}` is disabled: ask an admin to enable it"),
            ));
        }
        ApiKeyState::Blocked => {
            return Err(Error::new(
                Kind::Forbidden,
                format!(
                    "the API key `{name}` is blocked, because a model without a price was called with it: ask an admin to clear it"
                ),
            ));
        }
    }
    if entry.key.expires_at.is_some_and(|at| at <= now) {
        return Err(Error::new(
            Kind::Unauthenticated,
            format!("the API key `{name}` has expired: ask an admin for a new one"),
        ));
    }
    Ok(Arc::clone(&entry.principal))
}

fn two_credentials() -> Error {
    Error::new(
        Kind::Unauthenticated,
        "the request carries two different API keys of this gateway: send one",
    )
}

/// Everything in the request that may be a credential.
fn credentials<'r>(
    headers: &'r HeaderMap,
    query: Option<&'r str>,
) -> impl Iterator<Item = &'r str> {
    let bearer = headers
        .get_all(header::AUTHORIZATION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .filter_map(bearer);
    let named = HEADERS
        .iter()
        .flat_map(|name| headers.get_all(*name).iter())
        .filter_map(|value| value.to_str().ok())
        .map(bearer_or_bare);
    let in_query = query
        .into_iter()
        .flat_map(|query| query.split('&'))
        .filter_map(|pair| pair.strip_prefix("key="));
    bearer
        .chain(named)
        .chain(in_query)
        .filter(|secret| !secret.is_empty())
}

/// The token of `Bearer <token>`; the scheme's case does not matter (RFC 9110 §11.1).
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn bearer_or_bare(value: &str) -> &str {
    bearer(value).unwrap_or(value.trim())
}

#[cfg(test)]
mod tests;
