//! Which stored objects a request names, in every dialect.

use crate::{endpoint::Endpoint, facts};
use http::{HeaderMap, Method};

fn named(path: &str, body: &str) -> Vec<String> {
    let endpoint = Endpoint::of(&Method::POST, path, None, &HeaderMap::new()).expect(path);
    let facts = facts::read(&endpoint, None, body.as_bytes()).expect(body);
    assert!(facts.objects.is_empty() || facts.unseen_input, "{body}");
    facts.objects
}

#[test]
fn ids_of_stored_objects_are_found_wherever_a_request_names_them() {
    let (responses, messages) = ("/v1/responses", "/v1/messages");
    let table: [(&str, &str, &[&str]); 10] = [
        (
            responses,
            r#"{"model":"m","previous_response_id":"resp_1"}"#,
            &["resp_1"],
        ),
        (
            responses,
            r#"{"model":"m","conversation":"conv_1"}"#,
            &["conv_1"],
        ),
        (
            responses,
            r#"{"model":"m","conversation":{"id":"conv_1"}}"#,
            &["conv_1"],
        ),
        (
            responses,
            r#"{"model":"m","input":[{"content":[{"type":"input_file","file_id":"file-1"},
                {"type":"input_image","file_id":"file-2"},{"type":"input_file","file_id":"file-1"}]}]}"#,
            &["file-1", "file-2"],
        ),
        (
            responses,
            r#"{"model":"m","tools":[{"type":"code_interpreter","container":"cntr_1"},
                {"type":"code_interpreter","container":{"type":"auto","file_ids":["file-1"]}}]}"#,
            &["cntr_1", "file-1"],
        ),
        (
            "/v1/chat/completions",
            r#"{"model":"m","messages":[{"content":[{"type":"file","file":{"file_id":"file-1"}}]}]}"#,
            &["file-1"],
        ),
        (
            messages,
            r#"{"model":"m","messages":[{"content":[{"type":"document",
                "source":{"type":"file","file_id":"file_1"}}]}]}"#,
            &["file_1"],
        ),
        (
            messages,
            r#"{"model":"m","messages":[],"container":"c_1"}"#,
            &["c_1"],
        ),
        (
            messages,
            r#"{"model":"m","messages":[],"container":{"id":"c_1","skills":[{"skill_id":"s"}]}}"#,
            &["c_1"],
        ),
        (
            "/v1beta/models/m:generateContent",
            r#"{"contents":[],"cachedContent":"cachedContents/1"}"#,
            &["cachedContents/1"],
        ),
    ];
    for (path, body, expected) in table {
        assert_eq!(named(path, body), expected, "{body}");
    }
}

#[test]
fn what_a_callers_own_tool_calls_a_file_is_none() {
    let table = [
        (
            "/v1/responses",
            r#"{"model":"m","tools":[{"type":"function","name":"f","parameters":
                {"properties":{"file_id":{"const":"file-1"},"container":{"const":"c"}}}}]}"#,
        ),
        (
            "/v1/messages",
            r#"{"model":"m","messages":[{"content":[{"type":"tool_use","input":{"file_id":"x"}}]}],
                "container":null}"#,
        ),
    ];
    for (path, body) in table {
        assert_eq!(named(path, body), [""; 0], "{body}");
    }
}

#[test]
fn a_request_cannot_name_objects_without_end() {
    let parts: Vec<String> = (0..65)
        .map(|n| format!(r#"{{"type":"input_file","file_id":"file-{n}"}}"#))
        .collect();
    let body = |count: usize| {
        let parts = parts[..count].join(",");
        format!(r#"{{"model":"m","input":[{{"content":[{parts}]}}]}}"#)
    };
    assert_eq!(named("/v1/responses", &body(64)).len(), 64);
    let endpoint = Endpoint::of(&Method::POST, "/v1/responses", None, &HeaderMap::new());
    let refused = facts::read(&endpoint.unwrap(), None, body(65).as_bytes()).unwrap_err();
    assert!(refused.message().contains("more than 64 stored objects"));
}
