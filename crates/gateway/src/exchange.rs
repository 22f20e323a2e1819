//! The state of one request from its first byte to its record.
//!
//! Made after step 3, closed once. Whoever forgets to close it (a client that hung up, a cancelled
//! task, a panic) has its destructor do so: steps 8 and 9 cannot be skipped.

use crate::{
    record,
    reserve::Reservation,
    settle,
    state::{Gateway, View},
};
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, timeout_at};
use tollgate_core::{
    amount::Amount,
    clock::Timestamp,
    error::{Error, Kind},
    format::Format,
    id::RequestId,
    money::NanoUsd,
    price::{ModelPricing, PriceError, PricedReport, ProviderPrices},
    principal::Principal,
    record::{RecordFlags, UsageRecord},
    usage::{Usage, UsageReport},
};
use tollgate_wire::{endpoint::Endpoint, error::CallerTraits, facts::RequestFacts};

/// How soon the clock is looked at again once a hold could not be raised.
pub(crate) const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// How the upstream's part of a request ended.
#[derive(Debug, Default)]
pub(crate) enum Ending {
    /// It was sent and its end was not seen: an estimate of what may be billed is posted.
    #[default]
    Unknown,
    /// It never reached the upstream.
    NotSent,
    /// The upstream answered with an error: nothing is billed.
    Refused,
    /// The answer's usage, final or not.
    Reported(Box<UsageReport>),
}

/// How the chosen attempt is priced.
#[derive(Clone, Debug)]
pub(crate) struct Pricing {
    pub(crate) prices: Arc<ProviderPrices>,
    /// `None` when the model has no price and the provider's policy lets it pass.
    pub(crate) model: Option<Arc<ModelPricing>>,
    /// The model as it is sent.
    pub(crate) sent_model: String,
}

/// See the [module](self).
pub(crate) struct Exchange {
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) record: UsageRecord,
    pub(crate) caller: CallerTraits,
    pub(crate) pricing: Option<Pricing>,
    pub(crate) reservation: Option<Reservation>,
    pub(crate) ending: Ending,
    /// Names of the key and the project, for the log line.
    pub(crate) principal: Arc<Principal>,
    pub(crate) choices: u64,
    /// Set when all of the input is text that we saw: then its size teaches.
    pub(crate) text_bytes: Option<u64>,
    /// The model reads nothing but what the request shows.
    pub(crate) shows_all_input: bool,
    /// The revision of everything that this request runs on, from start to end.
    pub(crate) view: Arc<View>,
    pub(crate) started: Instant,
    closed: bool,
}

/// What is known of a request when its exchange begins.
pub(crate) struct Opening<'r> {
    pub(crate) request: RequestId,
    pub(crate) received_at: Timestamp,
    pub(crate) started: Instant,
    pub(crate) route: &'r str,
    pub(crate) endpoint: &'r Endpoint,
    pub(crate) facts: &'r RequestFacts,
    pub(crate) caller: CallerTraits,
    pub(crate) view: &'r Arc<View>,
}

impl Exchange {
    pub(crate) fn open(
        gateway: &Arc<Gateway>,
        principal: &Arc<Principal>,
        opening: &Opening<'_>,
    ) -> Self {
        let facts = opening.facts;
        let all_text = facts.media_tokens == 0 && !facts.unseen_input;
        Self {
            gateway: Arc::clone(gateway),
            record: UsageRecord {
                request: opening.request,
                ids: principal.ids,
                received_at: opening.received_at,
                first_byte_at: None,
                ended_at: opening.received_at,
                route: opening.route.to_owned(),
                provider: None,
                format: opening.endpoint.format,
                operation: opening.endpoint.operation,
                model_asked: facts.model.clone(),
                model_answered: None,
                stream: facts.stream,
                status: 0,
                error: None,
                usage: Usage::NONE,
                cost: NanoUsd::ZERO,
                abandoned_cost: NanoUsd::ZERO,
                provider_cost: None,
                held: Amount::ZERO,
                attempts: 0,
                flags: RecordFlags::NONE,
                price_version: Arc::clone(&opening.view.price_version),
                upstream_request_id: None,
            },
            caller: opening.caller,
            pricing: None,
            reservation: None,
            ending: Ending::Unknown,
            principal: Arc::clone(principal),
            choices: facts.choices.max(1),
            text_bytes: all_text.then_some(facts.text_bytes),
            shows_all_input: !facts.unseen_input,
            view: Arc::clone(opening.view),
            started: opening.started,
            closed: false,
        }
    }

