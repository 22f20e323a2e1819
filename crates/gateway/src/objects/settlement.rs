//! The bill of deferred work: asked for, read, priced, posted.
//!
//! Whoever reads the object first brings the bill: the caller, whose answer tells that the work has
//! ended, or this gateway, which asks now and then for what nobody reads. The store posts it once.
//! A bill that nobody tells leaves the estimate as it is.

use crate::{
    select::Attempt,
    state::Gateway,
    upstream::{self, Answer, Inbound},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use http_body_util::{BodyExt, Limited};
use jiff::SignedDuration;
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;
use tollgate_core::{
    amount::Amount,
    format::Format,
    ledger::Flags,
    money::NanoUsd,
    object::DeferredWork,
    price::ProviderPrices,
    provider::{Provider, ProviderKind},
    usage::{Usage, UsageReport},
};
use tollgate_store::{Settlement, Truth};
use tollgate_wire::{
    endpoint::{Endpoint, encode_query_value},
    facts::RequestFacts,
    objects::{Bill, Outcome, Results, outcome},
};

/// When work is looked at first, after it was handed in.
pub(crate) const FIRST_LOOK: SignedDuration = SignedDuration::from_mins(1);
/// The longest wait between two looks; each is twice the one before.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(1);
/// How much is looked at in one round.
const ROUND: u32 = 32;
/// How long a look may take in all, as work is looked at one after the other: the object, and its
/// results.
const LOOK_TIMEOUT: Duration = Duration::from_mins(1);
/// How long results may take to arrive when somebody else has seen that they are there, and nobody
/// waits.
const RESULTS_TIMEOUT: Duration = Duration::from_mins(10);
/// The largest object that is read.
const OBJECT_BYTES_MAX: usize = 64 << 20;
/// How often, and after how long each time, a bill is brought again that came before its estimate
/// was posted.
const TRIES: u32 = 20;
const TRY_AGAIN: Duration = Duration::from_millis(250);

/// The API version that our own questions to Anthropic are in.
const ANTHROPIC_VERSION: (HeaderName, HeaderValue) = (
    HeaderName::from_static("anthropic-version"),
    HeaderValue::from_static("2023-06-01"),
);

/// Looks at all work that it is time for.
pub(crate) async fn look_at_due(gateway: &Arc<Gateway>) {
    let due = gateway.parts.store.work_due(gateway.now(), ROUND).await;
    match due {
        Ok(due) => {
            for work in due {
                if gateway.is_draining() {
                    return;
                }
                look(gateway, &work).await;
            }
        }
        Err(error) => tracing::warn!(%error, "deferred work could not be looked up"),
    }
}

/// Asks the provider how the work stands, and settles it when it has ended.
pub(super) async fn look(gateway: &Arc<Gateway>, work: &DeferredWork) {
    let now = gateway.now();
    let until = Instant::now() + LOOK_TIMEOUT;
    // What is posted is never left half way: the limit is for what is asked.
    let asked = tokio::time::timeout_at(until, ask(gateway, work)).await;
    let asked = asked.unwrap_or_else(|_late| Err(Unseen::Later("it did not come".to_owned())));
    match asked {
        Ok(Outcome::Ended(bill)) => return learn_until(gateway, work, bill, until).await,
        Ok(Outcome::Running) if now < work.give_up_at => {}
        Err(Unseen::Later(why)) if now < work.give_up_at => {
            let object = &work.object;
            tracing::info!(object, why, "deferred work could not be looked at");
        }
        Ok(Outcome::Running) | Err(_) => return post(gateway, work, None).await,
    }
    let look_at = now.checked_add(wait_after(work.looks)).unwrap_or(now);
    if let Err(error) = gateway.parts.store.look_again(work.request, look_at).await {
        tracing::warn!(%error, "the next look at deferred work could not be set");
    }
}

fn wait_after(looks: u32) -> SignedDuration {
    let factor = 2_i32
        .checked_pow(looks.saturating_add(1))
        .unwrap_or(i32::MAX);
    FIRST_LOOK
        .checked_mul(factor)
        .unwrap_or(LONGEST_WAIT)
        .min(LONGEST_WAIT)
}

/// Why the object was not seen.
enum Unseen {
    /// It may be later.
    Later(String),
    /// It is not there any more.
    Gone,
}

async fn ask(gateway: &Gateway, work: &DeferredWork) -> Result<Outcome, Unseen> {
    let answer = get(gateway, work, &path_of(work)).await?;
    let body = Limited::new(answer.body, OBJECT_BYTES_MAX).collect();
    let body = body
        .await
        .map_err(|error| Unseen::Later(error.to_string()))?;
    Ok(outcome(work.format, &body.to_bytes()))
}

fn path_of(work: &DeferredWork) -> String {
    let collection = match work.format {
        Format::AnthropicBatches => "/v1/messages/batches",
        Format::OpenAiBatches => "/v1/batches",
        _ => "/v1/responses",
    };
    format!("{collection}/{}", encode_query_value(&work.object))
}

async fn get(gateway: &Gateway, work: &DeferredWork, path: &str) -> Result<Answer, Unseen> {
    let later = |why: &str| Unseen::Later(why.to_owned());
    let provider = provider_of(gateway, work).ok_or_else(|| later("its provider is disabled"))?;
    if provider.kind == ProviderKind::Simulated {
        return Err(Unseen::Gone);
    }
    let mut headers = HeaderMap::new();
    if work.format == Format::AnthropicBatches {
        headers.extend([ANTHROPIC_VERSION]);
    }
    let method = Method::GET;
    let endpoint = Endpoint::of(&method, path, None, &headers);
    let endpoint = endpoint.ok_or_else(|| later("it has no path"))?;
    let inbound = Inbound {
        method: &method,
        endpoint: &endpoint,
        headers: &headers,
        facts: &RequestFacts::default(),
        body: &Bytes::new(),
        rest: None,
    };
    let attempt = Attempt {
        provider,
        model: String::new(),
    };
    let prepared = upstream::build(inbound, &attempt);
    let prepared = prepared.map_err(|error| later(error.message()))?;
    let sent = Box::pin(gateway.client.send(&attempt.provider, prepared.request));
    let answer = sent
        .await
        .map_err(|failure| later(failure.error.message()))?;
    match answer.status.as_u16() {
        200..=299 => Ok(answer),
        404 | 410 => Err(Unseen::Gone),
        status => Err(Unseen::Later(format!("the provider answered {status}"))),
    }
}

fn provider_of(gateway: &Gateway, work: &DeferredWork) -> Option<Arc<Provider>> {
    let view = gateway.view();
    let org = view.organization(work.ids.organization).ok()?;
    org.providers.get(&work.provider).cloned()
}

/// Posts the bill of work that has ended.
pub(super) async fn learn(gateway: &Arc<Gateway>, work: &DeferredWork, bill: Bill) {
    learn_until(gateway, work, bill, Instant::now() + RESULTS_TIMEOUT).await;
}

async fn learn_until(gateway: &Arc<Gateway>, work: &DeferredWork, bill: Bill, until: Instant) {
    let mut sum = Sum::default();
    let prices = gateway.view().prices.get(&work.provider).cloned();
    match bill {
        Bill::Report(report) => {
            sum.add(prices.as_deref(), work, &report);
            // One usage over several models has no exact price.
            sum.is_estimate |= work.model.is_empty();
        }
        Bill::Nothing => {}
        Bill::Unknown => sum.is_unknown = true,
        Bill::Results(file) => {
            let path = match file {
                Some(file) => format!("/v1/files/{}/content", encode_query_value(&file)),
                None => format!("{}/results", path_of(work)),
            };
            let reading = read_results(gateway, work, &path, prices.as_deref(), &mut sum);
            let are_read = tokio::time::timeout_at(until, reading).await;
            if !are_read.unwrap_or(false) {
                if gateway.now() >= work.give_up_at {
                    return post(gateway, work, None).await;
                }
                // They are there tomorrow too.
                let later = gateway.now().checked_add(wait_after(work.looks));
                let look_at = later.unwrap_or(work.give_up_at);
                let again = gateway.parts.store.look_again(work.request, look_at).await;
                return log_error(again.err());
            }
        }
    }
    let truth = (!sum.is_unknown).then(|| sum.truth(work));
    post(gateway, work, truth.as_ref()).await;
}

/// Reads the results of a batch; whether they came to their end.
async fn read_results(
    gateway: &Gateway,
    work: &DeferredWork,
    path: &str,
    prices: Option<&ProviderPrices>,
    sum: &mut Sum,
) -> bool {
    let mut body = match get(gateway, work, path).await {
        Ok(answer) => answer.body,
        Err(Unseen::Gone) => {
            sum.is_unknown = true;
            return true;
        }
        Err(Unseen::Later(why)) => {
            tracing::info!(object = work.object, why, "the results could not be read");
            return false;
        }
    };
    let mut results = Results::default();
    loop {
        match body.frame().await {
            None => break,
            Some(Ok(frame)) => {
                let data = frame.into_data().unwrap_or_default();
                results.feed(&data, |report| sum.add(prices, work, &report));
            }
            Some(Err(_)) => return false,
        }
    }
    let unread = results.finish(|report| sum.add(prices, work, &report));
    sum.is_estimate |= unread > 0;
    true
}

/// What the work used, added up.
#[derive(Debug, Default)]
struct Sum {
    cost: NanoUsd,
    usage: Usage,
    model: Option<String>,
    provider_cost: Option<NanoUsd>,
    /// Some of it could not be read or priced: the sum is no less than the estimate.
    is_estimate: bool,
    /// Nothing of it is known.
    is_unknown: bool,
}

impl Sum {
    fn add(&mut self, prices: Option<&ProviderPrices>, work: &DeferredWork, report: &UsageReport) {
        let cost =
            prices.map(|prices| prices.cost_of_report(&work.model, report, work.reserved_at));
        match cost {
            Some(Ok(priced)) => {
                let cost = self.cost.checked_add(priced.cost.total);
                self.cost = cost.unwrap_or(NanoUsd::MAX);
            }
            Some(Err(_)) | None => self.is_estimate = true,
        }
        let usages = report.extra.iter().map(|extra| &extra.usage);
        for usage in usages.chain(&report.usage) {
            self.usage.add_all(usage);
        }
        self.model = self.model.take().or_else(|| report.model.clone());
        if let Some(theirs) = report.provider_cost {
            let before = self.provider_cost.unwrap_or_default();
            self.provider_cost = before.checked_add(theirs);
        }
    }

    fn truth(self, work: &DeferredWork) -> Truth {
        let tokens = i64::try_from(self.usage.total_tokens()).unwrap_or(i64::MAX);
        Truth {
            amount: work.aside.saturating_add(Amount {
                cost: self.cost,
                requests: work.requests,
                tokens,
            }),
            flags: if self.is_estimate {
                Flags::ESTIMATED
            } else {
                Flags::NONE
            },
            usage: self.usage,
            model: self.model,
            provider_cost: self.provider_cost,
        }
    }
}

/// Has the store post the bill (`None`: the estimate stands), and the book follow.
async fn post(gateway: &Arc<Gateway>, work: &DeferredWork, truth: Option<&Truth>) {
    for _ in 0..TRIES {
        match gateway.parts.store.settle_deferred(work, truth).await {
            Ok(Settlement::TooEarly) => tokio::time::sleep(TRY_AGAIN).await,
            Ok(Settlement::Nothing) => break,
            Ok(Settlement::Posted(position, entry)) => {
                let view = gateway.view();
                if let Ok(book) = view.book(work.ids.organization) {
                    book.with(|book| book.record(&entry, position));
                }
                break;
            }
            Err(error) => return log_error(Some(error)),
        }
    }
    gateway.objects.forget(work.ids.project, &work.object);
}

fn log_error(error: Option<tollgate_store::StoreError>) {
    if let Some(error) = error {
        tracing::warn!(%error, "the bill of deferred work could not be posted: it is tried again");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_grow_rarer_up_to_one_in_an_hour() {
        let minutes: Vec<i64> = (0..8).map(|looks| wait_after(looks).as_mins()).collect();
        assert_eq!(minutes, [2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(wait_after(u32::MAX), LONGEST_WAIT);
    }
}
