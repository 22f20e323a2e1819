//! The opening at the upstream: each provider of the plan is asked in turn to switch protocols.

use super::{Caller, handshake};
use crate::{
    attempt,
    exchange::{Ending, Exchange},
    headers,
    health::{Insist, NotNow, Sign},
    relay::ResponseBody,
    reserve, respond,
    select::{self, Attempt, Route, Wanted},
    upstream::{self, Answer, Inbound, Upgrade},
};
use bytes::Bytes;
use http::{HeaderMap, Method, Response, StatusCode, header};
use http_body_util::{BodyExt, Collected, Limited};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use std::{collections::VecDeque, sync::Arc, time::Duration};
use tokio::time::Instant;
use tollgate_core::{
    error::{Error, Kind},
    id::ProviderId,
};
use tollgate_wire::facts::RequestFacts;

/// The most of a refusal's body that is passed on, in bytes.
const REFUSAL_BYTES_MAX: usize = 64 << 10;

/// A provider that switched protocols.
pub(super) struct Connected {
    pub(super) attempt: Attempt,
    /// The headers of its 101.
    pub(super) headers: HeaderMap,
    pub(super) socket: TokioIo<Upgraded>,
}

/// Why nobody did.
pub(super) enum NotConnected {
    /// An error of ours.
    Ours(Error),
    /// A provider's own refusal, which the client may see.
    Theirs(Box<Refusal>),
}

impl From<Error> for NotConnected {
    fn from(error: Error) -> Self {
        Self::Ours(error)
    }
}

/// An answer that is no 101.
pub(super) struct Refusal {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

/// What became of one provider.
enum Tried {
    Connected(Box<Connected>),
    /// It comes to nothing; a refusal that is the client's own ends the search.
    Failed {
        why: NotConnected,
        ends: bool,
    },
}

/// Asks the plan's providers in turn: those that are out when nobody else is left.
///
/// # Errors
/// No route, no permission, a limit that is reached already, or nobody who switches.
pub(super) async fn connect(
    opening: &mut Exchange,
    caller: &Caller<'_>,
    headers: &HeaderMap,
    facts: &RequestFacts,
) -> Result<Connected, NotConnected> {
    let route = route(opening, facts, headers, None)?;
    if let Some(first) = route.attempts.first() {
        // Refused when a limit is used up already. It covers no turn, but counts the conversation.
        opening.reservation = Some(reserve::reserve(opening, facts, first).await?);
    }
    let until = route.time_budget.map(|budget| Instant::now() + budget);
    let insist = |insist| move |attempt| (attempt, insist);
    let only = route.attempts.len() == 1;
    let first = if only { Insist::Yes } else { Insist::No };
    let mut queue: VecDeque<_> = route.attempts.into_iter().map(insist(first)).collect();
    let mut last = NotConnected::Ours(full());
    while let Some((attempt, insist)) = queue.pop_front() {
        if until.is_some_and(|until| Instant::now() >= until) {
            break;
        }
        let health = Arc::clone(&opening.gateway.health);
        match health.enter(&attempt.provider, insist, Instant::now()) {
            Ok(duty) => opening.duty = Some(duty),
            Err(NotNow::Full) => continue,
            Err(NotNow::Out) => {
                queue.push_back((attempt, Insist::Yes));
                continue;
            }
        }
        match try_one(opening, caller, headers, facts, attempt).await? {
            Tried::Connected(connected) => return Ok(*connected),
            Tried::Failed { why, ends } => {
                last = why;
                if ends {
                    break;
                }
            }
        }
    }
    Err(last)
}

fn full() -> Error {
    let text = "every provider of this route has as many requests as it may have at once: try again \
                in a moment";
    Error::new(Kind::Unavailable, text).with_retry_after(Duration::from_secs(1))
}

/// Asks one provider.
///
/// # Errors
/// What ends the search: a hold that cannot be proved.
async fn try_one(
    opening: &mut Exchange,
    caller: &Caller<'_>,
    headers: &HeaderMap,
    facts: &RequestFacts,
    attempt: Attempt,
) -> Result<Tried, Error> {
    let failed = |why| Tried::Failed { why, ends: false };
    opening.record.provider = Some(attempt.provider.slug.clone());
    let inbound = Inbound {
        method: &Method::GET,
        endpoint: caller.endpoint,
        headers,
        facts,
        body: &Bytes::new(),
        rest: None,
    };
    let mut request = match upstream::build(inbound, &attempt) {
        Ok(prepared) => prepared.request,
        Err(error) => return Ok(failed(error.into())),
    };
    if let Some(reservation) = &mut opening.reservation {
        reservation.mark_sent()?;
    }
    opening.record.attempts += 1;
    let key = handshake::to_upstream(headers, request.headers_mut());
    let client = opening.gateway.client.clone();
    Ok(match client.upgrade(&attempt.provider, request).await {
        Err(failure) => {
            opening.report_provider(Sign::Failed);
            failed(failure.error.into())
        }
        Ok(Upgrade::Switched { headers, socket }) if handshake::is_accepted(&headers, &key) => {
            opening.report_provider(Sign::Answered);
            Tried::Connected(Box::new(Connected {
                attempt,
                headers,
                socket,
            }))
        }
        Ok(Upgrade::Switched { .. }) => {
            opening.report_provider(Sign::Failed);
            let slug = &attempt.provider.slug;
            let text = format!("the provider `{slug}` did not answer the WebSocket handshake");
            failed(Error::new(Kind::UpstreamBroken, text).into())
        }
        Ok(Upgrade::Refused(answer)) => judge(opening, &attempt, answer).await,
    })
}

/// A refusal, read as far as it is passed on, and judged like that of any request.
async fn judge(opening: &mut Exchange, attempt: &Attempt, answer: Answer) -> Tried {
    let provider = &attempt.provider;
    let idle = opening.idle_timeout(provider);
    let read = Limited::new(answer.body, REFUSAL_BYTES_MAX).collect();
    let read = tokio::time::timeout(idle, read).await;
    let body = read.ok().and_then(Result::ok);
    let body = body.map(Collected::to_bytes).unwrap_or_default();
    let (status, headers) = (answer.status, answer.headers);
    let now = opening.gateway.now();
    let blamed = attempt::blames(provider, (status, &headers), &body, now);
    if let Some(sign) = blamed.sign {
        opening.report_provider(sign);
    }
    let ends = blamed.sign == Some(Sign::Answered);
    let why = match blamed.instead {
        Some(error) => error.into(),
        None => NotConnected::Theirs(Box::new(Refusal {
            status,
            headers,
            body,
        })),
    };
    Tried::Failed { why, ends }
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

/// The provider's own refusal, passed on.
pub(super) fn refused(mut opening: Exchange, refusal: Refusal) -> Response<ResponseBody> {
    let mut response = Response::new(ResponseBody::whole(refusal.body));
    *response.status_mut() = refusal.status;
    *response.headers_mut() = headers::to_client(&refusal.headers);
    response.headers_mut().remove(header::CONTENT_LENGTH);
    respond::stamp(response.headers_mut(), opening.request_id());
    opening.answered(refusal.status.as_u16());
    opening.ending = Ending::Refused;
    opening.close();
    response
}
