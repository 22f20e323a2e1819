//! Golden cases, computed by the reference implementation of the data (exact decimals).

use super::{BOOK, at, usage};
use crate::{money::NanoUsd, price::PriceError, unit::Unit, usage::Usage};
use serde_json::Value;

const GOLDEN: &str = include_str!("../../../data/price-golden.json");

#[test]
fn every_golden_price_is_met_to_the_nano_dollar() {
    let golden: Value = serde_json::from_str(GOLDEN).unwrap();
    let cases = golden["price_cases"].as_array().unwrap();
    for case in cases {
        let note = case["note"].as_str().unwrap();
        let expected = &case["expected"];
        let context = context(&case["price_context"]);
        let time = at(case["timestamp"].as_str().unwrap());
        let pricing = BOOK.find(case["provider"].as_str(), case["model"].as_str().unwrap());
        if expected["error"] == "LookupError" {
            assert!(pricing.is_none(), "{note}");
            continue;
        }
        let pricing = pricing.unwrap_or_else(|| panic!("{note}: not found"));
        let strict = pricing.strict_cost(&counts(&case["usage"]), &context, time);
        if expected["error"] == "ValueError" {
            assert!(
                matches!(strict, Err(PriceError::Inconsistent { .. })),
                "{note}"
            );
            continue;
        }
        assert_eq!(
            pricing.provider_id(),
            expected["matched_provider"].as_str(),
            "{note}"
        );
        assert_eq!(
            pricing.model_id(),
            expected["matched_model"].as_str(),
            "{note}"
        );
        let cost = pricing
            .cost(&counts(&case["usage"]), &context, time)
            .unwrap();
        assert_eq!(strict, Ok(cost), "{note}");
        assert_eq!(cost.total, rounded(&expected["total_price"]), "{note}");
        assert_eq!(cost.input, rounded(&expected["input_price"]), "{note}");
        assert_eq!(cost.output, rounded(&expected["output_price"]), "{note}");
    }
    assert!(cases.len() >= 39, "the fixture shrank to {}", cases.len());
}

#[test]
fn every_golden_extraction_is_priced_to_the_nano_dollar() {
    let golden: Value = serde_json::from_str(GOLDEN).unwrap();
    let time = at(golden["default_timestamp"].as_str().unwrap());
    let mut priced = 0;
    for case in golden["extract_cases"].as_array().unwrap() {
        let expected = &case["expected"];
        let (Some(model), Some(_)) = (expected["model"].as_str(), expected["total_price"].as_str())
        else {
            continue;
        };
        let pricing = BOOK.find(case["provider"].as_str(), model).unwrap();
        let cost = pricing
            .cost(&counts(&expected["usage"]), &[], time)
            .unwrap();
        assert_eq!(
            cost.total,
            rounded(&expected["total_price"]),
            "{}",
            case["note"]
        );
        priced += 1;
    }
    assert!(priced >= 7, "only {priced} priced");
}

#[test]
fn further_golden_prices_are_met() {
    use Unit::{
        CacheReadTokens as Read, CacheWrite1hTokens as Write1h, CacheWriteTokens as Write,
        InputTokens as In, OutputTokens as Out,
    };
    let noon = "2026-11-15T12:00:00Z";
    let cases: [(_, _, &[(Unit, u64)], _, _); 5] = [
        (
            "openai",
            "gpt-5.4",
            &[(In, 272_001), (Out, 1_000)],
            noon,
            "1.382505",
        ),
        (
            "anthropic",
            "claude-sonnet-4-6",
            &[
                (In, 12_000),
                (Write, 3_000),
                (Write1h, 2_000),
                (Read, 8_000),
                (Out, 400),
            ],
            noon,
            "0.02715",
        ),
        (
            "google",
            "gemini-2.5-pro",
            &[(In, 250_000), (Read, 100_000), (Out, 2_000)],
            noon,
            "0.43",
        ),
        (
            "deepseek",
            "deepseek-chat",
            &[(In, 10_000), (Read, 4_000), (Out, 1_000)],
            "2025-05-01T20:00:00Z",
            "0.0015",
        ),
        (
            "perplexity",
            "sonar",
            &[(In, 1_000), (Out, 200)],
            noon,
            "0.0132",
        ),
    ];
    for (provider, model, counts, time, total) in cases {
        let pricing = BOOK.find(Some(provider), model).unwrap();
        let cost = pricing.cost(&usage(counts), &[], at(time)).unwrap();
        assert_eq!(cost.total, total.parse().unwrap(), "{provider} {model}");
    }
}

fn counts(json: &Value) -> Usage {
    let mut usage = Usage::NONE;
    for (key, count) in json.as_object().unwrap() {
        usage.set(Unit::from_usage_key(key).unwrap(), count.as_u64().unwrap());
    }
    usage
}

fn context(json: &Value) -> Vec<(&str, String)> {
    let entries = json.as_object().into_iter().flatten();
    entries
        .map(|(key, value)| (key.as_str(), value.as_str().unwrap().to_owned()))
        .collect()
}

/// A decimal of any length, half up to nine decimals.
fn rounded(json: &Value) -> NanoUsd {
    let text = json.as_str().unwrap();
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = format!("{whole}{fraction:0<10.10}");
    let tenths: i64 = digits.parse().unwrap();
    NanoUsd::from_nano((tenths + 5) / 10)
}
