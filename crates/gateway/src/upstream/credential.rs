//! The credential of a provider, put on a request right before it is sent: as it is, as a
//! signature, or as an access token that was asked for with it.
//!
//! Tokens and keys with an end are kept and renewed before they expire, by one request at a time.
//! They are asked for over the provider's own kind of connection, so a token endpoint named in a
//! credential reaches no further than the provider's URL may. The identity of this machine
//! ([`Credential::AwsChain`], [`Credential::GoogleDefault`]) is for providers of the settings file
//! alone: whoever sets a provider through an API could otherwise have it sent wherever they like.

mod aws;
mod entra;
mod google;
mod lease;
mod placed;
mod token;

pub use google::GoogleDefaults;

use super::{body::RequestBody, failure::SendError, transport::Transport};
use aws::Chain;
use futures_util::FutureExt as _;
use google::GoogleSource;
use http::{HeaderMap, Request, StatusCode};
use lease::{Fetching, Lease, Slot};
use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};
use tollgate_core::{
    clock::Clock,
    id::ProviderId,
    provider::{
        Connection, Credential, CredentialPlacement, NetworkReach, Provider, ServiceAccount,
        SigningKeys,
    },
    secret::Secret,
};

/// Puts credentials on requests.
pub(super) struct Credentials {
    transport: Arc<Transport>,
    clock: Arc<dyn Clock>,
    google_defaults: GoogleDefaults,
    /// Tokens of this machine's Google identity.
    google: Arc<Slot<Secret>>,
    chain: Chain,
    /// Keys of this machine's AWS identity.
    aws: Arc<Slot<SigningKeys>>,
    /// Tokens of what providers have for a credential.
    tokens: RwLock<HashMap<TokenKey, Arc<Issued>>>,
}

/// Whose token it is and what for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct TokenKey {
    provider: ProviderId,
    audience: &'static str,
}

/// Tokens that were had with this credential.
struct Issued {
    credential: Credential,
    slot: Arc<Slot<Secret>>,
}

/// What stands on a request.
pub(super) struct Presented(Proof);

enum Proof {
    /// Something we can do nothing about.
    Fixed,
    /// A token.
    Token(Arc<Slot<Secret>>, Arc<Lease<Secret>>),
    /// A signature with keys that end.
    Signed(Arc<Slot<SigningKeys>>, Arc<Lease<SigningKeys>>),
}

impl Presented {
    /// Forgets what the provider says is no good any more.
    pub(super) fn judge(&self, status: StatusCode, headers: &HeaderMap) {
        match &self.0 {
            Proof::Token(slot, lease) if status == StatusCode::UNAUTHORIZED => slot.forget(lease),
            Proof::Signed(slot, lease) if aws::is_expired(status, headers) => slot.forget(lease),
            Proof::Fixed | Proof::Token(..) | Proof::Signed(..) => {}
        }
    }
}

impl Credentials {
    pub(super) fn new(
        transport: Arc<Transport>,
        clock: Arc<dyn Clock>,
        google_defaults: GoogleDefaults,
    ) -> Self {
        Self {
            chain: Chain::new(Arc::clone(&transport), Arc::clone(&clock)),
            transport,
            clock,
            google_defaults,
            google: Arc::default(),
            aws: Arc::default(),
            tokens: RwLock::default(),
        }
    }

