//! What we present to a provider.

use super::{ProviderKind, profile::Auth};
use crate::secret::Secret;

/// Where a plain secret stands on a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CredentialPlacement {
    /// `Authorization: Bearer <secret>`.
    Bearer,
    /// A header with this name (`x-api-key`, `x-goog-api-key`), carrying the bare secret.
    Header(String),
    /// A query parameter with this name.
    Query(String),
}

/// The secret we present upstream, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// A secret that stands on the request as it is: a key, or a token somebody else renews.
    Placed {
        /// Where it goes.
        placement: CredentialPlacement,
        /// The secret.
        secret: Secret,
    },
    /// Requests are signed with these keys (AWS Signature Version 4).
    Aws(SigningKeys),
    /// Requests are signed with what the AWS standard chain finds: environment, profile, web
    /// identity, container, instance.
    AwsChain,
    /// Access tokens are asked for with a service account's key.
    GoogleServiceAccount(ServiceAccount),
    /// Access tokens come from Google's application default credentials.
    GoogleDefault,
    /// Access tokens are asked of Microsoft Entra with a client secret.
    Entra(Entra),
}

/// AWS keys, of a user or of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningKeys {
    /// Names the keys; stands in every signature.
    pub access_key_id: String,
    /// Signs.
    pub secret_access_key: Secret,
    /// Short-lived keys come with one.
    pub session_token: Option<Secret>,
}

/// A Google service account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceAccount {
    /// The key file's JSON, whole: it names the account, its token endpoint and its private key.
    pub key_json: Secret,
}

/// A Microsoft Entra application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entra {
    /// The directory.
    pub tenant_id: String,
    /// The application.
    pub client_id: String,
    /// Its secret.
    pub client_secret: Secret,
    /// Where tokens are asked for: `https://login.microsoftonline.com`, or a sovereign cloud's.
    pub authority: String,
}

impl Entra {
    /// The authority of the public cloud.
    pub const PUBLIC_AUTHORITY: &'static str = "https://login.microsoftonline.com";
}

impl CredentialPlacement {
    /// Where this kind of provider wants a plain secret.
    pub fn default_for(kind: ProviderKind) -> Self {
        match kind.profile().auth {
            Auth::Bearer => Self::Bearer,
            Auth::Header(name) => Self::Header(name.to_owned()),
        }
    }
}
