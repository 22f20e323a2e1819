//! Embeddings: input only.

use super::About;
use crate::json::{self, Count, Text};
use serde::Deserialize;
use tollgate_core::{
    unit::Unit,
    usage::{Usage, UsageReport},
};

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    model: Option<Text<'a>>,
    usage: Option<EmbeddingsUsage>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct EmbeddingsUsage {
    prompt_tokens: Count,
    total_tokens: Count,
}

/// The usage of an embeddings answer.
pub(crate) fn embeddings_usage(body: &[u8]) -> UsageReport {
    let Some(answer) = json::parse::<Answer<'_>>(body) else {
        return UsageReport::default();
    };
    let mut about = About::default();
    about.note(answer.model.as_ref(), None);
    let usage = answer.usage.and_then(|usage| {
        let input = usage.prompt_tokens.0.or(usage.total_tokens.0)?;
        let mut counted = Usage::NONE;
        counted.set(Unit::InputTokens, input);
        Some(counted)
    });
    UsageReport {
        model: about.model,
        complete: usage.is_some(),
        usage,
        ..UsageReport::default()
    }
}
