//! The cost in the last piece of a stream: an empty text part with metadata, which is where
//! pydantic-ai looks for it and what every other client joins to the text without a trace.

use crate::{
    edit::Edit,
    json::{self, COST_RULE},
};
use bytes::Bytes;
use serde_json::value::RawValue;

/// The insertion of `cost` (decimal dollars) behind the parts of the first candidate; `None` when
/// there is no candidate (the prompt was blocked).
pub(super) fn as_text_part(data: &[u8], cost: &str) -> Option<Edit> {
    let part =
        format!(r#"{{"text":"","partMetadata":{{"logfire_ai_gateway":{{"cost":"{cost}"}}}}}}"#);
    let candidates = json::member(data, "candidates")?;
    let candidates: Vec<&RawValue> = serde_json::from_str(candidates.get()).ok()?;
    let candidate = *candidates.first()?;
    let Some(content) = json::member(candidate.get().as_bytes(), "content") else {
        let content = format!(r#""content":{{"parts":[{part}],"role":"model"}}"#);
        return json::insert_member(COST_RULE, data, json::span(data, candidate)?, &content);
    };
    let Some(parts) = json::member(content.get().as_bytes(), "parts") else {
        let parts = format!(r#""parts":[{part}]"#);
        return json::insert_member(COST_RULE, data, json::span(data, content)?, &parts);
    };
    append_element(data, parts, &part)
}

/// The insertion of `element` behind the last one of `array`.
fn append_element(data: &[u8], array: &RawValue, element: &str) -> Option<Edit> {
    let inside = array.get().strip_prefix('[')?.strip_suffix(']')?;
    let comma = if inside.trim().is_empty() { "" } else { "," };
    let at = json::span(data, array)?.end.checked_sub(1)?;
    Some(Edit {
        rule: COST_RULE,
        range: at..at,
        with: Bytes::from(format!("{comma}{element}")),
    })
}
