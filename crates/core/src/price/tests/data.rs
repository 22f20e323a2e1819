//! What price data is accepted, and what a refusal says.

use super::{BOOK, at, noon, usage};
use crate::{
    money::NanoUsd,
    price::{CacheWrite, InputKind, PriceBook},
    unit::Unit,
};

/// As published: a bare array, with fields that we do not read.
const RAW: &str = r#"[{
  "id": "acme", "name": "Acme", "pricing_urls": ["https://acme.example/prices"],
  "api_pattern": "https://api\\.acme\\.example", "description": "x",
  "extractors": [{"root": "usage", "mappings": [{"path": "a", "dest": "input_tokens"}]}],
  "models": [{
    "id": "m1", "match": {"starts_with": "m1"}, "context_window": 1000, "description": "x",
    "prices": [
      {"prices": {"input_mtok": 0.0375, "output_mtok": {"base": 3e-1, "tiers": [
        {"start": 100, "price": 0.4}]}}},
      {"constraint": {"start_date": "2026-01-01"}, "prices": {"input_mtok": 1, "output_mtok": 2}},
      {"constraint": {"start_time": "02:00:00+02:00", "end_time": "01:00"},
       "prices": {"input_mtok": 5, "output_mtok": null}}
    ],
    "price_variants": [{"when": {"processing": "batch"}, "prices": {"input_mtok": 0.5}}]
  }]
}]"#;

#[test]
fn the_snapshot_says_its_version_and_knows_the_field() {
    assert!(
        BOOK.version()
            .split('.')
            .all(|part| part.parse::<u32>().is_ok())
    );
    assert!(BOOK.model_count() > 2_000);
}

#[test]
fn the_published_array_is_price_data_too() {
    let book = PriceBook::from_json(RAW.as_bytes()).unwrap();
    assert_eq!(book.version(), "unversioned");
    assert_eq!(
        book.provider_at("https://api.acme.example/v1"),
        Some("acme")
    );
    assert_eq!(
        book.provider_at("https://evil.example/?https://api.acme.example"),
        None
    );
    let model = book.find(Some("acme"), "M1-large").unwrap();
    assert_eq!(
        (model.model_id(), model.context_window()),
        (Some("m1"), Some(1_000))
    );
    let million = usage(&[(Unit::InputTokens, 1_000_000)]);
    let cost = |time| {
        model
            .cost(&million, &[], at(time))
            .unwrap()
            .total
            .to_string()
    };
    assert_eq!(cost("2025-12-31T12:00:00Z"), "0.0375");
    assert_eq!(cost("2026-01-01T12:00:00Z"), "1.00");
    assert_eq!(cost("2026-01-01T00:59:59Z"), "5.00");
    let batch = ("processing", "batch".to_owned());
    let other = ("processing", "flex".to_owned());
    let cost = |context: &[_]| {
        model
            .cost(&million, context, noon())
            .unwrap()
            .total
            .to_string()
    };
    assert_eq!(cost(&[other.clone(), batch.clone()]), "0.50");
    assert_eq!(cost(&[batch, other]), "1.00", "the last entry counts");
}

/// What is replaced in [`RAW`], by what, and what the refusal says.
const REFUSALS: [(&str, &str, &str); 12] = [
    (
        "0.0375",
        "-1",
        "acme: m1: prices: input_mtok: `-1` is not a rate",
    ),
    (
        "0.0375",
        "\"1\"",
        "acme: m1: prices: input_mtok: `\"1\"` is not a rate",
    ),
    (
        "input_mtok",
        "input_new",
        "acme: m1: prices: input_new: is not a known price key",
    ),
    (
        "\"output_mtok\": {",
        "\"input_mtok\": {",
        "input_mtok: stands there twice",
    ),
    (
        "\"input_mtok\"",
        "\"cache_read_mtok\"",
        "acme: m1: cache_read_mtok: is part of `input_mtok`",
    ),
    (
        "0.4}]",
        "0.4}, {\"start\": -1, \"price\": 1}]",
        "acme: m1: prices: output_mtok: invalid",
    ),
    (
        "2026-01-01",
        "2026-13-01",
        "constraint: start_date: `2026-13-01` is not a date",
    ),
    (
        "01:00",
        "25:00",
        "acme: m1: prices: constraint: end_time: `25:00` is not a time of day",
    ),
    (
        "{\"processing\": \"batch\"}",
        "{}",
        "acme: m1: price_variants: when: is empty",
    ),
    (
        "{\"starts_with\": \"m1\"}",
        "{\"regex\": \"(\"}",
        "acme: m1: match: `(` is not a pattern",
    ),
    (
        "\"match\": {\"starts_with\": \"m1\"}, ",
        "",
        "acme: m1: missing field `match`",
    ),
    (
        "\"id\": \"m1\", ",
        "",
        "acme: an entry without id: missing field `id`",
    ),
];

