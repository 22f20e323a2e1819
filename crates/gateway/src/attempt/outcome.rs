//! What the client gets when no target answered.
//!
//! The last error that a provider gave for itself, if there was one: byte for byte, with its
//! `retry-after`. Else an error of ours; of a single target its own, of several one that says so
//! and tells the operator what was wrong with each.

use super::{Accepted, Failed, classify::Failure, once::upstream_id};
use crate::{
    exchange::{Ending, Exchange},
    settle,
};
use std::fmt::Write as _;
use std::time::Duration;
use tollgate_core::error::{Error, Kind};

/// Who was tried in vain.
#[derive(Default)]
pub(super) struct Failures {
    /// Slug, failure, and what the caller is told if that was the only one.
    all: Vec<(String, Failure, Error)>,
    /// The last one that may be shown, and whether it is of the attempt made last.
    shown: Option<(Box<Accepted>, bool)>,
}

impl Failures {
    /// One more.
    pub(super) fn add(&mut self, exchange: &mut Exchange, slug: &str, failed: Failed) {
        let Failed {
            failure,
            error,
            shown,
        } = failed;
        let separator = if exchange.failures.is_empty() {
            ""
        } else {
            ","
        };
        let _infallible = write!(exchange.failures, "{separator}{slug}:{}", failure.word());
        match shown {
            Some(answer) => self.shown = Some((answer, true)),
            None => {
                if let Some((_, of_last)) = &mut self.shown {
                    *of_last = false;
                }
            }
        }
        self.all.push((slug.to_owned(), failure, error));
    }

    /// Ends the search.
    pub(super) fn conclude(self, exchange: &mut Exchange) -> Result<Accepted, Error> {
        if let Some((answer, of_last)) = self.shown {
            if !of_last {
                // The attempts after it are given up like those before.
                settle::abandon(exchange);
                exchange.ending = Ending::NotSent;
            }
            exchange.record.provider = Some(answer.attempt.provider.slug.clone());
            exchange.record.upstream_request_id = upstream_id(&answer.answer.headers);
            return Ok(*answer);
        }
        match <[_; 1]>::try_from(self.all) {
            Ok([(_, _, error)]) => Err(error),
            Err(all) => Err(of_several(&all)),
        }
    }
}

fn of_several(all: &[(String, Failure, Error)]) -> Error {
    if all.iter().all(|(_, failure, _)| *failure == Failure::Full) {
        return Error::new(
            Kind::Unavailable,
            "every provider of this route has as many requests as it may have at once: try again \
             in a moment",
        )
        .with_retry_after(Duration::from_secs(1));
    }
    let mut context = String::new();
    for (slug, failure, error) in all {
        let separator = if context.is_empty() { "" } else { "; " };
        let why = error.context().unwrap_or(error.message());
        let _infallible = write!(context, "{separator}{slug}: {}: {why}", failure.word());
    }
    let reached = all
        .iter()
        .rev()
        .find(|(_, failure, _)| !matches!(failure, Failure::Unfit | Failure::Full));
    let Some((_, _, last)) = reached else {
        // All were unfit, or full: what was wrong with the first is the client's to mend.
        let unfit = all
            .iter()
            .find(|(_, failure, _)| *failure == Failure::Unfit);
        return unfit.map_or_else(
            || {
                Error::new(
                    Kind::Unavailable,
                    "no provider of this route could be tried",
                )
            },
            |(_, _, error)| error.clone(),
        );
    };
    let message = match last.kind() {
        Kind::UpstreamTimeout => "no provider of this route answered in time",
        _ => "no provider of this route could answer: try again later",
    };
    Error::new(last.kind(), message).with_context(context)
}

#[cfg(test)]
mod tests;
