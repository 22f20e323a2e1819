//! The state machine of one provider: in, out, probed.
//!
//! ```text
//!        N failures in a row, or told to stay away
//!   in ──────────────────────────────────────────► out until t ◄─┐
//!    ▲                                               │ t passed  │ it failed
//!    └────────── an answer ◄──────────── one request probes ─────┘
//! ```
//!
//! An answer brings a provider back only if it was asked after it went out: what was under way
//! before proves nothing. A probe that takes longer than the interval counts as lost, so that a
//! provider that hangs is still looked at once per interval. Pure: time is an argument.

use crate::settings::HealthPolicy;
use std::time::Duration;
use tokio::time::Instant;

/// What a provider did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    /// It answered: with content, or with an error that is the client's own.
    Answered,
    /// An answer of it came to its end.
    Whole,
    /// It did not answer, or with an error of its own.
    Failed,
    /// It refused our credential: nothing will get better by itself.
    CredentialRefused,
    /// It said for how long it wants to be left alone.
    Overloaded(Duration),
    /// An answer of it broke off after its head had gone to the client.
    BrokeOff,
}

/// What a sign changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// It is out until then.
    Out(Instant),
    /// It is in again.
    Back,
}

/// Says since when its holder has been at the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ticket {
    /// How often it had gone out by then.
    openings: u64,
    /// When it began to probe.
    probe: Option<Instant>,
}

/// See the [module](self).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Breaker {
    state: State,
    openings: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    In {
        /// Failures since the last answer.
        failed: u32,
        /// Answers that broke off since the last whole one.
        broken: u32,
    },
    Out {
        until: Instant,
        /// Since when a request probes.
        probe: Option<Instant>,
    },
}

impl Default for State {
    fn default() -> Self {
        Self::In {
            failed: 0,
            broken: 0,
        }
    }
}

impl Breaker {
    /// Until when it is out; `None` when it is in, or when it is time to probe.
    pub(super) fn out_until(&self, now: Instant, policy: HealthPolicy) -> Option<Instant> {
        let State::Out { until, probe } = self.state else {
            return None;
        };
        let until = probe.map_or(until, |since| until.max(since + policy.probe_interval));
        (now < until).then_some(until)
    }

    /// Lets a request in: any while it is in, one when it is time to probe.
    pub(super) fn enter(&mut self, now: Instant, policy: HealthPolicy) -> Option<Ticket> {
        if self.out_until(now, policy).is_some() {
            return None;
        }
        let mut ticket = self.insist();
        if let State::Out { probe, .. } = &mut self.state {
            *probe = Some(now);
            ticket.probe = Some(now);
        }
        Some(ticket)
    }

    /// Lets a request in although it is out, because there is nobody else.
    pub(super) fn insist(&self) -> Ticket {
        Ticket {
            openings: self.openings,
            probe: None,
        }
    }

    /// Takes down what it did with the request of this ticket.
    pub(super) fn note(
        &mut self,
        ticket: Ticket,
        sign: Sign,
        now: Instant,
        policy: HealthPolicy,
    ) -> Option<Change> {
        let soon = now + policy.probe_interval;
        match sign {
            // True whenever it is said.
            Sign::Overloaded(delay) => self.go_out(now + delay.min(policy.retry_after_max)),
            Sign::CredentialRefused => self.go_out(soon),
            _ if ticket.openings != self.openings => None,
            Sign::Answered | Sign::Whole => self.answered(sign == Sign::Whole),
            Sign::Failed | Sign::BrokeOff => match &mut self.state {
                State::In { failed, broken } => {
                    let count = if sign == Sign::Failed { failed } else { broken };
                    *count = count.saturating_add(1);
                    (*count >= policy.failures.max(1))
                        .then(|| self.go_out(soon))
                        .flatten()
                }
                State::Out { until, probe } => {
                    if ticket.probe.is_some() && *probe == ticket.probe {
                        *until = (*until).max(soon);
                        *probe = None;
                    }
                    None
                }
            },
        }
    }

    /// The request of this ticket is over. A probe without a result makes room for the next.
    pub(super) fn leave(&mut self, ticket: Ticket) {
        if let State::Out { probe, .. } = &mut self.state
            && ticket.probe.is_some()
            && *probe == ticket.probe
        {
            *probe = None;
        }
    }

    /// Whether there is nothing to remember: whoever knows it not at all assumes the same. Tickets
    /// of before it was forgotten cannot be told from those after, so none may be left.
    pub(super) fn is_pristine(&self) -> bool {
        self.state == State::default()
    }

    fn answered(&mut self, whole: bool) -> Option<Change> {
        match &mut self.state {
            State::In { failed, broken } => {
                *failed = 0;
                if whole {
                    *broken = 0;
                }
                None
            }
            State::Out { .. } => {
                self.state = State::default();
                Some(Change::Back)
            }
        }
    }

    /// Out until then, or longer if it was to be longer. Told once.
    fn go_out(&mut self, until: Instant) -> Option<Change> {
        self.openings += 1;
        match &mut self.state {
            State::In { .. } => {
                self.state = State::Out { until, probe: None };
                Some(Change::Out(until))
            }
            State::Out {
                until: before,
                probe,
            } => {
                *before = (*before).max(until);
                *probe = None;
                None
            }
        }
    }
}

#[cfg(test)]
mod tests;