#[test]
fn a_refusal_names_provider_model_and_field() {
    let refused = |from: &str, to: &str| {
        assert!(RAW.contains(from), "{from}");
        let error = PriceBook::from_json(RAW.replacen(from, to, 1).as_bytes()).unwrap_err();
        error.to_string()
    };
    for (from, to, said) in REFUSALS {
        let error = refused(from, to);
        assert!(
            error.starts_with("price data: ") && error.contains(said),
            "{error}"
        );
    }
    assert!(PriceBook::from_json(b"[]").is_err());
    assert!(PriceBook::from_json(b"").is_err());
}

#[test]
fn overlapping_rates_without_their_overlap_are_refused() {
    let json = RAW.replacen(
        "\"input_mtok\": 0.0375",
        "\"input_mtok\": 1, \"cache_read_mtok\": 1, \"input_audio_mtok\": 1",
        1,
    );
    let error = PriceBook::from_json(json.as_bytes())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("`cache_audio_read_mtok`, which has no rate"),
        "{error}"
    );
}

#[test]
fn audio_and_cache_without_their_overlap_cost_the_dearer_reading() {
    let model = BOOK.find(Some("google"), "gemini-2.5-flash").unwrap();
    let reported = usage(&[
        (Unit::InputTokens, 1_000_000),
        (Unit::InputAudioTokens, 400_000),
        (Unit::CacheReadTokens, 400_000),
        (Unit::OutputTokens, 0),
    ]);
    assert!(model.strict_cost(&reported, &[], noon()).is_err());
    let cost = model.cost(&reported, &[], noon()).unwrap();
    assert!(cost.approximate);
    // 0.6 M text at 0.30 and 0.4 M audio at 1.00: as if nothing had been cached.
    assert_eq!(cost.total.to_string(), "0.58");
}

#[test]
fn a_bound_takes_the_dearest_rate_that_can_apply() {
    let million = 1_000_000;
    let rate = |model: &str, cache_write, media, tokens| {
        let pricing = BOOK.find(None, model).unwrap();
        let kind = InputKind { cache_write, media };
        let rates = pricing.token_rates(&[], kind, noon());
        assert_eq!(rates.bound(0, million), rates.output_per_million(0));
        rates.bound(tokens, 0).to_string()
    };
    assert_eq!(
        rate("claude-sonnet-4-6", CacheWrite::No, false, million),
        "3.00"
    );
    assert_eq!(
        rate("claude-sonnet-4-6", CacheWrite::Short, false, million),
        "3.75"
    );
    assert_eq!(
        rate("claude-sonnet-4-6", CacheWrite::Long, false, million),
        "6.00"
    );
    assert_eq!(
        rate("gemini-2.5-flash", CacheWrite::No, false, million),
        "0.30"
    );
    assert_eq!(
        rate("gemini-2.5-flash", CacheWrite::No, true, million),
        "1.00"
    );
    assert_eq!(
        rate("gpt-5.4", CacheWrite::No, false, 272_000),
        "0.68",
        "up to the cliff"
    );
    assert_eq!(
        rate("gpt-5.4", CacheWrite::No, false, 272_001),
        "1.360005",
        "over the cliff"
    );
    let sonar = BOOK.find(Some("perplexity"), "sonar").unwrap();
    let rates = sonar.token_rates(&[], InputKind::ANY, noon());
    assert_eq!(
        rates.bound(0, 0).to_string(),
        "0.012",
        "the fee of the request"
    );
    assert_eq!(rates.bound(u64::MAX, u64::MAX), NanoUsd::MAX);
}
