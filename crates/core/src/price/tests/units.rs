//! What is not text: pictures, sound, characters, seconds, at the rates of the bundled data.

use super::{BOOK, noon, usage};
use crate::{
    money::NanoUsd,
    unit::Unit::{
        self, AudioSeconds, InputAudioSeconds, InputAudioTokens, InputCharacters, InputImageTokens,
        InputTextTokens, InputTokens, OutputAudioTokens, OutputImageTokens, OutputTokens,
    },
};

/// The cost in dollars, and that the counts did not contradict each other.
fn cost(provider: &str, model: &str, counts: &[(Unit, u64)]) -> String {
    let pricing = BOOK.find(Some(provider), model).unwrap();
    let cost = pricing.cost(&usage(counts), &[], noon()).unwrap();
    assert!(!cost.approximate, "{model}");
    cost.total.to_string()
}

fn seconds(seconds: u64) -> [(Unit, u64); 2] {
    [(AudioSeconds, seconds), (InputAudioSeconds, seconds)]
}

#[test]
fn a_picture_costs_its_output_tokens_and_what_it_was_made_from() {
    let edit = [
        (InputTokens, 250),
        (InputTextTokens, 50),
        (InputImageTokens, 200),
        (OutputTokens, 4_160),
        (OutputImageTokens, 4_160),
    ];
    // 50 at $5, 200 at $10, 4,160 at $40 a million.
    assert_eq!(cost("openai", "gpt-image-1", &edit), "0.16865");
    // 50 at $5, 200 at $8, 4,160 at $30.
    assert_eq!(cost("openai", "gpt-image-2.5-flare", &edit), "0.12665");
    // Pictures out have a rate of their own here, $32; text out would cost $10.
    assert_eq!(cost("openai", "gpt-image-1.5", &edit), "0.13497");
}

#[test]
fn a_transcript_costs_tokens_or_seconds() {
    let tokens = [
        (InputTokens, 140),
        (InputTextTokens, 10),
        (InputAudioTokens, 130),
        (OutputTokens, 5),
    ];
    // 10 at $2.50, 130 at $6, 5 at $10 a million.
    assert_eq!(cost("openai", "gpt-4o-transcribe", &tokens), "0.000855");
    // $0.36 an hour.
    assert_eq!(cost("openai", "whisper-1", &seconds(13)), "0.0013");
    assert_eq!(cost("openai", "gpt-transcribe", &seconds(3_600)), "0.27");
    // Groq bills ten seconds of a shorter recording.
    assert_eq!(
        cost("groq", "whisper-large-v3", &seconds(3)),
        cost("groq", "whisper-large-v3", &seconds(10))
    );
}

#[test]
fn tokens_and_seconds_of_one_request_are_both_charged() {
    let mut counts = vec![(InputTokens, 1_000_000), (OutputTokens, 0)];
    counts.extend(seconds(3_600));
    assert_eq!(cost("mistral", "voxtral-small-24b-2507", &counts), "0.34");
}

#[test]
fn what_is_not_tokens_is_held_too_and_says_whether_it_is_all() {
    let of = |provider, model: &str| BOOK.find(Some(provider), model).unwrap();
    let spoken = usage(&[(InputCharacters, 1_000)]);
    let held = |model: &str| {
        let pricing = of("openai", model);
        let bound = pricing.bound_beside_tokens(&spoken, &[], noon());
        let all = pricing.is_priced_by(&spoken, &[], noon());
        (bound.to_string(), all)
    };
    assert_eq!(held("tts-1"), ("0.015".to_owned(), true));
    let (bound, all) = held("gpt-4o-mini-tts");
    assert_eq!((bound.as_str(), all), ("0.00", false), "priced by tokens");
    let whisper = of("openai", "whisper-1");
    let heard = usage(&seconds(3_600));
    assert_eq!(
        whisper.bound_beside_tokens(&heard, &[], noon()).to_string(),
        "0.36"
    );
    assert_eq!(
        whisper.bound_beside_tokens(&usage(&[]), &[], noon()),
        NanoUsd::ZERO
    );
    assert!(whisper.is_priced_by(&heard, &[], noon()));
    assert!(!whisper.is_priced_by(&spoken, &[], noon()));
    let most = usage(&seconds(u64::MAX));
    assert_eq!(
        whisper.bound_beside_tokens(&most, &[], noon()),
        NanoUsd::MAX
    );
}

#[test]
fn speech_costs_characters_or_tokens() {
    assert_eq!(
        cost("openai", "tts-1", &[(InputCharacters, 1_000)]),
        "0.015"
    );
    assert_eq!(
        cost("openai", "tts-1-hd", &[(InputCharacters, 1_000)]),
        "0.03"
    );
    let tokens = [
        (InputTokens, 100),
        (OutputTokens, 1_000),
        (OutputAudioTokens, 1_000),
    ];
    assert_eq!(cost("openai", "gpt-4o-mini-tts", &tokens), "0.01206");
}
