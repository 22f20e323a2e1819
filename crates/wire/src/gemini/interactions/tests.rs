use super::*;

#[test]
fn an_earlier_interaction_is_unseen_and_named() {
    let body = br#"{"model":"gemini-3-flash","input":"hello","previous_interaction_id":"int_1","generation_config":{"max_output_tokens":9},"stream":true}"#;
    let facts = facts(body).unwrap();
    assert!(facts.unseen_input && facts.stream && !facts.deferred);
    assert_eq!(facts.objects, ["int_1"]);
    assert_eq!((facts.output_cap, facts.text_bytes), (Some(9), 5));
}

#[test]
fn members_mean_the_same_in_camel_case_and_stand_there_once() {
    let body = br#"{"model":"m","previousInteractionId":"int_1","systemInstruction":"brief",
        "generationConfig":{"maxOutputTokens":9},"serviceTier":"flex"}"#;
    let found = facts(body).unwrap();
    assert_eq!(
        (found.objects, found.unseen_input),
        (vec!["int_1".to_owned()], true)
    );
    assert_eq!((found.output_cap, found.text_bytes), (Some(9), 5));
    assert_eq!(found.context, [("service_tier", "flex".to_owned())]);
    for (one, other) in [
        (r#""generation_config":{}"#, r#""generationConfig":{}"#),
        (
            r#""previousInteractionId":"a""#,
            r#""previous_interaction_id":"b""#,
        ),
        (r#""serviceTier":"flex""#, r#""service_tier":"standard""#),
    ] {
        let body = format!(r#"{{"model":"m",{one},{other}}}"#);
        let error = facts(body.as_bytes()).unwrap_err();
        assert!(error.message().contains("is named twice"), "{error:?}");
    }
    let twice = br#"{"model":"m","generation_config":{"max_output_tokens":1,
        "maxOutputTokens":9}}"#;
    assert!(facts(twice).is_err());
}

#[test]
fn an_agent_has_no_price_whether_or_not_a_model_is_named() {
    for rest in [r#""input":"x""#, r#""model":"gemini-3-flash""#] {
        let body = format!(r#"{{"agent":"deep-research",{rest}}}"#);
        let error = facts(body.as_bytes()).unwrap_err();
        assert!(error.message().contains("`agent` leaves"), "{error:?}");
    }
    assert!(facts(br#"{"agent":null,"model":"m"}"#).is_ok());
}

#[test]
fn a_stream_is_whole_when_the_interaction_has_completed() {
    let mut reader = reader();
    reader.event(
        b"",
        br#"{"event_type":"interaction.created","interaction":{"id":"int_1","status":"in_progress"}}"#,
    );
    assert_eq!(reader.made().len(), 1);
    assert!(!reader.progress().started && !reader.report().complete);
    reader.event(
        b"",
        br#"{"event_type":"content.delta","delta":{"type":"text","text":"Hi"}}"#,
    );
    assert!(reader.progress().started && reader.progress().content_bytes > 2);
    let last = br#"{"event_type":"interaction.completed","interaction":{"id":"int_1","model":"m","status":"completed","usage":{"total_input_tokens":3,"total_output_tokens":2}}}"#;
    assert_eq!(reader.event(b"", last), Carries::Usage);
    assert_eq!(reader.made().len(), 1, "it is made once");
    let report = reader.report();
    assert!(report.complete && reader.progress().terminal);
    assert_eq!(report.usage.unwrap().total_tokens(), 5);
}
