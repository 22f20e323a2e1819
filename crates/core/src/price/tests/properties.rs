//! What holds for every model and usage.

use super::{BOOK, SNAPSHOT, add_item, token_units};
use crate::{
    clock::Timestamp,
    price::{CacheWrite, InputKind, ModelPricing, PriceError, lattice},
    unit::Unit,
    usage::Usage,
};
use proptest::{prelude::*, sample::select};
use serde_json::Value;
use std::sync::{Arc, LazyLock};

/// Every model of the snapshot that is found by its own id.
static MODELS: LazyLock<Vec<Arc<ModelPricing>>> = LazyLock::new(|| {
    let snapshot: Value = serde_json::from_str(SNAPSHOT).unwrap();
    let mut found = Vec::new();
    for provider in snapshot["providers"].as_array().unwrap() {
        for model in provider["models"].as_array().unwrap() {
            let names = (provider["id"].as_str(), model["id"].as_str().unwrap());
            found.extend(BOOK.find(names.0, names.1));
        }
    }
    assert!(
        found.len() > 2_000,
        "only {} models find themselves",
        found.len()
    );
    found
});

type Context = Vec<(&'static str, String)>;

fn any_model() -> impl Strategy<Value = Arc<ModelPricing>> {
    select(MODELS.as_slice())
}

fn any_time() -> impl Strategy<Value = Timestamp> {
    (1_672_531_200_i64..1_830_297_600).prop_map(|s| Timestamp::from_second(s).unwrap())
}

fn any_context() -> impl Strategy<Value = Context> {
    select(vec![
        vec![],
        vec![("service_tier", "flex".to_owned())],
        vec![("service_tier", "priority".to_owned())],
        vec![
            ("service_tier", "fast".to_owned()),
            ("speed", "fast".to_owned()),
        ],
        vec![("processing", "batch".to_owned())],
    ])
}

fn any_input_kind() -> impl Strategy<Value = InputKind> {
    let writes = select(vec![CacheWrite::No, CacheWrite::Short, CacheWrite::Long]);
    (writes, any::<bool>()).prop_map(|(cache_write, media)| InputKind { cache_write, media })
}

/// Tokens of random units, in amounts around the tiers.
fn any_items() -> impl Strategy<Value = Vec<(Unit, u64)>> {
    let count = prop_oneof![0_u64..1_000, 0_u64..500_000, 100_000_u64..=300_001];
    prop::collection::vec((select(token_units()), count), 1..6)
}

fn summed(items: &[(Unit, u64)]) -> Usage {
    let mut usage = Usage::NONE;
    for (unit, count) in items {
        add_item(&mut usage, *unit, *count);
    }
    usage
}

/// Whether a request with this kind of input can be billed tokens of `unit`.
fn is_possible(unit: Unit, kind: InputKind, is_claude: bool) -> bool {
    let writes = unit.is_within(Unit::CacheWriteTokens);
    let long = unit.is_within(Unit::CacheWrite1hTokens);
    let media = [
        Unit::InputAudioTokens,
        Unit::InputImageTokens,
        Unit::InputVideoTokens,
    ];
    let media = media.into_iter().any(|medium| unit.is_within(medium));
    (kind.media || !media)
        && match kind.cache_write {
            CacheWrite::No if is_claude => !writes,
            CacheWrite::No | CacheWrite::Short => !long,
            CacheWrite::Long => true,
        }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_split_of_the_tokens_costs_more_than_the_bound(
        model in any_model(),
        items in any_items(),
        kind in any_input_kind(),
        context in any_context(),
        at in any_time(),
        room in 0_u64..100_000,
    ) {
        let is_claude = model.model_id().is_some_and(|id| id.contains("claude"));
        let items: Vec<_> =
            items.into_iter().filter(|(unit, _)| is_possible(*unit, kind, is_claude)).collect();
        let usage = summed(&items);
        let cost = model.cost(&usage, &context, at).unwrap();
        let rates = model.token_rates(&context, kind, at);
        let (input, output) = (usage.get(Unit::InputTokens), usage.get(Unit::OutputTokens));
        let bound = rates.bound(input, output);
        prop_assert!(bound >= cost.total, "{model:?}: {usage:?}: {bound} < {cost:?}");
        prop_assert!(rates.bound(input + room, output) >= bound, "more input, smaller bound");
        prop_assert!(rates.bound(input, output + room) >= bound, "more output, smaller bound");
    }

    #[test]
    fn using_more_never_costs_less(
        model in any_model(),
        items in any_items(),
        more in any_items(),
        context in any_context(),
        at in any_time(),
    ) {
        let less = model.strict_cost(&summed(&items), &context, at);
        let both = [items, more].concat();
        let more = model.strict_cost(&summed(&both), &context, at);
        if let (Ok(less), Ok(more)) = (less, more) {
            prop_assert!(less.total <= more.total && less.output <= more.output);
        }
    }

    #[test]
    fn no_counts_overflow_or_stay_without_an_answer(
        model in any_model(),
        counts in prop::collection::vec((0..Unit::COUNT, any::<u64>()), 0..8),
        at in any_time(),
    ) {
        let mut usage = Usage::NONE;
        for (index, count) in counts {
            usage.set(Unit::ALL[index].unit, count);
        }
        match model.cost(&usage, &[], at) {
            Ok(cost) => prop_assert!(cost.total >= cost.input.max(cost.output)),
            Err(error) => prop_assert_eq!(error, PriceError::OutOfRange),
        }
    }

    #[test]
    fn leaving_out_how_the_splits_overlap_never_makes_an_answer_cheaper(
        model in any_model(),
        items in any_items(),
        at in any_time(),
    ) {
        let is_write = |unit: Unit| unit.is_within(Unit::CacheWriteTokens);
        let items: Vec<_> = items.into_iter().filter(|(unit, _)| !is_write(*unit)).collect();
        let truth = model.strict_cost(&summed(&items), &[], at);
        let mut reported = summed(&items);
        for node in token_units().into_iter().map(lattice::node) {
            if node.modality.is_some() && node.token_type.is_some() {
                reported.set(node.unit, 0);
            }
        }
        let cost = model.cost(&reported, &[], at).unwrap();
        if let (true, Ok(truth)) = (cost.approximate, truth) {
            prop_assert!(cost.total >= truth.total, "{model:?} {items:?}: {cost:?} {truth:?}");
        }
    }
}
