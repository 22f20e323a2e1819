//! What is learned from finished requests: how long answers are, how fast they come, how many
//! tokens a byte of text makes. In memory only; a restart starts from the defaults.
//!
//! Estimates decide how early a limit refuses and how much a stream holds ahead, never what is
//! charged. Integers throughout, bounded memory, and every answer is rounded up.

mod generations;
mod histogram;

use crate::{id::ApiKeyId, ledger::exposure::OutputEstimate};
use generations::Generations;
use histogram::{Histogram, half_octave};
use std::time::Duration;

/// Samples from which on a quantile is believed.
const ENOUGH: u32 = 20;
/// Models, and pairs of key and model, kept at least (at most twice as many; about 4 MiB).
const MODELS_KEPT: usize = 512;
const PAIRS_KEPT: usize = 8_192;

/// What is assumed of a model nobody has used.
const UNKNOWN: OutputEstimate = OutputEstimate {
    p90: 1_024,
    p99: 4_096,
    per_second: 200,
};

/// Tokens per thousand bytes of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TextRate(u16);

impl TextRate {
    /// One token per byte: what byte-level encodings cannot pass.
    pub const STRICT: Self = Self(1_000);
    /// What is assumed of a model nobody has used.
    pub const UNKNOWN: Self = Self(500);
    const LEAST: u16 = 250;
    /// Learned in steps of this.
    const STEP: u16 = 25;

    /// The tokens in so much text, rounded up.
    pub fn tokens(self, text_bytes: u64) -> u64 {
        let tokens = (u128::from(text_bytes) * u128::from(self.0)).div_ceil(1_000);
        u64::try_from(tokens).unwrap_or(u64::MAX)
    }

    /// Tokens per thousand bytes, 250 ..= 1,000.
    pub const fn per_mille(self) -> u16 {
        self.0
    }

    fn bucket(text_tokens: u64, text_bytes: u64) -> usize {
        let per_mille = u128::from(text_tokens) * 1_000;
        let per_mille = per_mille.div_ceil(u128::from(text_bytes.max(1)));
        let above = u16::try_from(per_mille)
            .unwrap_or(u16::MAX)
            .clamp(Self::LEAST, Self::STRICT.0)
            - Self::LEAST;
        usize::from(above.div_ceil(Self::STEP))
    }

    fn edge(bucket: usize) -> Self {
        let above = u16::try_from(bucket).unwrap_or(u16::MAX);
        let edge = Self::LEAST.saturating_add(above.saturating_mul(Self::STEP));
        Self(edge.min(Self::STRICT.0))
    }
}

const TEXT_BUCKETS: usize = 31;

/// What one finished request teaches. Parts that do not apply are left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// Billed output tokens of one choice.
    pub output_tokens: Option<u64>,
    /// How long the stream ran, from sending to its end. With the output it gives the speed.
    pub streamed_for: Option<Duration>,
    /// Billed input tokens and the bytes of text they stand for, of a request that is all text and
    /// shows all its input.
    pub text: Option<(u64, u64)>,
}

#[derive(Clone, Debug)]
struct Learned {
    /// Names the model in [`Estimates::pairs`].
    number: u64,
    output: Histogram<{ half_octave::BUCKETS }>,
    per_second: Histogram<{ half_octave::BUCKETS }>,
    text: Histogram<TEXT_BUCKETS>,
}

/// Everything learned. One per process; small enough to stand behind one mutex.
#[derive(Clone, Debug)]
pub struct Estimates {
    models: Generations<String, Learned>,
    pairs: Generations<(ApiKeyId, u64), Histogram<{ half_octave::BUCKETS }>>,
    numbered: u64,
}

impl Default for Estimates {
    fn default() -> Self {
        Self::new()
    }
}

impl Estimates {
    /// Nothing learned yet.
    pub fn new() -> Self {
        Self {
            models: Generations::new(MODELS_KEPT),
            pairs: Generations::new(PAIRS_KEPT),
            numbered: 0,
        }
    }

    /// The output of a request of this key for this model: from the key's own requests once there
    /// are 20, else from everybody's, else the defaults (1,024 and 4,096 tokens, 200 a second).
    pub fn output(&self, key: Option<ApiKeyId>, model: &str) -> OutputEstimate {
        let Some(learned) = self.models.get(model) else {
            return UNKNOWN;
        };
        let own = key.and_then(|key| self.pairs.get(&(key, learned.number)));
        let lengths = [own, Some(&learned.output)]
            .into_iter()
            .flatten()
            .find(|histogram| histogram.total() >= ENOUGH);
        let length = |percent, default| {
            let bucket = lengths.and_then(|histogram| histogram.quantile(percent));
            bucket.map_or(default, half_octave::edge)
        };
        let speed = Some(&learned.per_second).filter(|speeds| speeds.total() >= ENOUGH);
        let speed = speed.and_then(|speeds| speeds.quantile(95));
        OutputEstimate {
            p90: length(90, UNKNOWN.p90),
            p99: length(99, UNKNOWN.p99),
            per_second: speed.map_or(UNKNOWN.per_second, half_octave::edge),
        }
    }

