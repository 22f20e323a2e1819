//! Agreement with the official calculator of the data, which is independent of ours (it computes
//! in floating point, so the last digit may differ).

use super::{BOOK, SNAPSHOT, add_item, token_units};
use crate::{clock::Timestamp, money::NanoUsd, price::PriceError, unit::Unit, usage::Usage};
use genai_prices::{Calculator, ErrorKind, PriceRequest};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::time::{Duration, SystemTime};

const ROUNDS: usize = 10_000;
const MODELS: [(&str, &str); 16] = [
    ("openai", "gpt-5.2"),
    ("openai", "gpt-5.4"),
    ("openai", "gpt-realtime"),
    ("openai", "gpt-image-1.5"),
    ("anthropic", "claude-sonnet-4-6"),
    ("anthropic", "claude-sonnet-4-5-20250929"),
    ("google", "gemini-2.5-flash"),
    ("google", "gemini-2.5-pro"),
    ("google-vertex", "claude-sonnet-4-5@20250929"),
    ("azure", "gpt-5.4"),
    ("bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
    ("groq", "whisper-large-v3"),
    ("deepseek", "deepseek-chat"),
    ("perplexity", "sonar-deep-research"),
    ("mistral", "mistral-ocr-2505"),
    ("openrouter", "openai/gpt-5.2-20251211"),
];
const CONTEXTS: [&[(&str, &str)]; 6] = [
    &[],
    &[],
    &[("service_tier", "flex")],
    &[("service_tier", "priority")],
    &[("processing", "batch")],
    &[("service_tier", "default"), ("speed", "fast")],
];

#[test]
fn ten_thousand_random_usages_cost_what_the_official_calculator_says() {
    #[derive(Deserialize)]
    struct Snapshot<'a> {
        #[serde(borrow)]
        providers: &'a RawValue,
    }
    let snapshot: Snapshot<'_> = serde_json::from_str(SNAPSHOT).unwrap();
    let official = Calculator::from_json(snapshot.providers.get()).unwrap();
    let mut random = SplitMix(20_261_115);
    let mut agreed = 0;
    for round in 0..ROUNDS {
        let (provider, model) = random.pick(&MODELS);
        let context = random.pick(&CONTEXTS);
        let seconds = 1_704_067_200 + random.below(94_608_000);
        let usage = some_usage(&mut random);
        let counts: genai_prices::Usage = usage
            .iter()
            .map(|(unit, count)| {
                let count = f64::from(u32::try_from(count).unwrap());
                (genai_prices::UsageKey::from(unit.info().usage_key), count)
            })
            .collect();
        let mut request = PriceRequest::new(model, &counts)
            .with_provider_id(provider)
            .with_timestamp(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
        for (key, value) in context {
            request = request.with_price_context(key, value);
        }
        let context: Vec<_> = context
            .iter()
            .map(|(key, value)| (*key, (*value).to_owned()))
            .collect();
        let time = Timestamp::from_second(i64::try_from(seconds).unwrap()).unwrap();
        let pricing = BOOK.find(Some(provider), model).unwrap();
        let ours = pricing.strict_cost(&usage, &context, time);
        let case = format!("round {round}: {provider} {model} {usage:?} {context:?} {time}");
        match official.calculate(&request) {
            Ok(theirs) => {
                let ours = ours.unwrap_or_else(|error| panic!("{case}: {error}"));
                assert_close(ours.total, theirs.total_price, &case);
                assert_close(ours.input, theirs.input_price, &case);
                assert_close(ours.output, theirs.output_price, &case);
                assert_eq!(pricing.provider_id(), Some(&*theirs.provider_id), "{case}");
                assert_eq!(pricing.model_id(), Some(&*theirs.model_id), "{case}");
                agreed += 1;
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::InvalidUsage, "{case}: {error}");
                assert!(
                    matches!(ours, Err(PriceError::Inconsistent { .. })),
                    "{case}: {ours:?}"
                );
                let repaired = pricing.cost(&usage, &context, time).unwrap();
                assert!(repaired.approximate, "{case}");
            }
        }
    }
    assert!(agreed > ROUNDS / 2, "only {agreed} had a price at all");
    assert!(agreed < ROUNDS, "no contradiction was tried");
}

/// A few items, mostly without contradictions, around the tiers of long prompts.
fn some_usage(random: &mut SplitMix) -> Usage {
    let mut usage = Usage::NONE;
    let size = random.pick(&[50, 5_000, 150_000, 400_000]);
    for _ in 0..=random.below(3) {
        let unit = random.pick(&token_units());
        add_item(&mut usage, unit, random.below(size));
    }
    add_item(&mut usage, Unit::InputTokens, random.below(size));
    add_item(&mut usage, Unit::OutputTokens, random.below(size));
    for unit in [
        Unit::WebSearches,
        Unit::InputAudioSeconds,
        Unit::InputDocumentPages,
    ] {
        if random.below(4) == 0 {
            add_item(&mut usage, unit, random.below(30));
        }
    }
    if random.below(20) == 0 {
        usage.set(Unit::InputTokens, random.below(size));
    }
    usage
}

/// Within a nano-dollar.
fn assert_close(ours: NanoUsd, theirs: f64, case: &str) {
    let theirs: NanoUsd = format!("{theirs:.9}").parse().unwrap();
    let apart = ours.as_nano().abs_diff(theirs.as_nano());
    assert!(apart <= 1, "{case}: ours {ours}, theirs {theirs}");
}

/// Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014).
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        let end = u64::try_from(from.len()).unwrap();
        from[usize::try_from(self.below(end)).unwrap()]
    }
}
