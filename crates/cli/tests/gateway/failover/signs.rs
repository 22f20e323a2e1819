//! What counts against a target and what does not: an error that is the client's own, a time that
//! is ours or the client's, and whatever comes after the end of an answer never take it out.

use super::{
    faults,
    group::{Dialect, pair, served_by, settings, stage},
};
use crate::{
    priced::PRICES,
    support::{KEY, Stage, assert_refused, provider, read, request_id, start},
};
use serde_json::json;
use std::time::Duration;
use tokio::time::sleep;
use tollgate_testkit::{
    Answer, End, Length, Upstream, client::Answered, gateway::Launch, provider::Provider,
};

/// One failure, or one answer that breaks off, takes a target out.
const AT_ONCE: &str = "[upstream]\nunhealthy_after = 1";

const END: &str = "data: [DONE]\n\n";

/// Two targets of the group `group`; `lines` are further lines of the group.
async fn two(tables: &str, lines: &str) -> (Upstream, Upstream, Stage) {
    let (first, second) = (Upstream::provider().await, Upstream::provider().await);
    let targets = pair(first.url(), second.url());
    let group = Dialect::Chat.group("group", &targets, lines);
    let stage = stage(&settings(tables, "", &group)).await;
    (first, second, stage)
}

async fn post(stage: &Stage, stream: bool) -> Answered {
    let path = Dialect::Chat.path("group");
    stage.client.post(&path, &Dialect::Chat.body(stream)).await
}

/// The next request goes to the first target, for it is in.
async fn assert_first_is_in(stage: &Stage) {
    let answered = post(stage, false).await;
    assert_eq!(answered.status, 200, "{answered:?}");
    assert_eq!(served_by(&answered), "first");
}

#[tokio::test]
async fn an_error_event_about_the_request_is_the_clients_and_says_nothing_of_the_target() {
    let error = "data: {\"error\":{\"type\":\"invalid_request_error\",\"code\":\"too_long\"}}\n\n";
    let content = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]}\n\n";
    for (events, then) in [
        (vec![error], End::Clean),
        (vec![content, error], End::Clean),
        (vec![content, error], End::Reset),
    ] {
        let (first, second, stage) = two(AT_ONCE, "").await;
        first.answer(Answer::sse(events).then(then));
        let answered = post(&stage, true).await;
        assert_eq!(served_by(&answered), "first");
        let (text, _) = read(answered).await;
        assert!(text.contains("too_long"), "{text}");
        assert_first_is_in(&stage).await;
        assert_eq!(second.requests().len(), 0);
    }
}

#[tokio::test]
async fn a_bad_request_whose_body_breaks_off_or_stalls_is_the_clients_all_the_same() {
    for then in [End::Reset, End::Stall] {
        let idle = "[upstream]\nunhealthy_after = 1\nidle_timeout = \"300ms\"";
        let (first, second, stage) = two(idle, "").await;
        let cut = faults::status(Dialect::Chat, 400).length(Length::Wrong(1_000));
        first.answer(cut.clone().then(then));
        let answered = post(&stage, false).await;
        assert_eq!(
            (answered.status, served_by(&answered)),
            (400.try_into().unwrap(), "first")
        );
        assert_eq!(
            answered.bytes().await,
            cut.chunks[0].bytes,
            "what came of it"
        );
        assert_first_is_in(&stage).await;
        assert_eq!(second.requests().len(), 0);
    }
}

#[tokio::test]
async fn a_target_that_names_a_time_is_left_alone_although_the_body_breaks_off() {
    let (first, _second, stage) = two("[upstream]\nunhealthy_after = 100", "").await;
    let busy = faults::status_until(Dialect::Chat, 429, "60").length(Length::Wrong(1_000));
    first.answer(busy.then(End::Reset));
    for _ in 0..2 {
        assert_eq!(served_by(&post(&stage, false).await), "second");
    }
    assert_eq!(first.requests().len(), 1, "it is left alone");
}

#[tokio::test]
async fn a_stream_is_whole_although_its_connection_is_reset_after_the_end_marker() {
    let (first, _second, stage) = two(AT_ONCE, "").await;
    let provider = Provider::default();
    first.answer_with(move |request| provider.answer(request).then(End::Reset));
    let answered = post(&stage, true).await;
    let id = request_id(&answered);
    let (text, clean) = read(answered).await;
    assert!(clean && text.ends_with(END), "{text}");
    let row = stage.row(id).await;
    assert_eq!((row.error, row.attempts), (None, 1));
    assert_eq!(served_by(&post(&stage, true).await), "first");
}

