//! A credential as it is stored: a word that says what it is and where it goes, and one sealed
//! secret. What has several parts is one JSON document inside the seal; what the machine provides
//! has nothing sealed.

use crate::error::{Result, StoreError};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use tollgate_core::{
    provider::{Credential, CredentialPlacement, Entra, ServiceAccount, SigningKeys},
    secret::Secret,
};
use zeroize::Zeroizing;

const AWS_KEYS: &str = "aws:keys";
const AWS_CHAIN: &str = "aws:chain";
const GOOGLE_SERVICE_ACCOUNT: &str = "google:service-account";
const GOOGLE_DEFAULT: &str = "google:default";
const ENTRA: &str = "entra";

#[derive(Deserialize, Serialize)]
struct AwsParts<'a> {
    access_key_id: Cow<'a, str>,
    secret_access_key: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_token: Option<Cow<'a, str>>,
}

#[derive(Deserialize, Serialize)]
struct EntraParts<'a> {
    tenant_id: Cow<'a, str>,
    client_id: Cow<'a, str>,
    client_secret: Cow<'a, str>,
    authority: Cow<'a, str>,
}

/// The word of a credential, and what of it is to be sealed.
pub(super) fn to_stored(credential: &Credential) -> Result<(String, Option<Secret>)> {
    let (word, secret) = match credential {
        Credential::Placed { placement, secret } => {
            return Ok((placement_word(placement), Some(secret.clone())));
        }
        Credential::Aws(keys) => {
            let session_token = keys.session_token.as_ref();
            let parts = AwsParts {
                access_key_id: Cow::Borrowed(&keys.access_key_id),
                secret_access_key: Cow::Borrowed(keys.secret_access_key.expose()),
                session_token: session_token.map(|token| Cow::Borrowed(token.expose())),
            };
            (AWS_KEYS, Some(document(&parts)?))
        }
        Credential::AwsChain => (AWS_CHAIN, None),
        Credential::GoogleServiceAccount(account) => {
            (GOOGLE_SERVICE_ACCOUNT, Some(account.key_json.clone()))
        }
        Credential::GoogleDefault => (GOOGLE_DEFAULT, None),
        Credential::Entra(entra) => {
            let parts = EntraParts {
                tenant_id: Cow::Borrowed(&entra.tenant_id),
                client_id: Cow::Borrowed(&entra.client_id),
                client_secret: Cow::Borrowed(entra.client_secret.expose()),
                authority: Cow::Borrowed(&entra.authority),
            };
            (ENTRA, Some(document(&parts)?))
        }
    };
    Ok((word.to_owned(), secret))
}

/// The credential that was stored so; `None` when the two do not belong together.
pub(super) fn from_stored(word: &str, secret: Option<Secret>) -> Option<Credential> {
    match (word, secret) {
        (AWS_CHAIN, None) => Some(Credential::AwsChain),
        (GOOGLE_DEFAULT, None) => Some(Credential::GoogleDefault),
        (AWS_CHAIN | GOOGLE_DEFAULT, Some(_)) | (_, None) => None,
        (AWS_KEYS, Some(document)) => {
            let parts: AwsParts<'_> = serde_json::from_str(document.expose()).ok()?;
            Some(Credential::Aws(SigningKeys {
                access_key_id: parts.access_key_id.into_owned(),
                secret_access_key: Secret::new(parts.secret_access_key),
                session_token: parts.session_token.map(Secret::new),
            }))
        }
        (GOOGLE_SERVICE_ACCOUNT, Some(key_json)) => {
            Some(Credential::GoogleServiceAccount(ServiceAccount {
                key_json,
            }))
        }
        (ENTRA, Some(document)) => {
            let parts: EntraParts<'_> = serde_json::from_str(document.expose()).ok()?;
            Some(Credential::Entra(Entra {
                tenant_id: parts.tenant_id.into_owned(),
                client_id: parts.client_id.into_owned(),
                client_secret: Secret::new(parts.client_secret),
                authority: parts.authority.into_owned(),
            }))
        }
        (placement, Some(secret)) => Some(Credential::Placed {
            placement: placement_from_word(placement)?,
            secret,
        }),
    }
}

/// `bearer`, `header:x-api-key`, `query:key`.
fn placement_word(placement: &CredentialPlacement) -> String {
    match placement {
        CredentialPlacement::Bearer => "bearer".to_owned(),
        CredentialPlacement::Header(name) => format!("header:{name}"),
        CredentialPlacement::Query(name) => format!("query:{name}"),
    }
}

fn placement_from_word(word: &str) -> Option<CredentialPlacement> {
    match word.split_once(':') {
        None if word == "bearer" => Some(CredentialPlacement::Bearer),
        Some(("header", name)) => Some(CredentialPlacement::Header(name.to_owned())),
        Some(("query", name)) => Some(CredentialPlacement::Query(name.to_owned())),
        None | Some(_) => None,
    }
}

/// Large enough for the parts of any cloud: a buffer that grows leaves copies behind.
const DOCUMENT_BYTES: usize = 16 << 10;

/// JSON, in memory that is wiped.
fn document(parts: &impl Serialize) -> Result<Secret> {
    let mut json = Zeroizing::new(Vec::with_capacity(DOCUMENT_BYTES));
    let unfit = |_| StoreError::OutOfRange("credential");
    serde_json::to_writer(&mut *json, parts).map_err(unfit)?;
    let text = std::str::from_utf8(&json);
    text.map(Secret::new)
        .map_err(|_| StoreError::OutOfRange("credential"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> Secret {
        Secret::new("s\"e\\c/r\u{e9}t\n")
    }

    fn every_form() -> Vec<(&'static str, Credential)> {
        let placed = |placement| Credential::Placed {
            placement,
            secret: secret(),
        };
        let keys = |session_token| {
            Credential::Aws(SigningKeys {
                access_key_id: "AKIA".to_owned(),
                secret_access_key: secret(),
                session_token,
            })
        };
        let account = ServiceAccount { key_json: secret() };
        let entra = Entra {
            tenant_id: "tenant".to_owned(),
            client_id: "client".to_owned(),
            client_secret: secret(),
            authority: Entra::PUBLIC_AUTHORITY.to_owned(),
        };
        vec![
            ("bearer", placed(CredentialPlacement::Bearer)),
            (
                "header:api-key",
                placed(CredentialPlacement::Header("api-key".to_owned())),
            ),
            (
                "query:key",
                placed(CredentialPlacement::Query("key".to_owned())),
            ),
            ("aws:keys", keys(None)),
            ("aws:keys", keys(Some(secret()))),
            ("aws:chain", Credential::AwsChain),
            (
                "google:service-account",
                Credential::GoogleServiceAccount(account),
            ),
            ("google:default", Credential::GoogleDefault),
            ("entra", Credential::Entra(entra)),
        ]
    }

    #[test]
    fn every_form_comes_back_as_it_was_and_needs_its_secret() {
        for (expected, credential) in every_form() {
            let (word, sealed) = to_stored(&credential).unwrap();
            assert_eq!(word, expected);
            assert_eq!(from_stored(&word, sealed.clone()), Some(credential));
            let other = match sealed {
                Some(_) => None,
                None => Some(secret()),
            };
            assert_eq!(from_stored(&word, other), None, "{word}");
        }
    }

    #[test]
    fn a_word_of_nobody_and_a_document_of_something_else_are_refused() {
        let document = |json: &str| Some(Secret::new(json));
        assert_eq!(from_stored("carrier-pigeon", document("{}")), None);
        assert_eq!(from_stored("aws:keys", document("{}")), None);
        assert_eq!(from_stored("entra", document("not json")), None);
    }
}
