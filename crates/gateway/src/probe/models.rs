//! What stands in a provider's answers: names of models, or what it has to say.

use super::call::error_type;
use http::HeaderMap;
use serde_json::Value;

/// The names in a list of models, in any dialect; `None` when the answer is no such list.
pub(super) fn names(body: &[u8]) -> Option<Vec<String>> {
    let answer: Value = serde_json::from_slice(body).ok()?;
    let list = match &answer {
        Value::Array(list) => Some(list),
        Value::Object(members) => ["data", "models", "publisherModels"]
            .iter()
            .find_map(|name| members.get(*name)?.as_array()),
        _ => None,
    }?;
    list.iter().map(name).collect()
}

fn name(model: &Value) -> Option<String> {
    let names = ["id", "name", "model"].iter();
    let mut found = names.filter_map(|key| model.get(key)?.as_str());
    let name = found.next()?;
    // Google names resources: `models/…`, `publishers/google/models/…`.
    let resource = ["models/", "publishers/google/models/"];
    let short = resource.iter().find_map(|prefix| name.strip_prefix(prefix));
    Some(short.unwrap_or(name).to_owned())
}

/// What an answer says is wrong; `None` of one that is empty, or a page for browsers.
pub(super) fn message(headers: &HeaderMap, body: &[u8]) -> Option<String> {
    let text = match serde_json::from_slice::<Value>(body) {
        Ok(answer) => message_in(&answer).unwrap_or_else(|| answer.to_string()),
        Err(_) => String::from_utf8_lossy(body).trim().to_owned(),
    };
    if text.is_empty() || text.starts_with('<') {
        return None;
    }
    Some(match error_type(headers) {
        "" => text,
        kind => format!("{kind}: {text}"),
    })
}

/// The sentence in an error of any dialect.
fn message_in(answer: &Value) -> Option<String> {
    [
        "/error/message",
        "/0/error/message",
        "/message",
        "/Message",
        "/error",
        "/detail",
        "/errors/0/message",
    ]
    .iter()
    .find_map(|place| answer.pointer(place)?.as_str())
    .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_every_dialect_are_read_and_nothing_else_is() {
        let list = |body: &str| names(body.as_bytes()).map(|names| names.join(" "));
        let two = Some("a b".to_owned());
        assert_eq!(list(r#"{"data":[{"id":"a"},{"id":"b"}]}"#), two);
        assert_eq!(list(r#"[{"id":"a"},{"id":"b"}]"#), two);
        assert_eq!(
            list(r#"{"models":[{"name":"models/a"},{"name":"models/b"}]}"#),
            two
        );
        let vertex = r#"{"publisherModels":[{"name":"publishers/google/models/a"},{"name":"b"}]}"#;
        assert_eq!(list(vertex), two);
        assert_eq!(list(r#"{"data":[]}"#), Some(String::new()));
        for other in ["<html>", "{}", "3", r#"{"data":[1]}"#, r#"{"data":{}}"#, ""] {
            assert_eq!(list(other), None, "{other}");
        }
    }

    #[test]
    fn the_sentence_of_an_error_is_found_in_every_dialect() {
        let none = HeaderMap::new();
        let said = |body: &str| message(&none, body.as_bytes());
        for body in [
            r#"{"error":{"message":"no"}}"#,
            r#"[{"error":{"message":"no"}}]"#,
            r#"{"message":"no"}"#,
            r#"{"error":"no"}"#,
            r#"{"detail":"no"}"#,
            " no \n",
        ] {
            assert_eq!(said(body).as_deref(), Some("no"), "{body}");
        }
        assert_eq!(said(r#"{"odd":1}"#).as_deref(), Some(r#"{"odd":1}"#));
        assert_eq!(said("<!doctype html><title>hello</title>"), None);
        assert_eq!(said(""), None);
        let mut aws = HeaderMap::new();
        let kind = "UnrecognizedClientException:http://internal.amazon.com/";
        aws.insert("x-amzn-errortype", kind.parse().unwrap());
        assert_eq!(
            message(&aws, br#"{"message":"no"}"#).as_deref(),
            Some("UnrecognizedClientException: no")
        );
    }
}
