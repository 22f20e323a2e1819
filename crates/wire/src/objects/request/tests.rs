//! Which stored objects a request names, in every dialect.

use crate::{
    endpoint::Endpoint,
    facts::{self, OBJECTS_MAX},
    objects::BatchWork,
};
use http::{HeaderMap, Method};
use tollgate_core::error::Kind;

fn named(path: &str, body: &str) -> Vec<String> {
    let endpoint = Endpoint::of(&Method::POST, path, None, &HeaderMap::new()).expect(path);
    let facts = facts::read(&endpoint, None, body.as_bytes()).expect(body);
    assert!(facts.objects.is_empty() || facts.unseen_input, "{body}");
    facts.objects
}

#[test]
fn ids_of_stored_objects_are_found_wherever_a_request_of_openai_names_them() {
    let responses = "/v1/responses";
    let table: [(&str, &str, &[&str]); 9] = [
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
            responses,
            r#"{"model":"m","input":[{"type":"item_reference","id":"msg_1"}]}"#,
            &["msg_1"],
        ),
        (
            responses,
            r#"{"model":"m","prompt":{"id":"pmpt_1","variables":{"file_id":"plain text",
                "scan":{"type":"input_file","file_id":"file-1"}}}}"#,
            &["file-1"],
        ),
        (
            responses,
            r#"{"model":"m","tools":[{"type":"file_search","vector_store_ids":["vs_1"]}]}"#,
            &["vs_1"],
        ),
        (
            "/v1/chat/completions",
            r#"{"model":"m","messages":[{"content":[{"type":"file","file":{"file_id":"file-1"}}]}]}"#,
            &["file-1"],
        ),
    ];
    for (path, body, expected) in table {
        assert_eq!(named(path, body), expected, "{body}");
    }
}

#[test]
fn ids_of_stored_objects_are_found_wherever_other_requests_name_them() {
    let messages = "/v1/messages";
    let table: [(&str, &str, &[&str]); 6] = [
        (
            messages,
            r#"{"model":"m","messages":[{"content":[{"type":"document",
                "source":{"type":"file","file_id":"file_1"}}]}]}"#,
            &["file_1"],
        ),
        (
            messages,
            r#"{"model":"m","messages":[],"thread":{"id":"th_1","parent_id":"th_0"}}"#,
            &["th_1", "th_0"],
        ),
        (
            messages,
            r#"{"model":"m","messages":[],"thread":"th_1"}"#,
            &["th_1"],
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
    let parts: Vec<String> = (0..=OBJECTS_MAX)
        .map(|n| format!(r#"{{"type":"input_file","file_id":"file-{n}"}}"#))
        .collect();
    let body = |count: usize| {
        let parts = parts[..count].join(",");
        format!(r#"{{"model":"m","input":[{{"content":[{parts}]}}]}}"#)
    };
    let named = named("/v1/responses", &body(OBJECTS_MAX));
    assert_eq!(named.len(), OBJECTS_MAX);
    let endpoint = Endpoint::of(&Method::POST, "/v1/responses", None, &HeaderMap::new());
    let refused = facts::read(&endpoint.unwrap(), None, body(OBJECTS_MAX + 1).as_bytes());
    let refused = refused.unwrap_err();
    assert!(refused.message().contains("more than 256 stored objects"));
}

#[test]
fn a_batch_is_created_of_its_file_and_of_nothing_else() {
    let create = |body: &str| {
        let endpoint = Endpoint::of(&Method::POST, "/v1/batches", None, &HeaderMap::new());
        facts::read(&endpoint.unwrap(), None, body.as_bytes())
    };
    let plain = r#"{"input_file_id":"file-1","endpoint":"/v1/responses","completion_window":"24h",
        "metadata":{"a":"b"},"output_expires_after":{"anchor":"created_at","seconds":3600}}"#;
    assert_eq!(create(plain).unwrap().objects, ["file-1"]);
    for member in ["requests", "input_file_ids", "model", "input_files"] {
        let body = format!(r#"{{"input_file_id":"file-1","{member}":[]}}"#);
        let refused = create(&body).unwrap_err();
        let named = refused.message().contains(&format!("`{member}`"));
        assert!(named && refused.kind() == Kind::BadRequest, "{refused:?}");
    }
}

#[test]
fn a_line_below_a_deployment_is_no_request_of_a_batch() {
    let line = |url: &str| {
        let body = r#"{"model":"dear","messages":[]}"#;
        let line = format!(r#"{{"custom_id":"a","method":"POST","url":"{url}","body":{body}}}"#);
        BatchWork::default().add_line(line.as_bytes())
    };
    assert!(line("/v1/chat/completions").is_ok());
    let refused = line("/openai/deployments/cheap/chat/completions").unwrap_err();
    assert!(
        refused.message().contains("below a deployment"),
        "{refused:?}"
    );
}
