//! The state of one request from its first byte to its record.
//!
//! Made after step 3, closed once. Whoever forgets to close it (a client that hung up, a cancelled
//! task, a panic) has its destructor do so: steps 8 and 9 cannot be skipped.

use crate::{
    health::{Duty, Sign},
    record,
    reserve::Reservation,
    settle,
    state::{Gateway, View},
};
use http::HeaderMap;
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, timeout_at};
use tollgate_core::{
    amount::Amount,
    clock::Timestamp,
    error::{Error, Kind},
    format::Format,
    id::{ProviderId, RequestId},
    money::NanoUsd,
    object::StoredObject,
    price::{ModelPricing, PriceError, PricedReport, ProviderPrices},
    principal::Principal,
    provider::Provider,
    record::{RecordFlags, UsageRecord},
    usage::{Usage, UsageReport},
};
use tollgate_wire::{
    endpoint::Endpoint, error::CallerTraits, facts::RequestFacts, objects::BatchWork,
};

/// How soon the clock is looked at again once a hold could not be raised.
pub(crate) const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// How the upstream's part of a request ended.
#[derive(Debug, Default)]
pub(crate) enum Ending {
    /// It never reached the upstream.
    #[default]
    NotSent,
    /// It was sent and its end was not seen: an estimate of what may be billed is posted.
    Unknown,
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
    /// Of the attempt that runs, or ran last.
    pub(crate) ending: Ending,
    /// The place at the provider that serves.
    pub(crate) duty: Option<Duty>,
    /// The attempts that came to nothing, for the log line: `slug:why` each.
    pub(crate) failures: String,
    /// What the operator reads of the error that ended the request.
    pub(crate) reason: Option<String>,
    /// Names of the key and the project, for the log line.
    pub(crate) principal: Arc<Principal>,
    pub(crate) choices: u64,
    /// What the request alone shows of its usage, where the answer may say nothing of it: the
    /// characters of a speech.
    pub(crate) counted: Option<Box<Usage>>,
    /// Set when all of the input is text that we saw: then its size teaches.
    pub(crate) text_bytes: Option<u64>,
    /// The model reads nothing but what the request shows.
    pub(crate) shows_all_input: bool,
    /// The revision of everything that this request runs on, from start to end.
    pub(crate) view: Arc<View>,
    pub(crate) started: Instant,
    /// The provider whose answer was accepted.
    pub(crate) served_by: Option<ProviderId>,
    /// What the answer named there, to be committed with the record.
    pub(crate) made: Vec<StoredObject>,
    /// How much of what the answer names was looked at.
    pub(crate) noted: usize,
    /// What the batch asks for that the request hands in.
    pub(crate) batch: Option<Box<BatchWork>>,
    pub(crate) deferral: Deferral,
    closed: bool,
}

/// Whether the request's work goes on after its answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Deferral {
    /// It ends with it.
    #[default]
    No,
    /// It was asked to.
    Asked,
    /// It does, and is written down: its bill will be asked for.
    Kept,
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
            ending: Ending::NotSent,
            duty: None,
            failures: String::new(),
            reason: None,
            principal: Arc::clone(principal),
            choices: facts.choices.max(1),
            counted: (opening.endpoint.format == Format::OpenAiSpeech)
                .then(|| Box::new(facts.counted.clone())),
            text_bytes: all_text.then_some(facts.text_bytes),
            shows_all_input: !facts.unseen_input,
            view: Arc::clone(opening.view),
            started: opening.started,
            served_by: None,
            made: Vec::new(),
            noted: 0,
            batch: None,
            deferral: if facts.deferred {
                Deferral::Asked
            } else {
                Deferral::No
            },
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
        self.reason = error.context().map(str::to_owned);
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

    /// Longest silence inside an answer of this provider.
    pub(crate) fn idle_timeout(&self, provider: &Provider) -> Duration {
        let own = provider.connection.idle_timeout;
        own.unwrap_or(self.gateway.settings().upstream_idle_timeout)
    }

    /// When the request has lived its longest.
    pub(crate) fn deadline(&self) -> Instant {
        self.started + self.gateway.settings().request_deadline
    }

    /// Waits for something of the upstream, at most `until` and the deadline, and keeps the hold
    /// ahead of what may be billed meanwhile: reasoning that shows nothing is billed by the clock.
    /// `None` when it did not happen in time.
    ///
    /// # Errors
    /// The refusal of a limit that ends the wait.
    pub(crate) async fn while_held<T>(
        &mut self,
        event: impl Future<Output = T>,
        until: Instant,
    ) -> Result<Option<T>, Error> {
        let until = until.min(self.deadline());
        tokio::pin!(event);
        loop {
            let quiet = self.reservation.as_ref().and_then(Reservation::quiet_until);
            let quiet = quiet.map(|quiet| quiet.max(Instant::now() + LOOK_AGAIN));
            let alarm = quiet.map_or(until, |quiet| quiet.min(until));
            if let Ok(happened) = timeout_at(alarm, &mut event).await {
                return Ok(Some(happened));
            }
            if Instant::now() >= until {
                return Ok(None);
            }
            if let Some(Err(refusal)) = self.reservation.as_mut().map(Reservation::top_up) {
                return Err(refusal.to_error());
            }
        }
    }

    /// Tells on whoever serves this request.
    pub(crate) fn report_provider(&self, sign: Sign) {
        if let Some(duty) = &self.duty {
            duty.note(sign, Instant::now());
        }
    }

    /// Behind a router the answer's head says who served it, and so what it costs.
    pub(crate) fn price_as_served(&mut self, provider: &Provider, headers: &HeaderMap) {
        let router = provider.kind.profile().router;
        let server = router.and_then(|router| headers.get(router.served_by)?.to_str().ok());
        if let (Some(pricing), Some(server)) = (&mut self.pricing, server)
            && let Some(prices) = pricing.prices.served_by(server)
        {
            pricing.prices = Arc::new(prices);
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
            // The upstream's part is over, however long the client reads.
            self.duty = None;
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