    pub(crate) fn request_id(&self) -> RequestId {
        self.record.request
    }

    pub(crate) fn format(&self) -> Format {
        self.record.format
    }

    /// Notes the head that goes to the client.
    pub(crate) fn answered(&mut self, status: u16) {
        self.record.status = status;
        self.record.first_byte_at = Some(self.gateway.now());
    }

    /// Notes an error of ours that ends the request.
    pub(crate) fn failed(&mut self, error: &Error) {
        self.record.error = Some(error.kind());
        match error.kind() {
            Kind::UpstreamBroken => self.record.flags.add(RecordFlags::BROKEN),
            Kind::LimitReached | Kind::LimitHeld if self.record.first_byte_at.is_some() => {
                self.record.flags.add(RecordFlags::CUT);
            }
            _ => {}
        }
        if self.record.first_byte_at.is_none() {
            self.record.status = error.kind().status();
        }
    }

    /// When the request has lived its longest.
    pub(crate) fn deadline(&self) -> Instant {
        self.started + self.gateway.settings().request_deadline
    }

    /// Waits for something of the upstream, at most `until`, and keeps the hold ahead of what may
    /// be billed meanwhile: reasoning that shows nothing is billed by the clock.
    ///
    /// # Errors
    /// The refusal of a limit that ends the wait, or [`Kind::UpstreamTimeout`].
    pub(crate) async fn while_held<T>(
        &mut self,
        event: impl Future<Output = T>,
        until: Instant,
    ) -> Result<T, Error> {
        let until = until.min(self.deadline());
        tokio::pin!(event);
        loop {
            let quiet = self.reservation.as_ref().and_then(Reservation::quiet_until);
            let quiet = quiet.map(|quiet| quiet.max(Instant::now() + LOOK_AGAIN));
            let alarm = quiet.map_or(until, |quiet| quiet.min(until));
            if let Ok(happened) = timeout_at(alarm, &mut event).await {
                return Ok(happened);
            }
            if Instant::now() >= until {
                return Err(Error::new(
                    Kind::UpstreamTimeout,
                    format!(
                        "the provider sent nothing for {} s",
                        self.started.elapsed().as_secs()
                    ),
                ));
            }
            if let Some(Err(refusal)) = self.reservation.as_mut().map(Reservation::top_up) {
                return Err(refusal.to_error());
            }
        }
    }

    /// What a report costs by the prices of this attempt.
    ///
    /// # Errors
    /// [`PriceError`]; a model without any pricing has no price.
    pub(crate) fn price_of(&self, report: &UsageReport) -> Result<PricedReport, PriceError> {
        let sent = self.pricing.as_ref().ok_or(PriceError::NoUsage)?;
        sent.prices
            .cost_of_report(&sent.sent_model, report, self.record.received_at)
    }

    /// The cost alone; `None` when it cannot be said.
    pub(crate) fn cost_of(&self, report: &UsageReport) -> Option<NanoUsd> {
        Some(self.price_of(report).ok()?.cost.total)
    }

    /// The same as decimal dollars, for clients that read the cost from the answer.
    pub(crate) fn cost_text(&self, report: &UsageReport) -> Option<String> {
        self.cost_of(report).map(|cost| cost.to_string())
    }

    /// Steps 8 and 9. Further calls do nothing.
    pub(crate) fn close(&mut self) {
        if !std::mem::replace(&mut self.closed, true) {
            self.record.ended_at = self.gateway.now();
            let posting = settle::settle(self);
            record::record(self, posting);
        }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if !self.closed {
            self.record.flags.add(RecordFlags::CLIENT_GONE);
            self.close();
        }
    }
}
