//! Cuts a form that comes in chunks into parts. Content is handed out where it lies; kept from one
//! chunk to the next are only the headers of a part and what may be the beginning of a delimiter.

use super::{
    Boundary, FIELD_BYTES_MAX, HEADER_BYTES_MAX, PARTS_MAX, malformed, part::Part, too_large,
};
use memchr::memmem;
use tollgate_core::error::Error;

/// What a form holds next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// A part begins; its content stands at `at` in the body.
    Begin {
        /// What its headers say.
        part: Part,
        /// Where its content begins, in bytes from the body's first.
        at: usize,
    },
    /// A piece of its content, never empty; pieces follow each other without a gap.
    Data {
        /// Where it stands, in bytes from the body's first.
        at: usize,
        /// The bytes.
        bytes: &'a [u8],
    },
    /// The part is whole.
    End,
}

/// What the next byte belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// What stands before the first delimiter.
    Preamble {
        at_start: bool,
    },
    /// Behind a delimiter's text: a line end or the closing dashes.
    Delimiter,
    Headers,
    /// A part's content, of which `field` bytes have passed when it is a field.
    Content {
        at_start: bool,
        field: Option<usize>,
    },
    /// Right behind the closing dashes.
    Closed,
    /// What stands behind the closing delimiter.
    Epilogue,
}

/// Reads one form; feed it every chunk.
#[derive(Debug)]
pub struct Scanner {
    /// `\n--boundary`.
    line: Vec<u8>,
    place: Place,
    /// Bytes of the body before `held`.
    passed: usize,
    /// What may be the beginning of a delimiter, or of headers.
    pub(super) held: Vec<u8>,
    parts: usize,
}

impl Scanner {
    /// A scanner at the beginning of a body.
    pub fn new(boundary: &Boundary) -> Self {
        Self {
            line: boundary.line().to_vec(),
            place: Place::Preamble { at_start: true },
            passed: 0,
            held: Vec::new(),
            parts: 0,
        }
    }

    /// Whether the closing delimiter has been seen.
    pub fn is_complete(&self) -> bool {
        matches!(self.place, Place::Closed | Place::Epilogue)
    }

