use super::*;

const CONVERSE: (Format, Framing) = (Format::BedrockConverse, Framing::EventStream);
const COST: StreamEdits = StreamEdits {
    withhold_usage: false,
    insert_cost: true,
};

fn stream(stop: &str) -> [Bytes; 3] {
    [
        event_stream::event("contentBlockDelta", br#"{"delta":{"text":"Hi"}}"#),
        event_stream::event("messageStop", stop.as_bytes()),
        event_stream::event(
            "metadata",
            br#"{"usage":{"inputTokens":5,"outputTokens":7}}"#,
        ),
    ]
}

#[test]
fn the_cost_stands_in_the_stop_event_and_is_the_only_change() {
    let table = [
        (
            r#"{"stopReason":"end_turn","p":"ab"}"#,
            concat!(
                r#"{"additionalModelResponseFields":{"logfire_ai_gateway":{"cost":"0.0123"}},"#,
                r#""stopReason":"end_turn","p":"ab"}"#,
            ),
        ),
        (
            r#"{"additionalModelResponseFields":{"a":1}}"#,
            r#"{"additionalModelResponseFields":{"logfire_ai_gateway":{"cost":"0.0123"},"a":1}}"#,
        ),
        (
            r#"{"additionalModelResponseFields":null}"#,
            r#"{"additionalModelResponseFields":null}"#,
        ),
    ];
    for (stop, expected) in table {
        let original = stream(stop).concat();
        let expected = stream(expected).concat();
        for size in [1, 30, original.len()] {
            let passed = pass(CONVERSE, COST, &original, size);
            assert_eq!(passed.bytes, expected, "{stop}");
            assert!(passed.report.complete && passed.between_events);
        }
    }
}

#[test]
fn a_stop_event_without_usage_behind_it_passes_as_it_came() {
    let [delta, stop, metadata] = stream(r#"{"stopReason":"end_turn"}"#);
    let exception = event_stream::exception("throttlingException", b"{}");
    let cut = metadata.slice(..metadata.len() - 1);
    let mut damaged = metadata.to_vec();
    damaged[20] ^= 1;
    for last in [Bytes::new(), exception, delta.clone(), cut, damaged.into()] {
        let original = [&delta[..], &stop, &last].concat();
        for size in [1, 30, original.len()] {
            assert_eq!(pass(CONVERSE, COST, &original, size).bytes, original);
        }
    }
}

#[test]
fn what_is_held_back_is_not_with_the_client() {
    let [delta, stop, _] = stream("{}");
    let part = [&delta[..], &stop[..9]].concat();
    assert!(pass(CONVERSE, COST, &part, part.len()).between_events);
    assert!(!pass(CONVERSE, StreamEdits::default(), &part, part.len()).between_events);
}
