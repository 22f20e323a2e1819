//! Step 6, attempt: send the request and get the head of an answer that the client may see.
//!
//! A provider's own error is the client's to see, byte for byte. Three statuses are not: 401, 402
//! and 403 are about *our* credential, the operator's business, and their bodies may echo parts of
//! it.

use crate::{
    exchange::{Ending, Exchange},
    select::Attempt,
    upstream::{self, Answer, Inbound, Prepared},
};
use http::{HeaderMap, StatusCode};
use tollgate_core::{
    error::{Error, Kind},
    provider::ProviderKind,
};
use tollgate_wire::{envelope::AnswerForm, simulated::SimulatedRequest};

/// Headers under which providers name their request.
const UPSTREAM_IDS: [&str; 3] = ["x-request-id", "request-id", "x-amzn-requestid"];

/// The head of an answer that the client may see.
pub(crate) struct Accepted {
    pub(crate) answer: Answer,
    pub(crate) form: AnswerForm,
    /// The stream has a usage chunk that the client did not ask for.
    pub(crate) withholds_usage: bool,
}

/// Sends the request to one provider.
///
/// # Errors
/// [`Kind::UpstreamUnreachable`], [`Kind::UpstreamTimeout`], [`Kind::UpstreamBroken`];
/// [`Kind::Unavailable`] when the hold cannot be proved or the provider is misconfigured.
pub(crate) async fn attempt(
    exchange: &mut Exchange,
    inbound: Inbound<'_>,
    attempt: &Attempt,
) -> Result<Accepted, Error> {
    exchange.record.provider = Some(attempt.provider.slug.clone());
    let Prepared {
        request,
        form,
        withholds_usage,
    } = upstream::build(inbound, attempt)?;
    if let Some(reservation) = &mut exchange.reservation {
        reservation.mark_sent()?;
    }
    exchange.record.attempts += 1;
    let sent = if attempt.provider.kind == ProviderKind::Simulated {
        let body = request.into_body().into_bytes();
        Ok(upstream::simulated::answer(&SimulatedRequest {
            endpoint: inbound.endpoint,
            facts: inbound.facts,
            body: &body,
            headers: inbound.headers,
            now: exchange.record.received_at,
        }))
    } else {
        let client = exchange.gateway.client.clone();
        let deadline = exchange.deadline();
        exchange.while_held(client.send(request), deadline).await?
    };
    match sent {
        Ok(answer) => Ok(Accepted {
            answer: judge(exchange, attempt, answer)?,
            form,
            withholds_usage,
        }),
        Err(failure) => {
            exchange.ending = if failure.may_have_arrived {
                Ending::Unknown
            } else {
                Ending::NotSent
            };
            Err(failure.error)
        }
    }
}

fn judge(exchange: &mut Exchange, attempt: &Attempt, answer: Answer) -> Result<Answer, Error> {
    exchange.record.upstream_request_id = upstream_id(&answer.headers);
    if answer.status.is_success() {
        return Ok(answer);
    }
    exchange.ending = Ending::Refused;
    let slug = &attempt.provider.slug;
    match answer.status {
        StatusCode::UNAUTHORIZED | StatusCode::PAYMENT_REQUIRED | StatusCode::FORBIDDEN => {
            Err(credential_refused(slug, answer.status))
        }
        status if status.is_redirection() || status.is_informational() => Err(Error::new(
            Kind::UpstreamBroken,
            format!("the provider `{slug}` answered with a redirect, which is not followed"),
        )
        .with_context(format!(
            "provider `{slug}` answered {status}: check its base_url"
        ))),
        _ => Ok(answer),
    }
}

/// What the caller is told when our credential is refused.
pub(crate) fn credential_refused(slug: &str, status: StatusCode) -> Error {
    Error::new(
        Kind::UpstreamUnreachable,
        format!("the provider `{slug}` refused this gateway's credential: tell its operator"),
    )
    .with_context(format!(
        "provider `{slug}` answered {status} to our credential"
    ))
}

/// Google answers a bad key with a 400 whose details name the reason.
pub(crate) fn is_google_credential_error(
    kind: ProviderKind,
    status: StatusCode,
    body: &[u8],
) -> bool {
    kind == ProviderKind::GoogleGemini
        && status == StatusCode::BAD_REQUEST
        && body
            .windows(API_KEY_INVALID.len())
            .any(|window| window == API_KEY_INVALID)
}

const API_KEY_INVALID: &[u8] = b"API_KEY_INVALID";

fn upstream_id(headers: &HeaderMap) -> Option<String> {
    let value = UPSTREAM_IDS.iter().find_map(|name| headers.get(*name))?;
    let text = value.to_str().ok()?;
    Some(text.chars().take(128).collect())
}
