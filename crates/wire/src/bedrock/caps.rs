//! What bounds the output, in the words of each maker.

use crate::json::Count;
use serde::Deserialize;

/// Whether `key` names a bound on output tokens: Anthropic's, Mistral's, Cohere's, OpenAI's and
/// most others'; OpenAI's later one; the older one of Anthropic; Llama's; Nova's two; Titan's.
pub(super) fn is_named_by(key: &str) -> bool {
    matches!(
        key,
        "max_tokens"
            | "max_completion_tokens"
            | "max_tokens_to_sample"
            | "max_gen_len"
            | "maxTokens"
            | "max_new_tokens"
            | "maxTokenCount"
    )
}

/// Whether `key` names an object that holds the bound: Nova's and Converse's, Titan's.
pub(super) fn are_inside(key: &str) -> bool {
    matches!(key, "inferenceConfig" | "textGenerationConfig")
}

/// Such an object; what else is in it is no text.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Config {
    #[serde(rename = "maxTokens")]
    common: Count,
    #[serde(rename = "max_new_tokens")]
    nova: Count,
    #[serde(rename = "maxTokenCount")]
    titan: Count,
}

impl Config {
    pub(super) fn cap(&self) -> Option<u64> {
        let caps = [self.common, self.nova, self.titan];
        caps.into_iter().filter_map(|Count(cap)| cap).max()
    }
}
