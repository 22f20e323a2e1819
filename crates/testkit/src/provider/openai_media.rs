//! Images, speech, transcriptions and moderations.
//!
//! Counting: an image is 100 output tokens; speech and transcriptions use as many output tokens as
//! the usual reply has words; a recording is a second for every 16,000 bytes, begun ones included,
//! and 10 input tokens a second at models that count tokens (`whisper-1` counts seconds).

use super::{
    Dialect,
    ask::Ask,
    failure::error_body,
    stream::{Framing, Stream},
};
use crate::answer::{Answer, Length};
use serde_json::{Value, json};

const IMAGE_TOKENS: u64 = 100;
/// Not a picture, but base64.
const IMAGE: &str = "iVBORw0KGgo=";
/// Not sound, but bytes, and not UTF-8.
const SOUND: &[u8] = &[0xff, 0xfb, 0x90, 0x44, 0x00, 0x00];
const BYTES_A_SECOND: u64 = 16_000;
const TOKENS_A_SECOND: u64 = 10;

/// `/images/…`.
pub(super) fn images(ask: &Ask) -> Answer {
    let count = ask
        .body
        .get("n")
        .and_then(|n| n.as_u64().or_else(|| n.as_str()?.parse().ok()));
    let output_tokens = IMAGE_TOKENS * count.unwrap_or(1);
    let usage = json!({
        "input_tokens": ask.input_tokens,
        "input_tokens_details": { "text_tokens": ask.input_tokens, "image_tokens": 0 },
        "output_tokens": output_tokens,
        "output_tokens_details": { "text_tokens": 0, "image_tokens": output_tokens },
        "total_tokens": ask.input_tokens + output_tokens,
    });
    if ask.stream {
        let event = |kind: &str| {
            json!({
                "type": kind, "b64_json": IMAGE, "created_at": 1_795_000_000, "size": "1024x1024",
                "quality": "low", "background": "opaque", "output_format": "png",
                "partial_image_index": 0,
            })
        };
        let mut done = event("image_generation.completed");
        if let Some(fields) = done.as_object_mut() {
            fields.insert("usage".to_owned(), usage);
        }
        let partial = event("image_generation.partial_image");
        return events(vec![partial, done], ask, output_tokens);
    }
    let data: Vec<_> = (0..count.unwrap_or(1))
        .map(|_| json!({ "b64_json": IMAGE }))
        .collect();
    let body = json!({
        "created": 1_795_000_000, "background": "opaque", "output_format": "png",
        "quality": "low", "size": "1024x1024", "data": data, "usage": usage,
    });
    ask.bill(Answer::json(200, &body), output_tokens)
}

/// `/audio/speech`: sound without a word on usage, or events that end with it.
pub(super) fn speech(ask: &Ask) -> Answer {
    let output_tokens = ask.output_tokens();
    if ask.stream {
        let usage = json!({
            "input_tokens": ask.input_tokens,
            "output_tokens": output_tokens,
            "total_tokens": ask.input_tokens + output_tokens,
        });
        let delta = json!({ "type": "speech.audio.delta", "audio": IMAGE });
        let done = json!({ "type": "speech.audio.done", "usage": usage });
        return events(vec![delta, done], ask, output_tokens);
    }
    let answer = Answer::new(200, "audio/mpeg", SOUND.repeat(1000)).length(Length::Chunked);
    ask.bill(answer, output_tokens)
}

/// `/audio/{transcriptions,translations}`.
pub(super) fn transcription(ask: &Ask) -> Answer {
    let bytes = ask
        .body
        .pointer("/file/bytes")
        .and_then(Value::as_u64)
        .unwrap_or(0);
    let seconds = bytes.div_ceil(BYTES_A_SECOND);
    let text = ask.reply.text();
    if ask.model.starts_with("whisper") {
        let usage = json!({ "type": "duration", "seconds": seconds });
        return Answer::json(200, &json!({ "text": text, "usage": usage }));
    }
    let heard = &Ask {
        input_tokens: seconds * TOKENS_A_SECOND,
        ..ask.clone()
    };
    let output_tokens = heard.output_tokens();
    let usage = json!({
        "type": "tokens",
        "input_tokens": heard.input_tokens,
        "input_token_details": { "text_tokens": 0, "audio_tokens": heard.input_tokens },
        "output_tokens": output_tokens,
        "total_tokens": heard.input_tokens + output_tokens,
    });
    if heard.stream {
        let delta = json!({ "type": "transcript.text.delta", "delta": text });
        let done = json!({ "type": "transcript.text.done", "text": text, "usage": usage });
        return events(vec![delta, done], heard, output_tokens);
    }
    heard.bill(
        Answer::json(200, &json!({ "text": text, "usage": usage })),
        output_tokens,
    )
}

/// `/moderations`: nothing is objectionable, and nothing is billed.
pub(super) fn moderation(ask: &Ask) -> Answer {
    let count = match ask.body.get("input") {
        Some(Value::Array(inputs)) => inputs.len(),
        _ => 1,
    };
    let result = json!({
        "flagged": false, "categories": {}, "category_scores": {},
        "category_applied_input_types": {},
    });
    let body = json!({ "id": "modr-1", "model": ask.model, "results": vec![result; count] });
    Answer::json(200, &body)
}

fn events(pieces: Vec<Value>, ask: &Ask, output_tokens: u64) -> Answer {
    let stream = Stream {
        framing: Framing::Named,
        opening: Vec::new(),
        pieces,
        closing: Vec::new(),
        error: error_body(Dialect::OpenAi, 500, "the prompt asked for this failure"),
    };
    stream.answer_billed(ask, output_tokens)
}
