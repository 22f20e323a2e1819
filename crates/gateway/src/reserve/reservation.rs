//! A hold in the book and in the hold file, and what it stands for.
//!
//! A request may have several parts, one after the other: attempts at several targets, answers of
//! one session. The hold covers the part that runs and whatever was *set aside* for parts that are
//! over: spent for certain or probably, and held until the request ends, for it is settled once.
//! Whoever owns this settles or releases it; its destructor does the latter.

use crate::books::SharedBook;
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;
use tollgate_core::{
    amount::Amount,
    clock::Timestamp,
    error::{Error, Kind},
    id::RequestId,
    ledger::{
        Cover, FactKind, Flags, Grant, HoldKey, RaiseError, Refusal, Settled,
        estimate::TextRate,
        exposure::{Exposure, Step, Terms},
    },
    principal::Ids,
};
use tollgate_store::{HoldFile, SlotIndex, SlotRecord, SlotState};

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Reservation {
    book: Arc<SharedBook>,
    hold: HoldKey,
    hold_file: Arc<HoldFile>,
    slot: Option<SlotIndex>,
    request: RequestId,
    ids: Ids,
    reserved_at: Timestamp,
    /// What the book holds.
    held: Amount,
    /// The part of it that parts which are over have spent.
    aside: Amount,
    aside_flags: Flags,
    /// The part that runs.
    exposure: Exposure,
    text_rate: TextRate,
    sent_at: Option<Instant>,
    most: Amount,
    ended: bool,
}

/// What settling leaves to be posted.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) settled: Settled,
    pub(crate) hold: HoldKey,
    pub(crate) book: Arc<SharedBook>,
    pub(crate) slot: SlotIndex,
}

/// What a part with these terms asks for.
///
/// # Errors
/// [`Kind::BadRequest`] when the policy has no answer to its terms.
pub(super) fn cover(terms: &Terms) -> Result<Cover, Error> {
    terms
        .cover()
        .map_err(|reason| Error::new(Kind::BadRequest, reason.to_string()))
}

impl Reservation {
    /// A hold that was granted, for the first part.
    pub(super) fn new(
        book: Arc<SharedBook>,
        hold_file: Arc<HoldFile>,
        (request, ids): (RequestId, Ids),
        grant: &Grant,
        (terms, text_rate): (Terms, TextRate),
    ) -> Self {
        Self {
            book,
            hold: grant.hold,
            hold_file,
            slot: None,
            request,
            ids,
            reserved_at: grant.reserved_at,
            held: grant.taken,
            aside: Amount::ZERO,
            aside_flags: Flags::NONE,
            exposure: Exposure::new(terms, grant.taken),
            text_rate,
            sent_at: None,
            most: grant.taken,
            ended: false,
        }
    }

    /// Takes a place for the proof; `None` when there is none.
    pub(super) fn take_slot(&mut self) -> Option<()> {
        self.slot = Some(self.hold_file.acquire()?);
        Some(())
    }

    /// Writes the proof of the hold: from here on it is settled, never released. The part that runs
    /// begins.
    ///
    /// # Errors
    /// [`Kind::Unavailable`] when the hold file cannot be written; nothing may be sent then.
    pub(crate) fn mark_sent(&mut self) -> Result<(), Error> {
        self.prove_held().map_err(|error| {
            Error::new(
                Kind::Unavailable,
                "the gateway cannot write its hold file: try again later",
            )
            .with_context(error.to_string())
        })?;
        self.book
            .with(|book| book.mark_sent(self.hold))
            .map_err(gone)?;
        self.sent_at = Some(Instant::now());
        Ok(())
    }

    /// Whether anything went upstream.
    pub(crate) fn is_sent(&self) -> bool {
        self.sent_at.is_some()
    }

    /// The most that was ever held.
    pub(crate) fn most(&self) -> Amount {
        self.most
    }

