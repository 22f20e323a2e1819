//! The members by which a request would let the provider choose another model than the one it
//! names. They are refused, for the price and the permission of a request are those of its model.
//!
//! Models that a tool names are another matter: they are listed in
//! [`crate::facts::RequestFacts::other_models`], and the permission covers them.

use serde::de;
use serde_json::value::RawValue;

/// Whether the top-level member `key` leaves the choice of the model to the provider: `models`,
/// `preset` and `plugins` are OpenRouter's, in every dialect it speaks; `fallbacks` is Anthropic's.
pub(crate) fn is_left_by(key: &str) -> bool {
    matches!(key, "models" | "fallbacks" | "preset" | "plugins")
}

/// Refuses the member `key`, unless its value says nothing (null or empty).
///
/// # Errors
/// Names the member and what to do instead.
pub(crate) fn refuse<E: de::Error>(key: &str, value: &RawValue) -> Result<(), E> {
    let said = value
        .get()
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace());
    if ["null", "[]", "{}", "\"\""]
        .iter()
        .any(|nothing| said.clone().eq(nothing.bytes()))
    {
        return Ok(());
    }
    Err(E::custom(format_args!(
        "`{key}` leaves the choice of the model to the provider: leave it out, name one model in \
         `model`, and let a routing group fall back"
    )))
}

/// Whether the member `key` of a tool names models that work for it: the advisor's and the image
/// tool's `model`, `analysis_models` of a panel.
pub(crate) fn is_named_by(key: &str) -> bool {
    matches!(key, "model" | "models") || key.ends_with("_model") || key.ends_with("_models")
}
