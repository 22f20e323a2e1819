use super::*;

#[test]
fn a_compaction_names_no_model_and_is_counted() {
    let body = br#"{"object":"response.compaction","output":[],"usage":{"input_tokens":900,
        "output_tokens":60,"total_tokens":960}}"#;
    let report = responses_usage(body);
    assert_eq!(report.usage, Some(five([900, 0, 0, 60, 0])));
    assert!(report.complete && report.model.is_none());
}
use serde_json::json;

#[test]
fn responses_report_tokens_searches_and_images() {
    for file in [
        "openai/responses_nonstream.json",
        "openai/responses_background_retrieved.json",
    ] {
        let report = responses_usage(&fixture(file));
        let mut expected = five([5000, 3000, 1500, 900, 640]);
        expected.set(Unit::WebSearches, 2);
        assert_eq!(report.usage, Some(expected), "{file}");
        assert_eq!(report.model.as_deref(), Some("gpt-6-sol"));
        assert_eq!(report.context, [("service_tier", "default".to_owned())]);
        assert!(report.complete);
        let images = counts(&[
            (Unit::InputTokens, 50),
            (Unit::InputTextTokens, 50),
            (Unit::OutputTokens, 1056),
            (Unit::OutputImageTokens, 1056),
        ]);
        assert_eq!(report.extra.len(), 1);
        assert_eq!(report.extra[0].model.as_deref(), Some("gpt-image-1"));
        assert_eq!(report.extra[0].usage, images);
    }
}

#[test]
fn the_image_model_is_the_one_the_tool_names() {
    let body = json!({
        "usage": {"input_tokens": 1, "output_tokens": 1},
        "tools": [{"type": "function", "model": "x"},
                  {"type": "image_generation", "model": "gpt-image-2"}],
        "tool_usage": {"image_gen": {"input_tokens": 3, "output_tokens": 4,
                                     "output_tokens_details": null}},
    });
    let report = responses_usage(body.to_string().as_bytes());
    assert_eq!(report.extra[0].model.as_deref(), Some("gpt-image-2"));
}

#[test]
fn searches_are_counted_in_the_output_when_no_one_reports_them() {
    let body = json!({
        "usage": {"input_tokens": 1, "output_tokens": 1},
        "output": [
            {"type": "web_search_call", "action": {"type": "search", "query": "q"}},
            {"type": "web_search_call"},
            {"type": "web_search_call", "action": {"type": "open_page"}},
            {"type": "file_search_call", "queries": ["a"]},
            {"type": "local_shell_call", "action": "odd"},
        ],
    });
    let usage = responses_usage(body.to_string().as_bytes()).usage.unwrap();
    assert_eq!(usage.get(Unit::WebSearches), 2);
    assert_eq!(usage.get(Unit::StorageSearches), 1);
}

#[test]
fn a_background_answer_at_work_has_no_usage_yet() {
    let report = responses_usage(&fixture("openai/responses_background_queued.json"));
    assert_eq!((report.usage, report.complete), (None, false));
    let at_work = br#"{"status":"in_progress","usage":{"input_tokens":1,"output_tokens":1}}"#;
    assert!(!responses_usage(at_work).complete);
}

#[test]
fn a_responses_stream_is_complete_with_its_final_event() {
    let file = fixture("openai/responses_stream_incomplete.sse");
    let (report, progress) = streamed(Format::OpenAiResponses, file);
    assert_eq!(report.usage, Some(five([100, 0, 0, 16, 0])));
    assert_eq!(report.context, [("service_tier", "default".to_owned())]);
    assert!(report.complete);
    let expected = Progress {
        input_tokens: Some(100),
        content_bytes: 5,
        started: true,
        terminal: true,
        failed: false,
    };
    assert_eq!(progress, expected);

    let file = fixture("openai/responses_stream_failed.sse");
    let (report, progress) = streamed(Format::OpenAiResponses, file);
    assert_eq!((report.usage, report.complete), (None, false));
    assert_eq!(report.model.as_deref(), Some("gpt-6-sol"));
    assert!(progress.terminal && progress.failed && !progress.started);
}

#[test]
fn an_error_event_ends_a_responses_stream() {
    for data in [
        r#"{"type":"error","code":"server_error","message":"x","sequence_number":1}"#,
        r#"{"error":{"message":"x","type":"server_error"}}"#,
    ] {
        let stream = format!("event: error\ndata: {data}\n\n").into_bytes();
        let (_, progress) = streamed(Format::OpenAiResponses, stream);
        assert!(progress.terminal && progress.failed, "{data}");
    }
}

#[test]
fn embeddings_have_input_only() {
    let body = json!({"object": "list", "model": "text-embedding-3-small",
                      "data": [{"embedding": [0.1]}],
                      "usage": {"prompt_tokens": 8, "total_tokens": 8}});
    let report = embeddings_usage(body.to_string().as_bytes());
    assert_eq!(report.usage, Some(five([8, 0, 0, 0, 0])));
    assert_eq!(report.model.as_deref(), Some("text-embedding-3-small"));
    assert!(report.complete);
}
