//! What a whole answer is at first sight, before anybody counts: an answer, an error that came with
//! a good status, or nothing that its format knows.

use crate::json::Text;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use tollgate_core::format::{Format, Operation};

/// See the [module](self).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plain {
    /// An answer, as far as can be told without reading it.
    Answer,
    /// An error and nothing else.
    Error,
    /// No JSON object: empty, a web page, cut short.
    Nothing,
}

/// Members that stand beside an error and say nothing themselves.
const BESIDE: [&str; 7] = [
    "type",
    "request_id",
    "user_id",
    "status",
    "code",
    "message",
    "object",
];

/// Whether whole answers in this format are JSON. Sounds, subtitles, files and what models of any
/// kind say through InvokeModel may be anything.
pub fn answers_in_json(format: Format, operation: Operation) -> bool {
    let is_asked = matches!(operation, Operation::Generate | Operation::Embed);
    let may_be_anything = matches!(
        format,
        Format::OpenAiSpeech | Format::OpenAiTranscription | Format::BedrockInvoke
    );
    is_asked && !may_be_anything
}

/// What `body` is, as a whole answer (status 200) in a format that answers in JSON.
pub fn plain(body: &[u8]) -> Plain {
    let text = std::str::from_utf8(body).unwrap_or_default();
    let mut json = serde_json::Deserializer::from_str(text);
    // Gemini streams one array where it is not asked for events.
    if text.trim_start().starts_with('[') {
        let array = Vec::<&RawValue>::deserialize(&mut json).and_then(|_| json.end());
        return array.map_or(Plain::Nothing, |()| Plain::Answer);
    }
    let members = BTreeMap::<Text<'_>, &RawValue>::deserialize(&mut json);
    let Some(members) = members.ok().filter(|_| json.end().is_ok()) else {
        return Plain::Nothing;
    };
    let is_error = |name: &str, value: &RawValue| name == "error" && value.get() != "null";
    let says_error = members
        .iter()
        .any(|(Text(name), value)| is_error(name, value));
    let only = members
        .keys()
        .all(|Text(name)| name == "error" || BESIDE.contains(&&**name));
    if says_error && only {
        Plain::Error
    } else {
        Plain::Answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_told_from_an_error_and_from_nothing() {
        for (body, is) in [
            (r#"{"id":"x","choices":[],"error":null}"#, Plain::Answer),
            (
                r#"{"id":"r","object":"response","output":[],"error":{"code":"x"}}"#,
                Plain::Answer,
            ),
            (r#"{"error":{"message":"busy"}}"#, Plain::Error),
            (
                r#"{"type":"error","error":{"type":"overloaded_error"},"request_id":"r"}"#,
                Plain::Error,
            ),
            (r#"{"error":"out of memory"}"#, Plain::Error),
            (r#" [{"candidates":[]}]"#, Plain::Answer),
            ("{}", Plain::Answer),
            ("", Plain::Nothing),
            ("<html>", Plain::Nothing),
            (r#"{"id":"x","choices":[{"mess"#, Plain::Nothing),
            (r#"{"id":"x"} and more"#, Plain::Nothing),
        ] {
            assert_eq!(plain(body.as_bytes()), is, "{body}");
        }
        assert_eq!(plain(b"\xff"), Plain::Nothing);
    }
}
