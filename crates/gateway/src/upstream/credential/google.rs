//! Access tokens of Google: for a service account by a signed assertion (RFC 7523), for this
//! machine by the application default credentials.
//!
//! The defaults are looked for where Google's own libraries look: the file that
//! `GOOGLE_APPLICATION_CREDENTIALS` names, the file that `gcloud auth application-default login`
//! writes, the metadata server.

mod assertion;

use super::{
    lease::Lease,
    token::{self, failed},
};
use crate::upstream::{body::RequestBody, failure::SendError, transport::Transport};
use http::{HeaderValue, Request, Uri};
use serde::Deserialize;
use std::{
    io,
    path::{Path, PathBuf},
};
use tollgate_core::{
    clock::Clock,
    provider::{Connection, ServiceAccount},
    secret::Secret,
};

/// What tokens are asked for: models are part of the cloud platform.
pub(super) const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

const TOKEN_URI: &str = "https://oauth2.googleapis.com/token";

const METADATA_HOST: &str = "metadata.google.internal";

/// Where the application default credentials of this machine are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoogleDefaults {
    /// The file that somebody named: it must be there.
    named: Option<PathBuf>,
    /// The file that gcloud writes: it may be there.
    well_known: Option<PathBuf>,
    metadata_host: String,
}

impl Default for GoogleDefaults {
    fn default() -> Self {
        Self::new(|_| None)
    }
}

impl GoogleDefaults {
    /// What the environment says about them; `variable` gives the value of a variable that is set.
    pub fn new(variable: impl Fn(&str) -> Option<String>) -> Self {
        let directory = variable("CLOUDSDK_CONFIG").map(PathBuf::from).or_else(|| {
            if cfg!(windows) {
                Some(Path::new(&variable("APPDATA")?).join("gcloud"))
            } else {
                Some(Path::new(&variable("HOME")?).join(".config/gcloud"))
            }
        });
        Self {
            named: variable("GOOGLE_APPLICATION_CREDENTIALS").map(PathBuf::from),
            well_known: directory.map(|home| home.join("application_default_credentials.json")),
            metadata_host: variable("GCE_METADATA_HOST")
                .unwrap_or_else(|| METADATA_HOST.to_owned()),
        }
    }

    /// The source of tokens that these are.
    pub(super) async fn find(&self) -> Result<GoogleSource, String> {
        let unreadable = |path: &Path, error: &io::Error| {
            format!(
                "Google credentials {} cannot be read: {error}",
                path.display()
            )
        };
        if let Some(path) = &self.named {
            let text = tokio::fs::read(path).await;
            return GoogleSource::of_file(&text.map_err(|error| unreadable(path, &error))?);
        }
        if let Some(path) = &self.well_known {
            match tokio::fs::read(path).await {
                Ok(text) => return GoogleSource::of_file(&text),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(unreadable(path, &error)),
            }
        }
        Ok(GoogleSource::Metadata {
            host: self.metadata_host.clone(),
        })
    }
}

/// Something that tokens can be had with.
pub(super) enum GoogleSource {
    /// A service account's key.
    Account(Account),
    /// A person's refresh token, as gcloud keeps it.
    User(User),
    /// The machine is Google's and has a service account attached.
    Metadata { host: String },
}

/// A service account's key.
pub(super) struct Account {
    email: String,
    key_id: Option<String>,
    private_key: Secret,
    token_uri: String,
}

/// A person's refresh token.
pub(super) struct User {
    client_id: String,
    client_secret: Secret,
    refresh_token: Secret,
    token_uri: String,
}

/// A file of credentials, as Google writes it.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum File {
    ServiceAccount {
        client_email: String,
        private_key_id: Option<String>,
        private_key: String,
        token_uri: Option<String>,
    },
    AuthorizedUser {
        client_id: String,
        client_secret: String,
        refresh_token: String,
        token_uri: Option<String>,
    },
    #[serde(other)]
    Other,
}

impl GoogleSource {
    /// A service account.
    pub(super) fn of_account(account: &ServiceAccount) -> Result<Self, String> {
        let source = Self::of_file(account.key_json.expose().as_bytes())?;
        match source {
            Self::Account(_) => Ok(source),
            Self::User(_) | Self::Metadata { .. } => {
                Err("its credential is not a Google service account's key".to_owned())
            }
        }
    }

    fn of_file(text: &[u8]) -> Result<Self, String> {
        let or_default = |uri: Option<String>| uri.unwrap_or_else(|| TOKEN_URI.to_owned());
        // What serde says about a mistake may quote the file.
        let file = serde_json::from_slice(text)
            .map_err(|_| "its Google credentials are not a JSON key file".to_owned())?;
        match file {
            File::ServiceAccount {
                client_email,
                private_key_id,
                private_key,
                token_uri,
            } => Ok(Self::Account(Account {
                email: client_email,
                key_id: private_key_id,
                private_key: Secret::new(private_key),
                token_uri: or_default(token_uri),
            })),
            File::AuthorizedUser {
                client_id,
                client_secret,
                refresh_token,
                token_uri,
            } => Ok(Self::User(User {
                client_id,
                client_secret: Secret::new(client_secret),
                refresh_token: Secret::new(refresh_token),
                token_uri: or_default(token_uri),
            })),
            File::Other => Err(
                "its Google credentials are neither of a service account nor of a user: give a \
                 service account's key"
                    .to_owned(),
            ),
        }
    }

    /// Asks for a token.
    pub(super) async fn ask(
        &self,
        transport: &Transport,
        connection: &Connection,
        clock: &dyn Clock,
    ) -> Result<Lease<Secret>, SendError> {
        let request = self.request(clock).map_err(failed)?;
        token::ask(transport, connection, clock, request).await
    }

    fn request(&self, clock: &dyn Clock) -> Result<Request<RequestBody>, &'static str> {
        let parse = |uri: &str| -> Result<Uri, &'static str> {
            uri.parse().map_err(|_| "its token endpoint is not a URL")
        };
        match self {
            Self::Account(account) => {
                let assertion = assertion::sign(account, clock.now())?;
                let fields = [
                    ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
                    ("assertion", assertion.expose()),
                ];
                Ok(token::form(parse(&account.token_uri)?, &fields))
            }
            Self::User(user) => {
                let fields = [
                    ("grant_type", "refresh_token"),
                    ("client_id", &user.client_id),
                    ("client_secret", user.client_secret.expose()),
                    ("refresh_token", user.refresh_token.expose()),
                ];
                Ok(token::form(parse(&user.token_uri)?, &fields))
            }
            Self::Metadata { host } => {
                let path = "computeMetadata/v1/instance/service-accounts/default/token";
                let mut request = Request::new(RequestBody::default());
                *request.uri_mut() = parse(&format!("http://{host}/{path}"))?;
                let flavour = HeaderValue::from_static("Google");
                request.headers_mut().insert("metadata-flavor", flavour);
                Ok(request)
            }
        }
    }
}

#[cfg(test)]
mod tests;
