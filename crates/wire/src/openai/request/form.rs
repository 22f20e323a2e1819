//! The fields of a form, as requests are read from them.

use super::Draft;
use crate::{
    facts::{ModelPlace, RequestFacts},
    json,
    multipart::{Boundary, Field, Form},
};
use tollgate_core::error::{Error, Kind};

/// A request that is a form.
pub(super) struct FormRequest<'b> {
    form: Form,
    body: &'b [u8],
}

impl<'b> FormRequest<'b> {
    /// Reads what has come of the body.
    pub(super) fn read(content_type: Option<&str>, body: &'b [u8]) -> Result<Self, Error> {
        let boundary = Boundary::of(content_type.unwrap_or_default())?;
        let form = Form::read(&boundary, body)?;
        Ok(Self { form, body })
    }

    /// Whether nothing more will come.
    pub(super) fn is_complete(&self) -> bool {
        self.form.complete
    }

    /// The model, and the facts that every form has: all fields are text the model may read.
    pub(super) fn facts(&self) -> Result<RequestFacts, Error> {
        let Some((model, span)) = self.form.value("model", self.body)? else {
            let place = if self.form.complete {
                "put it into the field `model`"
            } else {
                "put the field `model` before the files"
            };
            return Err(json::no_model(place));
        };
        if model.is_empty() {
            return Err(json::no_model("the field `model` is empty"));
        }
        let fields = self.form.fields.iter();
        let text = fields.filter(|field| field.part.filename.is_none());
        let text_bytes = text.map(|field| field.span.len()).sum::<usize>();
        Ok(RequestFacts {
            model: model.to_owned(),
            model_span: Some(span),
            model_place: ModelPlace::FormField,
            stream: self.flag("stream")?,
            choices: 1,
            text_bytes: u64::try_from(text_bytes).unwrap_or(u64::MAX),
            unseen_input: !self.form.complete,
            ..RequestFacts::default()
        })
    }

    /// The text of a field.
    pub(super) fn text(&self, name: &str) -> Result<Option<&'b str>, Error> {
        Ok(self.form.value(name, self.body)?.map(|(text, _)| text))
    }

    /// A whole number; empty is absent.
    pub(super) fn count(&self, name: &str) -> Result<Option<u64>, Error> {
        let Some(text) = self.text(name)?.filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        text.trim().parse().map(Some).map_err(|_| {
            let problem = format!("the field `{name}` is not a whole number");
            Error::new(Kind::BadRequest, problem)
        })
    }

    /// A yes or no. What is not known to be a no is a yes, as lenient servers have it.
    fn flag(&self, name: &str) -> Result<bool, Error> {
        let text = self.text(name)?.unwrap_or_default().to_ascii_lowercase();
        Ok(!matches!(
            text.as_str(),
            "" | "false" | "0" | "off" | "no" | "f" | "n"
        ))
    }

    /// The parts that are files.
    pub(super) fn files(&self) -> impl Iterator<Item = &Field> {
        let fields = self.form.fields.iter();
        fields.filter(|field| field.part.filename.is_some())
    }

    /// What has come of a file.
    pub(super) fn content(&self, file: &Field) -> &'b [u8] {
        self.body.get(file.span.clone()).unwrap_or_default()
    }
}

impl Draft<'_> {
    /// Whether a body of this type is a form; without a type it is taken for JSON.
    pub(super) fn is_form(content_type: Option<&str>) -> bool {
        content_type.is_some_and(|kind| {
            let kind = kind.trim_start().as_bytes();
            kind.get(..MULTIPART.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(MULTIPART))
        })
    }
}

const MULTIPART: &[u8] = b"multipart/";
