use super::*;
use crate::{edit, facts::CacheWrite};
use bytes::Bytes;
use http::{HeaderMap, Method};
use serde_json::json;
use tollgate_core::{format::Format, object::ObjectKind, unit::Unit};

fn endpoint(method: &str, path: &str) -> Endpoint {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let (path, query) = path
        .split_once('?')
        .map_or((path, None), |(p, q)| (p, Some(q)));
    Endpoint::of(&method, path, query, &HeaderMap::new()).expect(path)
}

fn made_by(method: &str, path: &str, body: &str) -> Vec<Made> {
    let endpoint = endpoint(method, path);
    made(endpoint.format, endpoint.operation, body.as_bytes())
}

fn ids(made: &[Made]) -> Vec<&str> {
    made.iter().map(|made| made.id.as_str()).collect()
}

#[test]
fn a_response_names_itself_its_conversation_and_its_containers() {
    let body = json!({
        "id": "resp_1", "store": true, "conversation": {"id": "conv_1"},
        "output": [
            {"type": "reasoning", "id": "rs_1"},
            {"type": "code_interpreter_call", "container_id": "cntr_1"},
            {"type": "code_interpreter_call", "container_id": "cntr_1"},
        ],
    });
    let found = made_by("POST", "/v1/responses", &body.to_string());
    assert_eq!(ids(&found), ["resp_1", "conv_1", "rs_1", "cntr_1"]);
    assert_eq!(found[0].kind, ObjectKind::Response);
    let unkept = r#"{"id":"resp_1","store":false,"output":[{"id":"rs_1"}]}"#;
    let unkept = made_by("POST", "/v1/responses", unkept);
    assert_eq!(unkept, []);
}

