//! Speech, transcriptions, moderations.

use super::{images::form, *};
use crate::facts::Billing;
use tollgate_core::unit::Unit;

const FORM: Option<&str> = Some("multipart/form-data; boundary=b");

fn seconds(facts: &RequestFacts) -> u64 {
    let whole = facts.counted.get(Unit::AudioSeconds);
    assert_eq!(facts.counted.get(Unit::InputAudioSeconds), whole);
    whole
}

#[test]
fn speech_is_counted_in_characters_and_bounded_by_its_text() {
    let body = r#"{"model":"tts-1","input":"grüß dich","voice":"alloy","instructions":"slowly",
        "response_format":"mp3","speed":1.5}"#;
    let facts = speech_facts(body.as_bytes()).unwrap();
    assert_eq!(facts.counted.get(Unit::InputCharacters), 9);
    assert_eq!(facts.text_bytes, 11 + 6);
    assert_eq!(facts.output_cap, Some(11 * 3 + 64));
    assert_eq!((facts.billing, facts.stream), (Billing::AsAWhole, false));
    let sse = speech_facts(br#"{"model":"m","input":"a","stream_format":"sse"}"#).unwrap();
    assert!(sse.stream);
    let audio = speech_facts(br#"{"model":"m","input":"a","stream_format":"audio"}"#).unwrap();
    assert!(!audio.stream);
    assert!(speech_facts(br#"{"model":"m","input":5}"#).is_err());
}

#[test]
fn a_recording_is_bounded_by_its_bytes() {
    let compressed = "x".repeat(20_001);
    let body = form(&[
        &format!("file@{compressed}"),
        "model=whisper-1",
        "language=en",
    ]);
    let facts = transcription_facts(FORM, &body).unwrap();
    assert_eq!(facts.model, "whisper-1");
    assert_eq!(seconds(&facts), 11);
    assert_eq!(facts.media_tokens, 220);
    assert_eq!(facts.output_cap, Some(11 * 8 + 64));
    assert_eq!((facts.billing, facts.stream), (Billing::AsAWhole, false));
    assert!(!facts.unseen_input);

    let wave = format!("file@RIFFxxxxWAVE{}", "x".repeat(15_989));
    let facts = transcription_facts(FORM, &form(&["model=m", &wave, "stream=True"])).unwrap();
    assert_eq!(seconds(&facts), 3);
    assert!(facts.stream);
}

#[test]
fn a_recording_whose_end_has_not_come_is_as_long_as_one_may_be() {
    let body = form(&["model=whisper-1", "file@xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"]);
    let longest = 25 * 1024 * 1024 / 2_000 + 1;
    let facts = transcription_facts(FORM, &body[..body.len() - 20]).unwrap();
    assert_eq!(seconds(&facts), longest);
    let facts = transcription_facts(FORM, &body[..80]).unwrap();
    assert_eq!(seconds(&facts), longest - 1, "the file has not even begun");
}

#[test]
fn a_transcription_that_is_no_form_is_refused() {
    for (content_type, body) in [
        (None, &b"{}"[..]),
        (Some("application/json"), br#"{"model":"whisper-1"}"#),
        (Some("multipart/form-data"), b"--b--"),
    ] {
        let error = transcription_facts(content_type, body).unwrap_err();
        assert_eq!(error.kind(), Kind::BadRequest);
    }
}

#[test]
fn a_yes_in_a_form_is_all_that_is_no_known_no() {
    for (word, stream) in [
        ("true", true),
        ("True", true),
        ("1", true),
        ("yes", true),
        ("false", false),
        ("False", false),
        ("0", false),
        ("", false),
    ] {
        let body = form(&["model=m", &format!("stream={word}")]);
        let facts = transcription_facts(FORM, &body).unwrap();
        assert_eq!(facts.stream, stream, "{word}");
    }
}

#[test]
fn a_moderation_needs_no_model() {
    let facts = moderations_facts(br#"{"input":"text"}"#).unwrap();
    assert_eq!(facts.model, "omni-moderation-latest");
    assert_eq!(facts.model_span, None);
    let null = moderations_facts(br#"{"input":"text","model":null}"#).unwrap();
    assert_eq!(null.model_span, None);
    let named = moderations_facts(br#"{"model":"mistral-moderation","input":["a"]}"#).unwrap();
    assert_eq!(
        (&*named.model, named.model_span),
        ("mistral-moderation", Some(9..29))
    );
}
