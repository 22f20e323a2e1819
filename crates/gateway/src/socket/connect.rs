//! The opening at the upstream: each provider of the plan is asked in turn to switch protocols.

use super::{Caller, handshake};
use crate::{
    exchange::Exchange,
    headers,
    health::{Insist, NotNow, Sign},
    relay::ResponseBody,
    reserve, respond,
    select::{self, Attempt, Route, Wanted},
    upstream::{self, Answer, Inbound, SendError, Upgrade},
};
use bytes::Bytes;
use http::{HeaderMap, Method, Response, header};
use http_body_util::{BodyExt, Limited};
use std::sync::Arc;
use tokio::time::Instant;
use tollgate_core::{
    error::{Error, Kind},
    id::ProviderId,
};
use tollgate_wire::facts::RequestFacts;

/// The most of a refusal's body that is passed on, in bytes.
const REFUSAL_BYTES_MAX: usize = 64 << 10;

/// A provider that answered.
pub(super) struct Connected {
    pub(super) attempt: Attempt,
    pub(super) upgrade: Upgrade,
}

/// Asks the plan's providers in turn.
///
/// # Errors
/// No route, no permission, a limit that is reached already, or nobody who can be reached.
pub(super) async fn connect(
    opening: &mut Exchange,
    caller: &Caller<'_>,
    headers: &HeaderMap,
    facts: &RequestFacts,
) -> Result<Connected, Error> {
    let route = route(opening, facts, headers, None)?;
    if let Some(first) = route.attempts.first() {
        // Refused when a limit is used up already. It covers no turn, but counts the conversation.
        opening.reservation = Some(reserve::reserve(opening, facts, first).await?);
    }
    let only = route.attempts.len() == 1;
    let mut last = Err(Error::new(Kind::Unavailable, "no provider could be tried"));
    for attempt in route.attempts {
        let insist = if only { Insist::Yes } else { Insist::No };
        let health = Arc::clone(&opening.gateway.health);
        match health.enter(&attempt.provider, insist, Instant::now()) {
            Ok(duty) => opening.duty = Some(duty),
            Err(NotNow::Out | NotNow::Full) => continue,
        }
        match ask(opening, caller, headers, facts, &attempt).await {
            Ok(upgrade) => {
                let is_refused = matches!(
                    &upgrade,
                    Upgrade::Refused(answer) if is_of_provider(answer.status)
                );
                opening.report_provider(if is_refused {
                    Sign::Failed
                } else {
                    Sign::Answered
                });
                let connected = Connected { attempt, upgrade };
                if !is_refused {
                    return Ok(connected);
                }
                last = Ok(connected);
            }
            Err(error) => {
                opening.report_provider(Sign::Failed);
                last = Err(error);
            }
        }
    }
    match last {
        // What it says may be about our credential.
        Ok(Connected {
            attempt,
            upgrade: Upgrade::Refused(answer),
        }) if matches!(answer.status.as_u16(), 401..=403) => {
            let (slug, status) = (&attempt.provider.slug, answer.status);
            let message = format!(
                "the provider `{slug}` refused this gateway's credential: tell its operator"
            );
            let context = format!("provider `{slug}` answered {status} to a WebSocket handshake");
            Err(Error::new(Kind::UpstreamUnreachable, message).with_context(context))
        }
        last => last,
    }
}

/// The providers that may serve the conversation, or one turn of it where it lives already.
pub(super) fn route(
    exchange: &Exchange,
    facts: &RequestFacts,
    headers: &HeaderMap,
    lives_at: Option<ProviderId>,
) -> Result<Route, Error> {
    let principal = &exchange.principal;
    let org = exchange.view.organization(principal.ids.organization)?;
    let gateway = &exchange.gateway;
    let now = Instant::now();
    let affinity = select::affinity(principal, facts, headers);
    let mut chance = select::Chance {
        affinity: affinity.as_deref(),
        draw: &mut || gateway.draw(),
        out_until: &|provider| gateway.health.out_until(provider, now),
    };
    let wanted = Wanted {
        route: &exchange.record.route,
        format: exchange.format(),
        operation: exchange.record.operation,
        model: &facts.model,
        other_models: &facts.other_models,
        lives_at,
    };
    select::route(org, principal, wanted, &mut chance)
}

async fn ask(
    opening: &mut Exchange,
    caller: &Caller<'_>,
    headers: &HeaderMap,
    facts: &RequestFacts,
    attempt: &Attempt,
) -> Result<Upgrade, Error> {
    opening.record.provider = Some(attempt.provider.slug.clone());
    opening.record.attempts += 1;
    if let Some(reservation) = &mut opening.reservation {
        reservation.mark_sent()?;
    }
    let inbound = Inbound {
        method: &Method::GET,
        endpoint: caller.endpoint,
        headers,
        facts,
        body: &Bytes::new(),
        rest: None,
    };
    let mut request = upstream::build(inbound, attempt)?.request;
    let key = handshake::to_upstream(headers, request.headers_mut());
    let client = opening.gateway.client.clone();
    let upgrade = client.upgrade(&attempt.provider, request).await;
    let upgrade = upgrade.map_err(|failure: SendError| failure.error)?;
    match &upgrade {
        Upgrade::Switched { headers, .. } if !handshake::is_accepted(headers, &key) => {
            Err(Error::new(
                Kind::UpstreamBroken,
                format!(
                    "the provider `{}` did not answer the WebSocket handshake",
                    attempt.provider.slug
                ),
            ))
        }
        Upgrade::Switched { .. } | Upgrade::Refused(_) => Ok(upgrade),
    }
}

/// Whether a refusal is about the provider or our credential, so that another one may do better.
fn is_of_provider(status: http::StatusCode) -> bool {
    status.is_server_error() || matches!(status.as_u16(), 401..=403 | 408 | 429)
}

/// The provider's own refusal, passed on.
pub(super) async fn refused(
    mut opening: Exchange,
    answer: Answer,
) -> Result<Response<ResponseBody>, Error> {
    let body = Limited::new(answer.body, REFUSAL_BYTES_MAX).collect().await;
    let body = body
        .map(http_body_util::Collected::to_bytes)
        .unwrap_or_default();
    let mut response = Response::new(ResponseBody::whole(body));
    *response.status_mut() = answer.status;
    *response.headers_mut() = headers::to_client(&answer.headers);
    response.headers_mut().remove(header::CONTENT_LENGTH);
    respond::stamp(response.headers_mut(), opening.request_id());
    opening.answered(answer.status.as_u16());
    opening.close();
    Ok(response)
}
