//! One attempt at one target: the request goes out, and its answer is judged.

use super::{Accepted, Bounds, Failed, Tried, classify, opening};
use crate::{
    attempt::{
        classify::{Failure, Verdict},
        opening::{Opened, Start},
    },
    exchange::{Ending, Exchange},
    health::Sign,
    select::Attempt,
    settings::{ERROR_BODY_WAIT, WHOLE_ANSWER_MAX},
    upstream::{self, Answer, AnswerBody, Inbound, Prepared, SendError},
};
use http::{HeaderMap, StatusCode};
use std::collections::VecDeque;
use tollgate_core::{
    error::Error,
    provider::{ProviderKind, ReportCost},
    record::RecordFlags,
};
use tollgate_wire::{
    envelope::AnswerForm,
    simulated::SimulatedRequest,
    tap::{StreamEdits, Tap},
};

/// Headers under which providers name their request.
const UPSTREAM_IDS: [&str; 3] = ["x-request-id", "request-id", "x-amzn-requestid"];

/// Tries one target.
///
/// # Errors
/// What ends the search: a limit, a hold that cannot be proved.
pub(super) async fn once(
    exchange: &mut Exchange,
    inbound: Inbound<'_>,
    attempt: &Attempt,
    bounds: Bounds,
) -> Result<Tried, Error> {
    exchange.record.provider = Some(attempt.provider.slug.clone());
    exchange.record.upstream_request_id = None;
    if attempt.provider.kind == ProviderKind::Simulated {
        exchange.record.flags.add(RecordFlags::SIMULATED);
    }
    let prepared = match upstream::build(inbound, attempt) {
        Ok(prepared) => prepared,
        Err(error) => return Ok(Tried::Failed(Failed::of(Failure::Unfit, error))),
    };
    if let Some(reservation) = &mut exchange.reservation {
        reservation.mark_sent()?;
    }
    exchange.ending = Ending::Unknown;
    exchange.record.attempts += 1;
    let (form, withholds_usage) = (prepared.form, prepared.withholds_usage);
    let answer = match send(exchange, inbound, attempt, prepared, bounds).await? {
        Some(Ok(answer)) => answer,
        None => {
            let error = classify::sent_nothing(exchange.started.elapsed());
            return Ok(Tried::Failed(Failed::of(bounds.silent(), error)));
        }
        Some(Err(failure)) => {
            if !failure.may_have_arrived {
                exchange.ending = Ending::NotSent;
            }
            return Ok(Tried::Failed(Failed::not_sent(failure)));
        }
    };
    exchange.record.upstream_request_id = upstream_id(&answer.headers);
    exchange.price_as_served(&attempt.provider, &answer.headers);
    if answer.status.is_success() {
        let edits = StreamEdits {
            withhold_usage: withholds_usage,
            insert_cost: attempt.provider.report_cost == ReportCost::Body,
        };
        succeeded(exchange, inbound, attempt, (answer, form, edits), bounds).await
    } else {
        exchange.ending = Ending::Refused;
        refused(exchange, attempt, answer, bounds).await
    }
}

/// Sends it and waits for the head; `None` when our own time for that is up.
async fn send(
    exchange: &mut Exchange,
    inbound: Inbound<'_>,
    attempt: &Attempt,
    prepared: Prepared,
    bounds: Bounds,
) -> Result<Option<Result<Answer, SendError>>, Error> {
    if attempt.provider.kind == ProviderKind::Simulated {
        let body = prepared.request.into_body().into_bytes();
        return Ok(Some(Ok(upstream::simulated::answer(&SimulatedRequest {
            endpoint: inbound.endpoint,
            facts: inbound.facts,
            body: &body,
            headers: inbound.headers,
            now: exchange.record.received_at,
        }))));
    }
    let client = exchange.gateway.client.clone();
    // On the heap: it is large, and would be moved into each future around it.
    let sent = Box::pin(client.send(&attempt.provider, prepared.request));
    exchange.while_held(sent, bounds.until).await
}

