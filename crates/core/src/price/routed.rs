//! Prices behind a router: it passes a request on to one of many, and who served it sets its price.
//!
//! A name may say whom to choose (`openai/gpt-oss-120b:groq`) or how (`:fastest`, `:cheapest`);
//! else the router decides. Before the answer tells, the dearest of those that may serve is held.

use super::{book::PriceBook, bound::InputKind, model::ModelPricing};
use crate::{clock::Timestamp, money::NanoUsd, provider::profile::Router};
use std::sync::Arc;

/// What is known of who serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Routed {
    router: Router,
    /// Its id in the price data.
    server: Option<String>,
}

impl Routed {
    pub(super) fn new(router: Router) -> Self {
        let server = None;
        Self { router, server }
    }

    /// The same, once the answer has named who serves; `None` when `servers` do not hold it.
    pub(super) fn served_by(&self, name: &str, servers: &[String]) -> Option<Self> {
        let server = self.id(name, servers)?;
        Some(Self {
            router: self.router,
            server: Some(server.to_owned()),
        })
    }

    /// Whether `pricing` is that of who served.
    pub(super) fn is_served_by(&self, pricing: &ModelPricing) -> bool {
        self.server.is_some() && self.server.as_deref() == pricing.provider_id()
    }

    /// The pricing of `model` at who serves it, if that is known, else at the dearest of `servers`.
    pub(super) fn find(
        &self,
        book: &PriceBook,
        servers: &[String],
        model: &str,
    ) -> Option<Arc<ModelPricing>> {
        let (model, choice) = model.split_once(':').unwrap_or((model, ""));
        let asked = || self.id(choice, servers);
        let server = self.server.as_deref().or_else(asked);
        let known = server.and_then(|server| book.find(Some(server), model));
        known.or_else(|| {
            servers
                .iter()
                .filter_map(|server| book.find(Some(server), model))
                .max_by_key(|pricing| weight(pricing))
        })
    }

    /// The id of the server with this name, if it is one of `servers`.
    fn id<'s>(&self, name: &str, servers: &'s [String]) -> Option<&'s str> {
        let name = name.trim();
        let mut ids = servers.iter().map(String::as_str);
        ids.find(|id| {
            id.strip_prefix(self.router.price_prefix)
                .is_some_and(|own| own.eq_ignore_ascii_case(name))
        })
    }
}

/// What a million tokens in and out cost, at the last of dated prices.
fn weight(pricing: &ModelPricing) -> NanoUsd {
    const MILLION: u64 = 1_000_000;
    let rates = pricing.token_rates(&[], InputKind::ANY, Timestamp::MAX);
    rates.bound(MILLION, MILLION)
}
