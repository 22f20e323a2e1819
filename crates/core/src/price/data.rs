//! Reads price data: the bundled snapshot, and the raw array the project that keeps it publishes
//! (contract version 2). Rates are taken from the number's text, never through a float, and an
//! error names provider, model and field.

use super::{
    card::{RateCard, UnitRate, check_coverage},
    error::PriceDataError,
    lattice::UnitSet,
    matching::{Match, RawMatch, compile},
    model::{Dated, Model, Variant, When},
    rate::Rate,
};
use crate::{clock::Timestamp, unit::Unit};
use fancy_regex::Regex;
use serde::{
    Deserialize,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;
use std::{collections::BTreeMap, fmt, sync::Arc};

/// What the version is when the data does not say.
const UNVERSIONED: &str = "unversioned";

/// A provider of the data.
#[derive(Debug)]
pub(super) struct Vendor {
    pub(super) id: Arc<str>,
    /// Matches the start of its API's URLs.
    pub(super) url: Option<Regex>,
    /// Matches other names of the provider.
    pub(super) named: Option<Match>,
    /// Matches models whose provider is not known.
    pub(super) makes: Option<Match>,
    /// Whose models it sells too.
    pub(super) resells: Box<[Box<str>]>,
    pub(super) models: Box<[Arc<Model>]>,
}

#[derive(Deserialize)]
struct RawBook<'a> {
    version: String,
    #[serde(borrow)]
    providers: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct RawVendor<'a> {
    id: String,
    api_pattern: Option<String>,
    model_match: Option<RawMatch>,
    provider_match: Option<RawMatch>,
    fallback_model_providers: Option<Vec<Box<str>>>,
    #[serde(borrow)]
    models: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct RawModel<'a> {
    id: Box<str>,
    name: Option<Box<str>>,
    r#match: RawMatch,
    context_window: Option<u64>,
    #[serde(borrow)]
    prices: &'a RawValue,
    #[serde(borrow)]
    price_variants: Option<Vec<RawVariant<'a>>>,
}

#[derive(Deserialize)]
struct RawDated<'a> {
    constraint: Option<RawConstraint>,
    #[serde(borrow)]
    prices: RawCard<'a>,
}

#[derive(Deserialize)]
struct RawVariant<'a> {
    when: BTreeMap<Box<str>, Box<str>>,
    constraint: Option<RawConstraint>,
    #[serde(borrow)]
    prices: RawCard<'a>,
}

/// A start date, or a start and an end time.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawConstraint {
    start_date: Option<String>,
    start_time: Option<String>,
    end_time: Option<String>,
}

/// The entries of a price object in their order. `null` is "no rate".
struct RawCard<'a>(Vec<(String, Option<&'a RawValue>)>);

#[derive(Deserialize)]
struct RawTiers<'a> {
    #[serde(borrow)]
    base: &'a RawValue,
    #[serde(borrow)]
    tiers: Vec<RawTier<'a>>,
}

#[derive(Deserialize)]
struct RawTier<'a> {
    start: u64,
    #[serde(borrow)]
    price: &'a RawValue,
}

/// The version and the providers of a document.
pub(super) fn read(json: &[u8]) -> Result<(String, Vec<Vendor>), PriceDataError> {
    let is_array = json.trim_ascii_start().first() == Some(&b'[');
    let (version, providers) = if is_array {
        let providers = serde_json::from_slice(json).map_err(unreadable)?;
        (UNVERSIONED.to_owned(), providers)
    } else {
        let book: RawBook<'_> = serde_json::from_slice(json).map_err(unreadable)?;
        (book.version, book.providers)
    };
    if providers.is_empty() {
        return Err(PriceDataError::new("there is not one provider in it"));
    }
    let vendors = providers
        .into_iter()
        .map(vendor)
        .collect::<Result<_, _>>()?;
    Ok((version, vendors))
}

fn vendor(json: &RawValue) -> Result<Vendor, PriceDataError> {
    let raw: RawVendor<'_> = parse(json).map_err(|error| error.within(id_of(json)))?;
    let id: Arc<str> = raw.id.as_str().into();
    let fill = || -> Result<Vendor, PriceDataError> {
        let field = |name: &'static str| move |error: PriceDataError| error.within(name);
        let anchored = |pattern: String| compile(&format!("^(?:{pattern})"));
        Ok(Vendor {
            id: Arc::clone(&id),
            url: raw
                .api_pattern
                .map(anchored)
                .transpose()
                .map_err(field("api_pattern"))?,
            named: clause(raw.provider_match).map_err(field("provider_match"))?,
            makes: clause(raw.model_match).map_err(field("model_match"))?,
            resells: raw.fallback_model_providers.unwrap_or_default().into(),
            models: raw
                .models
                .into_iter()
                .map(model)
                .collect::<Result<_, _>>()?,
        })
    };
    fill().map_err(|error| error.within(&*id))
}

fn clause(raw: Option<RawMatch>) -> Result<Option<Match>, PriceDataError> {
    raw.map(Match::try_from).transpose()
}

fn model(json: &RawValue) -> Result<Arc<Model>, PriceDataError> {
    let raw: RawModel<'_> = parse(json).map_err(|error| error.within(id_of(json)))?;
    let id = raw.id.clone();
    let fill = || -> Result<Model, PriceDataError> {
        let prices = standard(raw.prices).map_err(|error| error.within("prices"))?;
        let variants: Vec<Variant> = raw
            .price_variants
            .unwrap_or_default()
            .into_iter()
            .map(variant)
            .collect::<Result<_, _>>()
            .map_err(|error| error.within("price_variants"))?;
        check(&prices, &variants)?;
        Ok(Model {
            id: raw.id,
            name: raw.name,
            matches: raw
                .r#match
                .try_into()
                .map_err(|error: PriceDataError| error.within("match"))?,
            context_window: raw.context_window,
            prices: prices.into(),
            variants: variants.into(),
        })
    };
    fill().map(Arc::new).map_err(|error| error.within(id))
}

