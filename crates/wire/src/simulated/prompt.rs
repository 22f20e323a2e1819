//! What the simulated provider understands of a conversation, in whichever dialect it came: the
//! last thing the user said, whether a tool has just answered, which tools may be called.

use serde_json::{Value, value::RawValue};

/// The understood part of a conversation.
#[derive(Debug, Default)]
pub(super) struct Prompt<'a> {
    /// The text of the last message of the user, directives included.
    pub(super) text: String,
    /// Whether the conversation ends with the result of a tool: it is answered in text, so that
    /// an agent's loop ends.
    pub(super) after_tool: bool,
    /// The tools on offer.
    pub(super) tools: Vec<Tool<'a>>,
    /// Which of them must be called.
    pub(super) choice: ToolChoice,
}

/// A tool that the caller runs.
#[derive(Clone, Debug)]
pub(super) struct Tool<'a> {
    /// What a call names.
    pub(super) name: String,
    /// The JSON schema of its arguments.
    pub(super) schema: Option<&'a RawValue>,
}

/// Whether a tool is to be called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum ToolChoice {
    /// If the prompt asks for it.
    #[default]
    Free,
    /// In no case.
    Never,
    /// One of them, whichever.
    Any,
    /// This one.
    Named(String),
}

impl ToolChoice {
    /// The choice that a word stands for in the dialects of OpenAI, Anthropic and Google.
    pub(super) fn of_word(word: &str) -> Self {
        match word {
            "none" | "NONE" => Self::Never,
            "required" | "any" | "ANY" => Self::Any,
            _ => Self::Free,
        }
    }
}

/// One entry of a conversation.
pub(super) enum Turn {
    /// The user said this.
    User(String),
    /// A tool answered.
    ToolResult,
    /// The model said something.
    Model,
    /// Something beside the conversation: instructions, reasoning.
    Aside,
}

/// The last thing the user said, and whether a tool has answered since the model last spoke.
///
/// # Errors
/// The first that the turns gave; turns older than the answer are not looked at.
pub(super) fn last_word(
    newest_first: impl Iterator<Item = Result<Turn, serde_json::Error>>,
) -> Result<(String, bool), serde_json::Error> {
    let mut after_tool = None;
    for turn in newest_first {
        match turn? {
            Turn::User(text) => return Ok((text, after_tool.unwrap_or(false))),
            Turn::ToolResult => after_tool = after_tool.or(Some(true)),
            Turn::Model => after_tool = after_tool.or(Some(false)),
            Turn::Aside => {}
        }
    }
    Ok((String::new(), after_tool.unwrap_or(false)))
}

/// The text of a message's content: a string, or parts of which some have a `text`.
pub(super) fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            let texts = parts.iter().filter_map(|part| part.get("text")?.as_str());
            texts.collect::<Vec<_>>().join("\n")
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => String::new(),
    }
}

/// Whether one of the parts has this `type`.
pub(super) fn has_part(content: &Value, kind: &str) -> bool {
    let parts = content.as_array().map_or(&[][..], Vec::as_slice);
    parts
        .iter()
        .any(|part| part.get("type").and_then(Value::as_str) == Some(kind))
}

/// Reads a value that may be absent.
pub(super) fn value(raw: Option<&RawValue>) -> Result<Value, serde_json::Error> {
    raw.map_or(Ok(Value::Null), |raw| serde_json::from_str(raw.get()))
}
