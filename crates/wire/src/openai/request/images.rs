//! Images: generations in JSON, edits and variations in a form (or in JSON, with references).
//!
//! The model must be named, as OpenAI's reference has it since the models with a default are
//! retired. A picture is billed by output tokens, which its size and quality bound.

use super::{Draft, form::FormRequest};
use crate::{
    facts::{Billing, RequestFacts},
    json::{self, Count, Members, Text},
};
use serde::{Deserialize, de::MapAccess};
use tollgate_core::error::Error;

/// Input tokens of one picture to be edited: at high fidelity, which the newer models always use,
/// up to 6,240 and the tiles of the picture scaled down.
const INPUT_IMAGE_TOKENS: u64 = 8_000;

/// The least that is held for a picture: the smallest ones cost up to 408 tokens (GPT Image 1 at
/// low quality).
const IMAGE_TOKENS_LEAST: u64 = 512;

/// Pixels of a picture whose size the model chooses: above them sizes are experimental.
const PIXELS_OF_AUTO: u64 = 2_560 * 1_440;
/// No size is billed as less than this one.
const PIXELS_LEAST: u64 = 1_024 * 1_024;

/// Each partial picture of a stream.
const PARTIAL_IMAGE_TOKENS: u64 = 100;

/// Frames of an animation when the request does not say.
const FRAMES_OF_GIF: u64 = 9;

/// What the author of a drawing may think and write: nothing bounds it but its model.
const SVG_TOKENS: u64 = 16_384;

/// Facts of a request to `/images/…`.
pub(crate) fn images_facts(content_type: Option<&str>, body: &[u8]) -> Result<RequestFacts, Error> {
    if Draft::is_form(content_type) {
        return of_form(&FormRequest::read(content_type, body)?);
    }
    let mut images = Images {
        draft: Draft::new(body),
        wanted: Wanted::default(),
    };
    json::read_object(body, &mut images)?;
    let facts = images.draft.finish("put it into `model`")?;
    Ok(images.wanted.bound(facts))
}

fn of_form(form: &FormRequest<'_>) -> Result<RequestFacts, Error> {
    let mut facts = form.facts()?;
    let files = u64::try_from(form.files().count()).unwrap_or(u64::MAX);
    facts.media_tokens = files.saturating_mul(INPUT_IMAGE_TOKENS);
    let author = form.text("svg[model]")?;
    facts.other_models.extend(author.map(str::to_owned));
    let format = form.text("output_format")?;
    let wanted = Wanted {
        pictures: form.count("n")?.unwrap_or(1),
        quality: form.text("quality")?.map_or(Quality::High, Quality::of),
        pixels: form.text("size")?.map_or(PIXELS_OF_AUTO, pixels),
        partial: form.count("partial_images")?.unwrap_or(0),
        frames: form.count("frame_count")?,
        gif: format == Some("gif"),
        drawing: format == Some("svg"),
    };
    Ok(wanted.bound(facts))
}

struct Images<'de> {
    draft: Draft<'de>,
    wanted: Wanted,
}

impl<'de> Members<'de> for Images<'de> {
    fn member<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        let wanted = &mut self.wanted;
        match key {
            "n" => wanted.pictures = map.next_value::<Count>()?.0.unwrap_or(1),
            "partial_images" => wanted.partial = map.next_value::<Count>()?.0.unwrap_or(0),
            "frame_count" => wanted.frames = map.next_value::<Count>()?.0,
            "quality" => {
                if let Some(Text(quality)) = map.next_value::<Option<Text<'de>>>()? {
                    wanted.quality = Quality::of(&quality);
                }
            }
            "size" => {
                if let Some(Text(size)) = map.next_value::<Option<Text<'de>>>()? {
                    wanted.pixels = pixels(&size);
                }
            }
            "output_format" => {
                let format = map.next_value::<Option<Text<'de>>>()?;
                let is = |name: &str| format.as_ref().is_some_and(|Text(format)| format == name);
                (wanted.gif, wanted.drawing) = (is("gif"), is("svg"));
            }
            "svg" => {
                let svg = map.next_value::<Option<Svg<'de>>>()?.unwrap_or_default();
                let author = svg.model.map(|Text(model)| model.into_owned());
                self.draft.measure.other_models.extend(author);
            }
            _ => return self.draft.member(key, map),
        }
        Ok(())
    }
}

/// Who writes a drawing.
#[derive(Default, Deserialize)]
struct Svg<'a> {
    #[serde(default, borrow)]
    model: Option<Text<'a>>,
}

/// What is to be drawn, as far as its tokens depend on it.
struct Wanted {
    pictures: u64,
    quality: Quality,
    pixels: u64,
    partial: u64,
    frames: Option<u64>,
    gif: bool,
    drawing: bool,
}

impl Default for Wanted {
    fn default() -> Self {
        Self {
            pictures: 1,
            quality: Quality::High,
            pixels: PIXELS_OF_AUTO,
            partial: 0,
            frames: None,
            gif: false,
            drawing: false,
        }
    }
}

impl Wanted {
    fn bound(&self, mut facts: RequestFacts) -> RequestFacts {
        let frames = self
            .frames
            .unwrap_or(if self.gif { FRAMES_OF_GIF } else { 1 });
        let picture = self.quality.tokens(self.pixels);
        let partial = self.partial.saturating_mul(PARTIAL_IMAGE_TOKENS);
        let author = if self.drawing { SVG_TOKENS } else { 0 };
        let tokens = picture
            .saturating_mul(frames.max(1))
            .saturating_add(partial)
            .saturating_add(author);
        facts.choices = self.pictures.max(1);
        facts.output_cap = Some(tokens);
        facts.billing = Billing::AsAWhole;
        facts
    }
}

/// How carefully a picture is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quality {
    Low,
    Medium,
    High,
    ExtraHigh,
    Max,
}

impl Quality {
    /// What the model chooses when it is left to it is held as high.
    fn of(word: &str) -> Self {
        match word {
            "low" => Self::Low,
            "medium" | "standard" => Self::Medium,
            "xhigh" => Self::ExtraHigh,
            "max" => Self::Max,
            _ => Self::High,
        }
    }

    /// A bound over the output tokens of a picture: GPT Image 2's own formula for its dearest
    /// shape, the square, which is above the tables of GPT Image 1 and 1.5 too (at 1536×1024 and
    /// high quality 6,240, here 8,232). The two qualities of GPT Image 2.5 above high have no
    /// published factor: they are taken to go on in steps of 48.
    fn tokens(self, pixels: u64) -> u64 {
        let axis: u64 = match self {
            Self::Low => 16,
            Self::Medium => 48,
            Self::High => 96,
            Self::ExtraHigh => 144,
            Self::Max => 192,
        };
        let area = pixels.max(PIXELS_LEAST).saturating_add(2_000_000);
        let tokens = (axis * axis).saturating_mul(area).div_ceil(4_000_000);
        tokens.max(IMAGE_TOKENS_LEAST)
    }
}

/// The pixels of `1536x1024`; of anything else what the model may choose.
fn pixels(size: &str) -> u64 {
    let sides = size.split_once('x');
    let area = sides.and_then(|(width, height)| {
        let (width, height): (u64, u64) = (width.parse().ok()?, height.parse().ok()?);
        width.checked_mul(height)
    });
    area.unwrap_or(PIXELS_OF_AUTO)
}
