//! The prices of one configured provider: its overrides before the book.

use super::{
    book::PriceBook,
    card::{RateCard, UnitRate},
    cost::{Cost, ExactCost},
    error::{PriceDataError, PriceError},
    model::ModelPricing,
    rate::Rate,
    routed::Routed,
};
use crate::{
    clock::Timestamp,
    money::NanoUsd,
    provider::{PriceOverride, Provider, ProviderKind},
    unit::Unit,
    usage::{ExtraUsage, Usage, UsageReport},
};
use std::{collections::HashMap, sync::Arc};

/// What the gateway asks for prices. Made once per provider and price book.
#[derive(Debug)]
pub struct ProviderPrices {
    book: Arc<PriceBook>,
    /// The providers in the data, in the order to look; empty = find models by their names.
    listed_as: Vec<String>,
    /// In one of its dialects a model's name begins with its publisher's, as in
    /// `google/gemini-2.5-flash` at Vertex's endpoint for OpenAI's clients.
    names_publishers: bool,
    /// Set where whoever serves a request sets its price.
    routed: Option<Routed>,
    overrides: Arc<HashMap<String, Arc<ModelPricing>>>,
}

/// A model that can be asked for by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedModel {
    /// As requests name it.
    pub id: String,
    /// For people.
    pub name: Option<String>,
    /// The most input tokens it reads, if known.
    pub context_window: Option<u64>,
    /// Whether its output is priced; embedding models have none.
    pub has_output_price: bool,
}

/// Where a cost comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CostSource {
    /// The upstream's own figure.
    Provider,
    /// A price override of the provider.
    Override,
    /// The price book.
    Book,
}

/// The cost of an answer.
#[derive(Clone, Debug)]
pub struct PricedReport {
    /// All of it, with every extra usage.
    pub cost: Cost,
    /// Where it comes from.
    pub source: CostSource,
    /// The model it was priced at; `None` when the upstream's own figure is of an unknown model.
    pub priced_at: Option<Arc<ModelPricing>>,
}

impl ProviderPrices {
    /// The prices of `provider`. Its kind tells its place in the data, else its URL does.
    ///
    /// # Errors
    /// An override with a negative rate.
    pub fn new(book: Arc<PriceBook>, provider: &Provider) -> Result<Self, PriceDataError> {
        let mut listed_as = provider.kind.price_providers().to_vec();
        if listed_as.is_empty() {
            listed_as.extend(book.provider_at(&provider.base_url));
        }
        let mut listed_as: Vec<String> = listed_as.into_iter().map(ToOwned::to_owned).collect();
        let routed = provider
            .kind
            .profile()
            .router
            .filter(|_| listed_as.is_empty());
        if let Some(router) = routed {
            listed_as = book.providers_with(router.price_prefix);
        }
        let overrides = provider
            .prices
            .iter()
            .map(|price| {
                let pricing = override_pricing(&book, &listed_as, price);
                let pricing = pricing.map_err(|error| error.within(&*provider.slug))?;
                Ok((price.model.clone(), Arc::new(pricing)))
            })
            .collect::<Result<_, PriceDataError>>()?;
        Ok(Self {
            book,
            listed_as,
            names_publishers: provider.kind == ProviderKind::GoogleVertex,
            routed: routed.map(Routed::new),
            overrides: Arc::new(overrides),
        })
    }

    /// The prices of an answer that `server` gave, by its name in the answer's head. `None` where
    /// prices do not depend on it, or it is not in the data: then these go on to hold, and an
    /// answer is priced at the dearest of those that may have served it, flagged.
    pub fn served_by(&self, server: &str) -> Option<Self> {
        let routed = self.routed.as_ref()?.served_by(server, &self.listed_as)?;
        Some(Self {
            book: Arc::clone(&self.book),
            listed_as: self.listed_as.clone(),
            names_publishers: self.names_publishers,
            routed: Some(routed),
            overrides: Arc::clone(&self.overrides),
        })
    }

    /// The pricing of a model as it is sent to this provider; `None` = it has no price. Behind a
    /// router, before it is known who serves, it is the dearest that may apply.
    pub fn find(&self, model: &str) -> Option<Arc<ModelPricing>> {
        self.find_named(model).or_else(|| {
            let (_publisher, name) = model.split_once('/').filter(|_| self.names_publishers)?;
            self.find_named(name)
        })
    }

    fn find_named(&self, model: &str) -> Option<Arc<ModelPricing>> {
        let configured = self.overrides.get(model).cloned();
        configured.or_else(|| match &self.routed {
            Some(routed) => routed.find(&self.book, &self.listed_as, model),
            None => find_in(&self.book, &self.listed_as, model),
        })
    }

    /// The models that can be named here: those with an override, then those of the data, by id.
    pub fn models(&self) -> Vec<ListedModel> {
        let overridden = self.overrides.iter().map(|(id, pricing)| ListedModel {
            id: id.clone(),
            name: pricing.model_name().map(ToOwned::to_owned),
            context_window: pricing.context_window(),
            has_output_price: true,
        });
        let listed = self
            .listed_as
            .iter()
            .flat_map(|provider| self.book.models_at(provider));
        let mut models: Vec<_> = overridden.chain(listed).collect();
        models.sort_by(|a, b| a.id.cmp(&b.id));
        models.dedup_by(|a, b| a.id == b.id);
        models
    }

