//! Configured prices before the book, and the cost of whole reports.

use super::{BOOK, noon, usage};
use crate::{
    clock::Timestamp,
    entropy::FixedEntropy,
    id::ProviderId,
    money::NanoUsd,
    price::{CostSource, PriceError, ProviderPrices},
    provider::{
        Connection, OnClientGone, PriceOverride, Provider, ProviderKind, ReportCost, Site,
        UnpricedPolicy,
    },
    unit::Unit,
    usage::{ExtraUsage, UsageReport},
};
use std::sync::Arc;

const MILLION: u64 = 1_000_000;

fn dollars(text: &str) -> NanoUsd {
    text.parse().unwrap()
}

fn priced(model: &str, input: &str, output: &str, cache_read: Option<&str>) -> PriceOverride {
    PriceOverride {
        model: model.to_owned(),
        input: dollars(input),
        output: dollars(output),
        cache_read: cache_read.map(dollars),
        cache_write: None,
    }
}

pub(super) fn provider(kind: ProviderKind, base_url: &str, prices: Vec<PriceOverride>) -> Provider {
    Provider {
        id: ProviderId::new(Timestamp::UNIX_EPOCH, &FixedEntropy(1)),
        slug: "ours".to_owned(),
        kind,
        base_url: base_url.to_owned(),
        site: Site::default(),
        connection: Connection::default(),
        allow_deferred: false,
        credential: None,
        unpriced: UnpricedPolicy::Refuse,
        report_cost: ReportCost::Header,
        on_client_gone: OnClientGone::Cancel,
        prices,
        cancel_stops_billing: true,
        forward_trace: false,
    }
}

fn openai(prices: Vec<PriceOverride>) -> ProviderPrices {
    let provider = provider(ProviderKind::OpenAi, "https://api.openai.com/v1", prices);
    ProviderPrices::new(Arc::clone(&BOOK), &provider).unwrap()
}

fn report(model: Option<&str>, counts: &[(Unit, u64)]) -> UsageReport {
    UsageReport {
        model: model.map(ToOwned::to_owned),
        usage: Some(usage(counts)),
        complete: true,
        ..UsageReport::default()
    }
}

#[test]
fn an_override_outranks_the_book_for_tokens_and_leaves_fees() {
    let prices = openai(vec![priced("gpt-5.2", "1", "10", Some("0.1"))]);
    let used = usage(&[
        (Unit::InputTokens, MILLION),
        (Unit::CacheReadTokens, MILLION / 2),
        (Unit::OutputTokens, MILLION),
        (Unit::WebSearches, 1_000),
    ]);
    let flex = [("service_tier", "flex".to_owned())];
    let cost = prices.cost("gpt-5.2", &used, &flex, noon()).unwrap();
    assert_eq!((cost.input, cost.output), (dollars("0.55"), dollars("10")));
    assert_eq!(cost.total, dollars("20.55"), "ten dollars for the searches");
    let book = prices.find("gpt-5.4").unwrap();
    assert!(!book.is_override());
    assert_eq!(
        prices.find("gpt-5.2").unwrap().context_window(),
        Some(400_000)
    );
}

#[test]
fn a_model_nobody_knows_is_priced_by_its_override_alone() {
    let local = priced("llama-at-home", "0.10", "0.40", None);
    let url = "http://127.0.0.1:11434/v1";
    let provider = provider(ProviderKind::OpenAiCompatible, url, vec![local]);
    let prices = ProviderPrices::new(Arc::clone(&BOOK), &provider).unwrap();
    let used = usage(&[
        (Unit::InputTokens, MILLION),
        (Unit::CacheReadTokens, MILLION),
        (Unit::OutputTokens, MILLION),
    ]);
    let cost = prices.cost("llama-at-home", &used, &[], noon()).unwrap();
    assert_eq!(cost.total, dollars("0.5"), "cached input at the input rate");
    assert_eq!(
        prices.cost("no-such-model", &used, &[], noon()),
        Err(PriceError::Unpriced("no-such-model".to_owned()))
    );
}

#[test]
fn a_negative_override_is_refused_by_name() {
    let wrong = priced("gpt-5.2", "1", "-1", None);
    let provider = provider(
        ProviderKind::OpenAi,
        "https://api.openai.com/v1",
        vec![wrong],
    );
    let error = ProviderPrices::new(Arc::clone(&BOOK), &provider).unwrap_err();
    assert_eq!(
        error.to_string(),
        "price data: ours: gpt-5.2: output_mtok: `-1.00` is negative"
    );
}

#[test]
fn a_compatible_provider_is_known_by_its_url() {
    let kind = ProviderKind::OpenAiCompatible;
    let provider = provider(kind, "https://openrouter.ai/api/v1", Vec::new());
    let prices = ProviderPrices::new(Arc::clone(&BOOK), &provider).unwrap();
    let pricing = prices.find("openai/gpt-5.2").unwrap();
    assert_eq!(pricing.provider_id(), Some("openrouter"));
}