/// Checks each standard card, alone and under each variant.
fn check(prices: &[Dated], variants: &[Variant]) -> Result<(), PriceDataError> {
    for price in prices {
        let standard: UnitSet = price.card.units().collect();
        check_coverage(standard)?;
        for variant in variants {
            check_coverage(standard.iter().chain(variant.rates.card.units()).collect())?;
        }
    }
    Ok(())
}

fn standard(json: &RawValue) -> Result<Vec<Dated>, PriceDataError> {
    if !json.get().starts_with('[') {
        let card = card(parse(json)?)?;
        return Ok(vec![Dated {
            when: When::Always,
            card,
        }]);
    }
    let raw: Vec<RawDated<'_>> = parse(json)?;
    if raw.is_empty() {
        return Err(PriceDataError::new("the list is empty"));
    }
    raw.into_iter()
        .map(|raw| dated(raw.constraint, raw.prices))
        .collect()
}

fn variant(raw: RawVariant<'_>) -> Result<Variant, PriceDataError> {
    if raw.when.is_empty() {
        return Err(PriceDataError::new("is empty").within("when"));
    }
    Ok(Variant {
        context: raw.when.into_iter().collect(),
        rates: dated(raw.constraint, raw.prices)?,
    })
}

fn dated(when: Option<RawConstraint>, prices: RawCard<'_>) -> Result<Dated, PriceDataError> {
    let when = when.map_or(Ok(When::Always), constraint);
    Ok(Dated {
        when: when.map_err(|error| error.within("constraint"))?,
        card: card(prices)?,
    })
}

fn constraint(raw: RawConstraint) -> Result<When, PriceDataError> {
    match (raw.start_date, raw.start_time, raw.end_time) {
        (Some(date), None, None) => midnight(&date).map_err(|error| error.within("start_date")),
        (None, Some(start), Some(end)) => Ok(When::Daily {
            start: second_of_day(&start).map_err(|error| error.within("start_time"))?,
            end: second_of_day(&end).map_err(|error| error.within("end_time"))?,
        }),
        _ => Err(PriceDataError::new(
            "is neither a start date nor a start and an end time",
        )),
    }
}

/// From the start of a UTC day on.
fn midnight(date: &str) -> Result<When, PriceDataError> {
    let instant = format!("{date}T00:00:00Z").parse();
    instant
        .map(When::From)
        .map_err(|_| PriceDataError::new(format!("`{date}` is not a date")))
}

/// The second of the UTC day of a time such as `00:30:00Z` or `18:30:00+02:00`; a time without an
/// offset is UTC.
fn second_of_day(time: &str) -> Result<i64, PriceDataError> {
    let on_some_day = |offset: &str| format!("1970-01-02T{time}{offset}").parse::<Timestamp>();
    let instant = on_some_day("")
        .or_else(|_| on_some_day("Z"))
        .map_err(|_| PriceDataError::new(format!("`{time}` is not a time of day")))?;
    Ok(instant.as_second().rem_euclid(86_400))
}

fn card(raw: RawCard<'_>) -> Result<RateCard, PriceDataError> {
    let mut lines = Vec::with_capacity(raw.0.len());
    for (key, json) in raw.0 {
        let Some(json) = json else { continue };
        let unit = Unit::from_price_key(&key)
            .ok_or_else(|| PriceDataError::new("is not a known price key").within(&*key))?;
        if lines.iter().any(|(seen, _)| *seen == unit) {
            return Err(PriceDataError::new("stands there twice").within(key));
        }
        let rate = unit_rate(json).map_err(|error| error.within(key))?;
        lines.push((unit, rate));
    }
    Ok(RateCard::new(lines))
}

fn unit_rate(json: &RawValue) -> Result<UnitRate, PriceDataError> {
    if !json.get().starts_with('{') {
        return Ok(UnitRate::new(Rate::parse(json.get())?, Vec::new()));
    }
    let raw: RawTiers<'_> = parse(json)?;
    let tier = |tier: RawTier<'_>| Ok((tier.start, Rate::parse(tier.price.get())?));
    let tiers = raw.tiers.into_iter().map(tier).collect::<Result<_, _>>()?;
    Ok(UnitRate::new(Rate::parse(raw.base.get())?, tiers))
}

fn parse<'a, T: Deserialize<'a>>(json: &'a RawValue) -> Result<T, PriceDataError> {
    serde_json::from_str(json.get()).map_err(unreadable)
}

#[expect(clippy::needless_pass_by_value, reason = "the shape `map_err` wants")]
fn unreadable(error: serde_json::Error) -> PriceDataError {
    PriceDataError::new(error.to_string())
}

/// The id of an entry that cannot be read.
fn id_of(json: &RawValue) -> String {
    #[derive(Deserialize)]
    struct Named {
        id: String,
    }
    serde_json::from_str(json.get())
        .map_or_else(|_| "an entry without id".to_owned(), |n: Named| n.id)
}

impl<'de: 'a, 'a> Deserialize<'de> for RawCard<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;

        impl<'de> Visitor<'de> for Entries {
            type Value = RawCard<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of rates")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<RawCard<'de>, M::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(RawCard(entries))
            }
        }

        deserializer.deserialize_map(Entries)
    }
}
