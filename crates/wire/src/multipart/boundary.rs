//! The text that separates the parts of a form, as the `content-type` header tells it.

use super::{malformed, part::parameters};
use tollgate_core::error::Error;

/// The longest boundary (RFC 2046 §5.1.1).
const BYTES_MAX: usize = 70;

/// What stands between the parts of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Boundary {
    /// `\n--boundary`: the delimiter but for its CR.
    line: Vec<u8>,
}

impl Boundary {
    /// The boundary that a `content-type` header names.
    ///
    /// # Errors
    /// [`tollgate_core::error::Kind::BadRequest`] when it is no form's, or names no boundary, or
    /// two, or one that RFC 2046 does not allow.
    pub fn of(content_type: &str) -> Result<Self, Error> {
        let (kind, rest) = content_type.split_once(';').unwrap_or((content_type, ""));
        if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
            return Err(malformed("the content type is not multipart/form-data"));
        }
        let mut found = None;
        for (name, value) in parameters(rest)? {
            if name == "boundary" && found.replace(value).is_some() {
                return Err(malformed("the content type names two boundaries"));
            }
        }
        let text = found.ok_or_else(|| malformed("the content type names no boundary"))?;
        let fits = (1..=BYTES_MAX).contains(&text.len()) && !text.ends_with(' ');
        if !fits || !text.bytes().all(is_allowed) {
            return Err(malformed("its boundary is not one of RFC 2046"));
        }
        Ok(Self {
            line: [b"\n--", text.as_bytes()].concat(),
        })
    }

    /// `\n--boundary`.
    pub(super) fn line(&self) -> &[u8] {
        &self.line
    }
}

/// Whether a boundary may hold `byte`.
fn is_allowed(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&byte)
}
