//! Whose an object is, and where requests that name it go.

use super::{FILES, delete, document, file, form, response, stage_of_two, stranger, upload};
use crate::support::{KEY, RESPONSES, assert_refused, provider};
use serde_json::{Value, json};
use tollgate_testkit::{Answer, Client, Upstream};

#[tokio::test]
async fn an_object_does_not_exist_for_strangers_and_is_its_makers_until_it_is_deleted() {
    let upstream = Upstream::start().await;
    let stage = stage_of_two(&upstream.url(), "").await;
    upstream.answer(file("file-1"));
    let made = upload(&stage, FILES, form("user_data", "hello")).await;
    assert_eq!(made.status, 200);
    let sent = upstream.only_request();
    assert_eq!((sent.method.as_str(), sent.path()), ("POST", "/v1/files"));
    assert_eq!(sent.body, form("user_data", "hello"));

    upstream.answer_at(
        "/v1/files/file-1/content",
        Answer::new(200, "text/plain", "hello"),
    );
    let content = format!("{FILES}/file-1/content");
    assert_eq!(stage.client.get(&content).await.text().await, "hello");

    let foreign = stranger(&stage).get(&content).await;
    let foreign = assert_refused(foreign, 404, "not_found").await;
    let unknown = stage.client.get(&format!("{FILES}/file-2/content")).await;
    let unknown = assert_refused(unknown, 404, "not_found").await;
    assert_eq!(
        foreign.replace("file-1", "file-2"),
        unknown,
        "nobody learns what there is"
    );

    let named = json!({ "model": "gpt-5.2", "input": [{ "role": "user",
        "content": [{ "type": "input_file", "file_id": "file-1" }] }] });
    let foreign = stranger(&stage).post(RESPONSES, &named).await;
    assert_refused(foreign, 404, "not_found").await;
    upstream.answer(document(&response("resp_1")));
    assert_eq!(stage.client.post(RESPONSES, &named).await.status, 200);

    let path = format!("{FILES}/file-1");
    assert_refused(delete(&stranger(&stage), &path).await, 404, "not_found").await;
    upstream.answer(document(&json!({ "id": "file-1", "deleted": true })));
    assert_eq!(delete(&stage.client, &path).await.status, 200);
    assert_refused(stage.client.get(&content).await, 404, "not_found").await;
    assert_eq!(
        upstream.requests().len(),
        4,
        "no refused request went upstream"
    );
}

#[tokio::test]
async fn items_of_a_stored_response_can_be_referred_to_by_their_maker_alone() {
    let upstream = Upstream::start().await;
    let stage = stage_of_two(&upstream.url(), "").await;
    let mut made = response("resp_1");
    made["output"] = json!([{ "type": "message", "id": "msg_1", "role": "assistant",
        "content": [{ "type": "output_text", "text": "hi", "annotations": [] }] }]);
    upstream.answer(document(&made));
    let asked = json!({ "model": "gpt-5.2", "input": "hi" });
    assert_eq!(stage.client.post(RESPONSES, &asked).await.status, 200);
    let reference = |id: &str| {
        let input = json!([{ "type": "item_reference", "id": id }, { "role": "user",
            "content": "and now?" }]);
        json!({ "model": "gpt-5.2", "input": input })
    };
    upstream.answer(document(&response("resp_2")));
    let own = stage.client.post(RESPONSES, &reference("msg_1")).await;
    assert_eq!(own.status, 200);
    let foreign = stranger(&stage).post(RESPONSES, &reference("msg_1")).await;
    let foreign = assert_refused(foreign, 404, "not_found").await;
    let unknown = stage.client.post(RESPONSES, &reference("msg_2")).await;
    let unknown = assert_refused(unknown, 404, "not_found").await;
    assert_eq!(foreign.replace("msg_1", "msg_2"), unknown);
    assert_eq!(
        upstream.requests().len(),
        2,
        "no refused request went upstream"
    );
}

