//! The opening's own exchange, which lasts as long as the conversation.
//!
//! It counts the conversation as one request, and it stands in for what nobody asks a hold for: it
//! covers the next turn that the server may begin by itself, and books whatever was billed and could
//! have no exchange of its own. A fact is never refused: what does not fit is posted all the same.

use super::seat::Seat;
use crate::{
    exchange::{Ending, Exchange},
    reserve,
    select::Planned,
};
use tollgate_core::{
    amount::Amount,
    error::Error,
    ledger::Flags,
    money::NanoUsd,
    usage::{ExtraUsage, UsageReport},
};
use tollgate_wire::facts::RequestFacts;

/// See the [module](self).
pub(super) struct Standing {
    pub(super) exchange: Exchange,
    /// The model it is priced at, and how.
    planned: Option<(String, Planned)>,
}

impl Standing {
    pub(super) fn new(exchange: Exchange) -> Self {
        Self {
            exchange,
            planned: None,
        }
    }

    /// Holds what a turn with these facts may cost, in the place of what was held before.
    ///
    /// # Errors
    /// The refusal of a limit: the turn must not be provoked then.
    pub(super) fn cover(&mut self, seat: &Seat, facts: &RequestFacts) -> Result<(), Error> {
        let planned = self.planned(seat, &facts.model)?;
        self.exchange.pricing.clone_from(&planned.pricing);
        reserve::move_on(&mut self.exchange, facts, &planned.attempt)
    }

    /// Gives back what it holds for a turn: that turn has a hold of its own now, or asks for one.
    pub(super) fn give_way(&mut self, seat: &Seat, model: &str) {
        let nothing = RequestFacts {
            model: model.to_owned(),
            stream: true,
            choices: 1,
            output_cap: Some(0),
            ..RequestFacts::default()
        };
        // Less is never refused.
        let _always = self.cover(seat, &nothing);
    }

    /// Books a turn that could have no exchange of its own.
    pub(super) fn book(&mut self, seat: &Seat, model: &str, report: &UsageReport) {
        match self.planned(seat, model) {
            Ok(planned) => self.exchange.pricing.clone_from(&planned.pricing),
            Err(error) => return self.lost(&error),
        }
        let Ok(priced) = self.exchange.price_of(report) else {
            return self.book_guess(seat, model);
        };
        let mut usage = report.usage.clone().unwrap_or_default();
        for extra in &report.extra {
            usage.add_all(&extra.usage);
        }
        let tokens = i64::try_from(usage.total_tokens()).unwrap_or(i64::MAX);
        self.exchange.record.usage.add_all(&usage);
        let flags = if report.complete {
            Flags::NONE
        } else {
            Flags::ESTIMATED
        };
        self.set_aside(priced.cost.total, tokens, flags);
    }

    /// Books something billed beside the turns.
    pub(super) fn book_beside(&mut self, seat: &Seat, model: &str, extra: ExtraUsage) {
        let report = UsageReport {
            extra: vec![extra],
            complete: true,
            ..UsageReport::default()
        };
        self.book(seat, model, &report);
    }

    /// Books what a turn that has begun may have cost, of which nothing is known.
    pub(super) fn book_guess(&mut self, seat: &Seat, model: &str) {
        let facts = RequestFacts {
            model: model.to_owned(),
            stream: true,
            choices: 1,
            ..RequestFacts::default()
        };
        match self.planned(seat, model) {
            Ok(planned) => {
                self.exchange.pricing.clone_from(&planned.pricing);
                let guess = reserve::guess(&self.exchange, &facts, &planned.attempt);
                self.set_aside(guess.cost, guess.tokens, Flags::ESTIMATED);
            }
            Err(error) => self.lost(&error),
        }
    }

    /// Ends the record. Its own part is one request and no cost; all else was set aside.
    pub(super) fn close(&mut self) {
        self.exchange.ending = Ending::Refused;
        self.exchange.close();
    }

    fn set_aside(&mut self, cost: NanoUsd, tokens: i64, flags: Flags) {
        if let Some(reservation) = &mut self.exchange.reservation {
            let requests = reservation.requests_left();
            let spent = Amount {
                cost,
                requests,
                tokens,
            };
            reservation.set_aside(spent, flags);
        }
    }

    fn planned(&mut self, seat: &Seat, model: &str) -> Result<Planned, Error> {
        if let Some((known, planned)) = &self.planned
            && known == model
        {
            return Ok(planned.clone());
        }
        let facts = RequestFacts {
            model: model.to_owned(),
            ..RequestFacts::default()
        };
        let planned = seat.planned(&self.exchange, &facts)?;
        self.planned = Some((model.to_owned(), planned.clone()));
        Ok(planned)
    }

    fn lost(&self, error: &Error) {
        let request = self.exchange.request_id();
        let reason = error.context().unwrap_or(error.message());
        tracing::error!(%request, reason, "what a conversation was billed for has no price");
    }
}
