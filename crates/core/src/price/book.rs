//! The price book: finds the pricing of a model by provider and name.
//!
//! Finding walks the data's clauses in file order (tens of microseconds); what was found, and what
//! was not, is remembered, so that a known name costs two hash lookups. Names come from clients:
//! the memory is bounded in entries and in the length of a name, and starts anew when full.

use super::{
    data::{self, Vendor},
    error::PriceDataError,
    model::{Model, ModelPricing},
    of_provider::ListedModel,
};
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

/// The data that was newest when this was built.
const BUNDLED: &[u8] = include_bytes!("../../data/prices.json");
/// Names remembered.
const MOST_REMEMBERED: usize = 4_096;
/// Longest name of a model or provider, in bytes; no longer one is found.
const LONGEST_NAME: usize = 256;
/// Groq bills ten seconds of a shorter recording (the data has no field for it).
const GROQ_LEAST_AUDIO_SECONDS: u64 = 10;

/// Rates of every known model. Immutable but for its memory of names; share it in an `Arc` and
/// replace it whole.
pub struct PriceBook {
    version: String,
    vendors: Vec<Vendor>,
    remembered: RwLock<Remembered>,
}

type Found = Option<Arc<ModelPricing>>;

/// By provider, then by model. An unknown provider is the empty name.
#[derive(Default)]
struct Remembered {
    by_provider: HashMap<Box<str>, HashMap<Box<str>, Found>>,
    names: usize,
}

impl PriceBook {
    /// The snapshot in this binary.
    pub fn bundled() -> Result<Self, PriceDataError> {
        Self::from_json(BUNDLED)
    }

    /// Price data: a snapshot as bundled, or the raw array as published (contract version 2).
    ///
    /// # Errors
    /// Names provider, model and field. A unit this version does not know is an error too: left
    /// out, it would be free.
    pub fn from_json(json: &[u8]) -> Result<Self, PriceDataError> {
        let (version, vendors) = data::read(json)?;
        Ok(Self {
            version,
            vendors,
            remembered: RwLock::default(),
        })
    }

    /// The version the data states; `unversioned` for a raw array.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// How many models it knows.
    pub fn model_count(&self) -> usize {
        self.vendors.iter().map(|vendor| vendor.models.len()).sum()
    }

    /// The provider of the data whose API is at `url`.
    pub fn provider_at(&self, url: &str) -> Option<&str> {
        let is_there = |vendor: &&Vendor| {
            let pattern = vendor.url.as_ref();
            pattern.is_some_and(|pattern| pattern.is_match(url).unwrap_or(false))
        };
        self.vendors.iter().find(is_there).map(|vendor| &*vendor.id)
    }

    /// The ids of the providers that begin with `prefix`, in the order of the data.
    pub(super) fn providers_with(&self, prefix: &str) -> Vec<String> {
        let ids = self.vendors.iter().map(|vendor| &*vendor.id);
        ids.filter(|id| id.starts_with(prefix))
            .map(ToOwned::to_owned)
            .collect()
    }

    /// The pricing of `model` at `provider` (an id of the data or another name of it); without a
    /// provider, at the first one that makes models of this name. Time does not matter here: dated
    /// prices are chosen when a cost is asked for.
    ///
    /// A known name costs well below a microsecond.
    pub fn find(&self, provider: Option<&str>, model: &str) -> Option<Arc<ModelPricing>> {
        let provider = provider.unwrap_or_default();
        if model.len() > LONGEST_NAME || provider.len() > LONGEST_NAME {
            return None;
        }
        if let Some(found) = self.recall(provider, model) {
            return found;
        }
        let found = self.look_up(provider, model).map(Arc::new);
        self.remember(provider, model, found.clone());
        found
    }

    /// The models of one provider of the data, by their ids.
    pub fn models_at(&self, provider: &str) -> Vec<ListedModel> {
        let models = self
            .vendor(provider)
            .map(|vendor| &vendor.models[..])
            .unwrap_or_default();
        models.iter().map(|model| model.listed()).collect()
    }

    fn recall(&self, provider: &str, model: &str) -> Option<Found> {
        let remembered = self
            .remembered
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        remembered.by_provider.get(provider)?.get(model).cloned()
    }

    fn remember(&self, provider: &str, model: &str, found: Found) {
        let mut remembered = self
            .remembered
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if remembered.names >= MOST_REMEMBERED {
            *remembered = Remembered::default();
        }
        let models = remembered.by_provider.entry(provider.into()).or_default();
        if models.insert(model.into(), found).is_none() {
            remembered.names += 1;
        }
    }

    fn look_up(&self, provider: &str, model: &str) -> Option<ModelPricing> {
        let model = model.to_lowercase();
        let provider = provider.trim().to_lowercase();
        if provider.is_empty() {
            return self.find_at(self.maker(&model)?, &model);
        }
        if let Some(vendor) = self.vendor(&provider) {
            return self.find_at(vendor, &model);
        }
        if provider != "litellm" {
            return None;
        }
        // LiteLLM names the provider in front of the model.
        let split = model.split_once('/');
        match split.and_then(|(provider, rest)| Some((self.vendor(provider)?, rest))) {
            Some((vendor, rest)) => self.find_at(vendor, rest),
            None => self.find_at(self.maker(&model)?, &model),
        }
    }

