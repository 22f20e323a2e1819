//! What can be counted and priced: the units of the `genai-prices` data (contract version 2).
//!
//! The data feed names price keys (`input_mtok`); responses report usage keys (`input_tokens`).
//! This table joins the two. It is part of the feed's contract and not in the feed itself, so it
//! lives here; a new unit means a new contract version.

/// One countable thing. The discriminant is its place in [`Unit::ALL`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[expect(
    missing_docs,
    reason = "the names are the usage keys of the feed, word for word"
)]
pub enum Unit {
    InputTokens,
    OutputTokens,
    CacheReadTokens,
    CacheWriteTokens,
    CacheWrite5mTokens,
    CacheWrite1hTokens,
    InputTextTokens,
    OutputTextTokens,
    CacheTextReadTokens,
    CacheTextWriteTokens,
    CacheTextWrite5mTokens,
    CacheTextWrite1hTokens,
    InputAudioTokens,
    OutputAudioTokens,
    CacheAudioReadTokens,
    CacheAudioWriteTokens,
    CacheAudioWrite5mTokens,
    CacheAudioWrite1hTokens,
    InputImageTokens,
    OutputImageTokens,
    CacheImageReadTokens,
    CacheImageWriteTokens,
    CacheImageWrite5mTokens,
    CacheImageWrite1hTokens,
    InputVideoTokens,
    OutputVideoTokens,
    CacheVideoReadTokens,
    CacheVideoWriteTokens,
    CacheVideoWrite5mTokens,
    CacheVideoWrite1hTokens,
    InputToolTokens,
    InputTextToolTokens,
    InputAudioToolTokens,
    InputImageToolTokens,
    InputVideoToolTokens,
    OutputReasoningTokens,
    OutputTextReasoningTokens,
    OutputAudioReasoningTokens,
    OutputImageReasoningTokens,
    OutputVideoReasoningTokens,
    OutputCitationTokens,
    OutputTextCitationTokens,
    OutputAudioCitationTokens,
    OutputImageCitationTokens,
    OutputVideoCitationTokens,
    InputCharacters,
    InputTextMessages,
    AudioSeconds,
    InputAudioSeconds,
    OutputAudioSeconds,
    InputPixels,
    InputDocumentPages,
    InputAnnotatedDocumentPages,
    RerankSearches,
    WebSearches,
    SocialSearches,
    StorageSearches,
    CodeExecutions,
    Requests,
}

/// Which side of a request a unit is counted on. Searches and requests have no side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// What the client sent.
    Input,
    /// What the model produced.
    Output,
}

/// The fixed facts of one unit.
#[derive(Debug)]
pub struct UnitInfo {
    /// The unit itself.
    pub unit: Unit,
    /// Key under which usage is reported, e.g. `input_tokens`.
    pub usage_key: &'static str,
    /// Key under which a rate is given, e.g. `input_mtok`.
    pub price_key: &'static str,
    /// How many of the unit one rate buys (a million tokens, a thousand searches, an hour).
    pub per: u64,
    /// Values of its dimensions (family, direction, modality, token type, …), separated by spaces.
    /// A unit whose values include all of another's is a subset of it.
    pub dimensions: &'static str,
    /// The side it is counted on, as its dimensions say.
    pub direction: Option<Direction>,
}

impl Unit {
    /// Number of units.
    pub const COUNT: usize = Self::ALL.len();