#[test]
fn the_answering_model_is_priced_and_the_requested_one_when_it_is_unknown() {
    let prices = openai(Vec::new());
    let counts = [(Unit::InputTokens, MILLION)];
    let priced_at = |requested: &str, answered: Option<&str>| {
        let report = report(answered, &counts);
        let priced = prices.cost_of_report(requested, &report, noon()).unwrap();
        assert_eq!(priced.source, CostSource::Book);
        priced.priced_at.unwrap().model_id().unwrap().to_owned()
    };
    assert_eq!(priced_at("gpt-5.2", None), "gpt-5.2");
    assert_eq!(priced_at("gpt-5.2", Some("gpt-5.4")), "gpt-5.4");
    assert_eq!(priced_at("gpt-5.2", Some("who-knows")), "gpt-5.2");
    assert!(matches!(
        prices.cost_of_report("x", &report(Some("who-knows"), &counts), noon()),
        Err(PriceError::Unpriced(model)) if model == "who-knows"
    ));
}

#[test]
fn a_profile_of_the_answering_model_is_priced_as_the_profile() {
    let region = "https://bedrock-runtime.us-east-1.amazonaws.com";
    let bedrock = provider(ProviderKind::Bedrock, region, Vec::new());
    let prices = ProviderPrices::new(Arc::clone(&BOOK), &bedrock).unwrap();
    let cost = |requested: &str, answered: Option<&str>| {
        let report = report(answered, &[(Unit::InputTokens, MILLION)]);
        let priced = prices.cost_of_report(requested, &report, noon()).unwrap();
        priced.cost.total
    };
    let (global, american) = (
        "global.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    );
    for answered in [None, Some("claude-sonnet-4-5-20250929")] {
        assert_eq!(cost(global, answered), dollars("3"));
        assert_eq!(cost(american, answered), dollars("3.3"));
    }
    // The model of another name is what it says, and so is one whose name only begins alike.
    assert_eq!(
        cost(global, Some("claude-haiku-4-5-20251001")),
        dollars("1.1")
    );
    assert_eq!(
        cost(
            "global.amazon.nova-2-lite-v1:0",
            Some("amazon.nova-lite-v1:0")
        ),
        dollars("0.06")
    );
}

#[test]
fn an_override_of_the_requested_model_holds_for_the_snapshot_that_answers() {
    let prices = openai(vec![priced("gpt-5.2", "1", "10", None)]);
    let report = report(Some("gpt-5.2-2025-12-11"), &[(Unit::InputTokens, MILLION)]);
    let priced = prices.cost_of_report("gpt-5.2", &report, noon()).unwrap();
    assert_eq!(priced.cost.total, dollars("1"));
    assert_eq!(priced.source, CostSource::Override);
}

#[test]
fn extra_usage_is_priced_at_its_model_and_all_is_rounded_once() {
    let prices = openai(vec![
        priced("main", "0.0004", "0", None),
        priced("advisor", "0.0005", "0", None),
    ]);
    let mut report = report(None, &[(Unit::InputTokens, 1)]);
    let extra = |model: Option<&str>| ExtraUsage {
        model: model.map(ToOwned::to_owned),
        usage: usage(&[(Unit::InputTokens, 1)]),
    };
    report.extra = vec![extra(Some("advisor")), extra(None)];
    let priced = prices.cost_of_report("main", &report, noon()).unwrap();
    // 0.4 + 0.5 + 0.4 nano-dollars; rounded one by one it would be 0 + 1 + 0.
    assert_eq!(priced.cost.total.as_nano(), 1);
    report.extra.push(extra(Some("nobody-knows-me")));
    let priced = prices.cost_of_report("main", &report, noon()).unwrap();
    assert_eq!(priced.cost.total.as_nano(), 2, "1.7");
    assert!(priced.cost.approximate, "priced at the main model");
}

#[test]
fn the_figure_of_the_upstream_outranks_ours() {
    let prices = openai(Vec::new());
    let mut report = report(None, &[(Unit::InputTokens, MILLION)]);
    report.provider_cost = Some(dollars("0.123"));
    let priced = prices.cost_of_report("gpt-5.2", &report, noon()).unwrap();
    assert_eq!(
        (priced.cost.total, priced.source),
        (dollars("0.123"), CostSource::Provider)
    );
    let of_unknown = prices.cost_of_report("who-knows", &report, noon()).unwrap();
    assert_eq!(of_unknown.cost.total, dollars("0.123"));
    report.provider_cost = Some(dollars("-1"));
    let priced = prices.cost_of_report("gpt-5.2", &report, noon()).unwrap();
    assert_eq!(
        (priced.cost.total, priced.source),
        (dollars("1.75"), CostSource::Book)
    );
}

#[test]
fn an_answer_without_usage_has_no_cost_of_its_own() {
    let report = UsageReport::default();
    let priced = openai(Vec::new()).cost_of_report("gpt-5.2", &report, noon());
    assert!(matches!(priced, Err(PriceError::NoUsage)));
}

#[test]
fn at_vertex_a_publisher_before_the_name_changes_no_price() {
    let at = |kind, model: &str| {
        let provider = provider(kind, "https://aiplatform.googleapis.com", Vec::new());
        let prices = ProviderPrices::new(Arc::clone(&BOOK), &provider).unwrap();
        let found = prices.find(model)?;
        Some(
            found
                .cost(&usage(&[(Unit::InputTokens, MILLION)]), &[], noon())
                .unwrap()
                .total,
        )
    };
    let bare = at(ProviderKind::GoogleVertex, "gemini-2.5-flash");
    assert!(bare.is_some());
    assert_eq!(
        at(ProviderKind::GoogleVertex, "google/gemini-2.5-flash"),
        bare
    );
    assert_eq!(
        at(ProviderKind::GoogleGemini, "google/gemini-2.5-flash"),
        None
    );
}
