//! Text completions.

use super::*;

fn completions(body: &str) -> RequestFacts {
    completions_facts(body.as_bytes()).expect(body)
}

#[test]
fn a_completion_request_is_read() {
    let facts =
        completions(r#"{"model":"davinci-002","prompt":"héllo","max_tokens":7,"suffix":"x"}"#);
    assert_eq!(facts.model, "davinci-002");
    assert_eq!(facts.model_span, Some(9..22));
    assert_eq!(facts.output_cap, Some(7));
    assert_eq!(facts.text_bytes, 6 + 1);
    assert!(!facts.stream && facts.ask_for_usage.is_none());
}

#[test]
fn every_prompt_is_answered_as_often_as_the_larger_of_n_and_best_of_says() {
    for (members, choices) in [
        (r#""prompt":"a""#, 1),
        (r#""prompt":["a","b","c"]"#, 3),
        (r#""prompt":["a","b"],"n":2,"best_of":5"#, 10),
        (r#""prompt":["a","b"],"best_of":2,"n":3"#, 6),
        (r#""prompt":[1,2,3],"n":null"#, 1),
        (r#""prompt":[ [1,2],[3] ]"#, 2),
        (r#""prompt":[]"#, 1),
        (r#""n":0"#, 1),
    ] {
        let facts = completions(&format!(r#"{{"model":"m",{members}}}"#));
        assert_eq!(facts.choices, choices, "{members}");
    }
}

#[test]
fn a_prompt_of_token_numbers_counts_at_least_its_tokens() {
    assert_eq!(
        completions(r#"{"model":"m","prompt":[1,22,333]}"#).text_bytes,
        6
    );
    assert_eq!(
        completions(r#"{"model":"m","prompt":[[0],[50256]]}"#).text_bytes,
        6
    );
}

#[test]
fn a_bound_that_is_not_stated_is_none_for_not_every_server_stops_at_16() {
    assert_eq!(
        completions(r#"{"model":"m","prompt":"a"}"#).output_cap,
        None
    );
}

#[test]
fn a_stream_of_completions_is_made_to_report_its_usage() {
    let body = r#"{"model":"m","prompt":"a","stream":true}"#;
    let edits = completions(body).ask_for_usage.into_iter().collect();
    let sent = edit::apply(&Bytes::from_static(body.as_bytes()), edits).concat();
    let asked =
        r#"{"stream_options":{"include_usage":true},"model":"m","prompt":"a","stream":true}"#;
    assert_eq!(sent, asked.as_bytes());
    let error = completions_facts(br#"{"model":"m","stream_options":1}"#).unwrap_err();
    assert_eq!(error.kind(), Kind::BadRequest);
}
