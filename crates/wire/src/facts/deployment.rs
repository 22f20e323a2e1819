//! Requests whose path names the model though their bodies have a place for it: those of Azure's
//! client, below a deployment. The path is right, and a body may leave the model out.
//!
//! Such a body is read as if it named the model of the path; what was found in it is told in
//! places of the body as it came.

use super::{ModelPlace, RequestFacts};
use crate::{
    edit::{self, Edit},
    envelope, json,
    multipart::{Boundary, Form},
};
use bytes::Bytes;
use tollgate_core::error::Error;

/// The facts that `read` finds in `body`, of the model that the path names.
///
/// # Errors
/// Those of `read`, but for the lack of a model.
pub(super) fn facts(
    model: &str,
    content_type: Option<&str>,
    body: &[u8],
    read: impl Fn(&[u8]) -> Result<RequestFacts, Error>,
) -> Result<RequestFacts, Error> {
    let facts = match read(body) {
        Ok(facts) => facts,
        Err(error) => {
            let Some((place, edits)) = naming(model, content_type, body) else {
                return Err(error);
            };
            let named = edit::apply(&Bytes::copy_from_slice(body), edits.clone()).concat();
            let facts = read(&named)?;
            RequestFacts {
                model_span: None,
                model_place: place,
                ask_for_usage: facts.ask_for_usage.map(|ask| before(&edits, ask)),
                ..facts
            }
        }
    };
    Ok(RequestFacts {
        model: model.to_owned(),
        ..facts
    })
}

/// The edits after which a body that names no model names this one; `None` for one that names a
/// model, or cannot be read.
fn naming(model: &str, content_type: Option<&str>, body: &[u8]) -> Option<(ModelPlace, Vec<Edit>)> {
    let content_type = content_type.unwrap_or_default();
    let place = if let Ok(boundary) = Boundary::of(content_type) {
        let form = Form::read(&boundary, body).ok()?;
        let named = form.value("model", body).ok()?;
        named.is_none().then_some(ModelPlace::FormField)
    } else {
        let named = json::member(body, "model").map(serde_json::value::RawValue::get);
        matches!(named, None | Some("null" | "\"\"")).then_some(ModelPlace::JsonString)
    }?;
    Some((place, envelope::name_model(place, body, model)?))
}

/// An edit of the edited body as one of the body before these edits, which it does not touch.
fn before(edits: &[Edit], ask: Edit) -> Edit {
    let mut edits: Vec<&Edit> = edits.iter().collect();
    edits.sort_by_key(|edit| (edit.range.start, edit.range.end));
    let (mut added, mut removed) = (0_usize, 0_usize);
    for edit in edits {
        let end = edit
            .range
            .start
            .saturating_add(added)
            .saturating_sub(removed);
        if ask.range.start < end.saturating_add(edit.with.len()) {
            break;
        }
        added = added.saturating_add(edit.with.len());
        removed = removed.saturating_add(edit.range.len());
    }
    let back = |at: usize| at.saturating_add(removed).saturating_sub(added);
    Edit {
        range: back(ask.range.start)..back(ask.range.end),
        ..ask
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        edit,
        endpoint::Endpoint,
        envelope::rule,
        facts::{ModelPlace, RequestFacts, read},
    };
    use bytes::Bytes;
    use http::{HeaderMap, Method};
    use serde_json::{Value, json};
    use tollgate_core::error::{Error, Kind};

    fn below(rest: &str, content_type: Option<&str>, body: &str) -> Result<RequestFacts, Error> {
        let path = format!("/openai/deployments/mine/{rest}");
        let endpoint = Endpoint::of(&Method::POST, &path, None, &HeaderMap::new()).unwrap();
        read(&endpoint, content_type, body.as_bytes())
    }

    #[test]
    fn the_path_is_right_whatever_the_body_says() {
        let facts = below(
            "chat/completions",
            None,
            r#"{"model":"dear","messages":[]}"#,
        )
        .unwrap();
        assert_eq!(
            (facts.model.as_str(), facts.model_span),
            ("mine", Some(9..15))
        );
    }

    #[test]
    fn a_body_need_not_name_a_model() {
        for body in [
            r#"{"input":"hi"}"#,
            r#"{"model":null,"input":"hi"}"#,
            r#"{"model":""}"#,
        ] {
            let facts = below("embeddings", None, body).unwrap();
            assert_eq!(
                (facts.model.as_str(), facts.model_span),
                ("mine", None),
                "{body}"
            );
        }
        let form = "--b\r\ncontent-disposition: form-data; name=\"prompt\"\r\n\r\nhi\r\n--b--\r\n";
        let facts = below(
            "images/edits",
            Some("multipart/form-data; boundary=b"),
            form,
        )
        .unwrap();
        let named = (facts.model.as_str(), facts.model_span, facts.model_place);
        assert_eq!(named, ("mine", None, ModelPlace::FormField));
    }

    #[test]
    fn usage_is_asked_for_in_the_body_as_it_came() {
        for body in [
            r#"{"stream":true,"messages":[]}"#,
            r#"{"model":null,"stream":true,"stream_options":{"include_usage":false}}"#,
            r#"{"stream":true,"stream_options":null,"model":null}"#,
            r#"{"stream_options":{},"stream":true}"#,
        ] {
            let facts = below("chat/completions", None, body).unwrap();
            let ask = facts.ask_for_usage.unwrap();
            assert_eq!(ask.rule, rule::ASK_FOR_USAGE);
            let asked = edit::apply(&Bytes::from(body.to_owned()), vec![ask]).concat();
            let mut expected: Value = serde_json::from_str(body).unwrap();
            expected["stream_options"] = json!({ "include_usage": true });
            assert_eq!(
                serde_json::from_slice::<Value>(&asked).unwrap(),
                expected,
                "{body}"
            );
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused_all_the_same() {
        for body in ["", "[]", "{", r#"{"model":5}"#, r#"{"a":1,"a":2}"#] {
            let error = below("chat/completions", None, body).unwrap_err();
            assert_eq!(error.kind(), Kind::BadRequest, "{body}");
        }
    }
}
