use super::*;

mod openai;
mod others;

/// The endpoint of a request without headers that matter.
fn of(method: &Method, path: &str, query: Option<&str>) -> Option<Endpoint> {
    Endpoint::of(method, path, query, &HeaderMap::new())
}

fn post(path: &str) -> Option<Endpoint> {
    of(&Method::POST, path, None)
}

/// One with this header.
fn with(method: &Method, target: &str, header: (&'static str, &'static str)) -> Option<Endpoint> {
    let (path, query) = target
        .split_once('?')
        .map_or((target, None), |(p, q)| (p, Some(q)));
    let value = HeaderValue::from_static(header.1);
    let headers = HeaderMap::from_iter([(header::HeaderName::from_static(header.0), value)]);
    Endpoint::of(method, path, query, &headers)
}

/// What a path about stored objects, or one that names a model, is read as.
type Row = (
    Method,
    &'static str,
    Format,
    Operation,
    Option<&'static str>,
    &'static str,
);

/// Each row's name is that of the object, or of the model.
fn assert_table(table: &[Row]) {
    for (method, path, format, operation, name, tail) in table {
        let found = of(method, path, None).unwrap_or_else(|| panic!("{method} {path}"));
        let read = (found.format, found.operation, found.tail.as_str());
        assert_eq!(read, (*format, *operation, *tail), "{method} {path}");
        let named = found.object.or(found.model);
        assert_eq!(named.as_deref(), *name, "{method} {path}");
    }
}

#[test]
fn what_is_not_in_the_table_does_not_exist() {
    for path in [
        "",
        "/",
        "chat/completions",
        "/chat/completions/",
        "/chat//completions",
        "/v1/v1/chat/completions",
        "/openai/openai/chat/completions",
        "/v2/chat/completions",
        "/chat/completions/../files",
        "/v1/nothing",
        "/models",
    ] {
        assert_eq!(post(path), None, "{path}");
    }
    for method in [Method::GET, Method::PUT, Method::DELETE, Method::OPTIONS] {
        assert_eq!(of(&method, "/chat/completions", None), None);
    }
    let long = "m".repeat(MODEL_BYTES_MAX + 1);
    for path in [
        format!("/v1/models/{long}:generateContent"),
        format!("/model/{long}/invoke"),
    ] {
        assert_eq!(post(&path), None);
    }
    assert_eq!(of(&Method::GET, &format!("/v1/files/{long}"), None), None);
}

/// They would hand out credentials, or lead past the gateway.
#[test]
fn what_mints_credentials_or_opens_other_ways_does_not_exist() {
    for path in [
        "/v1/realtime/client_secrets",
        "/v1/realtime/sessions",
        "/v1/realtime/transcription_sessions",
        "/v1/realtime/calls",
        "/v1/realtime/calls/rtc_1/accept",
        "/v1/live/sessions",
        "/v1/chatkit/sessions",
        "/v1/uploads",
        "/v1/uploads/upload_1/parts",
        "/v1/containers",
        "/v1/vector_stores",
        "/v1alpha/auth_tokens",
        "/v1alpha/authTokens",
        "/upload/v1beta/files",
        "/v1beta/cachedContents",
        "/v1beta/models/imagen-4:predict",
        "/v1beta/models/veo-3:predictLongRunning",
        "/v1/messages/batches/msgbatch_1/results",
        "/model/m/async-invoke",
        "/model/m/invoke-with-bidirectional-stream",
        "/api/pull",
        "/api/push",
        "/api/create",
        "/api/copy",
    ] {
        assert_eq!(post(path), None, "{path}");
    }
    for target in [
        "/v1/files/file-1/url",
        "/v1/live/sessions",
        "/v1/realtime?call_id=rtc_1",
        "/v1/realtime?model=m&call%5Fid=rtc_1",
        "/ws/google.ai.generativelanguage.v1alpha.GenerativeService.BidiGenerateContentConstrained",
    ] {
        let upgrade = ("upgrade", "websocket");
        assert_eq!(with(&Method::GET, target, upgrade), None, "{target}");
        assert_eq!(
            with(&Method::GET, target, ("x-none", "1")),
            None,
            "{target}"
        );
    }
    assert_eq!(of(&Method::DELETE, "/api/delete", None), None);
}

