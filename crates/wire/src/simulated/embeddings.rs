//! OpenAI embeddings: unit vectors that depend on the text alone, so that equal texts are equal
//! and their cosine similarity is 1. They carry no meaning.

use super::{encode, failure::Failure, seed::Seed};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// OpenAI's bound on texts in one request.
const INPUTS_MAX: usize = 2048;
/// More than any embedding model of OpenAI has.
const DIMENSIONS_MAX: u64 = 4096;

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow)]
    input: &'a RawValue,
    dimensions: Option<u64>,
    encoding_format: Option<Encoding>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Encoding {
    #[default]
    Float,
    Base64,
}

/// The answer in chunks: a head, each vector, and the rest.
pub(super) fn body(
    body: &[u8],
    model: &str,
    tokens: u64,
) -> Result<Box<dyn Iterator<Item = Bytes> + Send>, Failure> {
    let request: Request<'_> = serde_json::from_slice(body)?;
    // The sizes of text-embedding-3-large and of its smaller relatives.
    let usual = if model.contains("3-large") {
        3072
    } else {
        1536
    };
    let dimensions = request.dimensions.unwrap_or(usual);
    if !(1..=DIMENSIONS_MAX).contains(&dimensions) {
        return Err(Failure::new(
            400,
            format!("`dimensions` must be 1 to {DIMENSIONS_MAX}"),
        ));
    }
    let seeds = seeds(request.input)?;
    if !(1..=INPUTS_MAX).contains(&seeds.len()) {
        return Err(Failure::new(
            400,
            format!("`input` must be 1 to {INPUTS_MAX} texts"),
        ));
    }
    let encoding = request.encoding_format.unwrap_or_default();
    let head = Bytes::from_static(br#"{"object":"list","data":["#);
    let vectors = seeds.into_iter().enumerate().map(move |(index, seed)| {
        let embedding = embedding(seed, dimensions, encoding);
        let entry = Entry {
            object: "embedding",
            index,
            embedding,
        };
        encode::framed(if index == 0 { "" } else { "," }, &entry, "")
    });
    let tail = Tail {
        model,
        usage: Usage {
            prompt_tokens: tokens,
            total_tokens: tokens,
        },
    };
    // The tail's opening brace is the document's: a comma takes its place.
    let tail = encode::json(&tail).slice(1..);
    let tail = encode::between("],", &tail, "");
    Ok(Box::new(
        std::iter::once(head)
            .chain(vectors)
            .chain(std::iter::once(tail)),
    ))
}

/// One seed per input: a text, an array of texts, an array of tokens, or an array of those.
fn seeds(input: &RawValue) -> Result<Vec<Seed>, serde_json::Error> {
    let of = |raw: &RawValue| Seed::of(&[raw.get().as_bytes()]);
    if !input.get().starts_with('[') {
        return Ok(vec![of(input)]);
    }
    let items: Vec<&RawValue> = serde_json::from_str(input.get())?;
    let is_number = |raw: &&&RawValue| raw.get().starts_with(|c: char| c.is_ascii_digit());
    Ok(match items.first().filter(is_number) {
        Some(_) => vec![of(input)],
        None => items.into_iter().map(of).collect(),
    })
}

fn embedding(seed: Seed, dimensions: u64, encoding: Encoding) -> Option<Box<RawValue>> {
    // All components of a vector are alike but for the sign, which makes its length 1.
    let magnitude = (SCALE * SCALE / dimensions).isqrt();
    let decimal = |negative: bool| {
        let sign = if negative { "-" } else { "" };
        format!("{sign}{}.{:08}", magnitude / SCALE, magnitude % SCALE)
    };
    let (plus, minus) = (decimal(false), decimal(true));
    let size = usize::try_from(dimensions).unwrap_or(usize::MAX);
    let signs = seed
        .numbers()
        .flat_map(|number| (0..u64::BITS).map(move |bit| (number >> bit) & 1 == 1))
        .take(size);
    let text = match encoding {
        Encoding::Float => {
            let components: Vec<&str> = signs
                .map(|negative| if negative { &*minus } else { &*plus })
                .collect();
            format!("[{}]", components.join(","))
        }
        Encoding::Base64 => {
            let bytes = |text: &str| text.parse::<f32>().unwrap_or_default().to_le_bytes();
            let (plus, minus) = (bytes(&plus), bytes(&minus));
            let vector: Vec<u8> = signs
                .flat_map(|negative| if negative { minus } else { plus })
                .collect();
            format!("\"{}\"", STANDARD.encode(vector))
        }
    };
    RawValue::from_string(text).ok()
}

/// Components are written with eight decimals.
const SCALE: u64 = 100_000_000;

#[derive(Serialize)]
struct Entry {
    object: &'static str,
    index: usize,
    embedding: Option<Box<RawValue>>,
}

#[derive(Serialize)]
struct Tail<'a> {
    model: &'a str,
    usage: Usage,
}

#[derive(Serialize)]
struct Usage {
    prompt_tokens: u64,
    total_tokens: u64,
}
