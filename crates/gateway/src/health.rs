//! How each provider is doing: who is taken out, who is tried again, who is full.
//!
//! Kept per node and per provider, beside the views: a change of settings forgets nothing. The
//! rules are a pure state machine ([`breaker`]); this file keeps one for each provider behind one
//! mutex, and counts what runs there. Whoever is let in holds a [`Duty`] until its answer is over:
//! dropping it gives the place back, and a probe that came to nothing may be made again.
//!
//! What of all this a route obeys is the attempt's business: a provider that is out is passed over
//! only while there is another to try.

mod breaker;

use crate::settings::HealthPolicy;
use breaker::{Breaker, Change, Ticket};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::time::Instant;
use tollgate_core::{id::ProviderId, provider::Provider};

pub(crate) use breaker::Sign;

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Health {
    policy: HealthPolicy,
    /// Only of whom there is something to know.
    providers: Mutex<HashMap<ProviderId, Condition>>,
}

#[derive(Debug, Default)]
struct Condition {
    breaker: Breaker,
    running: u32,
}

/// Why a provider is not to be tried now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotNow {
    /// It is out, or another request finds out whether it still is.
    Out,
    /// It has as many requests as it may have.
    Full,
}

/// Whether a provider that is out is tried all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Insist {
    /// There are others.
    No,
    /// There is nobody else.
    Yes,
}

/// A place at a provider, for as long as its answer runs.
#[derive(Debug)]
pub(crate) struct Duty {
    health: Arc<Health>,
    provider: Arc<Provider>,
    ticket: Ticket,
}

impl Health {
    /// Everybody is well.
    pub(crate) fn new(policy: HealthPolicy) -> Arc<Self> {
        Arc::new(Self {
            policy,
            providers: Mutex::default(),
        })
    }

    /// Until when a provider is out; `None` when it may be tried.
    pub(crate) fn out_until(&self, provider: ProviderId, now: Instant) -> Option<Instant> {
        let providers = self.lock();
        let condition = providers.get(&provider)?;
        condition.breaker.out_until(now, self.policy)
    }

    /// Takes a place.
    ///
    /// # Errors
    /// See [`NotNow`].
    pub(crate) fn enter(
        self: &Arc<Self>,
        provider: &Arc<Provider>,
        insist: Insist,
        now: Instant,
    ) -> Result<Duty, NotNow> {
        let mut providers = self.lock();
        let condition = providers.entry(provider.id).or_default();
        let most = provider.connection.max_concurrency.unwrap_or(u32::MAX);
        if condition.running >= most {
            return Err(NotNow::Full);
        }
        let ticket = match (condition.breaker.enter(now, self.policy), insist) {
            (Some(ticket), _) => ticket,
            (None, Insist::Yes) => condition.breaker.insist(),
            (None, Insist::No) => return Err(NotNow::Out),
        };
        condition.running += 1;
        Ok(Duty {
            health: Arc::clone(self),
            provider: Arc::clone(provider),
            ticket,
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ProviderId, Condition>> {
        // Each call leaves the map whole; at worst a provider's condition is a little off.
        self.providers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Duty {
    /// Takes down what the provider did.
    pub(crate) fn note(&self, sign: Sign, now: Instant) {
        let mut providers = self.health.lock();
        let condition = providers.entry(self.provider.id).or_default();
        let change = condition
            .breaker
            .note(self.ticket, sign, now, self.health.policy);
        drop(providers);
        let provider = &self.provider.slug;
        match change {
            None => {}
            Some(Change::Back) => tracing::info!(provider, "the provider answers again"),
            Some(Change::Out(until)) => {
                let seconds = until.saturating_duration_since(now).as_secs();
                match sign {
                    Sign::CredentialRefused => tracing::error!(
                        provider,
                        "the provider refuses our credential: replace it; it is out of its \
                         routing groups and tried again every {seconds} s"
                    ),
                    Sign::Answered | Sign::Whole | Sign::Failed | Sign::BrokeOff => {
                        tracing::warn!(provider, "the provider keeps failing: out for {seconds} s");
                    }
                    Sign::Overloaded(_) => tracing::warn!(
                        provider,
                        "the provider asks to be left alone: out for {seconds} s"
                    ),
                }
            }
        }
    }
}

impl Drop for Duty {
    fn drop(&mut self) {
        let mut providers = self.health.lock();
        if let Some(condition) = providers.get_mut(&self.provider.id) {
            condition.running = condition.running.saturating_sub(1);
            condition.breaker.leave(self.ticket);
            if condition.running == 0 && condition.breaker.is_pristine() {
                providers.remove(&self.provider.id);
            }
        }
    }
}

#[cfg(test)]
mod tests;