    /// Every unit, in the order of the discriminants.
    #[rustfmt::skip]
    pub const ALL: &'static [UnitInfo] = &[
        info(Unit::InputTokens, "input_tokens", "input_mtok", M, "tokens input"),
        info(Unit::OutputTokens, "output_tokens", "output_mtok", M, "tokens output"),
        info(Unit::CacheReadTokens, "cache_read_tokens", "cache_read_mtok", M, "tokens input cache_read"),
        info(Unit::CacheWriteTokens, "cache_write_tokens", "cache_write_mtok", M, "tokens input cache_write"),
        info(Unit::CacheWrite5mTokens, "cache_write_5m_tokens", "cache_write_5m_mtok", M, "tokens input cache_write 5m"),
        info(Unit::CacheWrite1hTokens, "cache_write_1h_tokens", "cache_write_1h_mtok", M, "tokens input cache_write 1h"),
        info(Unit::InputTextTokens, "input_text_tokens", "input_text_mtok", M, "tokens input text"),
        info(Unit::OutputTextTokens, "output_text_tokens", "output_text_mtok", M, "tokens output text"),
        info(Unit::CacheTextReadTokens, "cache_text_read_tokens", "cache_text_read_mtok", M, "tokens input text cache_read"),
        info(Unit::CacheTextWriteTokens, "cache_text_write_tokens", "cache_text_write_mtok", M, "tokens input text cache_write"),
        info(Unit::CacheTextWrite5mTokens, "cache_text_write_5m_tokens", "cache_text_write_5m_mtok", M, "tokens input text cache_write 5m"),
        info(Unit::CacheTextWrite1hTokens, "cache_text_write_1h_tokens", "cache_text_write_1h_mtok", M, "tokens input text cache_write 1h"),
        info(Unit::InputAudioTokens, "input_audio_tokens", "input_audio_mtok", M, "tokens input audio"),
        info(Unit::OutputAudioTokens, "output_audio_tokens", "output_audio_mtok", M, "tokens output audio"),
        info(Unit::CacheAudioReadTokens, "cache_audio_read_tokens", "cache_audio_read_mtok", M, "tokens input audio cache_read"),
        info(Unit::CacheAudioWriteTokens, "cache_audio_write_tokens", "cache_audio_write_mtok", M, "tokens input audio cache_write"),
        info(Unit::CacheAudioWrite5mTokens, "cache_audio_write_5m_tokens", "cache_audio_write_5m_mtok", M, "tokens input audio cache_write 5m"),
        info(Unit::CacheAudioWrite1hTokens, "cache_audio_write_1h_tokens", "cache_audio_write_1h_mtok", M, "tokens input audio cache_write 1h"),
        info(Unit::InputImageTokens, "input_image_tokens", "input_image_mtok", M, "tokens input image"),
        info(Unit::OutputImageTokens, "output_image_tokens", "output_image_mtok", M, "tokens output image"),
        info(Unit::CacheImageReadTokens, "cache_image_read_tokens", "cache_image_read_mtok", M, "tokens input image cache_read"),
        info(Unit::CacheImageWriteTokens, "cache_image_write_tokens", "cache_image_write_mtok", M, "tokens input image cache_write"),
        info(Unit::CacheImageWrite5mTokens, "cache_image_write_5m_tokens", "cache_image_write_5m_mtok", M, "tokens input image cache_write 5m"),
        info(Unit::CacheImageWrite1hTokens, "cache_image_write_1h_tokens", "cache_image_write_1h_mtok", M, "tokens input image cache_write 1h"),
        info(Unit::InputVideoTokens, "input_video_tokens", "input_video_mtok", M, "tokens input video"),
        info(Unit::OutputVideoTokens, "output_video_tokens", "output_video_mtok", M, "tokens output video"),
        info(Unit::CacheVideoReadTokens, "cache_video_read_tokens", "cache_video_read_mtok", M, "tokens input video cache_read"),
        info(Unit::CacheVideoWriteTokens, "cache_video_write_tokens", "cache_video_write_mtok", M, "tokens input video cache_write"),
        info(Unit::CacheVideoWrite5mTokens, "cache_video_write_5m_tokens", "cache_video_write_5m_mtok", M, "tokens input video cache_write 5m"),
        info(Unit::CacheVideoWrite1hTokens, "cache_video_write_1h_tokens", "cache_video_write_1h_mtok", M, "tokens input video cache_write 1h"),
        info(Unit::InputToolTokens, "input_tool_tokens", "input_tool_mtok", M, "tokens input tool"),
        info(Unit::InputTextToolTokens, "input_text_tool_tokens", "input_text_tool_mtok", M, "tokens input text tool"),
        info(Unit::InputAudioToolTokens, "input_audio_tool_tokens", "input_audio_tool_mtok", M, "tokens input audio tool"),
        info(Unit::InputImageToolTokens, "input_image_tool_tokens", "input_image_tool_mtok", M, "tokens input image tool"),
        info(Unit::InputVideoToolTokens, "input_video_tool_tokens", "input_video_tool_mtok", M, "tokens input video tool"),
        info(Unit::OutputReasoningTokens, "output_reasoning_tokens", "output_reasoning_mtok", M, "tokens output reasoning"),
        info(Unit::OutputTextReasoningTokens, "output_text_reasoning_tokens", "output_text_reasoning_mtok", M, "tokens output text reasoning"),
        info(Unit::OutputAudioReasoningTokens, "output_audio_reasoning_tokens", "output_audio_reasoning_mtok", M, "tokens output audio reasoning"),
        info(Unit::OutputImageReasoningTokens, "output_image_reasoning_tokens", "output_image_reasoning_mtok", M, "tokens output image reasoning"),
        info(Unit::OutputVideoReasoningTokens, "output_video_reasoning_tokens", "output_video_reasoning_mtok", M, "tokens output video reasoning"),
        info(Unit::OutputCitationTokens, "output_citation_tokens", "output_citation_mtok", M, "tokens output citation"),
        info(Unit::OutputTextCitationTokens, "output_text_citation_tokens", "output_text_citation_mtok", M, "tokens output text citation"),
        info(Unit::OutputAudioCitationTokens, "output_audio_citation_tokens", "output_audio_citation_mtok", M, "tokens output audio citation"),
        info(Unit::OutputImageCitationTokens, "output_image_citation_tokens", "output_image_citation_mtok", M, "tokens output image citation"),
        info(Unit::OutputVideoCitationTokens, "output_video_citation_tokens", "output_video_citation_mtok", M, "tokens output video citation"),
        info(Unit::InputCharacters, "input_characters", "input_mchars", M, "characters input"),
        info(Unit::InputTextMessages, "input_text_messages", "input_text_messages_kcount", K, "messages input text"),
        info(Unit::AudioSeconds, "audio_seconds", "audio_hours", HOUR, "durations audio"),
        info(Unit::InputAudioSeconds, "input_audio_seconds", "input_audio_hours", HOUR, "durations input audio"),
        info(Unit::OutputAudioSeconds, "output_audio_seconds", "output_audio_hours", HOUR, "durations output audio"),
        info(Unit::InputPixels, "input_pixels", "input_gpixels", G, "pixels input"),
        info(Unit::InputDocumentPages, "input_document_pages", "input_document_kpages", K, "document_pages input"),
        info(Unit::InputAnnotatedDocumentPages, "input_annotated_document_pages", "input_annotated_document_kpages", K, "document_pages input annotated"),
        info(Unit::RerankSearches, "rerank_searches", "rerank_searches_kcount", K, "rerank"),
        info(Unit::WebSearches, "web_searches", "web_searches_kcount", K, "tool_calls web_search"),
        info(Unit::SocialSearches, "social_searches", "social_searches_kcount", K, "tool_calls social_search"),
        info(Unit::StorageSearches, "storage_searches", "storage_searches_kcount", K, "tool_calls storage_search"),
        info(Unit::CodeExecutions, "code_executions", "code_executions_kcount", K, "tool_calls code_execution"),
        info(Unit::Requests, "requests", "requests_kcount", K, "requests"),
    ];

    /// The facts of this unit.
    #[expect(
        clippy::indexing_slicing,
        reason = "a test proves that discriminants are indices"
    )]
    pub fn info(self) -> &'static UnitInfo {
        &Self::ALL[self as usize]
    }

    /// The unit reported under `usage_key`, if there is one.
    pub fn from_usage_key(usage_key: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|info| info.usage_key == usage_key)
            .map(|info| info.unit)
    }

    /// The unit priced under `price_key`, if there is one.
    pub fn from_price_key(price_key: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|info| info.price_key == price_key)
            .map(|info| info.unit)
    }

    /// The side this unit is counted on, `None` for searches and requests.
    pub fn direction(self) -> Option<Direction> {
        self.info().direction
    }

    /// Whether every one of `self` is also one of `other` (a unit is a subset of itself).
    pub fn is_within(self, other: Self) -> bool {
        let own = self.info().dimensions;
        other
            .info()
            .dimensions
            .split(' ')
            .all(|value| own.split(' ').any(|mine| mine == value))
    }
}

