//! The state of one request from its first byte to its record.
//!
//! Made after step 3, closed once. Whoever forgets to close it (a client that hung up, a cancelled
//! task, a panic) has its destructor do so: steps 8 and 9 cannot be skipped.

use crate::{record, reserve::Reservation, settle, state::Gateway};
use std::sync::Arc;
use tokio::time::Instant;
use tollgate_core::{
    amount::Amount,
    clock::Timestamp,
    error::{Error, Kind},
    format::Format,
    id::RequestId,
    money::NanoUsd,
    price::{ModelPricing, ProviderPrices},
    principal::Principal,
    record::{RecordFlags, UsageRecord},
    usage::{Usage, UsageReport},
};
use tollgate_wire::{endpoint::Endpoint, error::CallerTraits, facts::RequestFacts};

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
                provider_cost: None,
                held: Amount::ZERO,
                attempts: 0,
                flags: RecordFlags::NONE,
                price_version: Arc::clone(&gateway.view().price_version),
                upstream_request_id: None,
            },
            caller: opening.caller,
            pricing: None,
            reservation: None,
            ending: Ending::Unknown,
            principal: Arc::clone(principal),
            choices: facts.choices.max(1),
            text_bytes: all_text.then_some(facts.text_bytes),
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

    /// What a report costs by the prices of this attempt; `None` when that cannot be said.
    pub(crate) fn cost_of(&self, report: &UsageReport) -> Option<NanoUsd> {
        let pricing = self.pricing.as_ref()?;
        let at = self.record.received_at;
        let priced = pricing
            .prices
            .cost_of_report(&pricing.sent_model, report, at)
            .ok()?;
        Some(priced.cost.total)
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
