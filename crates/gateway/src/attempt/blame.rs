//! Whose fault an error answer is, for those who search for a provider in a way of their own: the
//! same rules as for any attempt.

use super::classify::{self, Failure, Verdict};
use crate::health::Sign;
use http::{HeaderMap, StatusCode};
use tollgate_core::{
    clock::Timestamp,
    error::{Error, Kind},
    provider::Provider,
};

/// What an error answer says of its provider.
pub(crate) struct Blame {
    /// What it is to the provider's health.
    pub(crate) sign: Option<Sign>,
    /// What the client is told in its place; `None` when it may see the answer.
    pub(crate) instead: Option<Error>,
}

/// Whose fault an error status is.
pub(crate) fn blames(
    provider: &Provider,
    (status, headers): (StatusCode, &HeaderMap),
    body: &[u8],
    now: Timestamp,
) -> Blame {
    let failure = match classify::of_status(status, headers, body, now) {
        Verdict::Client => {
            return Blame {
                sign: Some(Sign::Answered),
                instead: None,
            };
        }
        Verdict::Provider(failure) => failure,
    };
    Blame {
        sign: failure.sign(),
        instead: (!failure.may_be_shown()).then(|| hidden(provider, failure, status)),
    }
}

fn hidden(provider: &Provider, failure: Failure, status: StatusCode) -> Error {
    let slug = &provider.slug;
    let (kind, message) = match failure {
        Failure::Redirect(_) => (
            Kind::UpstreamBroken,
            format!("the provider `{slug}` answered with a redirect, which is not followed"),
        ),
        _ => (
            Kind::UpstreamUnreachable,
            format!("the provider `{slug}` refused this gateway's credential: tell its operator"),
        ),
    };
    Error::new(kind, message).with_context(format!("provider `{slug}` answered {status}"))
}
