//! Step 5, reserve: a hold against every limit in force, and its proof in the hold file.
//!
//! The amount is the input at its dearest applicable rate and an output allowance
//! (`core::ledger::exposure`), at the rates of the first target ([`terms`]). The [`Reservation`]
//! owns the hold from then on: it moves with the request from target to target.

mod reservation;
mod terms;

pub(crate) use reservation::{Ended, Reservation};
pub(crate) use terms::{CONTEXT_UNKNOWN, TEMPLATE_TOKENS, terms};

use crate::{exchange::Exchange, select::Attempt};
use std::sync::Arc;
use tollgate_core::{
    amount::Amount,
    error::{Error, Kind},
    ledger::Reserve,
};
use tollgate_wire::facts::RequestFacts;

/// Takes the hold of a request's first attempt.
///
/// # Errors
/// [`Kind::LimitReached`], [`Kind::LimitHeld`]; [`Kind::BadRequest`] for a request without a bound
/// on its output where the policy wants one; [`Kind::Unavailable`] without a free slot or store.
pub(crate) async fn reserve(
    exchange: &Exchange,
    facts: &RequestFacts,
    attempt: &Attempt,
) -> Result<Reservation, Error> {
    let gateway = &exchange.gateway;
    let ids = exchange.principal.ids;
    let book = Arc::clone(exchange.view.book(ids.organization)?);
    let (terms, text_rate) = terms(exchange, facts, attempt);
    let request = Reserve {
        request: exchange.request_id(),
        ids,
        cover: reservation::cover(&terms)?,
    };
    let patience = gateway.settings().hold_wait;
    let (clock, store) = (&*gateway.parts.clock, &*gateway.parts.store);
    let grant = book.reserve(request, patience, clock, store).await?;
    // Only who was granted takes a slot: the many who wait must not use them up.
    let hold_file = Arc::clone(&gateway.parts.hold_file);
    let owner = (request.request, ids);
    let mut reservation = Reservation::new(book, hold_file, owner, &grant, (terms, text_rate));
    reservation.take_slot().ok_or_else(no_slot)?;
    Ok(reservation)
}

/// Moves the hold to a further attempt: beside what was set aside for earlier ones it covers this
/// one, at its own target's rates.
///
/// # Errors
/// [`Kind::LimitReached`], [`Kind::LimitHeld`]: what was set aside stays held. [`Kind::BadRequest`]
/// as for [`reserve`].
pub(crate) fn move_on(
    exchange: &mut Exchange,
    facts: &RequestFacts,
    attempt: &Attempt,
) -> Result<(), Error> {
    if exchange.reservation.is_none() {
        return Ok(());
    }
    let terms = terms(exchange, facts, attempt);
    let reservation = exchange.reservation.as_mut();
    reservation.map_or(Ok(()), |reservation| reservation.go_on(terms))
}

/// What an attempt may have cost of which nothing is known: what would be held for it.
pub(crate) fn guess(exchange: &Exchange, facts: &RequestFacts, attempt: &Attempt) -> Amount {
    let (terms, _) = terms(exchange, facts, attempt);
    reservation::cover(&terms).map_or(Amount::ZERO, |cover| cover.want())
}

fn no_slot() -> Error {
    Error::new(
        Kind::Unavailable,
        "the gateway has more unposted requests than it may have: try again",
    )
    .with_context("the hold file has too few free slots: is the store able to write?")
}