    /// How many tokens text makes for this model: what 99 of 100 requests did not pass, once there
    /// are 20; one token per two bytes before.
    pub fn text_rate(&self, model: &str) -> TextRate {
        let learned = self.models.get(model).map(|learned| &learned.text);
        learned
            .filter(|texts| texts.total() >= ENOUGH)
            .and_then(|texts| texts.quantile(99))
            .map_or(TextRate::UNKNOWN, TextRate::edge)
    }

    /// Learns from a finished request.
    pub fn learn(&mut self, key: Option<ApiKeyId>, model: &str, sample: &Sample) {
        self.numbered += 1;
        let fresh = self.numbered;
        let learned = self.models.entry(model.to_owned(), || Learned {
            number: fresh,
            output: Histogram::EMPTY,
            per_second: Histogram::EMPTY,
            text: Histogram::EMPTY,
        });
        if let Some(tokens) = sample.output_tokens {
            let bucket = half_octave::bucket(tokens);
            learned.output.add(bucket);
            if let Some(speed) = sample.streamed_for.and_then(|time| speed(tokens, time)) {
                learned.per_second.add(half_octave::bucket(speed));
            }
            if let Some(key) = key {
                let pair = (key, learned.number);
                self.pairs.entry(pair, || Histogram::EMPTY).add(bucket);
            }
        }
        if let Some((tokens, bytes)) = sample.text
            && bytes >= TEXT_LEAST
        {
            learned.text.add(TextRate::bucket(tokens, bytes));
        }
    }
}

/// Shorter texts say more about the template around them than about the text.
const TEXT_LEAST: u64 = 256;
/// Shorter streams say more about the network than about the model.
const STREAM_LEAST: Duration = Duration::from_millis(500);

/// Tokens per second, rounded up; `None` for a stream too short to tell.
fn speed(tokens: u64, time: Duration) -> Option<u64> {
    if time < STREAM_LEAST {
        return None;
    }
    let per_second = (u128::from(tokens) * 1_000).div_ceil(time.as_millis());
    u64::try_from(per_second).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> ApiKeyId {
        ApiKeyId::from_bytes([byte; 16])
    }

    fn answered(output_tokens: u64, millis: u64) -> Sample {
        Sample {
            output_tokens: Some(output_tokens),
            streamed_for: Some(Duration::from_millis(millis)),
            text: None,
        }
    }

    #[test]
    fn defaults_stand_until_twenty_samples_are_in() {
        let mut estimates = Estimates::new();
        for _ in 0..19 {
            estimates.learn(Some(key(1)), "m", &answered(100, 1_000));
        }
        assert_eq!(estimates.output(Some(key(1)), "m"), UNKNOWN);
        estimates.learn(Some(key(1)), "m", &answered(100, 1_000));
        let learned = OutputEstimate {
            p90: 128,
            p99: 128,
            per_second: 128,
        };
        assert_eq!(estimates.output(Some(key(1)), "m"), learned);
        assert_eq!(estimates.output(None, "other"), UNKNOWN);
    }

    #[test]
    fn a_key_is_judged_by_its_own_requests_and_a_new_one_by_everybodys() {
        let mut estimates = Estimates::new();
        for _ in 0..50 {
            estimates.learn(Some(key(1)), "m", &answered(1_000, 10_000));
            estimates.learn(Some(key(2)), "m", &answered(8_000, 10_000));
        }
        assert_eq!(estimates.output(Some(key(1)), "m").p99, 1_024);
        assert_eq!(estimates.output(Some(key(2)), "m").p99, 8_192);
        assert_eq!(estimates.output(Some(key(3)), "m").p99, 8_192);
        assert_eq!(estimates.output(Some(key(1)), "m").per_second, 1_024);
    }

    #[test]
    fn text_is_counted_up_and_within_its_bounds() {
        let mut estimates = Estimates::new();
        assert_eq!(estimates.text_rate("m").tokens(8_001), 4_001);
        for (model, tokens, per_mille) in
            [("m", 3_450, 350), ("low", 10, 250), ("high", 99_999, 1_000)]
        {
            for _ in 0..20 {
                let sample = Sample {
                    text: Some((tokens, 10_000)),
                    ..Sample::default()
                };
                estimates.learn(None, model, &sample);
            }
            assert_eq!(estimates.text_rate(model).per_mille(), per_mille, "{model}");
        }
        assert_eq!(TextRate::STRICT.tokens(7), 7);
    }

    #[test]
    fn what_says_little_is_not_learned_from() {
        let mut estimates = Estimates::new();
        for _ in 0..40 {
            let sample = Sample {
                output_tokens: Some(10),
                streamed_for: Some(Duration::from_millis(20)),
                text: Some((90, 100)),
            };
            estimates.learn(None, "m", &sample);
        }
        assert_eq!(estimates.output(None, "m").per_second, UNKNOWN.per_second);
        assert_eq!(estimates.text_rate("m"), TextRate::UNKNOWN);
    }
}
