mod audio;
mod completions;
mod images;

use super::*;
use crate::{edit, facts::CacheWrite};
use bytes::Bytes;
use tollgate_core::error::Kind;

fn chat(body: &str) -> RequestFacts {
    chat_facts(body.as_bytes()).expect(body)
}

fn responses(body: &str) -> RequestFacts {
    responses_facts(body.as_bytes()).expect(body)
}

fn refused(body: &str) -> String {
    let error = chat_facts(body.as_bytes()).expect_err(body);
    assert_eq!(error.kind(), Kind::BadRequest);
    error.message().to_owned()
}

/// The body as it is sent when usage is asked for.
fn asked(body: &'static str) -> String {
    let edits = chat(body).ask_for_usage.into_iter().collect();
    let sent = edit::apply(&Bytes::from_static(body.as_bytes()), edits).concat();
    String::from_utf8(sent).unwrap()
}

#[test]
fn a_chat_request_is_read() {
    let body = r#"{"model":"gpt-5.2","messages":[{"role":"user","content":"héllo"}],"n":3,
        "max_tokens":10,"max_completion_tokens":20,"service_tier":"flex",
        "prompt_cache_key":"agent-1","temperature":null}"#;
    let facts = chat(body);
    let expected = RequestFacts {
        model: "gpt-5.2".to_owned(),
        model_span: Some(9..18),
        output_cap: Some(20),
        choices: 3,
        // role, user, content, héllo
        text_bytes: 4 + 4 + 7 + 6,
        context: vec![("service_tier", "flex".to_owned())],
        affinity: Some("agent-1".to_owned()),
        ..RequestFacts::default()
    };
    assert_eq!(facts, expected);
    assert_eq!(body.get(9..18), Some("\"gpt-5.2\""));
}

#[test]
fn the_models_span_covers_escapes_and_its_place() {
    let body = "{ \"n\" : 1 , \"model\" : \"a\\u0062\" , \"messages\":[]}";
    let facts = chat(body);
    assert_eq!(facts.model, "ab");
    assert_eq!(body.get(facts.model_span.unwrap()), Some("\"a\\u0062\""));
}