    /// Ends the part that runs: it spent this, for certain or by an estimate (the flags say so). It
    /// stays held until the request is settled. Nothing is given back before [`Self::go_on`].
    pub(crate) fn set_aside(&mut self, spent: Amount, flags: Flags) {
        self.aside = self.aside.saturating_add(spent);
        self.aside_flags = self.aside_flags.with(flags);
    }

    /// What was set aside, and what is to be known about it.
    pub(crate) fn aside(&self) -> (Amount, Flags) {
        (self.aside, self.aside_flags)
    }

    /// 1 until a part that is over has counted the request, then 0.
    pub(crate) fn requests_left(&self) -> i64 {
        i64::from(self.aside.requests == 0)
    }

    /// Moves the hold to the next part: it covers what was set aside and this. It takes what the
    /// part wants, or the least that it needs, and gives back what was held beyond that.
    ///
    /// # Errors
    /// The refusal of a limit; [`Kind::BadRequest`] when the policy has no answer to the terms. The
    /// hold stays as it is then.
    pub(crate) fn go_on(&mut self, (terms, text_rate): (Terms, TextRate)) -> Result<(), Error> {
        let cover = cover(&terms)?;
        let taken = match self.raise_to(cover.want()) {
            Ok(()) => cover.want(),
            Err(RaiseError::Refused(_)) => {
                self.raise_to(cover.floor()).map_err(|error| match error {
                    RaiseError::Refused(refusal) => refusal.to_error(),
                    RaiseError::Hold(error) => gone(error),
                })?;
                cover.floor()
            }
            Err(RaiseError::Hold(error)) => return Err(gone(error)),
        };
        self.lower_to(self.aside.saturating_add(taken));
        self.exposure = Exposure::new(terms, taken);
        self.text_rate = text_rate;
        Ok(())
    }

    /// Holds at least so much for the next part.
    fn raise_to(&mut self, part: Amount) -> Result<(), RaiseError> {
        let by = self.aside.saturating_add(part).excess_over(self.held);
        if by != Amount::ZERO {
            self.raise(by)?;
        }
        Ok(())
    }

    fn raise(&mut self, by: Amount) -> Result<(), RaiseError> {
        self.book.with(|book| book.raise(self.hold, by))?;
        self.held = self.held.saturating_add(by);
        self.most = self.most.max_each(self.held);
        Ok(())
    }

    fn lower_to(&mut self, to: Amount) {
        if self.book.with(|book| book.lower(self.hold, to)).is_ok() {
            let above = self.held.excess_over(to);
            self.held = self.held.checked_sub(above).unwrap_or(to);
        }
    }

    /// So many bytes of content were seen in all; asks for more cover when it is time to.
    ///
    /// # Errors
    /// The refusal that ends the stream: what is left is needed for its tail.
    pub(crate) fn observe(&mut self, content_bytes: u64) -> Result<(), Refusal> {
        let at = self.since_sent();
        let tokens = self.text_rate.tokens(content_bytes);
        self.exposure.observe(tokens, at);
        self.top_up()
    }

    /// The same, when no content came: hidden reasoning is billed by the clock.
    ///
    /// # Errors
    /// As [`Self::observe`].
    pub(crate) fn top_up(&mut self) -> Result<(), Refusal> {
        let Step::Ask { by, cut_if_refused } = self.exposure.step(self.since_sent()) else {
            return Ok(());
        };
        match self.raise(by) {
            Ok(()) => {
                self.exposure.raised(by);
                // The book holds it; a slot that cannot be written is older, never wrong.
                if let Err(error) = self.prove_held() {
                    tracing::error!(%error, "a raised hold could not be written to the hold file");
                }
                Ok(())
            }
            Err(RaiseError::Refused(refusal)) if cut_if_refused => Err(refusal),
            Err(RaiseError::Refused(_) | RaiseError::Hold(_)) => Ok(()),
        }
    }

