//! Step 5, reserve: a hold against every limit in force, and its proof in the hold file.
//!
//! The amount is the input at its dearest applicable rate and an output allowance
//! (`core::ledger::exposure`). A [`Reservation`] owns its hold: it is settled or released, by its
//! destructor if by nobody else.

use crate::{books::SharedBook, exchange::Exchange, select::Attempt};
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;
use tollgate_core::{
    amount::Amount,
    clock::Timestamp,
    error::{Error, Kind},
    format::Operation,
    id::RequestId,
    ledger::{
        Flags, HoldKey, RaiseError, Refusal, Reserve, Settled,
        estimate::TextRate,
        exposure::{Class, Exposure, Step, Terms},
    },
    money::NanoUsd,
    price::{InputKind, TokenRates},
    principal::Ids,
};
use tollgate_store::{HoldFile, SlotIndex, SlotRecord, SlotState};
use tollgate_wire::facts::RequestFacts;

/// Input that nobody can see is bounded by the model's context; this, where that is not known.
const CONTEXT_UNKNOWN: u64 = 200_000;

/// Tokens of the template around messages, which no text in the request shows.
const TEMPLATE_TOKENS: u64 = 64;

/// A hold, in the book and in the hold file.
#[derive(Debug)]
pub(crate) struct Reservation {
    book: Arc<SharedBook>,
    hold: HoldKey,
    hold_file: Arc<HoldFile>,
    slot: Option<SlotIndex>,
    request: RequestId,
    ids: Ids,
    reserved_at: Timestamp,
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

/// Takes the hold of a request's first attempt.
///
/// # Errors
/// [`Kind::LimitReached`], [`Kind::LimitHeld`]; [`Kind::BadRequest`] for a request without an output
/// bound where the policy wants one; [`Kind::Unavailable`] without a free slot or store.
pub(crate) async fn reserve(
    exchange: &Exchange,
    facts: &RequestFacts,
    attempt: &Attempt,
) -> Result<Reservation, Error> {
    let gateway = &exchange.gateway;
    let ids = exchange.principal.ids;
    let book = Arc::clone(exchange.view.book(ids.organization)?);
    let rates = rates(exchange, facts);
    let (terms, text_rate) = terms(exchange, facts, attempt, rates.as_ref());
    let cover = terms
        .cover()
        .map_err(|reason| Error::new(Kind::BadRequest, reason.to_string()))?;
    let request = Reserve {
        request: exchange.request_id(),
        ids,
        cover,
    };
    let patience = gateway.settings().hold_wait;
    let (clock, store) = (&*gateway.parts.clock, &*gateway.parts.store);
    let grant = book.reserve(request, patience, clock, store).await?;
    // Only who was granted takes a slot: the many who wait must not use them up.
    let mut reservation = Reservation {
        book,
        hold: grant.hold,
        hold_file: Arc::clone(&gateway.parts.hold_file),
        slot: None,
        request: exchange.request_id(),
        ids,
        reserved_at: grant.reserved_at,
        exposure: Exposure::new(terms, grant.taken),
        text_rate,
        sent_at: None,
        most: grant.taken,
        ended: false,
    };
    reservation.slot = Some(reservation.hold_file.acquire().ok_or_else(no_slot)?);
    Ok(reservation)
}

fn no_slot() -> Error {
    Error::new(
        Kind::Unavailable,
        "the gateway has more unposted requests than it may have: try again",
    )
    .with_context("the hold file has too few free slots: is the store able to write?")
}

/// The dearest rates of the request; free where the policy lets an unpriced model pass.
fn rates(exchange: &Exchange, facts: &RequestFacts) -> Option<TokenRates> {
    let kind = InputKind {
        cache_write: facts.cache_write,
        media: facts.media_tokens > 0 || facts.unseen_input,
    };
    let pricing = exchange.pricing.as_ref()?.model.as_ref()?;
    Some(pricing.token_rates(&facts.context, kind, exchange.record.received_at))
}

fn terms(
    exchange: &Exchange,
    facts: &RequestFacts,
    attempt: &Attempt,
    rates: Option<&TokenRates>,
) -> (Terms, TextRate) {
    let policy = exchange.gateway.settings().estimates;
    let model = exchange
        .pricing
        .as_ref()
        .and_then(|pricing| pricing.model.as_ref());
    let context = model.and_then(|model| model.context_window());
    let (learned, text_rate) = {
        let estimates = exchange.gateway.estimates();
        let learned = estimates.output(exchange.principal.ids.api_key, &attempt.model);
        (learned, estimates.text_rate(&attempt.model))
    };
    let text_rate = if policy.strict {
        TextRate::STRICT
    } else {
        text_rate
    };
    let seen = text_rate
        .tokens(facts.text_bytes)
        .saturating_add(facts.media_tokens);
    let input_tokens = if facts.unseen_input {
        context.unwrap_or(CONTEXT_UNKNOWN).max(seen)
    } else {
        seen.saturating_add(TEMPLATE_TOKENS)
    };
    let embeds = exchange.record.operation == Operation::Embed;
    let terms = Terms {
        class: Class::of(
            facts.stream,
            attempt.provider.cancel_stops_billing,
            facts.output_cap,
        ),
        input: Amount {
            cost: rates.map_or(NanoUsd::ZERO, |rates| rates.bound(input_tokens, 0)),
            requests: 1,
            tokens: i64::try_from(input_tokens).unwrap_or(i64::MAX),
        },
        output_price: rates.map_or(NanoUsd::ZERO, |rates| {
            rates.output_per_million(input_tokens)
        }),
        cap: if embeds { Some(0) } else { facts.output_cap },
        // Not known by itself; but output stands in the context like input.
        model_max: context,
        choices: exchange.choices,
        learned,
        uncapped: policy.uncapped,
        strict: policy.strict,
    };
    (terms, text_rate)
}

impl Reservation {
    /// Writes the proof of the hold: from here on it is settled, never released.
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
            .map_err(|error| {
                Error::new(Kind::Internal, "the hold of this request is gone")
                    .with_context(error.to_string())
            })?;
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
        match self.book.with(|book| book.raise(self.hold, by)) {
            Ok(()) => {
                self.exposure.raised(by);
                let held = self.exposure.held();
                self.most = self.most.max_each(held);
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
        let to = self.exposure.true_up(input);
        if self.book.with(|book| book.lower(self.hold, to)).is_ok()
            && let Err(error) = self.prove_held()
        {
            tracing::error!(%error, "a lowered hold could not be written to the hold file");
        }
    }

    /// What may have been billed, of an attempt whose final usage nobody saw.
    pub(crate) fn unfinished(&self) -> Amount {
        self.exposure.unfinished(self.since_sent())
    }

    /// How long the attempt has run.
    pub(crate) fn since_sent(&self) -> Duration {
        self.sent_at.map_or(Duration::ZERO, |sent| sent.elapsed())
    }

    /// Ends it with what was used.
    pub(crate) fn settle(mut self, actual: Amount, flags: Flags) -> Option<Ended> {
        self.ended = true;
        let slot = self.slot.take()?;
        let settled = match self.book.with(|book| book.settle(self.hold, actual, flags)) {
            Ok(settled) => settled,
            Err(error) => {
                // The slot stays as it is: it is all that proves what was sent.
                tracing::error!(%error, request = %self.request, "a hold could not be settled");
                return None;
            }
        };
        let flags = settled.fact.flags;
        if let Err(error) = self.prove(slot, SlotState::Settled { actual, flags }) {
            tracing::error!(%error, "a settled hold could not be written to the hold file");
        }
        Some(Ended {
            settled,
            hold: self.hold,
            book: Arc::clone(&self.book),
            slot,
        })
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
            held: self.exposure.held(),
            state,
        };
        self.hold_file.write(slot, &record)
    }
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