#[test]
fn whole_numbers_are_read_as_clients_write_them() {
    let cap = |number: &str| {
        let body = format!(r#"{{"model":"m","max_tokens":{number}}}"#);
        chat_facts(body.as_bytes())
            .map(|facts| facts.output_cap)
            .ok()
    };
    assert_eq!(cap("4096"), Some(Some(4096)));
    assert_eq!(cap("4096.0"), Some(Some(4096)));
    assert_eq!(cap("4.096e3"), Some(Some(4096)));
    assert_eq!(cap("-1"), Some(None));
    assert_eq!(cap("null"), Some(None));
    assert_eq!(cap("0.5"), None);
    assert_eq!(cap("\"4096\""), None);
    assert_eq!(cap("1e400"), None);
    assert_eq!(chat(r#"{"model":"m","n":0}"#).choices, 1);
    assert_eq!(chat(r#"{"model":"m","n":null}"#).choices, 1);
}

#[test]
fn what_cannot_be_read_is_refused_with_its_place() {
    let table = [
        ("", "EOF"),
        ("[]", "a JSON object"),
        ("{\"model\":\"m\"", "EOF"),
        ("{\"model\":\"m\"}x", "trailing"),
        ("{\"model\":\"m\",}", "trailing comma"),
        (r#"{"model":"a","model":"b"}"#, "`model` is named twice"),
        (r#"{"model":"a","Model":"b"}"#, "`Model` is named twice"),
        (
            r#"{"model":"a","mode\u006c":"b"}"#,
            "`model` is named twice",
        ),
        (r#"{"model":7}"#, "`model` is not a string"),
        (r#"{"model":"m","stream":"yes"}"#, "boolean"),
        (
            r#"{"model":"m","stream_options":[]}"#,
            "`stream_options` is not an object",
        ),
        (r#"{"model":"m","models":["n"]}"#, "`models` leaves"),
        (r#"{"model":"m","preset":"p"}"#, "`preset` leaves"),
        (
            r#"{"model":"m","plugins":[{"id":"auto-router"}]}"#,
            "`plugins` leaves",
        ),
        (r#"{"model":"m","fallbacks":["n"]}"#, "`fallbacks` leaves"),
        (r#"{"messages":[]}"#, "the request names no model"),
        (r#"{"model":""}"#, "the request names no model"),
        (r#"{"model":null}"#, "the request names no model"),
    ];
    for (body, part) in table {
        let message = refused(body);
        assert!(message.contains(part), "{body}: {message}");
    }
    let bytes = chat_facts(b"{\"model\":\"\xff\"}").unwrap_err();
    assert!(
        bytes.message().contains("byte 10 is not UTF-8"),
        "{}",
        bytes.message()
    );
    let deep = format!(r#"{{"model":"m","messages":{}"#, "[".repeat(200));
    assert!(
        refused(&deep).contains("recursion limit"),
        "{}",
        refused(&deep)
    );
    let many: Vec<String> = (0..300).map(|n| format!("\"k{n}\":1")).collect();
    assert!(refused(&format!("{{{}}}", many.join(","))).contains("too many members"));
    let template = responses_facts(br#"{"prompt":{"id":"pmpt_1"}}"#).unwrap_err();
    assert!(template.message().contains("prompt template"));
}

#[test]
fn usage_is_asked_for_when_a_chat_stream_did_not() {
    let table = [
        (
            r#"{"model":"m","stream":true}"#,
            r#"{"stream_options":{"include_usage":true},"model":"m","stream":true}"#,
        ),
        (
            r#" {"model":"m","stream":true,"stream_options":{}}"#,
            r#" {"model":"m","stream":true,"stream_options":{"include_usage":true}}"#,
        ),
        (
            r#"{"stream_options":{"include_obfuscation":false},"model":"m","stream":true}"#,
            concat!(
                r#"{"stream_options":{"include_usage":true,"include_obfuscation":false},"#,
                r#""model":"m","stream":true}"#
            ),
        ),
        (
            r#"{"model":"m","stream":true,"stream_options":{ "include_usage" : false }}"#,
            r#"{"model":"m","stream":true,"stream_options":{ "include_usage" : true }}"#,
        ),
        (
            r#"{"model":"m","stream":true,"stream_options":{"include_usage":null}}"#,
            r#"{"model":"m","stream":true,"stream_options":{"include_usage":true}}"#,
        ),
        (
            r#"{"model":"m","stream_options": null ,"stream":true}"#,
            r#"{"model":"m","stream_options": {"include_usage":true} ,"stream":true}"#,
        ),
    ];
    for (body, expected) in table {
        assert_eq!(asked(body), expected);
    }
    for body in [
        r#"{"model":"m"}"#,
        r#"{"model":"m","stream":false}"#,
        r#"{"model":"m","stream":false,"stream_options":null}"#,
        r#"{"model":"m","stream":true,"stream_options":{"include_usage":true}}"#,
    ] {
        assert_eq!(asked(body), body);
    }
}

#[test]
fn inline_media_counts_by_table_and_references_are_unseen() {
    let png = "iVBORw0KGgoAAAANSUhEUg==";
    let parts = [
        (
            format!(
                r#"{{"type":"image_url","image_url":{{"url":"data:image/png;base64,{png}"}}}}"#
            ),
            5000,
            false,
        ),
        (
            r#"{"type":"image_url","image_url":{"url":"https://a/b.png"}}"#.to_owned(),
            0,
            true,
        ),
        (
            r#"{"type":"input_audio","input_audio":{"data":"SUQzBAAA","format":"mp3"}}"#.to_owned(),
            1,
            false,
        ),
        (
            r#"{"type":"file","file":{"file_data":"data:application/pdf;base64,JVBERi0x"}}"#
                .to_owned(),
            8,
            false,
        ),
        (
            r#"{"type":"file","file":{"file_id":"file-1"}}"#.to_owned(),
            0,
            true,
        ),
        (
            r#"{"type":"text","text":"see https://a/b.png"}"#.to_owned(),
            0,
            false,
        ),
    ];
    for (part, tokens, unseen) in parts {
        let body = format!(r#"{{"model":"m","messages":[{{"role":"user","content":[{part}]}}]}}"#);
        let facts = chat(&body);
        assert_eq!(
            (facts.media_tokens, facts.unseen_input),
            (tokens, unseen),
            "{part}"
        );
        assert!(facts.text_bytes < 120, "{part}");
    }
}

#[test]
fn input_that_the_body_does_not_show_is_noticed() {
    let unseen = [
        r#"{"model":"m","previous_response_id":"resp_1"}"#,
        r#"{"model":"m","conversation":{"id":"conv_1"}}"#,
        r#"{"model":"m","prompt":{"id":"pmpt_1"}}"#,
        r#"{"model":"m","tools":[{"type":"web_search"}]}"#,
        r#"{"model":"m","tools":[{"type":"file_search","vector_store_ids":["vs_1"]}]}"#,
        r#"{"model":"m","tools":[{"type":"mcp","server_url":"https://a"}]}"#,
        r#"{"model":"m","tools":[{"type":"code_interpreter","container":{"type":"auto"}}]}"#,
        r#"{"model":"m","input":[{"type":"item_reference","id":"msg_1"}]}"#,
        r#"{"model":"m","input":[{"content":[{"type":"input_image","image_url":"https://a"}]}]}"#,
        r#"{"model":"m","input":[{"content":[{"type":"input_file","file_url":"https://a"}]}]}"#,
        r#"{"model":"m","input":[{"type":"additional_tools","tools":[{"type":"web_search"}]}]}"#,
    ];
    for body in unseen {
        assert!(responses(body).unseen_input, "{body}");
    }
    let seen = [
        r#"{"model":"m","previous_response_id":null,"conversation":null,"input":"hi"}"#,
        r#"{"model":"m","tools":[{"type":"function","name":"f","parameters":
            {"type":"object","properties":{"file_id":{"type":"string"},
            "url":{"const":"https://a"}}}}]}"#,
        r#"{"model":"m","tools":[{"type":"custom","format":{"type":"grammar","syntax":"lark"}}]}"#,
        r#"{"model":"m","input":[{"type":"function_call","arguments":"{\"file_id\":\"f\"}"}]}"#,
        r#"{"model":"m","input":[{"content":[{"type":"output_text","text":"x",
            "annotations":[{"type":"url_citation","url":"https://a"}]}]}]}"#,
        r#"{"model":"m","input":[{"type":"web_search_call",
            "action":{"type":"open_page","url":"https://a"}}]}"#,
    ];
    for body in seen {
        assert!(!responses(body).unseen_input, "{body}");
    }
    assert!(chat(r#"{"model":"m","web_search_options":{}}"#).unseen_input);
    assert!(chat(r#"{"model":"m","messages":[{"audio":{"id":"audio_1"}}]}"#).unseen_input);
    assert!(!chat(r#"{"model":"m","audio":{"voice":{"id":"v"}},"messages":[]}"#).unseen_input);
}

#[test]
fn a_responses_request_is_read() {
    let body = r#"{"model":"gpt-6-sol","instructions":"be brief","input":"hi","stream":true,
        "max_output_tokens":64,"background":true,"prompt_cache_options":{"ttl":"12h"},
        "metadata":{"not":"read"},"store":false}"#;
    let facts = responses(body);
    assert_eq!(facts.model, "gpt-6-sol");
    assert!(facts.stream && facts.deferred);
    assert_eq!(facts.output_cap, Some(64));
    assert_eq!(facts.cache_write, CacheWrite::Long);
    // be brief, hi, and `false`
    assert_eq!(facts.text_bytes, 8 + 2 + 4);
    assert_eq!(facts.ask_for_usage, None);
}

#[test]
fn fields_that_choose_a_model_are_allowed_while_they_say_nothing() {
    let body = r#"{"model":"m","models":[],"preset":null,"plugins":[ ],"fallbacks":{}}"#;
    assert_eq!(chat(body).model, "m");
    assert!(!chat(body).unseen_input);
}

#[test]
fn models_that_tools_name_are_listed_once_and_schemas_name_none() {
    let table: [(&str, &[&str]); 5] = [
        (
            r#"{"type":"image_generation","model":"gpt-image-2"}"#,
            &["gpt-image-2"],
        ),
        (
            r#"{"type":"openrouter:panel","parameters":{"model":"a","analysis_models":["b","a"]}}"#,
            &["a", "b"],
        ),
        (
            r#"{"type":"function","name":"f","parameters":{"properties":{"model":{"const":"a"}}}}"#,
            &[],
        ),
        (
            r#"{"type":"function","function":{"parameters":{"model":{"type":"string"}}}}"#,
            &[],
        ),
        (r#"{"type":"image_generation","model":null}"#, &[]),
    ];
    for (tool, models) in table {
        let body = format!(r#"{{"model":"m","tools":[{tool}]}}"#);
        assert_eq!(responses(&body).other_models, models, "{tool}");
        let item =
            format!(r#"{{"model":"m","input":[{{"type":"additional_tools","tools":[{tool}]}}]}}"#);
        assert_eq!(responses(&item).other_models, models, "{tool}");
    }
    let compound = r#"{"model":"groq/compound","messages":[],"compound_custom":{
        "models":{"reasoning_model":"a","answering_model":"b","new_part":"c"},
        "tools":{"enabled_tools":["web_search"]}}}"#;
    assert_eq!(chat(compound).other_models, ["a", "b", "c"]);
    let answer = r#"{"model":"m","messages":[{"role":"assistant","model":"n","content":"x"}]}"#;
    assert!(chat(answer).other_models.is_empty());
}

#[test]
fn tools_cannot_name_models_without_end() {
    let tools = |count: usize| {
        let tools: Vec<String> = (0..count)
            .map(|n| format!(r#"{{"model":"m{n}"}}"#))
            .collect();
        format!(r#"{{"model":"m","tools":[{}]}}"#, tools.join(","))
    };
    assert_eq!(chat(&tools(16)).other_models.len(), 16);
    assert!(refused(&tools(17)).contains("more than 16 models"));
}

#[test]
fn an_embeddings_request_has_input_and_no_output() {
    let read = |body: &str| embeddings_facts(body.as_bytes()).expect(body);
    let texts = read(r#"{"model":"m","input":["ab","c"],"encoding_format":"base64"}"#);
    assert_eq!((texts.text_bytes, texts.output_cap), (3, Some(0)));
    assert!(read(r#"{"model":"m","input":[[1,20],[300]]}"#).text_bytes >= 3);
}

#[test]
fn fields_that_are_new_on_the_wire_count_as_text() {
    let facts = chat(r#"{"model":"m","messages":[],"new_context":{"a":["bcd"]}}"#);
    assert_eq!(facts.text_bytes, 1 + 3);
}
