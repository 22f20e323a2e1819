//! The rest of a form whose beginning was read for facts, while it is passed on.
//!
//! A field that decides what the request costs must not come again behind the files: we would have
//! priced one model, and the provider would run another.

use crate::multipart::{self, Boundary, Event, Scanner};
use tollgate_core::error::Error;

/// The fields that facts are read from.
const DECIDING: [&str; 9] = [
    "model",
    "stream",
    "n",
    "size",
    "quality",
    "partial_images",
    "output_format",
    "frame_count",
    "svg[model]",
];

/// Watches a form go by.
#[derive(Debug)]
pub struct FormRest {
    scanner: Scanner,
}

impl FormRest {
    /// A watch over what follows `beginning`, which facts were read from.
    ///
    /// # Errors
    /// As [`super::read`].
    pub fn new(content_type: &str, beginning: &[u8]) -> Result<Self, Error> {
        let mut scanner = Scanner::new(&Boundary::of(content_type)?);
        scanner.feed(beginning, |_| {})?;
        Ok(Self { scanner })
    }

    /// Takes the next chunk, before it is passed on.
    ///
    /// # Errors
    /// [`tollgate_core::error::Kind::BadRequest`] when the form is malformed or a deciding field
    /// comes late. The chunk must not be passed on then, and the upload be broken off.
    pub fn feed(&mut self, chunk: &[u8]) -> Result<(), Error> {
        let mut late = None;
        self.scanner.feed(chunk, |event| {
            if let Event::Begin { part, .. } = event
                && DECIDING.contains(&part.name.as_str())
            {
                late = Some(part.name);
            }
        })?;
        late.map_or(Ok(()), |name| {
            let problem = format!("the field `{name}` comes too late: put it before the files");
            Err(multipart::malformed(&problem))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPE: &str = "multipart/form-data; boundary=b";
    const BEGINNING: &[u8] = b"--b\r\nContent-Disposition: form-data; name=model\r\n\r\ncheap\r\n\
        --b\r\nContent-Disposition: form-data; name=file; filename=f\r\n\r\n";

    fn rest(chunks: &[&[u8]]) -> Result<(), Error> {
        let mut rest = FormRest::new(TYPE, BEGINNING)?;
        chunks.iter().try_for_each(|chunk| rest.feed(chunk))
    }

    #[test]
    fn a_file_and_fields_that_decide_nothing_may_follow() {
        let prompt = b"--b\r\nContent-Disposition: form-data; name=prompt\r\n\r\nx\r\n--b--";
        assert!(rest(&[b"sound ", b"sound\r\n", prompt]).is_ok());
    }

    #[test]
    fn a_second_model_behind_the_file_is_refused_however_it_is_cut() {
        let late = b"\r\n--b\r\nContent-Disposition: form-data; name=model\r\n\r\ndear\r\n--b--";
        for cut in 0..late.len() {
            let (first, second) = late.split_at(cut);
            let error = rest(&[b"sound", first, second]).unwrap_err();
            assert!(error.message().contains("`model` comes too late"), "{cut}");
        }
    }

    #[test]
    fn a_form_that_turns_malformed_is_refused() {
        assert!(rest(&[b"sound\n--b\r\n"]).is_err());
    }
}