#[tokio::test]
async fn an_interaction_is_continued_by_its_maker_alone() {
    let upstream = Upstream::start().await;
    let stage = stage_of_two(&upstream.url(), "").await;
    let path = "/proxy/google/v1beta/interactions";
    let answer = |id: &str| {
        document(
            &json!({ "id": id, "model": "gemini-2.5-flash", "status": "completed",
            "usage": { "total_input_tokens": 3, "total_output_tokens": 2 } }),
        )
    };
    let asked = json!({ "model": "gemini-2.5-flash", "input": "hi" });
    upstream.answer(answer("int_1"));
    assert_eq!(stage.client.post(path, &asked).await.status, 200);
    for name in ["previous_interaction_id", "previousInteractionId"] {
        let asked = json!({ "model": "gemini-2.5-flash", "input": "on", name: "int_1" });
        upstream.answer(answer("int_2"));
        assert_eq!(stage.client.post(path, &asked).await.status, 200, "{name}");
        let foreign = stranger(&stage).post(path, &asked).await;
        assert_refused(foreign, 404, "NOT_FOUND").await;
    }
}

#[tokio::test]
async fn what_was_made_before_a_restart_is_still_its_makers() {
    let upstream = Upstream::start().await;
    let stage = stage_of_two(&upstream.url(), "").await;
    upstream.answer(document(&response("resp_1")));
    let asked = json!({ "model": "gpt-5.2", "input": "hi" });
    assert_eq!(stage.client.post(RESPONSES, &asked).await.status, 200);
    upstream.answer(file("file-1"));
    assert_eq!(upload(&stage, FILES, form("x", "y")).await.status, 200);
    let crate::support::Stage {
        launch, gateway, ..
    } = stage;
    gateway.stop().await;

    let stage = crate::support::start(launch).await;
    for path in ["/v1/responses/resp_1", "/v1/files/file-1"] {
        let ours = format!("/proxy/openai{path}");
        assert_refused(stranger(&stage).get(&ours).await, 404, "not_found").await;
        upstream.answer_at(path, document(&json!({ "id": "x" })));
        assert_eq!(stage.client.get(&ours).await.status, 200);
    }
}

/// The pages of a provider, which knows one account.
fn pages() -> [Value; 3] {
    let page = |ids: &[&str], more: bool| {
        let data: Vec<Value> = ids.iter().map(|id| json!({ "id": id })).collect();
        json!({ "object": "list", "data": data, "first_id": ids.first(), "last_id": ids.last(),
            "has_more": more })
    };
    [
        page(&["file-x1", "file-x2"], true),
        page(&["file-x3", "file-own", "file-x4"], true),
        page(&["file-x5"], false),
    ]
}

#[tokio::test]
async fn a_list_shows_a_project_its_own_and_goes_on_where_all_is_others() {
    let upstream = Upstream::start().await;
    let stage = stage_of_two(&upstream.url(), "").await;
    upstream.answer(file("file-own"));
    upload(&stage, FILES, form("x", "y")).await;
    for page in pages() {
        upstream.answer(document(&page));
    }
    let first = stage
        .client
        .get(&format!("{FILES}?limit=3&purpose=x"))
        .await;
    let expected = json!({ "object": "list", "data": [{ "id": "file-own" }],
        "first_id": "file-own", "last_id": "file-own", "has_more": true });
    assert_eq!(first.json().await, expected);
    let next = stage
        .client
        .get(&format!("{FILES}?limit=3&after=file-own"))
        .await;
    let expected = json!({ "object": "list", "data": [], "first_id": null, "last_id": null,
        "has_more": false });
    assert_eq!(next.json().await, expected);
    let asked: Vec<String> = upstream
        .requests()
        .into_iter()
        .map(|sent| sent.target)
        .collect();
    assert_eq!(
        asked[1..],
        [
            "/v1/files?limit=3&purpose=x",
            "/v1/files?purpose=x&limit=100&after=file-x2",
            "/v1/files?limit=3&after=file-own",
        ]
    );
    let foreign = stage.client.get(&format!("{FILES}?after=file-x1")).await;
    assert_refused(foreign, 404, "not_found").await;
    let both = format!("{FILES}?after=file-own&after=file-x1");
    assert_refused(stage.client.get(&both).await, 404, "not_found").await;
    upstream.answer(Answer::new(200, "application/json", "not a list"));
    let unread = stage.client.get(FILES).await;
    assert_eq!(unread.status, 502, "what cannot be cut is not shown");
}

