//! Reads the requests of a batch out of the form that uploads them, while it passes.

use super::{
    batch::{BatchWork, at},
    lines::{LINE_BYTES_MAX, Lines, TooLong},
};
use crate::multipart::{Boundary, Event, Scanner};
use tollgate_core::error::{Error, Kind};

/// The longest value of `purpose` that is looked at.
const PURPOSE_BYTES_MAX: usize = 64;

/// See the [module](self).
#[derive(Debug)]
pub struct FileScan {
    scanner: Scanner,
    /// The form itself cannot be read: nothing may be fed any more.
    is_broken: bool,
    reader: Reader,
}

#[derive(Debug, Default)]
struct Reader {
    part: Part,
    purpose: Vec<u8>,
    lines: Lines,
    line: u64,
    work: BatchWork,
}

#[derive(Debug, Default)]
enum Part {
    #[default]
    Other,
    Purpose,
    File,
}

impl FileScan {
    /// A scan of a form with this content type; `None` when it is no form.
    pub fn new(content_type: &str) -> Option<Self> {
        let boundary = Boundary::of(content_type).ok()?;
        Some(Self {
            scanner: Scanner::new(&boundary),
            is_broken: false,
            reader: Reader::default(),
        })
    }

    /// Takes the next chunk of the body. What it is for may be said behind the file.
    pub fn feed(&mut self, chunk: &[u8]) {
        if self.is_broken {
            return;
        }
        let reader = &mut self.reader;
        if let Err(error) = self.scanner.feed(chunk, |event| reader.event(&event)) {
            self.is_broken = true;
            let problem = error.message().to_owned();
            reader.work.problem.get_or_insert(problem);
        }
    }

    /// What the file asks for; `None` when it is not there to be a batch.
    pub fn finish(mut self) -> Option<BatchWork> {
        if self.reader.purpose != b"batch" {
            return None;
        }
        let work = &mut self.reader.work;
        if work.problem.is_none() && !self.scanner.is_complete() {
            work.problem = Some("the file did not come to its end".to_owned());
        }
        if work.problem.is_none() && work.models.is_empty() {
            work.problem = Some("the file holds no request".to_owned());
        }
        Some(self.reader.work)
    }
}

impl Reader {
    fn event(&mut self, event: &Event<'_>) {
        match event {
            Event::Begin { part, .. } => {
                self.part = match part.name.as_str() {
                    "purpose" => Part::Purpose,
                    "file" => Part::File,
                    _ => Part::Other,
                };
            }
            Event::Data { bytes, .. } => match self.part {
                Part::Purpose => {
                    let room = PURPOSE_BYTES_MAX.saturating_sub(self.purpose.len());
                    self.purpose.extend(bytes.iter().take(room));
                }
                Part::File if self.work.problem.is_none() => self.file(bytes),
                Part::File | Part::Other => {}
            },
            Event::End => {
                if let Part::File = std::mem::take(&mut self.part) {
                    self.last_line();
                }
            }
        }
    }

    fn file(&mut self, bytes: &[u8]) {
        let mut lines = std::mem::take(&mut self.lines);
        lines.feed(bytes, |line| self.request(line));
        self.lines = lines;
    }

    fn last_line(&mut self) {
        let mut lines = std::mem::take(&mut self.lines);
        lines.finish(|line| self.request(line));
    }

    fn request(&mut self, line: Result<&[u8], TooLong>) {
        self.line += 1;
        let Ok(line) = line else {
            let line = self.line;
            let problem = format!("line {line} of the file is longer than {LINE_BYTES_MAX} bytes");
            self.work.problem.get_or_insert(problem);
            return;
        };
        if self.work.problem.is_some() || line.trim_ascii().is_empty() {
            return;
        }
        if let Err(error) = self.work.add_line(line) {
            let place = format!("line {} of the file", self.line);
            let error: Error = at(&place, &error);
            debug_assert_eq!(error.kind(), Kind::BadRequest);
            self.work.problem = Some(error.message().to_owned());
        }
    }
}