/// A success, once its first content is there.
async fn succeeded(
    exchange: &mut Exchange,
    inbound: Inbound<'_>,
    attempt: &Attempt,
    (mut answer, form, edits): (Answer, AnswerForm, StreamEdits),
    bounds: Bounds,
) -> Result<Tried, Error> {
    let framing = if inbound.facts.stream {
        opening::framing(exchange.format(), form, &answer.headers)
    } else {
        None
    };
    let idle = exchange.idle_timeout(&attempt.provider);
    let opened = match framing {
        None => opening::whole(
            exchange,
            &mut answer.body,
            (opening::read_ahead(exchange, &answer.headers), idle),
            bounds,
        )
        .await?
        .and_then(|(pieces, ended)| {
            let looked_at = bounds.more && ended;
            let none = looked_at.then(|| opening::not_an_answer(exchange, &pieces));
            none.flatten()
                .map_or(Ok(Start::Whole { pieces, ended }), Err)
        }),
        Some(framing) => {
            let tap = Tap::new(exchange.format(), framing, edits);
            let mut opened = Opened::new(tap, framing);
            let held = if bounds.searches {
                opening::hold_head(exchange, &mut answer.body, &mut opened, idle, bounds).await?
            } else {
                Ok(())
            };
            held.map(|()| Start::Stream(Box::new(opened)))
        }
    };
    Ok(match opened {
        Ok(start) => {
            exchange.report_provider(Sign::Answered);
            Tried::Accepted(Box::new(Accepted {
                answer,
                form,
                start,
                attempt: attempt.clone(),
            }))
        }
        Err((failure, error)) => Tried::Failed(Failed::of(failure, error)),
    })
}

/// An error of the provider: the client's own, or a reason to look elsewhere.
async fn refused(
    exchange: &mut Exchange,
    attempt: &Attempt,
    mut answer: Answer,
    bounds: Bounds,
) -> Result<Tried, Error> {
    let provider = &attempt.provider;
    let judge = |answer: &Answer, body: &[u8], now| {
        classify::of_status(answer.status, &answer.headers, body, now)
    };
    let now = exchange.gateway.now();
    if let Verdict::Provider(failure) = judge(&answer, b"", now)
        && !failure.may_be_shown()
        && answer.status != StatusCode::FORBIDDEN
    {
        return Ok(Tried::Failed(Failed::of_status(&provider.slug, failure)));
    }
    let idle = exchange.idle_timeout(provider);
    let idle = if bounds.more {
        idle.min(ERROR_BODY_WAIT)
    } else {
        idle
    };
    let (mut pieces, within) = (VecDeque::new(), (WHOLE_ANSWER_MAX, idle));
    let read = opening::read(exchange, &mut answer.body, &mut pieces, within, bounds).await?;
    // The head said what is wrong. Of a body that breaks off, what came of it must do.
    let ended = read.unwrap_or(true);
    if ended {
        answer.body = AnswerBody::Ended;
    }
    let verdict = judge(&answer, &opening::joined(&pieces), now);
    let accepted = Box::new(Accepted {
        answer,
        form: AnswerForm::Native,
        start: Start::Whole { pieces, ended },
        attempt: attempt.clone(),
    });
    Ok(match verdict {
        Verdict::Client => {
            exchange.report_provider(Sign::Answered);
            Tried::Accepted(accepted)
        }
        Verdict::Provider(failure) => {
            let failed = Failed::of_status(&provider.slug, failure);
            let shown = failure.may_be_shown().then_some(accepted);
            Tried::Failed(Failed { shown, ..failed })
        }
    })
}

pub(super) fn upstream_id(headers: &HeaderMap) -> Option<String> {
    let value = UPSTREAM_IDS.iter().find_map(|name| headers.get(*name))?;
    let text = value.to_str().ok()?;
    Some(text.chars().take(128).collect())
}
