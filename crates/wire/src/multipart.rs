//! `multipart/form-data` (RFC 7578), read while it comes and never changed.
//!
//! [`Form`] says of the bytes so far which parts there are and where their contents stand, so that
//! a large upload can be passed on while its later parts are still coming; [`Scanner`] hands out
//! the contents themselves as they pass.
//!
//! Whoever reads a form for somebody else must read it as that somebody does: a form in which one
//! parser sees one model and another parser another is refused. So lines end in CRLF and nothing
//! else, a delimiter stands alone on its line, a part has one name, without escapes, and no
//! transfer encoding of its own. The SDKs and the common HTTP clients write forms like that. What
//! stands before the first delimiter and behind the last is skipped.
//!
//! Bounded: [`PARTS_MAX`], [`HEADER_BYTES_MAX`], [`FIELD_BYTES_MAX`]; files are not.

mod boundary;
mod part;
mod scanner;

pub use boundary::Boundary;
pub use part::Part;
pub use scanner::{Event, Scanner};

use std::ops::Range;
use tollgate_core::error::{Error, Kind};

/// The most parts of one form (an image edit has up to 16 images and a dozen fields).
pub const PARTS_MAX: usize = 128;

/// The most bytes the headers of one part may take.
pub const HEADER_BYTES_MAX: usize = 8 * 1024;

/// The most bytes the value of one field (a part without a file name) may take.
pub const FIELD_BYTES_MAX: usize = 1024 * 1024;

/// One part of a form and where its content stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// What its headers say.
    pub part: Part,
    /// Its content in the bytes so far, without the line ends around it.
    pub span: Range<usize>,
    /// Whether its end has been seen: else `span` ends where the bytes so far do, or a few before,
    /// where a delimiter may begin.
    pub complete: bool,
}

/// What is known of a form, in the order of the body. Spans count from the body's first byte.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Form {
    /// Its parts, of which the last one may be incomplete.
    pub fields: Vec<Field>,
    /// Whether the closing delimiter has been seen: no part will follow.
    pub complete: bool,
}

impl Form {
    /// Reads what has come of a body.
    ///
    /// # Errors
    /// [`Kind::BadRequest`] when the form is malformed or could be read in two ways,
    /// [`Kind::TooLarge`] when it passes a bound of this module.
    pub fn read(boundary: &Boundary, body: &[u8]) -> Result<Self, Error> {
        let mut reader = FormReader::new(boundary);
        reader.feed(body)?;
        Ok(reader.into_form())
    }

    /// The file that is being read: the last part, if it has a file name and no end yet.
    pub fn in_file(&self) -> Option<&Field> {
        self.fields
            .last()
            .filter(|field| !field.complete && field.part.filename.is_some())
    }

    /// The parts with this name, in order.
    pub fn named(&self, name: &str) -> impl Iterator<Item = &Field> {
        self.fields
            .iter()
            .filter(move |field| field.part.name == name)
    }

    /// The value of the field `name`, of which there may be one: its text and where it stands.
    /// `None` when it has not come, or not to its end. `body` is what the form was read from.
    ///
    /// # Errors
    /// [`Kind::BadRequest`] when the form names it twice, when it is a file or no UTF-8.
    pub fn value<'b>(
        &self,
        name: &str,
        body: &'b [u8],
    ) -> Result<Option<(&'b str, Range<usize>)>, Error> {
        let mut found = self.named(name);
        let Some(field) = found.next() else {
            return Ok(None);
        };
        if found.next().is_some() {
            return Err(malformed(&format!("`{name}` is named twice")));
        }
        if field.part.filename.is_some() {
            return Err(malformed(&format!("`{name}` is a file, not a field")));
        }
        let Some(bytes) = body.get(field.span.clone()).filter(|_| field.complete) else {
            return Ok(None);
        };
        let text =
            std::str::from_utf8(bytes).map_err(|_| malformed(&format!("`{name}` is not UTF-8")))?;
        Ok(Some((text, field.span.clone())))
    }
}

/// Reads a form chunk by chunk; what has passed is not kept.
#[derive(Debug)]
pub struct FormReader {
    scanner: Scanner,
    form: Form,
}

impl FormReader {
    /// A reader at the beginning of a body.
    pub fn new(boundary: &Boundary) -> Self {
        Self {
            scanner: Scanner::new(boundary),
            form: Form::default(),
        }
    }

    /// Takes the next chunk.
    ///
    /// # Errors
    /// As [`Form::read`]; nothing may be fed after one.
    pub fn feed(&mut self, chunk: &[u8]) -> Result<(), Error> {
        let fields = &mut self.form.fields;
        self.scanner.feed(chunk, |event| match event {
            Event::Begin { part, at } => fields.push(Field {
                part,
                span: at..at,
                complete: false,
            }),
            Event::Data { at, bytes } => {
                if let Some(field) = fields.last_mut() {
                    field.span.end = at.saturating_add(bytes.len());
                }
            }
            Event::End => {
                if let Some(field) = fields.last_mut() {
                    field.complete = true;
                }
            }
        })?;
        self.form.complete = self.scanner.is_complete();
        Ok(())
    }

    /// What is known so far.
    pub fn form(&self) -> &Form {
        &self.form
    }

    /// What was known in the end.
    pub fn into_form(self) -> Form {
        self.form
    }
}

pub(crate) fn malformed(problem: &str) -> Error {
    Error::new(
        Kind::BadRequest,
        format!("the form cannot be read: {problem}"),
    )
}

fn too_large(problem: &str) -> Error {
    Error::new(Kind::TooLarge, format!("the form is too large: {problem}"))
}

#[cfg(test)]
mod tests;