#[test]
fn sockets_are_for_who_asks_for_one() {
    let upgrade = ("upgrade", "WebSocket");
    let table = [
        (
            "/v1/realtime?model=gpt-realtime&api-version=1&x=2",
            Some("gpt-realtime"),
            "x=2",
        ),
        (
            "/openai/realtime?api-version=1&deployment=my%2Done",
            Some("my-one"),
            "",
        ),
        (
            "/realtime?intent=transcription",
            None,
            "intent=transcription",
        ),
        ("/v1/responses", None, ""),
        (
            "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent?key=k",
            None,
            "",
        ),
        (
            "/ws/google.cloud.aiplatform.v1beta1.LlmBidiService/BidiGenerateContent",
            None,
            "",
        ),
    ];
    for (target, model, query) in table {
        let found = with(&Method::GET, target, upgrade).unwrap_or_else(|| panic!("{target}"));
        assert!(found.format.is_socket(), "{target}");
        assert_eq!(found.operation, Operation::Converse, "{target}");
        assert_eq!(
            (found.model.as_deref(), found.query.as_str()),
            (model, query),
            "{target}"
        );
        assert_eq!(
            with(&Method::GET, target, ("x-none", "1")),
            None,
            "{target}"
        );
        assert_eq!(
            with(&Method::POST, target, upgrade).filter(|e| e.format.is_socket()),
            None
        );
    }
    assert_eq!(with(&Method::GET, "/v1/files", upgrade), None);
    assert_eq!(with(&Method::GET, "/v1/responses/resp_1", upgrade), None);
}

#[test]
fn credentials_in_the_query_stop_here_and_the_rest_keeps_its_bytes() {
    let kept = |query| {
        of(
            &Method::POST,
            "/v1beta/models/m:generateContent",
            Some(query),
        )
        .unwrap()
        .query
    };
    assert_eq!(kept("alt=sse&key=secret&x=%2F+1"), "alt=sse&x=%2F+1");
    assert_eq!(kept("KEY=secret&k%65y=secret&%6bey=secret"), "");
    assert_eq!(
        kept("access_token=a&api_key=b&api-key=c&x-goog-api-key=d&beta=true"),
        "beta=true"
    );
    assert_eq!(kept("key"), "");
    assert_eq!(kept("+key=secret&%20key=secret&%zz=1"), "");
    assert_eq!(kept("&&a=1&#b=2&c d=3"), "a=1");
    assert_eq!(
        kept("X-Amz-Signature=a&x-amz-security-token=b&%58-Amz-Date=c&x-amz=1"),
        "x-amz=1"
    );
}

#[test]
fn what_would_reshape_the_answer_stays_out_of_the_query() {
    let kept = |query: &str| {
        of(&Method::POST, "/v1/models/m:generateContent", Some(query))
            .unwrap()
            .query
    };
    let hidden = [
        "fields=candidates",
        "%66ields=candidates",
        "FIELDS=candidates",
        "$fields=candidates",
        "%24fields=candidates",
        "callback=f",
        "alt=proto",
        "alt=%70roto",
        "$alt=json;enum-encoding=int",
        "ALT=proto",
        "%20alt=proto",
        "alt",
        "$httpHeaders=x-goog-fieldmask:candidates",
        "$req={}",
        "$key=secret",
        "$access_token=secret",
    ];
    for pair in hidden {
        assert_eq!(kept(&format!("{pair}&a=1")), "a=1", "{pair}");
    }
    for pair in [
        "alt=sse",
        "alt=json",
        "$alt=sse",
        "%24alt=json",
        "alt=%73se",
        "prettyPrint=0",
    ] {
        assert_eq!(kept(pair), pair);
    }
    // Two forms could be read as one by us and as the other by the upstream.
    assert_eq!(kept("alt=proto&alt=json&x=1&$alt=sse"), "alt=json&x=1");
}

#[test]
fn a_gemini_stream_is_an_array_unless_sse_was_asked_for() {
    let framing = |query| {
        of(&Method::POST, "/v1/models/m:streamGenerateContent", query)
            .unwrap()
            .framing()
    };
    assert_eq!(framing(Some("alt=sse")), Framing::Sse);
    assert_eq!(framing(Some("%24alt=sse")), Framing::Sse);
    assert_eq!(framing(Some("alt=json")), Framing::JsonArray);
    assert_eq!(framing(Some("alt=json&alt=sse")), Framing::JsonArray);
    assert_eq!(framing(None), Framing::JsonArray);
    assert_eq!(post("/v1/messages").unwrap().framing(), Framing::Sse);
    assert_eq!(post("/api/chat").unwrap().framing(), Framing::Lines);
    assert_eq!(
        post("/model/m/converse-stream").unwrap().framing(),
        Framing::EventStream
    );
}

#[test]
fn a_query_value_can_end_neither_itself_nor_the_query() {
    assert_eq!(
        encode_query_value("a&b=c#d +%\u{e4}"),
        "a%26b%3Dc%23d%20%2B%25%C3%A4"
    );
}
