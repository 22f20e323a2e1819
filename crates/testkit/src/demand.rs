//! What an upstream demands of a request's credential before it answers, as a provider would: the
//! right secret in the right place and no other one beside it, a signature that holds, a token that
//! its own token endpoint has issued.

mod sigv4;
mod tokens;

pub use sigv4::Signer;
pub(crate) use tokens::Issuer;
pub use tokens::{Accounts, EntraApplication};

use crate::upstream::Received;
use serde::Deserialize;

/// Headers a secret may stand in, in any dialect.
const SECRET_HEADERS: [&str; 5] = [
    "authorization",
    "x-api-key",
    "api-key",
    "x-goog-api-key",
    "x-amz-security-token",
];

/// A demand.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Demand {
    /// `Authorization: Bearer` and this secret.
    Bearer(String),
    /// A header and the secret in it.
    Header(String, String),
    /// A signature of AWS, version 4.
    Signature(Signer),
    /// `Authorization: Bearer` and a token that was issued here and has not expired.
    Token(TokenMaker),
}

/// Whose token endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TokenMaker {
    /// Google's.
    Google,
    /// Microsoft's.
    Entra,
}

/// Why a credential is refused.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) message: String,
}

impl Refusal {
    fn new(status: u16, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
        }
    }
}

impl Demand {
    /// Whether a request meets it.
    pub(crate) fn check(&self, request: &Received, issuer: Option<&Issuer>) -> Result<(), Refusal> {
        let allowed: &[&str] = match self {
            Self::Header(name, _) => &[name],
            Self::Signature(signer) if signer.session_token.is_some() => {
                &["authorization", "x-amz-security-token"]
            }
            Self::Bearer(_) | Self::Token(_) | Self::Signature(_) => &["authorization"],
        };
        alone(request, allowed)?;
        match self {
            Self::Bearer(secret) => {
                let sent = bearer(request)?;
                same(sent, secret)
            }
            Self::Header(name, secret) => {
                let missing = || Refusal::new(401, format!("no {name} header"));
                same(request.header(name).ok_or_else(missing)?, secret)
            }
            Self::Signature(signer) => signer.check(request),
            Self::Token(maker) => {
                let token = bearer(request)?;
                let issued = issuer.is_some_and(|issuer| issuer.is_valid(*maker, token));
                if issued {
                    return Ok(());
                }
                Err(Refusal::new(
                    401,
                    "the token was not issued here, or has expired",
                ))
            }
        }
    }
}

/// Refuses secrets in places where none was asked for: they are somebody else's.
fn alone(request: &Received, allowed: &[&str]) -> Result<(), Refusal> {
    let stray = SECRET_HEADERS
        .iter()
        .find(|name| !allowed.contains(name) && request.header(name).is_some());
    match (stray, request.query("key")) {
        (None, None) => Ok(()),
        (Some(name), _) => Err(Refusal::new(
            403,
            format!("a secret in {name} that nobody asked for"),
        )),
        (None, Some(_)) => Err(Refusal::new(
            403,
            "a secret in the query that nobody asked for",
        )),
    }
}

/// Seconds since 1970.
#[expect(
    clippy::disallowed_methods,
    reason = "signatures and assertions come from processes with clocks of their own"
)]
fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

fn bearer(request: &Received) -> Result<&str, Refusal> {
    let header = request.header("authorization");
    let token = header.and_then(|value| value.strip_prefix("Bearer "));
    token.ok_or_else(|| Refusal::new(401, "no bearer token"))
}

fn same(sent: &str, secret: &str) -> Result<(), Refusal> {
    if sent == secret {
        return Ok(());
    }
    Err(Refusal::new(401, "the secret is not the one expected here"))
}

#[cfg(test)]
mod tests;
