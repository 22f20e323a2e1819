//! Behind a router, whoever served sets the price.

use super::{BOOK, noon, overrides::provider, usage};
use crate::{
    money::NanoUsd,
    price::{PriceError, ProviderPrices},
    provider::{PriceOverride, ProviderKind},
    unit::Unit,
    usage::UsageReport,
};
use std::sync::Arc;

const MODEL: &str = "openai/gpt-oss-120b";
const URL: &str = "https://router.huggingface.co/v1";

fn huggingface(prices: Vec<PriceOverride>) -> ProviderPrices {
    let provider = provider(ProviderKind::HuggingFace, URL, prices);
    ProviderPrices::new(Arc::clone(&BOOK), &provider).unwrap()
}

/// A million tokens in and out, in dollars, and whether that is a guess.
fn cost(prices: &ProviderPrices, requested: &str) -> (String, bool) {
    let report = UsageReport {
        model: Some(MODEL.to_owned()),
        usage: Some(usage(&[
            (Unit::InputTokens, 1_000_000),
            (Unit::OutputTokens, 1_000_000),
        ])),
        complete: true,
        ..UsageReport::default()
    };
    let priced = prices.cost_of_report(requested, &report, noon()).unwrap();
    (priced.cost.total.to_string(), priced.cost.approximate)
}

#[test]
fn an_answer_is_priced_at_who_served_it() {
    let prices = huggingface(Vec::new());
    for (server, dollars) in [
        ("groq", "0.90"),
        ("Fireworks-AI", "0.75"),
        ("novita", "0.30"),
    ] {
        let served = prices.served_by(server).unwrap();
        assert_eq!(
            cost(&served, MODEL),
            (dollars.to_owned(), false),
            "{server}"
        );
    }
}

#[test]
fn before_it_is_known_who_serves_the_dearest_is_held_and_an_answer_is_flagged() {
    let prices = huggingface(Vec::new());
    let dearest = "1.10";
    assert_eq!(cost(&prices, MODEL), (dearest.to_owned(), true), "Cerebras");
    let pricing = prices.find(&format!("{MODEL}:fastest")).unwrap();
    assert_eq!(pricing.provider_id(), Some("huggingface_cerebras"));
    assert!(prices.served_by("somebody-new").is_none());
    assert!(prices.served_by("").is_none());
}

#[test]
fn a_server_named_with_the_model_is_held_at_its_price() {
    let prices = huggingface(Vec::new());
    let pricing = prices.find(&format!("{MODEL}:groq")).unwrap();
    assert_eq!(pricing.provider_id(), Some("huggingface_groq"));
}

#[test]
fn a_server_that_the_data_does_not_price_the_model_at_is_guessed() {
    let served = huggingface(Vec::new()).served_by("publicai").unwrap();
    assert_eq!(cost(&served, MODEL), ("1.10".to_owned(), true));
}

#[test]
fn a_model_that_no_server_has_is_unpriced_and_an_override_needs_no_server() {
    let nobody = huggingface(Vec::new());
    assert!(nobody.find("gpt-5.2").is_none(), "that is OpenAI's");
    let report = UsageReport::default();
    let error = nobody.cost_of_report("gpt-5.2", &report, noon());
    assert!(matches!(error, Err(PriceError::Unpriced(_))));

    let ours = huggingface(vec![PriceOverride {
        model: MODEL.to_owned(),
        input: NanoUsd::from_nano(1_000_000_000),
        output: NanoUsd::from_nano(2_000_000_000),
        cache_read: None,
        cache_write: None,
    }]);
    assert_eq!(cost(&ours, MODEL), ("3.00".to_owned(), false));
}

#[test]
fn a_base_url_of_one_server_is_no_router() {
    let url = "https://router.huggingface.co/groq/openai/v1";
    let provider = provider(ProviderKind::HuggingFace, url, Vec::new());
    let prices = ProviderPrices::new(Arc::clone(&BOOK), &provider).unwrap();
    assert!(prices.served_by("novita").is_none(), "the URL has chosen");
    assert_eq!(cost(&prices, MODEL), ("0.90".to_owned(), false));
}