    /// Puts the provider's credential on a request to it.
    pub(super) async fn present(
        &self,
        provider: &Provider,
        request: &mut Request<RequestBody>,
    ) -> Result<Presented, SendError> {
        let Some(credential) = &provider.credential else {
            return Ok(Presented(Proof::Fixed));
        };
        match credential {
            Credential::Placed { placement, secret } => {
                placed::put(provider, placement, secret, request)?;
                Ok(Presented(Proof::Fixed))
            }
            Credential::Aws(keys) => {
                aws::sign(provider, keys, self.clock.now(), request)?;
                Ok(Presented(Proof::Fixed))
            }
            Credential::AwsChain => {
                refuse_strangers(provider)?;
                let asking = || self.chain.keys(provider).boxed();
                let lease = self.aws.get(&*self.clock, asking).await?;
                aws::sign(provider, lease.value(), self.clock.now(), request)?;
                Ok(Presented(Proof::Signed(Arc::clone(&self.aws), lease)))
            }
            Credential::GoogleServiceAccount(account) => {
                let slot = self.slot(provider, credential, google::SCOPE);
                let asking = || self.ask_for_account(provider, account).boxed();
                self.put_token(provider, slot, asking, request).await
            }
            Credential::GoogleDefault => {
                refuse_strangers(provider)?;
                let asking = || self.ask_for_machine(provider).boxed();
                let slot = Arc::clone(&self.google);
                self.put_token(provider, slot, asking, request).await
            }
            Credential::Entra(application) => {
                let scope = entra::scope(request.uri());
                let slot = self.slot(provider, credential, scope);
                let (connection, clock) = (&provider.connection, &*self.clock);
                let asking =
                    || entra::ask(application, scope, &self.transport, connection, clock).boxed();
                self.put_token(provider, slot, asking, request).await
            }
        }
    }

    async fn ask_for_account(
        &self,
        provider: &Provider,
        account: &ServiceAccount,
    ) -> Result<Lease<Secret>, SendError> {
        let source = GoogleSource::of_account(account);
        let source = source.map_err(|what| SendError::misconfigured(&provider.slug, &what))?;
        let connection = &provider.connection;
        source.ask(&self.transport, connection, &*self.clock).await
    }

    async fn ask_for_machine(&self, provider: &Provider) -> Result<Lease<Secret>, SendError> {
        let source = self.google_defaults.find().await;
        let source = source.map_err(|what| SendError::misconfigured(&provider.slug, &what))?;
        let connection = Connection::default();
        source.ask(&self.transport, &connection, &*self.clock).await
    }

    async fn put_token<'f>(
        &self,
        provider: &Provider,
        slot: Arc<Slot<Secret>>,
        asking: impl FnOnce() -> Fetching<'f, Secret>,
        request: &mut Request<RequestBody>,
    ) -> Result<Presented, SendError> {
        let lease = slot.get(&*self.clock, asking).await?;
        let placement = CredentialPlacement::Bearer;
        placed::put(provider, &placement, lease.value(), request)?;
        Ok(Presented(Proof::Token(slot, lease)))
    }

    /// Where the tokens of a provider are kept. Another credential (a rotation) begins anew.
    fn slot(
        &self,
        provider: &Provider,
        credential: &Credential,
        audience: &'static str,
    ) -> Arc<Slot<Secret>> {
        let key = TokenKey {
            provider: provider.id,
            audience,
        };
        let tokens = self.tokens.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(issued) = tokens.get(&key)
            && issued.credential == *credential
        {
            return Arc::clone(&issued.slot);
        }
        drop(tokens);
        let mut tokens = self.tokens.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(issued) = tokens.get(&key)
            && issued.credential == *credential
        {
            return Arc::clone(&issued.slot);
        }
        let slot = Arc::<Slot<Secret>>::default();
        let issued = Issued {
            credential: credential.clone(),
            slot: Arc::clone(&slot),
        };
        tokens.insert(key, Arc::new(issued));
        slot
    }
}

/// By where the provider was set, whatever networks the settings open to it: private addresses
/// within reach do not make a stranger one of the operator's own.
fn refuse_strangers(provider: &Provider) -> Result<(), SendError> {
    match provider.connection.reach {
        NetworkReach::Any => Ok(()),
        NetworkReach::PublicOnly => Err(SendError::misconfigured(
            &provider.slug,
            "this machine's own cloud identity is for providers of the settings file alone",
        )),
    }
}

#[cfg(test)]
mod tests;