    /// Until when nothing has to be done if no content comes.
    pub(crate) fn quiet_until(&self) -> Option<Instant> {
        Some(self.sent_at? + self.exposure.quiet_until()?)
    }

    /// The upstream told what the input is: from an estimate it becomes a fact.
    pub(crate) fn true_up(&mut self, input: Amount) {
        let part = self.exposure.true_up(input);
        self.lower_to(self.aside.saturating_add(part));
        if let Err(error) = self.prove_held() {
            tracing::error!(%error, "a lowered hold could not be written to the hold file");
        }
    }

    /// What may have been billed of the part that runs, whose final usage nobody saw.
    pub(crate) fn unfinished(&self) -> Amount {
        self.exposure.unfinished(self.since_sent())
    }

    /// How long the part that runs has run.
    pub(crate) fn since_sent(&self) -> Duration {
        self.sent_at.map_or(Duration::ZERO, |sent| sent.elapsed())
    }

    /// When the hold was taken: decides the windows that it counts in.
    pub(crate) fn reserved_at(&self) -> Timestamp {
        self.reserved_at
    }

    /// What is held.
    pub(crate) fn held(&self) -> Amount {
        self.held
    }

    /// Ends it with what all its parts used.
    pub(crate) fn settle(mut self, actual: Amount, flags: Flags) -> Option<Ended> {
        self.ended = true;
        let slot = self.slot.take()?;
        let settled = self.settle_in_book(actual, flags)?;
        let flags = settled.fact.flags;
        if let Err(error) = self.prove(slot, SlotState::Settled { actual, flags }) {
            tracing::error!(%error, "a settled hold could not be written to the hold file");
        }
        Some(self.ended(settled, slot))
    }

    /// Ends it at what it holds: the work goes on, and its bill comes later. The slot stays as it
    /// is, for after a crash it would be charged the same.
    pub(crate) fn defer(mut self) -> Option<Ended> {
        self.ended = true;
        let slot = self.slot.take()?;
        let flags = self.aside_flags.with(Flags::ESTIMATED);
        let mut settled = self.settle_in_book(self.held, flags)?;
        settled.fact.kind = FactKind::Defer;
        Some(self.ended(settled, slot))
    }

    fn settle_in_book(&self, actual: Amount, flags: Flags) -> Option<Settled> {
        match self.book.with(|book| book.settle(self.hold, actual, flags)) {
            Ok(settled) => Some(settled),
            Err(error) => {
                // The slot stays as it is: it is all that proves what was sent.
                tracing::error!(%error, request = %self.request, "a hold could not be settled");
                None
            }
        }
    }

    fn ended(&self, settled: Settled, slot: SlotIndex) -> Ended {
        Ended {
            settled,
            hold: self.hold,
            book: Arc::clone(&self.book),
            slot,
        }
    }

    /// Writes what is held now.
    fn prove_held(&self) -> std::io::Result<()> {
        self.slot
            .map_or(Ok(()), |slot| self.prove(slot, SlotState::Held))
    }

    fn prove(&self, slot: SlotIndex, state: SlotState) -> std::io::Result<()> {
        let record = SlotRecord {
            request: self.request,
            ids: self.ids,
            reserved_at: self.reserved_at,
            held: self.held,
            state,
        };
        self.hold_file.write(slot, &record)
    }
}

/// A hold that is not there any more: a defect of ours.
fn gone(error: tollgate_core::ledger::HoldError) -> Error {
    Error::new(Kind::Internal, "the hold of this request is gone").with_context(error.to_string())
}

impl Drop for Reservation {
    /// Nothing was sent: the hold never was. (What was sent is settled by the exchange that owns
    /// this, before it gets here.)
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        if let Err(error) = self.book.with(|book| book.release(self.hold)) {
            tracing::error!(%error, request = %self.request, "a hold could not be released");
            return;
        }
        if let Some(slot) = self.slot.take() {
            self.hold_file.give_back(slot);
        }
    }
}

#[cfg(test)]
mod tests;
