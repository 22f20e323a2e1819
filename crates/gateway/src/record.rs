//! Step 9, record: the usage row, by the same transaction as the entry, and one log line.

use crate::{exchange::Exchange, reserve::Ended};
use tollgate_store::{NotQueued, Posting};

/// Hands the record (and the fact of the hold that ended, if there was one) to the writer.
pub(crate) fn record(exchange: &mut Exchange, ended: Option<Ended>) {
    let gateway = &exchange.gateway;
    gateway
        .parts
        .request_log
        .line(&exchange.record, &exchange.principal);
    let record = Some(Box::new(exchange.record.clone()));
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
            acknowledge: None,
        },
    };
    match gateway.parts.writer.post(posting) {
        Ok(()) => {}
        Err(error @ NotQueued::Full) => tracing::warn!(%error),
        Err(error @ NotQueued::Ended) => tracing::error!(%error),
    }
}