    /// Takes the next chunk and hands what is now known to `each`.
    ///
    /// # Errors
    /// [`tollgate_core::error::Kind::BadRequest`] when the form is malformed or could be read in
    /// two ways, [`tollgate_core::error::Kind::TooLarge`] when it passes a bound. Nothing may be
    /// fed after an error.
    pub fn feed(&mut self, chunk: &[u8], mut each: impl FnMut(Event<'_>)) -> Result<(), Error> {
        let mut joined = std::mem::take(&mut self.held);
        let window = if joined.is_empty() {
            chunk
        } else {
            joined.extend_from_slice(chunk);
            &joined
        };
        let mut rest = window;
        while let Some(used) = self.step(rest, &mut each)? {
            self.passed = self.passed.saturating_add(used);
            rest = rest.get(used..).unwrap_or_default();
        }
        self.held = rest.to_vec();
        Ok(())
    }

    /// Reads one thing off the front of `rest`; `None` when more bytes are needed for it.
    fn step(
        &mut self,
        rest: &[u8],
        each: &mut impl FnMut(Event<'_>),
    ) -> Result<Option<usize>, Error> {
        if rest.is_empty() {
            return Ok(None);
        }
        match self.place {
            Place::Preamble { at_start } => {
                let text = self.until_delimiter(rest, at_start)?;
                let at_start = at_start && text.content == 0;
                self.place = text.next(Place::Preamble { at_start });
                Ok(text.used())
            }
            Place::Delimiter => self.behind_delimiter(rest),
            Place::Headers => self.headers(rest, each),
            Place::Content { at_start, field } => {
                let text = self.until_delimiter(rest, at_start)?;
                if at_start && text.is_delimiter() && text.content == 0 && !rest.starts_with(b"\r")
                {
                    return Err(malformed("a delimiter stands where content belongs"));
                }
                let field = self.pass(rest.get(..text.content).unwrap_or_default(), field, each)?;
                if text.is_delimiter() {
                    each(Event::End);
                }
                let at_start = at_start && text.content == 0;
                self.place = text.next(Place::Content { at_start, field });
                Ok(text.used())
            }
            Place::Closed if rest.starts_with(b"\r") || rest.starts_with(b"\n") => {
                self.place = Place::Epilogue;
                Ok(Some(rest.len()))
            }
            Place::Closed => Err(malformed("a delimiter does not stand alone on its line")),
            Place::Epilogue => Ok(Some(rest.len())),
        }
    }

    /// Hands out content.
    fn pass(
        &self,
        bytes: &[u8],
        field: Option<usize>,
        each: &mut impl FnMut(Event<'_>),
    ) -> Result<Option<usize>, Error> {
        let field = field.map(|passed| passed.saturating_add(bytes.len()));
        if field.is_some_and(|passed| passed > FIELD_BYTES_MAX) {
            return Err(too_large(&format!(
                "a field has more than {FIELD_BYTES_MAX} bytes"
            )));
        }
        if !bytes.is_empty() {
            let at = self.passed;
            each(Event::Data { at, bytes });
        }
        Ok(field)
    }

    fn behind_delimiter(&mut self, rest: &[u8]) -> Result<Option<usize>, Error> {
        self.place = match rest {
            [b'\r', b'\n', ..] => Place::Headers,
            [b'-', b'-', ..] => Place::Closed,
            [b'\r' | b'-'] => return Ok(None),
            _ => return Err(malformed("a delimiter does not stand alone on its line")),
        };
        Ok(Some(2))
    }

    fn headers(
        &mut self,
        rest: &[u8],
        each: &mut impl FnMut(Event<'_>),
    ) -> Result<Option<usize>, Error> {
        let within = rest.get(..HEADER_BYTES_MAX).unwrap_or(rest);
        let Some(end) = memmem::find(within, b"\r\n\r\n") else {
            return if within.len() < HEADER_BYTES_MAX {
                Ok(None)
            } else {
                Err(too_large(&format!(
                    "the headers of a part have more than {HEADER_BYTES_MAX} bytes"
                )))
            };
        };
        if self.parts == PARTS_MAX {
            return Err(too_large(&format!("it has more than {PARTS_MAX} parts")));
        }
        self.parts += 1;
        let part = Part::read(within.get(..end).unwrap_or_default())?;
        let used = end.saturating_add(4);
        self.place = Place::Content {
            at_start: true,
            field: part.filename.is_none().then_some(0),
        };
        let at = self.passed.saturating_add(used);
        each(Event::Begin { part, at });
        Ok(Some(used))
    }

    /// How much of `rest` stands before the next delimiter. A delimiter's line begins after a CRLF
    /// or, `at_start`, where `rest` does.
    fn until_delimiter(&self, rest: &[u8], at_start: bool) -> Result<Text, Error> {
        let dashes = self.line.get(1..).unwrap_or_default();
        if at_start && rest.starts_with(dashes) {
            return Ok(Text {
                content: 0,
                delimiter: Some(dashes.len()),
            });
        }
        if at_start && dashes.starts_with(rest) {
            return Ok(Text {
                content: 0,
                delimiter: None,
            });
        }
        let Some(line) = memmem::find(rest, &self.line) else {
            return Ok(Text {
                content: rest.len().saturating_sub(self.held_back(rest)),
                delimiter: None,
            });
        };
        let before = line.checked_sub(1);
        match before.and_then(|before| Some((before, rest.get(before)?))) {
            Some((content, b'\r')) => Ok(Text {
                content,
                delimiter: Some(self.line.len().saturating_add(1)),
            }),
            Some(_) | None => Err(malformed("a delimiter's line does not begin after CRLF")),
        }
    }

    /// How many of the last bytes of `rest` may be the beginning of a delimiter.
    fn held_back(&self, rest: &[u8]) -> usize {
        let longest = self.line.len().min(rest.len());
        let line = (1..=longest).rev().find(|length| {
            let tail = rest.get(rest.len() - length..);
            tail.is_some_and(|tail| self.line.starts_with(tail))
        });
        let before = rest.len().saturating_sub(line.unwrap_or(0));
        let cr = rest.get(..before).is_some_and(|text| text.ends_with(b"\r"));
        line.unwrap_or(0) + usize::from(cr)
    }
}

/// What stands before a delimiter, and the delimiter's length if it is there.
#[derive(Clone, Copy, Debug)]
struct Text {
    content: usize,
    delimiter: Option<usize>,
}

impl Text {
    fn is_delimiter(self) -> bool {
        self.delimiter.is_some()
    }

    /// The place behind it: `same` while the delimiter has not come.
    fn next(self, same: Place) -> Place {
        match self.delimiter {
            Some(_) => Place::Delimiter,
            None => same,
        }
    }

    /// How many bytes are done with.
    fn used(self) -> Option<usize> {
        let used = self.content.saturating_add(self.delimiter.unwrap_or(0));
        (used > 0).then_some(used)
    }
}
