//! Step 6, attempt: the search for a target that answers.
//!
//! The plan's targets are tried one after the other, each with its own price and its own part of
//! the hold, until one gives an answer that the client may see: a success whose first content is
//! there ([`opening`]), or an error that is the client's own ([`classify`]). What an attempt that
//! is given up may have cost is set aside in the hold. From the moment an answer is accepted
//! nothing is tried elsewhere any more.
//!
//! A target that is out, or that another request probes, is put off to the end; one that is full
//! is passed over. With a single target nothing is held back: its answer, error or stream, is the
//! client's as it comes.

mod blame;
mod classify;
mod once;
mod opening;
mod outcome;

pub(crate) use blame::blames;
pub(crate) use opening::{Opened, Start, broken, joined};

use crate::{
    exchange::Exchange,
    health::{Insist, NotNow, Sign},
    receive::Rest,
    reserve,
    select::{Attempt, Plan, Planned},
    settle,
    upstream::{Answer, Inbound},
};
use classify::Failure;
use outcome::Failures;
use std::{collections::VecDeque, sync::Arc};
use tokio::time::Instant;
use tollgate_core::error::{Error, Kind};
use tollgate_wire::envelope::AnswerForm;

/// An answer that the client may see.
pub(crate) struct Accepted {
    /// Head, and what of the body was not read yet.
    pub(crate) answer: Answer,
    pub(crate) form: AnswerForm,
    /// What of the body was read.
    pub(crate) start: Start,
    /// Who gave it.
    pub(crate) attempt: Attempt,
}

/// What bounds each attempt.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    /// When the search is over.
    until: Instant,
    /// There is, or was, another target, or a time budget: the head of a stream is held until
    /// there is content.
    searches: bool,
    /// There is another target left to try.
    more: bool,
    /// From then on whoever has not answered is slow, and not just out of our time: the attempt has
    /// had half of the search.
    slow_from: Instant,
}

impl Bounds {
    /// What a target that has not answered by now is to be told: that it was too slow for its own
    /// bound or for most of the search, or that our time for it was up.
    fn silent(&self) -> Failure {
        let now = Instant::now();
        if now >= self.until && now < self.slow_from {
            Failure::OutOfTime
        } else {
            Failure::Silent
        }
    }
}

/// A target that came to nothing.
struct Failed {
    failure: Failure,
    /// What the caller is told if this was the only one.
    error: Error,
    /// The provider's own error, if the client may see it.
    shown: Option<Box<Accepted>>,
}

/// What became of one attempt.
enum Tried {
    Accepted(Box<Accepted>),
    Failed(Failed),
}

/// Tries the plan's targets until one answers.
///
/// # Errors
/// When none does: [`Kind::UpstreamUnreachable`], [`Kind::UpstreamTimeout`],
/// [`Kind::UpstreamBroken`], or [`Kind::Unavailable`] when all are full or misconfigured or the
/// hold cannot be proved; [`Kind::LimitReached`] when the hold of a further attempt does not fit.
pub(crate) async fn attempt(
    exchange: &mut Exchange,
    inbound: Inbound<'_>,
    plan: Plan,
) -> Result<Accepted, Error> {
    let mut search = Search::begin(exchange, plan);
    while let Some((planned, insist)) = search.next() {
        let is_held = std::mem::take(&mut search.is_held);
        let bounds = search.bounds();
        let slug = &planned.attempt.provider.slug;
        let health = Arc::clone(&exchange.gateway.health);
        let entered = health.enter(&planned.attempt.provider, insist, Instant::now());
        exchange.duty = match entered {
            Ok(duty) => Some(duty),
            Err(NotNow::Out) => {
                search.put_off.push_back(planned);
                continue;
            }
            Err(NotNow::Full) => {
                search.failures.add(exchange, slug, Failed::full(slug));
                continue;
            }
        };
        let failed = match take_up(exchange, inbound, &planned, is_held)? {
            Some(failed) => failed,
            None => match once::once(exchange, inbound, &planned.attempt, bounds).await? {
                Tried::Accepted(accepted) => return Ok(*accepted),
                Tried::Failed(failed) => failed,
            },
        };
        if let Some(error) = inbound.rest.and_then(Rest::failure) {
            // The client broke its own request off.
            return Err(error);
        }
        // A provider that gave up while it waited for the client proves nothing.
        let is_clients = inbound.rest.is_some_and(Rest::is_awaited);
        match failed.failure.sign() {
            None => {}
            Some(Sign::Failed) if is_clients => {}
            Some(sign) => exchange.report_provider(sign),
        }
        exchange.duty = None;
        search.failures.add(exchange, slug, failed);
        let is_used_up = inbound.rest.is_some_and(Rest::is_touched);
        if is_used_up || Instant::now() >= search.until {
            break;
        }
    }
    search.failures.conclude(exchange)
}

/// A search on its way.
struct Search {
    begun: Instant,
    queue: VecDeque<Planned>,
    /// Those that are out: when nobody else is left.
    put_off: VecDeque<Planned>,
    until: Instant,
    /// Heads are held.
    searches: bool,
    /// There was never a choice.
    only: bool,
    /// The next one is the first: step 5 took the hold for it.
    is_held: bool,
    failures: Failures,
}

impl Search {
    fn begin(exchange: &Exchange, plan: Plan) -> Self {
        let deadline = exchange.deadline();
        let until = plan.time_budget.map(|budget| Instant::now() + budget);
        Self {
            begun: Instant::now(),
            searches: plan.attempts.len() > 1 || plan.time_budget.is_some(),
            only: plan.attempts.len() == 1,
            queue: plan.attempts,
            put_off: VecDeque::new(),
            until: until.map_or(deadline, |until| until.min(deadline)),
            is_held: true,
            failures: Failures::default(),
        }
    }

    /// Who is tried next, and whether even if it is out.
    fn next(&mut self) -> Option<(Planned, Insist)> {
        let Some(planned) = self.queue.pop_front() else {
            return Some((self.put_off.pop_front()?, Insist::Yes));
        };
        let insist = if self.only { Insist::Yes } else { Insist::No };
        Some((planned, insist))
    }

    fn bounds(&self) -> Bounds {
        Bounds {
            until: self.until,
            searches: self.searches,
            more: !(self.queue.is_empty() && self.put_off.is_empty()),
            slow_from: Instant::now() + self.until.saturating_duration_since(self.begun) / 2,
        }
    }
}

/// Gives the attempt its price and its part of the hold, which `is_held` when step 5 took it. A
/// failure when it cannot have one.
///
/// # Errors
/// The refusal of a limit: with it the search is over.
fn take_up(
    exchange: &mut Exchange,
    inbound: Inbound<'_>,
    planned: &Planned,
    is_held: bool,
) -> Result<Option<Failed>, Error> {
    settle::abandon(exchange);
    exchange.pricing.clone_from(&planned.pricing);
    if is_held {
        return Ok(None);
    }
    match reserve::move_on(exchange, inbound.facts, &planned.attempt) {
        Ok(()) => Ok(None),
        Err(error) if error.kind() == Kind::BadRequest => {
            Ok(Some(Failed::of(Failure::Unfit, error)))
        }
        Err(error) => Err(error),
    }
}

impl Failed {
    fn of(failure: Failure, error: Error) -> Self {
        Self {
            failure,
            error,
            shown: None,
        }
    }
}
