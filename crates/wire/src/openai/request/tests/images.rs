//! Images, in JSON and in forms.

use super::*;
use crate::facts::{Billing, ModelPlace};

const FORM: Option<&str> = Some("multipart/form-data; boundary=b");

fn images(members: &str) -> RequestFacts {
    let body = format!(r#"{{"model":"gpt-image-2","prompt":"a cat"{members}}}"#);
    images_facts(Some("application/json"), body.as_bytes()).expect(&body)
}

/// A form of fields (`name=value`) and files (`name@content`).
pub(super) fn form(parts: &[&str]) -> Vec<u8> {
    let mut body = String::new();
    for part in parts {
        let file = part.split_once('@');
        let (name, value) = file.or_else(|| part.split_once('=')).unwrap();
        let filename = file.map_or("", |_| "; filename=\"f\"");
        let header = format!("Content-Disposition: form-data; name=\"{name}\"{filename}");
        body += &["--b", &header, "", value, ""].join("\r\n");
    }
    (body + "--b--\r\n").into_bytes()
}

#[test]
fn a_picture_is_bounded_by_its_size_and_quality() {
    for (members, tokens) in [
        (r#","size":"1024x1024","quality":"low""#, 512),
        (r#","size":"1024x1024","quality":"medium""#, 1_756),
        (r#","size":"1024x1024","quality":"high""#, 7_024),
        // The model may be more careful with these than it says: as large as it may choose.
        ("", 13_102),
        (r#","size":"auto","quality":"auto""#, 13_102),
        (r#","size":"3840x2160","quality":"high""#, 23_719),
        (r#","size":"16x16","quality":"high""#, 7_024),
        (r#","size":"1024x1024","quality":"max""#, 28_096),
    ] {
        assert_eq!(images(members).output_cap, Some(tokens), "{members}");
    }
}

#[test]
fn the_bound_is_above_what_every_published_table_says() {
    // GPT Image 1 and 1.5, by OpenAI's guide: low, medium, high.
    for (size, table) in [
        ("1024x1024", [272, 1_056, 4_160]),
        ("1024x1536", [408, 1_584, 6_240]),
        ("1536x1024", [400, 1_568, 6_208]),
    ] {
        for (quality, tokens) in ["low", "medium", "high"].iter().zip(table) {
            let members = format!(r#","size":"{size}","quality":"{quality}""#);
            let bound = images(&members).output_cap.unwrap();
            assert!(bound >= tokens, "{quality} {size}: {bound}");
        }
    }
}

#[test]
fn several_pictures_partial_ones_frames_and_drawings_are_in_the_bound() {
    let size = r#","size":"1024x1024","quality":"high""#;
    let with = |members: &str| images(&format!("{size}{members}"));
    assert_eq!(with(r#","n":4"#).choices, 4);
    assert_eq!(with("").choices, 1);
    let partial = with(r#","stream":true,"partial_images":3"#);
    assert!(partial.stream);
    assert_eq!(partial.output_cap, Some(7_024 + 300));
    assert_eq!(
        with(r#","output_format":"gif""#).output_cap,
        Some(9 * 7_024)
    );
    let gif = with(r#","output_format":"gif","frame_count":16"#);
    assert_eq!(gif.output_cap, Some(16 * 7_024));
    let drawing = with(r#","output_format":"svg","svg":{"model":"gpt-5.2"}"#);
    assert_eq!(drawing.output_cap, Some(7_024 + 16_384));
    assert_eq!(drawing.other_models, ["gpt-5.2"]);
}

#[test]
fn pictures_are_billed_as_a_whole_even_when_they_stream() {
    assert_eq!(images(r#","stream":true"#).billing, Billing::AsAWhole);
    let text = chat(r#"{"model":"m","stream":true}"#);
    assert_eq!(text.billing, Billing::AsItComes);
}

#[test]
fn a_model_must_be_named_in_json_and_in_a_form() {
    let error = images_facts(None, br#"{"prompt":"a"}"#).unwrap_err();
    assert!(error.message().contains("`model`"), "{}", error.message());
    let whole = form(&["prompt=a"]);
    let error = images_facts(FORM, &whole).unwrap_err();
    assert!(error.message().contains("into the field `model`"));
    let cut = form(&["image@xxx", "model=m"]);
    let cut = &cut[..80];
    let error = images_facts(FORM, cut).unwrap_err();
    assert!(error.message().contains("before the files"));
}

#[test]
fn an_edit_in_a_form_is_read_and_its_model_stands_there_unquoted() {
    let body = form(&[
        "image[]@PNG",
        "model=gpt-image-1.5",
        "prompt=a hat",
        "image[]@PNG",
        "n=2",
        "stream=true",
        "quality=low",
        "size=1024x1024",
        "svg[model]=gpt-5.2",
    ]);
    let facts = images_facts(FORM, &body).unwrap();
    let span = facts.model_span.clone().unwrap();
    assert_eq!(&body[span], b"gpt-image-1.5");
    assert_eq!(facts.model_place, ModelPlace::FormField);
    assert_eq!(facts.model_place.name("a\"b"), "a\"b");
    assert_eq!(ModelPlace::JsonString.name("a\"b"), r#""a\"b""#);
    assert_eq!((facts.choices, facts.stream), (2, true));
    assert_eq!(facts.media_tokens, 16_000);
    assert_eq!(facts.output_cap, Some(512));
    assert_eq!(facts.other_models, ["gpt-5.2"]);
    assert!(!facts.unseen_input);
}

#[test]
fn what_has_not_come_of_a_form_is_unseen_input() {
    let body = form(&["model=m", "prompt=a", "image@PNGPNGPNG"]);
    let part = &body[..body.len() - 12];
    assert!(images_facts(FORM, part).unwrap().unseen_input);
}

#[test]
fn a_field_that_two_parsers_may_read_differently_is_refused() {
    for parts in [
        &["model=a", "model=b"][..],
        &["model@a"],
        &["model="],
        &["model=m", "n=two"],
        &["model=m", "n=1", "n=9"],
    ] {
        let error = images_facts(FORM, &form(parts)).unwrap_err();
        assert_eq!(error.kind(), Kind::BadRequest, "{parts:?}");
    }
}

#[test]
fn an_edit_in_json_reads_pictures_by_reference() {
    let inline = images(r#","images":[{"image_url":"data:image/png;base64,iVBORw0KGgo="}]"#);
    assert!(inline.media_tokens > 0 && !inline.unseen_input);
    assert!(images(r#","images":[{"file_id":"file-1"}]"#).unseen_input);
}