/// Two providers behind one route, and a route to the second alone.
async fn pool(first: &Upstream, second: &Upstream) -> crate::support::Stage {
    let one = provider("one", "openai", &format!("{}/v1", first.url()), "");
    let two = provider("two", "openai", &format!("{}/v1", second.url()), "");
    let group = "[[routing_group]]\nslug = \"pool\"\ntargets = [
        { provider = \"one\", priority = 0, weight = 1 },
        { provider = \"two\", priority = 0, weight = 1 },\n]\n";
    stage_of_two(&first.url(), &format!("{one}{two}{group}")).await
}

/// Says response after response, each with an id of its own, as a stream when asked to.
fn responds(upstream: &Upstream, name: &'static str) {
    let count = std::sync::atomic::AtomicU32::new(0);
    upstream.answer_with(move |request| {
        let number = count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let body = response(&format!("resp_{name}{number}"));
        if request.json()["stream"] != json!(true) {
            return document(&body);
        }
        let event = |kind: &str| {
            let data = json!({ "type": kind, "response": body });
            format!("event: {kind}\ndata: {data}\n\n")
        };
        Answer::sse([event("response.created"), event("response.completed")])
    });
}

#[tokio::test]
async fn a_response_is_continued_where_it_was_made() {
    let (first, second) = (Upstream::start().await, Upstream::start().await);
    responds(&first, "a");
    responds(&second, "b");
    let stage = pool(&first, &second).await;
    let path = "/proxy/pool/v1/responses";
    for round in 0..12 {
        // Other keys of affinity draw other targets.
        let affinity = format!("conversation-{round}");
        let stream = round % 2 == 1;
        let mut body = json!({ "model": "gpt-5.2", "input": "hi", "prompt_cache_key": affinity,
            "stream": stream });
        let answered = stage.client.post(path, &body).await;
        let home = answered.header("tollgate-provider").unwrap().to_owned();
        let text = answered.text().await;
        let id = text
            .split("\"id\":\"")
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap();
        body["previous_response_id"] = json!(id);
        for other in 0..4 {
            body["prompt_cache_key"] = json!(format!("other-{round}-{other}"));
            let continued = stage.client.post(path, &body).await;
            assert_eq!(continued.status, 200);
            assert_eq!(continued.header("tollgate-provider"), Some(home.as_str()));
            continued.text().await;
        }
        let stranger = stranger(&stage).post(path, &body).await;
        assert_refused(stranger, 404, "not_found").await;
    }
    assert!(
        first.requests().len() >= 5 && second.requests().len() >= 5,
        "both were drawn"
    );
}

#[tokio::test]
async fn objects_of_two_providers_and_of_another_route_are_refused_with_the_reason() {
    let (first, second) = (Upstream::start().await, Upstream::start().await);
    responds(&first, "a");
    responds(&second, "b");
    let stage = pool(&first, &second).await;
    let asked = json!({ "model": "gpt-5.2", "input": "hi" });
    for route in ["one", "two"] {
        let made = stage
            .client
            .post(&format!("/proxy/{route}/v1/responses"), &asked)
            .await;
        assert_eq!(made.status, 200);
    }
    let continued = json!({ "model": "gpt-5.2", "input": "hi", "previous_response_id": "resp_a0" });
    let astray = stage
        .client
        .post("/proxy/two/v1/responses", &continued)
        .await;
    let text = assert_refused(astray, 404, "unknown_route").await;
    assert!(text.contains("`two` does not lead to"), "{text}");
    second.answer(file("file-b"));
    let client = Client::new(stage.gateway.url())
        .bearer(KEY)
        .header("content-type", "multipart/form-data; boundary=edge");
    let sent = client
        .send(http::Method::POST, "/proxy/two/v1/files", form("x", "y"))
        .await;
    assert_eq!(sent.status, 200);
    let both = json!({ "model": "gpt-5.2", "previous_response_id": "resp_a0",
        "input": [{ "role": "user", "content": [{ "type": "input_file", "file_id": "file-b" }] }] });
    let apart = stage.client.post("/proxy/pool/v1/responses", &both).await;
    let text = assert_refused(apart, 400, "bad_request").await;
    assert!(text.contains("lives at another provider"), "{text}");
}

#[tokio::test]
async fn uploads_and_lists_of_a_group_meet_at_its_first_target() {
    let (first, second) = (Upstream::start().await, Upstream::start().await);
    let stage = pool(&first, &second).await;
    for number in 0..8 {
        first.answer(file(&format!("file-{number}")));
        let made = upload(&stage, "/proxy/pool/v1/files", form("x", "y")).await;
        assert_eq!(made.header("tollgate-provider"), Some("one"));
    }
    let page = json!({ "data": [{ "id": "file-7" }, { "id": "file-x" }], "has_more": false });
    first.answer(document(&page));
    let listed = stage.client.get("/proxy/pool/v1/files").await.json().await;
    assert_eq!(listed["data"], json!([{ "id": "file-7" }]));
}
