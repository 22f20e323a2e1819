//! Bedrock names its errors in a header, and in a stream by a frame of their own: neither is text
//! that the tables of the other dialects could hold.

use super::*;
use crate::event_stream::{Message, Splitter};

#[test]
fn every_kind_in_the_bedrock_dialect() {
    insta::assert_snapshot!(every_kind(Dialect::Bedrock, PLAIN));
}

#[test]
fn every_kind_in_an_event_stream() {
    let mut text = String::new();
    for kind in Kind::ALL {
        let frame = stream_event(&sample(kind), StreamForm::EventStream, request_id(), PLAIN);
        let mut splitter = Splitter::default();
        splitter.feed(&frame, |frame| {
            let Message::Exception(name) = frame.message() else {
                panic!("{kind:?} is no exception");
            };
            let name = std::str::from_utf8(name).unwrap();
            let payload = std::str::from_utf8(frame.payload()).unwrap();
            writeln!(text, "{kind:?}: {name} {payload}").unwrap();
        });
        assert!(splitter.is_between_frames());
    }
    insta::assert_snapshot!(text);
}

#[test]
fn types_and_bodies_are_those_of_the_service() {
    let index: Value = serde_json::from_str(include_str!("../../../fixtures/index.json")).unwrap();
    let ours = [
        ("bedrock.unrecognized", Kind::Unauthenticated),
        ("bedrock.access_denied", Kind::Forbidden),
        ("bedrock.quota", Kind::LimitReached),
        ("bedrock.validation", Kind::BadRequest),
        ("bedrock.throttling", Kind::RateLimited),
        ("bedrock.model_error", Kind::UpstreamBroken),
        ("bedrock.unavailable", Kind::Unavailable),
    ];
    let natives = index["errors"].as_array().unwrap();
    let natives = natives.iter().filter(|native| native["api"] == "bedrock.*");
    for native in natives.clone() {
        let (_, kind) = ours.iter().find(|(id, _)| native["id"] == *id).unwrap();
        let rendered = render(&sample(*kind), Dialect::Bedrock, request_id(), PLAIN);
        let named = &rendered.headers["x-amzn-errortype"];
        assert_eq!(
            native["headers"]["x-amzn-ErrorType"],
            named.to_str().unwrap()
        );
        let body: Value = serde_json::from_slice(&rendered.body).unwrap();
        assert_eq!(
            body,
            serde_json::json!({ "message": sample(*kind).message() })
        );
        // A used-up limit is a 402 in every dialect, and a broken upstream is no 424 of a model.
        if !matches!(kind, Kind::LimitReached | Kind::UpstreamBroken) {
            assert_eq!(native["status"], rendered.status.as_u16(), "{kind:?}");
        }
    }
    assert_eq!(natives.count(), ours.len());
}

#[test]
fn only_a_rate_limit_says_when_to_come_back() {
    for kind in Kind::ALL {
        let rendered = render(&sample(kind), Dialect::Bedrock, request_id(), PLAIN);
        let delay = rendered.headers.get("x-amz-retry-after");
        let millis = delay.map(|delay| delay.to_str().unwrap());
        assert_eq!(
            millis,
            (kind == Kind::RateLimited).then_some("1500"),
            "{kind:?}"
        );
    }
}

#[test]
fn only_a_rate_limit_has_the_type_that_is_tried_again_whatever_its_status() {
    for kind in Kind::ALL {
        let rendered = render(&sample(kind), Dialect::Bedrock, request_id(), PLAIN);
        let throttled = rendered.headers["x-amzn-errortype"] == "ThrottlingException";
        assert_eq!(throttled, kind == Kind::RateLimited, "{kind:?}");
    }
}