#[test]
fn creates_name_what_they_made_and_batches_what_they_left() {
    let table: [(&str, &str, &str, &[&str]); 8] = [
        (
            "POST",
            "/v1beta/interactions",
            r#"{"id":"int_1"}"#,
            &["int_1"],
        ),
        ("POST", "/v1/files", r#"{"id":"file-1"}"#, &["file-1"]),
        ("GET", "/v1/files/file-1", r#"{"id":"file-1"}"#, &[]),
        (
            "POST",
            "/v1/batches",
            r#"{"id":"batch_1","output_file_id":null}"#,
            &["batch_1"],
        ),
        (
            "GET",
            "/v1/batches/batch_1",
            r#"{"id":"batch_1","output_file_id":"file-o","error_file_id":"file-e"}"#,
            &["file-o", "file-e"],
        ),
        (
            "POST",
            "/v1/messages/batches",
            r#"{"id":"msgbatch_1"}"#,
            &["msgbatch_1"],
        ),
        (
            "POST",
            "/v1/messages",
            r#"{"id":"msg_1","container":{"id":"c_1"}}"#,
            &["c_1"],
        ),
        ("POST", "/v1/files", r#"{"id":"a\nb"}"#, &[]),
    ];
    for (method, path, body, expected) in table {
        let found = made_by(method, path, body);
        assert_eq!(ids(&found), expected, "{method} {path}");
    }
}

fn kept(page: &str, own: &[&str]) -> String {
    let list = List::read(page.as_bytes()).expect(page);
    let edits = list.keep(page.as_bytes(), |id| own.contains(&id));
    let body = Bytes::copy_from_slice(page.as_bytes());
    String::from_utf8(edit::apply(&body, edits).concat()).unwrap()
}

#[test]
fn strangers_are_cut_out_of_a_page_and_the_rest_keeps_its_bytes() {
    let page = concat!(
        r#"{"object":"list", "data":[ {"id":"a","n":1.0}, {"id" : "b"},{"id":"c"} ,{"id":"d"}],"#,
        r#""first_id":"a","last_id":"d","has_more":true}"#
    );
    let table: [(&[&str], &str); 6] = [
        (&["a", "b", "c", "d"], page),
        (
            &["a"],
            r#"{"object":"list", "data":[ {"id":"a","n":1.0}],"first_id":"a","last_id":"a","has_more":true}"#,
        ),
        (
            &["b", "d"],
            r#"{"object":"list", "data":[ {"id" : "b"},{"id":"d"}],"first_id":"b","last_id":"d","has_more":true}"#,
        ),
        (
            &["c"],
            r#"{"object":"list", "data":[ {"id":"c"}],"first_id":"c","last_id":"c","has_more":true}"#,
        ),
        (
            &["d"],
            r#"{"object":"list", "data":[ {"id":"d"}],"first_id":"d","last_id":"d","has_more":true}"#,
        ),
        (
            &[],
            r#"{"object":"list", "data":[ ],"first_id":null,"last_id":null,"has_more":true}"#,
        ),
    ];
    for (own, expected) in table {
        let squeeze = |text: &str| text.replace(" ,", ",").replace(" ]", "]");
        assert_eq!(squeeze(&kept(page, own)), squeeze(expected), "{own:?}");
    }
}

#[test]
fn every_choice_of_what_is_own_leaves_json_with_just_that() {
    let names = ["a", "b", "c", "d", "e"];
    let data: Vec<_> = names.iter().map(|id| json!({"id": id, "x": [1]})).collect();
    let page = serde_json::to_string_pretty(&json!({"data": data, "first_id": "a"})).unwrap();
    for choice in 0_u32..32 {
        let own: Vec<&str> = (0..5)
            .filter(|bit| choice & (1 << bit) != 0)
            .map(|bit| names[bit])
            .collect();
        let left: serde_json::Value = serde_json::from_str(&kept(&page, &own)).unwrap();
        let left_ids: Vec<_> = left["data"].as_array().unwrap().iter().collect();
        let expected: Vec<_> = own.iter().map(|id| json!({"id": id, "x": [1]})).collect();
        assert_eq!(left_ids, expected.iter().collect::<Vec<_>>());
        assert_eq!(left["first_id"], json!(own.first()));
    }
}

#[test]
fn what_cannot_be_cut_is_no_page_and_what_has_no_id_is_nobodys() {
    assert!(List::read(b"not json").is_none());
    assert!(List::read(br#"{"data":{}}"#).is_none());
    assert_eq!(
        kept(r#"{"data":[{"name":"x"},7]}"#, &["x"]),
        r#"{"data":[]}"#
    );
    let more = List::read(br#"{"data":[{"id":"a"},{"id":"z"}],"has_more":true}"#).unwrap();
    assert_eq!(more.goes_on_at(false), Some("z"));
    assert_eq!(more.say_more().map(|edit| edit.range), None);
    assert!(more.shows_any(|id| id == "a") && !more.shows_any(|id| id == "b"));
    let last = List::read(br#"{"data":[{"id":"a"}],"has_more":false}"#).unwrap();
    assert_eq!(last.goes_on_at(false), None);
    assert!(last.say_more().is_some());
}

#[test]
fn an_absolute_results_url_leads_back_to_the_gateway() {
    let rewritten = |body: &str| {
        let edits = results_urls(body.as_bytes(), |id| format!("http://gw/{id}/results"));
        let body = Bytes::copy_from_slice(body.as_bytes());
        String::from_utf8(edit::apply(&body, edits).concat()).unwrap()
    };
    assert_eq!(
        rewritten(r#"{"id":"m1","results_url":"https://api.anthropic.com/v1/x"}"#),
        r#"{"id":"m1","results_url":"http://gw/m1/results"}"#
    );
    assert_eq!(
        rewritten(
            r#"{"data":[{"results_url":"https://a","id":"m1"},{"id":"m2","results_url":null}]}"#
        ),
        r#"{"data":[{"results_url":"http://gw/m1/results","id":"m1"},{"id":"m2","results_url":null}]}"#
    );
    assert_eq!(
        rewritten(r#"{"results_url":"https://a"}"#),
        r#"{"results_url":null}"#
    );
}

const BATCH_LINES: &str = concat!(
    r#"{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":{"model":"gpt-5.2","#,
    r#""messages":[{"content":"hello"}],"max_tokens":100,"n":2}}"#,
    "\n",
    r#"{"custom_id":"b","method":"POST","url":"/v1/responses","body":{"model":"gpt-5.2","#,
    r#""input":"hi","previous_response_id":"resp_1"}}"#,
    "\n\n",
    r#"{"custom_id":"c","method":"POST","url":"/v1/embeddings","body":{"model":"e","input":"x"}}"#,
);

fn form(purpose: &str, file: &str) -> Vec<u8> {
    let field = |disposition: &str, value: &str| {
        format!("--b\r\ncontent-disposition: form-data; {disposition}\r\n\r\n{value}\r\n")
    };
    let file = field(r#"name="file"; filename="in.jsonl""#, file);
    [
        file,
        field(r#"name="purpose""#, purpose),
        "--b--\r\n".to_owned(),
    ]
    .concat()
    .into_bytes()
}

fn scanned(body: &[u8], step: usize) -> Option<BatchWork> {
    let mut scan = FileScan::new("multipart/form-data; boundary=b").unwrap();
    body.chunks(step).for_each(|chunk| scan.feed(chunk));
    scan.finish()
}

#[test]
fn the_requests_of_a_batch_file_are_summed_while_it_passes() {
    let body = form("batch", BATCH_LINES);
    for step in [1, 7, 64, body.len()] {
        let work = scanned(&body, step).unwrap();
        assert_eq!(work.problem, None);
        assert_eq!(work.objects, ["resp_1"]);
        assert_eq!(work.requests(), 3);
        let [gpt, e] = work.models.as_slice() else {
            panic!("{work:?}")
        };
        assert_eq!((gpt.model.as_str(), e.model.as_str()), ("gpt-5.2", "e"));
        assert_eq!((gpt.requests, gpt.capped_output, gpt.uncapped), (2, 200, 1));
        assert_eq!((gpt.unseen, gpt.cache_write()), (1, CacheWrite::No));
        assert_eq!(gpt.text_bytes, 7 + 5 + 2, "content, hello, hi");
        assert_eq!(gpt.longest, 12);
        assert_eq!((e.requests, e.capped_output, e.uncapped), (1, 0, 0));
    }
}

#[test]
fn a_file_that_is_no_batch_is_not_summed_and_one_that_cannot_be_says_why() {
    assert_eq!(scanned(&form("fine-tune", "{}"), 64), None);
    let problem = |file: &str| scanned(&form("batch", file), 64).unwrap().problem.unwrap();
    assert_eq!(problem(""), "the file holds no request");
    assert!(problem("{}").starts_with("line 1 of the file: is not a batch request"));
    let image = r#"{"url":"/v1/images/generations","body":{"model":"m","prompt":"x"}}"#;
    assert!(problem(image).contains("asks for `/v1/images/generations`"));
    let second = format!(
        "{}\n{{\"url\":\"/v1/embeddings\",\"body\":{{}}}}",
        BATCH_LINES.lines().next().unwrap()
    );
    assert!(problem(&second).starts_with("line 2 of the file"));
    let mut cut = form("batch", BATCH_LINES);
    cut.truncate(cut.len() - 8);
    assert_eq!(
        scanned(&cut, 64).unwrap().problem.as_deref(),
        Some("the file did not come to its end")
    );
}

#[test]
fn a_batch_of_messages_is_summed_from_its_body() {
    let body = json!({"requests": [
        {"custom_id": "a", "params": {"model": "claude-x", "max_tokens": 10,
            "messages": [{"role": "user", "content": "hi"}]}},
        {"custom_id": "b", "params": {"model": "claude-y", "max_tokens": 5, "messages": [
            {"content": [{"type": "document", "source": {"type": "file", "file_id": "file_1"}}]}]}},
    ]});
    let create = endpoint("POST", "/v1/messages/batches");
    let facts = crate::facts::read(&create, None, body.to_string().as_bytes()).unwrap();
    assert!(facts.deferred);
    assert_eq!(facts.objects, ["file_1"]);
    let work = facts.batch.unwrap();
    let outputs: Vec<_> = work
        .models
        .iter()
        .map(|m| (&*m.model, m.capped_output))
        .collect();
    assert_eq!(outputs, [("claude-x", 10), ("claude-y", 5)]);
    for bad in [
        r#"{"requests":[]}"#,
        r#"{"requests":[{"params":{"max_tokens":1}}]}"#,
        "{}",
    ] {
        let refused = crate::facts::read(&create, None, bad.as_bytes());
        assert!(refused.is_err(), "{bad}");
    }
}

#[test]
fn requests_about_objects_name_them_and_need_no_model() {
    let read = |method: &str, path: &str, body: &str| {
        crate::facts::read(&endpoint(method, path), None, body.as_bytes()).unwrap()
    };
    assert_eq!(
        read("GET", "/v1/files/file-1/content", "").objects,
        ["file-1"]
    );
    assert_eq!(
        read("DELETE", "/v1/responses/resp_1", "").objects,
        ["resp_1"]
    );
    assert!(read("GET", "/v1/responses/resp_1?stream=true", "").stream);
    let page = read("GET", "/v1/files?after=file-1&limit=3", "");
    assert_eq!(page.objects, ["file-1"]);
    let batch = read(
        "POST",
        "/v1/batches",
        r#"{"input_file_id":"file-1","endpoint":"x"}"#,
    );
    assert!(batch.deferred && batch.batch.is_none());
    assert_eq!(batch.objects, ["file-1"]);
}

#[test]
fn an_answer_tells_where_deferred_work_stands() {
    let (responses, batches) = (Format::OpenAiResponses, Format::OpenAiBatches);
    let fixture = |name: &str| {
        let path = format!("{}/fixtures/openai/{name}", env!("CARGO_MANIFEST_DIR"));
        std::fs::read(path).unwrap()
    };
    let queued = fixture("responses_background_queued.json");
    assert_eq!(outcome(responses, &queued), Outcome::Running);
    let done = fixture("responses_background_retrieved.json");
    let Outcome::Ended(Bill::Report(report)) = outcome(responses, &done) else {
        panic!("the usage is there")
    };
    assert_eq!(report.usage.unwrap().get(Unit::OutputTokens), 900);
    let table = [
        (
            responses,
            r#"{"status":"cancelled","usage":null}"#,
            Bill::Unknown,
        ),
        (
            responses,
            r#"{"status":"failed","usage":null}"#,
            Bill::Nothing,
        ),
        (batches, r#"{"status":"failed"}"#, Bill::Nothing),
        (
            batches,
            r#"{"status":"expired","request_counts":{"completed":0}}"#,
            Bill::Nothing,
        ),
        (
            batches,
            r#"{"status":"completed","output_file_id":"file-o","request_counts":{"completed":2}}"#,
            Bill::Results(Some("file-o".to_owned())),
        ),
        (
            Format::AnthropicBatches,
            r#"{"processing_status":"ended","request_counts":{"succeeded":1}}"#,
            Bill::Results(None),
        ),
        (
            Format::AnthropicBatches,
            r#"{"processing_status":"ended","request_counts":{"succeeded":0,"errored":3}}"#,
            Bill::Nothing,
        ),
    ];
    for (format, body, bill) in table {
        assert_eq!(
            outcome(format, body.as_bytes()),
            Outcome::Ended(bill),
            "{body}"
        );
    }
    for (format, body) in [
        (batches, r#"{"status":"finalizing"}"#),
        (
            Format::AnthropicBatches,
            r#"{"processing_status":"canceling"}"#,
        ),
        (batches, "nonsense"),
    ] {
        assert_eq!(outcome(format, body.as_bytes()), Outcome::Running, "{body}");
    }
    let counted = r#"{"status":"completed","model":"gpt-5.2","usage":{"input_tokens":10,
        "output_tokens":4,"input_tokens_details":{"cached_tokens":3}}}"#;
    let Outcome::Ended(Bill::Report(report)) = outcome(batches, counted.as_bytes()) else {
        panic!("the usage is there")
    };
    assert_eq!(report.context, [("processing", "batch".to_owned())]);
    assert_eq!(report.usage.unwrap().get(Unit::CacheReadTokens), 3);
}

#[test]
fn every_cursor_of_a_list_is_named() {
    let query = "after=a&limit=3&after=b&%61fter=c&before_id=d&after=&after=%zz";
    let endpoint = Endpoint::of(&Method::GET, "/v1/files", Some(query), &HeaderMap::new());
    let named = facts(&endpoint.unwrap(), b"").unwrap().objects;
    assert_eq!(named, ["a", "b", "c", "%zz", "d"]);
}