    /// What `usage` at `model` costs in a request made at `at` in `context`.
    ///
    /// # Errors
    /// [`PriceError::Unpriced`], [`PriceError::OutOfRange`].
    pub fn cost(
        &self,
        model: &str,
        usage: &Usage,
        context: &[(&str, String)],
        at: Timestamp,
    ) -> Result<Cost, PriceError> {
        let pricing = self.find(model).ok_or_else(|| unpriced(model))?;
        pricing.cost(usage, context, at)
    }

    /// What an answer to a request for `requested`, made at `at`, cost.
    ///
    /// The upstream's own figure outranks ours. Else the answer is priced at the model that gave
    /// it, or at the requested one when that has an override, when it names the same model more
    /// closely, or when the answering one has no price; extra usage at its own model, or (flagged)
    /// at the main one when that is unknown. All is summed before it is rounded.
    ///
    /// # Errors
    /// [`PriceError::Unpriced`], [`PriceError::NoUsage`], [`PriceError::OutOfRange`].
    pub fn cost_of_report(
        &self,
        requested: &str,
        report: &UsageReport,
        at: Timestamp,
    ) -> Result<PricedReport, PriceError> {
        let answered = report.model.as_deref().unwrap_or(requested);
        let main = self.answering(answered, requested);
        if let Some(total) = report.provider_cost.filter(|cost| *cost >= NanoUsd::ZERO) {
            return Ok(PricedReport {
                cost: Cost {
                    total,
                    input: NanoUsd::ZERO,
                    output: NanoUsd::ZERO,
                    approximate: false,
                },
                source: CostSource::Provider,
                priced_at: main,
            });
        }
        let main = main.ok_or_else(|| unpriced(answered))?;
        if report.usage.is_none() && report.extra.is_empty() {
            return Err(PriceError::NoUsage);
        }
        let mut exact = match &report.usage {
            Some(usage) => main.exact_cost(usage, &report.context, at)?,
            None => ExactCost::default(),
        };
        for ExtraUsage { model, usage } in &report.extra {
            let own = model.as_deref().map(|model| self.find(model));
            let guessed = matches!(own, Some(None));
            let pricing = own.flatten().unwrap_or_else(|| Arc::clone(&main));
            exact.add(pricing.exact_cost(usage, &report.context, at)?)?;
            exact.approximate |= guessed;
        }
        let routed = self.routed.as_ref().filter(|_| !main.is_override());
        exact.approximate |= routed.is_some_and(|routed| !routed.is_served_by(&main));
        let source = if main.is_override() {
            CostSource::Override
        } else {
            CostSource::Book
        };
        Ok(PricedReport {
            cost: exact.round()?,
            source,
            priced_at: Some(main),
        })
    }

    /// Bedrock's answers name the bare model, its requests a profile of it; and what a profile
    /// costs depends on the regions it may use.
    fn find_profile(&self, answered: &str, requested: &str) -> Option<Arc<ModelPricing>> {
        is_profile_of(requested, answered)
            .then(|| self.find(requested))
            .flatten()
    }

    fn answering(&self, answered: &str, requested: &str) -> Option<Arc<ModelPricing>> {
        let configured = |model: &str| self.overrides.get(model).cloned();
        configured(answered)
            .or_else(|| configured(requested))
            .or_else(|| self.find_profile(answered, requested))
            .or_else(|| self.find(answered))
            .or_else(|| self.find(requested))
    }
}

/// Whether `requested` names an inference profile of the model `answered`:
/// `global.anthropic.claude-sonnet-4-5-20250929-v1:0` of `claude-sonnet-4-5-20250929`.
fn is_profile_of(requested: &str, answered: &str) -> bool {
    let mut behind_points = requested.match_indices('.').filter_map(|(point, _)| {
        let name = requested.get(point + 1..)?;
        name.strip_prefix(answered)
    });
    !answered.is_empty()
        && behind_points.any(|version| version.is_empty() || version.starts_with("-v"))
}

/// The override, with what the book knows of the model besides token rates: searches and such keep
/// their price, the context window stays known.
fn override_pricing(
    book: &PriceBook,
    listed_as: &[String],
    price: &PriceOverride,
) -> Result<ModelPricing, PriceDataError> {
    let lines = [
        (Unit::InputTokens, Some(price.input)),
        (Unit::OutputTokens, Some(price.output)),
        (Unit::CacheReadTokens, price.cache_read),
        (Unit::CacheWriteTokens, price.cache_write),
    ];
    let mut card = Vec::new();
    for (unit, money) in lines {
        let Some(money) = money else { continue };
        let rate = Rate::from_money(money).ok_or_else(|| {
            PriceDataError::new(format!("`{money}` is negative"))
                .within(unit.info().price_key)
                .within(&*price.model)
        })?;
        card.push((unit, UnitRate::new(rate, Vec::new())));
    }
    let known = find_in(book, listed_as, &price.model);
    let known = known.as_deref();
    Ok(ModelPricing {
        provider: known.and_then(|known| known.provider.clone()),
        model: known.and_then(|known| known.model.clone()),
        variants_apply: known.is_some_and(|known| known.variants_apply),
        least_audio_seconds: known.map_or(0, |known| known.least_audio_seconds),
        override_card: Some(RateCard::new(card)),
    })
}

fn find_in(book: &PriceBook, listed_as: &[String], model: &str) -> Option<Arc<ModelPricing>> {
    if listed_as.is_empty() {
        return book.find(None, model);
    }
    listed_as
        .iter()
        .find_map(|provider| book.find(Some(provider), model))
}

fn unpriced(model: &str) -> PriceError {
    PriceError::Unpriced(model.to_owned())
}
