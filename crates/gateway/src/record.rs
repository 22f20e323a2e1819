//! Step 9, record: the usage row, by the same transaction as the entry, and one log line.

use crate::{exchange::Exchange, request_log::Story, reserve::Ended};
use tollgate_store::{NotQueued, Posting};

/// Hands the record (and the fact of the hold that ended, if there was one) to the writer.
pub(crate) fn record(exchange: &mut Exchange, ended: Option<Ended>) {
    let gateway = &exchange.gateway;
    let story = Story {
        failures: &exchange.failures,
        reason: exchange.reason.as_deref(),
    };
    gateway
        .parts
        .request_log
        .line(&exchange.record, &exchange.principal, story);
    let record = Some(Box::new(exchange.record.clone()));
    let objects = std::mem::take(&mut exchange.made);
    let posting = match ended {
        Some(Ended {
            settled,
            hold,
            book,
            slot,
        }) => Posting {
            slot: Some(slot),
            fact: Some(settled.fact),
            record,
            objects,
            acknowledge: Some(Box::new(move |position| {
                if let Err(error) = book.with(|book| book.acknowledge(hold, position)) {
                    tracing::error!(%error, "a posted hold could not be acknowledged");
                }
            })),
        },
        None => Posting {
            slot: None,
            fact: None,
            record,
            objects,
            acknowledge: None,
        },
    };
    match gateway.parts.writer.post(posting) {
        Ok(()) => {}
        Err(error @ NotQueued::Full) => tracing::warn!(%error),
        Err(error @ NotQueued::Ended) => tracing::error!(%error),
    }
}