const K: u64 = 1_000;
const M: u64 = 1_000_000;
const G: u64 = 1_000_000_000;
const HOUR: u64 = 3_600;

const fn info(
    unit: Unit,
    usage_key: &'static str,
    price_key: &'static str,
    per: u64,
    dimensions: &'static str,
) -> UnitInfo {
    let direction = if has_word(dimensions, "input") {
        Some(Direction::Input)
    } else if has_word(dimensions, "output") {
        Some(Direction::Output)
    } else {
        None
    };
    UnitInfo {
        unit,
        usage_key,
        price_key,
        per,
        dimensions,
        direction,
    }
}

/// Whether one of the words of `text`, which are separated by single spaces, is `word`.
#[expect(
    clippy::indexing_slicing,
    reason = "runs while compiling: past the end is no program"
)]
const fn has_word(text: &str, word: &str) -> bool {
    let (text, word) = (text.as_bytes(), word.as_bytes());
    let mut start = 0;
    while start + word.len() <= text.len() {
        let mut same = 0;
        while same < word.len() && text[start + same] == word[same] {
            same += 1;
        }
        let begins = start == 0 || text[start - 1] == b' ';
        let end = start + word.len();
        if same == word.len() && begins && (end == text.len() || text[end] == b' ') {
            return true;
        }
        start += 1;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn discriminants_match_the_table() {
        for (index, info) in Unit::ALL.iter().enumerate() {
            assert_eq!(info.unit as usize, index);
        }
    }

    #[test]
    fn the_direction_is_a_word_of_the_dimensions() {
        assert_eq!(Unit::CacheReadTokens.direction(), Some(Direction::Input));
        assert_eq!(
            Unit::OutputReasoningTokens.direction(),
            Some(Direction::Output)
        );
        assert_eq!(Unit::WebSearches.direction(), None);
    }

    #[test]
    fn cached_tokens_are_within_input_tokens() {
        assert!(Unit::CacheReadTokens.is_within(Unit::InputTokens));
        assert!(!Unit::InputTokens.is_within(Unit::CacheReadTokens));
        assert!(!Unit::CacheReadTokens.is_within(Unit::OutputTokens));
    }
}