#[tokio::test]
async fn a_client_that_leaves_after_the_end_marker_has_seen_a_whole_stream() {
    let (first, _second, stage) = two("[upstream]\nunhealthy_after = 2", "").await;
    let provider = Provider::default();
    let healthy = move |request: &_| provider.answer(request);
    for round in 0..3 {
        let healthy = healthy.clone();
        first.answer_with(move |request| faults::reset(Dialect::Chat, healthy(request)));
        let answered = post(&stage, true).await;
        assert_eq!(served_by(&answered), "first", "in round {round}");
        assert!(read(answered).await.0.contains("broke off"));

        let healthy = Provider::default();
        first.answer_with(move |request| healthy.answer(request).then(End::Stall));
        let mut answered = post(&stage, true).await;
        let (id, mut text) = (request_id(&answered), Vec::new());
        while !text.ends_with(END.as_bytes()) {
            text.extend_from_slice(&answered.chunk().await.unwrap().unwrap());
        }
        drop(answered);
        stage.row(id).await;
    }
}

#[tokio::test]
async fn a_target_that_takes_all_of_the_time_budget_is_passed_over_by_the_next_request() {
    for spoilt in [
        Answer::silence(),
        Answer::sse([": wait\n\n"]).then(End::Stall),
        Answer::json(200, &json!({}))
            .length(Length::Wrong(1_000))
            .then(End::Stall),
    ] {
        let (first, _second, stage) = two(AT_ONCE, "time_budget = \"300ms\"").await;
        let stream = spoilt.length == Length::Chunked;
        first.answer(spoilt);
        assert_refused(post(&stage, stream).await, 504, "upstream_timeout").await;
        assert_eq!(served_by(&post(&stage, stream).await), "second");
    }
}

#[tokio::test]
async fn the_deadline_of_a_request_is_no_failure_of_the_target() {
    let deadline = format!("[server]\nrequest_deadline = \"500ms\"\n{AT_ONCE}");
    let (_first, _second, stage) = two(&deadline, "").await;
    let slow = Dialect::Chat.prompt("[words=50] [pace=40]", true);
    let answered = stage.client.post(&Dialect::Chat.path("group"), &slow).await;
    assert_eq!(served_by(&answered), "first");
    let id = request_id(&answered);
    let (text, _) = read(answered).await;
    assert!(text.contains("word5") && !text.contains("word50"), "{text}");
    assert_eq!(
        stage.row(id).await.error.as_deref(),
        Some("upstream_timeout")
    );
    assert_first_is_in(&stage).await;
}

#[tokio::test]
async fn a_slow_upload_is_given_its_time_and_the_target_too() {
    let (first, second) = (Upstream::provider().await, Upstream::provider().await);
    let targets = pair(first.url(), second.url());
    let targets = targets.map(|target| target.lines("head_timeout = \"400ms\""));
    let group = Dialect::Chat.group("group", &targets, "");
    let stage = stage(&settings(AT_ONCE, "", &group)).await;
    first.answer(Answer::json(
        200,
        &json!({ "id": "file-1", "object": "file" }),
    ));

    let part = |named: &str, said: &str| {
        format!("--edge\r\nContent-Disposition: form-data; {named}\r\n\r\n{said}\r\n")
    };
    let purpose = part("name=\"purpose\"", "user_data");
    let file = part("name=\"file\"; filename=\"a.txt\"", &"x".repeat(3 << 20));
    let body = format!("{purpose}{file}--edge--\r\n");
    let mut client = stage.raw().await;
    let head = format!(
        "POST /proxy/group/v1/files HTTP/1.1\r\nhost: gw\r\nauthorization: Bearer {KEY}\r\n\
         content-type: multipart/form-data; boundary=edge\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    assert!(client.write(head).await);
    for piece in body.as_bytes().chunks(body.len().div_ceil(6)) {
        assert!(client.write(piece).await);
        sleep(Duration::from_millis(200)).await;
    }
    let answer = client.read_until("file-1").await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(
        first.requests()[0].body == body.as_bytes(),
        "every byte arrives"
    );
    assert_first_is_in(&stage).await;
}

#[tokio::test]
async fn a_last_line_needs_no_line_end() {
    let upstream = Upstream::start().await;
    let line = |content: &str, rest: &str| {
        let message = format!("\"message\":{{\"role\":\"assistant\",\"content\":\"{content}\"}}");
        format!("{{\"model\":\"m\",{message},{rest}}}")
    };
    let lines = [
        line("hi", "\"done\":false") + "\n",
        line(
            "",
            "\"done\":true,\"prompt_eval_count\":11,\"eval_count\":3",
        ),
    ];
    let whole = lines.concat();
    let mut answer = Answer::sse(lines);
    if let Some(head) = &mut answer.head {
        head.headers = vec![("content-type".to_owned(), "application/x-ndjson".to_owned())];
    }
    upstream.answer(answer);
    let local = provider("local", "ollama", &upstream.url(), PRICES);
    let settings = settings("", "", &local);
    let stage = start(Launch::new(env!("CARGO_BIN_EXE_tollgate"), &settings)).await;
    let turn = json!([{ "role": "user", "content": "hi" }]);
    let asked = json!({ "model": "m", "messages": turn, "stream": true });
    let answered = stage.client.post("/proxy/local/api/chat", &asked).await;
    let id = request_id(&answered);
    assert_eq!(read(answered).await, (whole, true));
    let row = stage.row(id).await;
    assert_eq!((row.error.as_deref(), row.usage.total_tokens()), (None, 14));
}
