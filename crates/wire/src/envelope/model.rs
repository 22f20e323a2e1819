//! The model's name in a body: replaced where the target maps it, put in where only the path of
//! Azure's client has it.

use super::{Letter, rule};
use crate::{
    edit::Edit,
    facts::ModelPlace,
    json::{Insertion, Reshape, Text},
};
use bytes::Bytes;
use std::borrow::Cow;
use tollgate_core::{
    error::{Error, Kind},
    format::Dialect,
    provider::{Provider, ProviderKind},
};

/// The edits after which the body names `model`.
///
/// # Errors
/// [`Kind::BadRequest`] when the body has no place for it.
pub(super) fn edits(
    provider: &Provider,
    model: &str,
    letter: Letter<'_>,
) -> Result<Vec<Edit>, Error> {
    let place = letter.facts.model_place;
    if let Some(span) = &letter.facts.model_span {
        let written = letter.body.get(span.clone()).unwrap_or_default();
        let edit = Edit {
            rule: rule::MODEL,
            range: span.clone(),
            with: place.name(model),
        };
        let is_named = reads(written, place).is_some_and(|name| name == model);
        return Ok(if is_named { Vec::new() } else { vec![edit] });
    }
    if letter.endpoint.model.is_none() || !wants_it_in_body(provider, letter) {
        return Ok(Vec::new());
    }
    name_model(place, letter.body, model).ok_or_else(|| {
        Error::new(
            Kind::BadRequest,
            "the request body has no place for the model of its path",
        )
    })
}

/// The name that is `written` in a body.
fn reads(written: &[u8], place: ModelPlace) -> Option<Cow<'_, str>> {
    let written = std::str::from_utf8(written).ok()?;
    match place {
        ModelPlace::JsonString => serde_json::from_str(written).ok().map(|Text(name)| name),
        ModelPlace::FormField => Some(written.into()),
    }
}

/// Whether a request whose path names the model goes where bodies do. (Sockets have no body, and
/// Azure's older paths are those of the client.)
fn wants_it_in_body(provider: &Provider, letter: Letter<'_>) -> bool {
    let format = letter.endpoint.format;
    let is_deployed = provider.kind == ProviderKind::Azure && provider.site.api_version.is_some();
    format.dialect() == Dialect::OpenAi && !format.is_socket() && !is_deployed
}

/// The edits after which a body that names no model names this one; `None` for a body that cannot
/// be read.
pub(crate) fn name_model(place: ModelPlace, body: &[u8], model: &str) -> Option<Vec<Edit>> {
    match place {
        ModelPlace::JsonString => into_json(body, model),
        ModelPlace::FormField => into_form(body, model),
    }
}

fn into_json(body: &[u8], model: &str) -> Option<Vec<Edit>> {
    // A member that is there all the same says `null`, and gives way.
    let reshape = Reshape {
        remove: vec![(rule::MODEL_FROM_PATH, "model")],
        insert: vec![Insertion {
            rule: rule::MODEL_FROM_PATH,
            key: "model",
            value: serde_json::to_string(model).unwrap_or_default(),
        }],
    };
    reshape.edits(body)
}

/// A first part, delimited as the first part is.
fn into_form(body: &[u8], model: &str) -> Option<Vec<Edit>> {
    let end = memchr::memmem::find(body, b"\r\n").filter(|_| body.starts_with(b"--"))?;
    let delimiter = std::str::from_utf8(body.get(..end)?).ok()?;
    let part =
        format!("{delimiter}\r\ncontent-disposition: form-data; name=\"model\"\r\n\r\n{model}\r\n");
    Some(vec![Edit {
        rule: rule::MODEL_FROM_PATH,
        range: 0..0,
        with: Bytes::from(part),
    }])
}
