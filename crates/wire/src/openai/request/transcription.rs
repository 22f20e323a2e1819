//! Transcriptions and translations: a form with a recording in, its text out.
//!
//! How long a recording lasts is known when it has been read by the model. Before, its size bounds
//! it: seconds for models that are billed by them, tokens for the others.

use super::form::FormRequest;
use crate::facts::{Billing, RequestFacts};
use tollgate_core::{error::Error, unit::Unit};

/// Bytes of a second of sound in a compressed file: 16 kbit/s, the least that recorders of speech
/// commonly use (a podcast has four to eight times as much). Codecs can go lower, Opus down to
/// 6 kbit/s: such a file costs more than its hold, and the excess is posted.
const COMPRESSED_BYTES_PER_SECOND: u64 = 2_000;

/// Bytes of a second in a WAV file: 8 kHz, 8 bits, one channel, as telephones have it.
const WAVE_BYTES_PER_SECOND: u64 = 8_000;

/// The recording is taken to be as large as OpenAI lets it be, while its end has not come.
const RECORDING_BYTES_MAX: u64 = 25 * 1024 * 1024;

/// Input tokens of a second: OpenAI's own price of a minute over that of a token gives 17.
const INPUT_TOKENS_PER_SECOND: u64 = 20;

/// Output tokens of a second: who speaks fast says four words, of two tokens each.
const OUTPUT_TOKENS_PER_SECOND: u64 = 8;

/// Output around the text.
const OUTPUT_TOKENS_LEAST: u64 = 64;

/// Facts of a request to `/audio/transcriptions` or `/audio/translations`.
pub(crate) fn transcription_facts(
    content_type: Option<&str>,
    body: &[u8],
) -> Result<RequestFacts, Error> {
    let form = FormRequest::read(content_type, body)?;
    let mut facts = form.facts()?;
    // The recording is the input, and its size is known or bounded.
    facts.unseen_input = false;
    let mut seconds: u64 = 0;
    for file in form.files() {
        let content = form.content(file);
        let mut bytes = u64::try_from(content.len()).unwrap_or(u64::MAX);
        if !file.complete {
            bytes = bytes.max(RECORDING_BYTES_MAX);
        }
        seconds = seconds.saturating_add(seconds_of(content, bytes));
    }
    if seconds == 0 && !form.is_complete() {
        seconds = RECORDING_BYTES_MAX / COMPRESSED_BYTES_PER_SECOND;
    }
    facts.media_tokens = seconds.saturating_mul(INPUT_TOKENS_PER_SECOND);
    // Both the whole and its part: price data has rates for either.
    facts.counted.set(Unit::AudioSeconds, seconds);
    facts.counted.set(Unit::InputAudioSeconds, seconds);
    let text = seconds.saturating_mul(OUTPUT_TOKENS_PER_SECOND);
    facts.output_cap = Some(text.saturating_add(OUTPUT_TOKENS_LEAST));
    facts.billing = Billing::AsAWhole;
    Ok(facts)
}

/// A bound over the seconds of a recording of `bytes` that begins with `content`.
fn seconds_of(content: &[u8], bytes: u64) -> u64 {
    let is_wave = content.starts_with(b"RIFF") && content.get(8..12) == Some(b"WAVE");
    let per_second = if is_wave {
        WAVE_BYTES_PER_SECOND
    } else {
        COMPRESSED_BYTES_PER_SECOND
    };
    bytes.div_ceil(per_second)
}
