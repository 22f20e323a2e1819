//! Token endpoints, as Google and Microsoft Entra run them: an assertion or a secret is checked for
//! all it claims, and what is issued is remembered until it expires.
//!
//! - `POST /token`: a service account's signed assertion, or a user's refresh token (Google);
//! - `GET /computeMetadata/v1/instance/service-accounts/default/token`: a machine's (Google);
//! - `POST /{tenant}/oauth2/v2.0/token`: an application's client secret (Entra).

mod assertion;

use super::TokenMaker;
use crate::{answer::Answer, provider::ask::percent_decoded, upstream::Received};
use assertion::ServiceAccount;
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

const USER_CLIENT_ID: &str = "user-client.apps.example.com";
const USER_CLIENT_SECRET: &str = "user-client-secret";
const USER_REFRESH_TOKEN: &str = "user-refresh-token";
const TENANT: &str = "11111111-2222-3333-4444-555555555555";
const APPLICATION: &str = "66666666-7777-8888-9999-000000000000";
const APPLICATION_SECRET: &str = "application-secret";
/// What Azure's services call themselves.
const AZURE_SCOPES: [&str; 2] = [
    "https://cognitiveservices.azure.com/.default",
    "https://ai.azure.com/.default",
];

/// Whom the token endpoints of an upstream know.
#[derive(Clone, Debug)]
pub struct Accounts {
    /// The key file of a Google service account.
    pub service_account: String,
    /// The file that `gcloud auth application-default login` leaves.
    pub authorized_user: String,
    /// An application at Microsoft Entra; its authority is the upstream.
    pub entra: EntraApplication,
}

/// An application at Microsoft Entra.
#[derive(Clone, Debug)]
pub struct EntraApplication {
    /// Its directory.
    pub tenant_id: String,
    /// Its name.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
}

/// The token endpoints of one upstream.
pub(crate) struct Issuer {
    lifetime: Duration,
    service_account: ServiceAccount,
    issued: Mutex<HashMap<String, (TokenMaker, Instant)>>,
}

impl Issuer {
    /// For an upstream at `url`.
    pub(crate) fn new(url: &str, lifetime: Duration) -> Self {
        Self {
            lifetime,
            service_account: ServiceAccount::generate(&format!("{url}/token")),
            issued: Mutex::default(),
        }
    }

    pub(crate) fn accounts(&self) -> Accounts {
        let user = json!({
            "type": "authorized_user",
            "client_id": USER_CLIENT_ID,
            "client_secret": USER_CLIENT_SECRET,
            "refresh_token": USER_REFRESH_TOKEN,
            "token_uri": self.service_account.token_uri,
        });
        Accounts {
            service_account: self.service_account.key_file(),
            authorized_user: user.to_string(),
            entra: EntraApplication {
                tenant_id: TENANT.to_owned(),
                client_id: APPLICATION.to_owned(),
                client_secret: APPLICATION_SECRET.to_owned(),
            },
        }
    }

    /// Whether a token was issued by this maker and still holds.
    pub(super) fn is_valid(&self, maker: TokenMaker, token: &str) -> bool {
        let issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        issued
            .get(token)
            .is_some_and(|(by, until)| *by == maker && Instant::now() < *until)
    }

    /// The answer to a request for a token; `None` for any other request.
    pub(crate) fn answer(&self, request: &Received) -> Option<Answer> {
        let path = request.path();
        let fields = fields(request);
        let asked = if request.method == "POST" && path == "/token" {
            self.google(&fields).map(|()| TokenMaker::Google)
        } else if path == "/computeMetadata/v1/instance/service-accounts/default/token" {
            match request.header("metadata-flavor") {
                Some("Google") => Ok(TokenMaker::Google),
                _ => Err((
                    403,
                    "invalid_request",
                    "no Metadata-Flavor: Google".to_owned(),
                )),
            }
        } else if request.method == "POST" && path.ends_with("/oauth2/v2.0/token") {
            entra(path, &fields).map(|()| TokenMaker::Entra)
        } else {
            return None;
        };
        Some(match asked {
            Ok(maker) => Answer::json(200, &self.issue(maker)),
            Err((status, error, description)) => {
                let body = json!({ "error": error, "error_description": description });
                Answer::json(status, &body)
            }
        })
    }

    fn google(&self, fields: &HashMap<String, String>) -> Result<(), (u16, &'static str, String)> {
        let field = |name: &str| fields.get(name).map_or("", String::as_str);
        match field("grant_type") {
            "urn:ietf:params:oauth:grant-type:jwt-bearer" => self
                .service_account
                .check(field("assertion"))
                .map_err(|why| (400, "invalid_grant", why)),
            "refresh_token" => {
                let sent = [
                    field("client_id"),
                    field("client_secret"),
                    field("refresh_token"),
                ];
                if sent == [USER_CLIENT_ID, USER_CLIENT_SECRET, USER_REFRESH_TOKEN] {
                    return Ok(());
                }
                Err((
                    400,
                    "invalid_grant",
                    "not a refresh token of this user".to_owned(),
                ))
            }
            other => Err((
                400,
                "unsupported_grant_type",
                format!("grant_type {other:?}"),
            )),
        }
    }

    fn issue(&self, maker: TokenMaker) -> Value {
        let mut issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        let token = match maker {
            TokenMaker::Google => format!("ya29.issued-{}", issued.len() + 1),
            TokenMaker::Entra => format!("eyJ0.issued-{}", issued.len() + 1),
        };
        issued.insert(token.clone(), (maker, Instant::now() + self.lifetime));
        json!({
            "access_token": token,
            "expires_in": self.lifetime.as_secs(),
            "token_type": "Bearer",
        })
    }
}

fn entra(path: &str, fields: &HashMap<String, String>) -> Result<(), (u16, &'static str, String)> {
    let field = |name: &str| fields.get(name).map_or("", String::as_str);
    if path != format!("/{TENANT}/oauth2/v2.0/token") {
        return Err((
            400,
            "invalid_request",
            "AADSTS90002: no such tenant".to_owned(),
        ));
    }
    if field("grant_type") != "client_credentials" {
        return Err((
            400,
            "unsupported_grant_type",
            "not client_credentials".to_owned(),
        ));
    }
    if !AZURE_SCOPES.contains(&field("scope")) {
        return Err((400, "invalid_scope", format!("scope {:?}", field("scope"))));
    }
    if [field("client_id"), field("client_secret")] != [APPLICATION, APPLICATION_SECRET] {
        return Err((
            401,
            "invalid_client",
            "AADSTS7000215: invalid client secret".to_owned(),
        ));
    }
    Ok(())
}

fn fields(request: &Received) -> HashMap<String, String> {
    let body = String::from_utf8_lossy(&request.body);
    body.split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (plain(name), plain(value)))
        .collect()
}

fn plain(text: &str) -> String {
    percent_decoded(&text.replace('+', " "))
}