    /// The provider with this id, else the first that answers to this name.
    fn vendor(&self, name: &str) -> Option<&Vendor> {
        let named = |vendor: &&Vendor| vendor.named.as_ref().is_some_and(|m| m.is_match(name));
        let by_id = self.vendors.iter().find(|vendor| &*vendor.id == name);
        by_id.or_else(|| self.vendors.iter().find(named))
    }

    /// The first provider that makes models of this name.
    fn maker(&self, model: &str) -> Option<&Vendor> {
        let makes = |vendor: &&Vendor| vendor.makes.as_ref().is_some_and(|m| m.is_match(model));
        self.vendors.iter().find(makes)
    }

    fn find_at(&self, vendor: &Vendor, model: &str) -> Option<ModelPricing> {
        let as_named = self.find_exactly(vendor, model);
        as_named.or_else(|| self.find_exactly(vendor, &dashed_dates(model)?))
    }

    /// Among the provider's own models, then among those it resells.
    fn find_exactly(&self, vendor: &Vendor, name: &str) -> Option<ModelPricing> {
        let of = |vendor: &Vendor| -> Option<Arc<Model>> {
            let mut models = vendor.models.iter();
            models.find(|model| model.matches.is_match(name)).cloned()
        };
        let own = of(vendor);
        let variants_apply = own.is_some();
        let resold = || {
            let mut ids = vendor.resells.iter();
            ids.find_map(|id| of(self.vendors.iter().find(|other| *other.id == **id)?))
        };
        let model = own.or_else(resold)?;
        let least_audio_seconds = match (&*vendor.id, &*model.id) {
            ("groq", "whisper-large-v3" | "whisper-large-v3-turbo") => GROQ_LEAST_AUDIO_SECONDS,
            _ => 0,
        };
        Some(ModelPricing {
            provider: Some(Arc::clone(&vendor.id)),
            model: Some(model),
            variants_apply,
            least_audio_seconds,
            override_card: None,
        })
    }
}

impl fmt::Debug for PriceBook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PriceBook")
            .field("version", &self.version)
            .field("models", &self.model_count())
            .finish_non_exhaustive()
    }
}

/// `gpt-5.2-20251211` as `gpt-5.2-2025-12-11`: proxies compact the dates that the data writes with
/// dashes. `None` when there is no such date in the name.
fn dashed_dates(name: &str) -> Option<String> {
    let mut parts = name.split('-');
    let mut changed = false;
    let mut dashes = parts.next()?.to_owned();
    for part in parts {
        let digits = part.split(':').next().unwrap_or(part);
        let date = dashed(digits);
        changed |= date.is_some();
        dashes.push('-');
        dashes.push_str(date.as_deref().unwrap_or(digits));
        dashes.push_str(part.strip_prefix(digits).unwrap_or_default());
    }
    changed.then_some(dashes)
}

/// A date of this century written as eight digits, with dashes.
fn dashed(digits: &str) -> Option<String> {
    let is_date = digits.len() == 8 && digits.starts_with("20");
    let date = jiff::civil::Date::strptime("%Y%m%d", digits)
        .ok()
        .filter(|_| is_date)?;
    Some(date.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_true_dates_after_a_dash_get_dashes() {
        for (name, dashed) in [
            ("gpt-5.2-20251211", Some("gpt-5.2-2025-12-11")),
            ("gpt-5.2-20251211:free", Some("gpt-5.2-2025-12-11:free")),
            ("a-20251211-preview", Some("a-2025-12-11-preview")),
            ("gpt-5.2-20250230", None),
            ("gpt-5.2-19991211", None),
            ("gpt-5.2-202512111", None),
            ("20251211", None),
            ("gpt-5.2:20251211", None),
            ("gpt-5.2", None),
        ] {
            assert_eq!(dashed_dates(name).as_deref(), dashed, "{name}");
        }
    }

    #[test]
    fn unknown_names_do_not_grow_the_memory_without_bound() {
        let book = PriceBook::bundled().unwrap();
        for number in 0..10_000 {
            assert!(book.find(Some("anthropic"), &format!("{number}")).is_none());
        }
        let names = || {
            let remembered = book.remembered.read().unwrap();
            let by_provider = remembered.by_provider.values();
            (
                remembered.names,
                by_provider.map(HashMap::len).sum::<usize>(),
            )
        };
        let (counted, held) = names();
        assert_eq!(counted, held);
        assert!(held <= MOST_REMEMBERED);
        let long = "gpt-5.2".repeat(100);
        assert!(book.find(None, &long).is_none());
        assert_eq!(names().1, held, "a name too long is not remembered");
    }

    #[test]
    fn a_second_look_gives_the_same_pricing() {
        let book = PriceBook::bundled().unwrap();
        let first = book.find(Some("openai"), "gpt-5.2").unwrap();
        let second = book.find(Some("openai"), "gpt-5.2").unwrap();
        assert!(Arc::ptr_eq(&first, &second));
    }
}
