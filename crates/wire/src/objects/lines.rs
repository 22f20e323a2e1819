//! Lines of JSON that come in chunks. A line is handed out whole; what is kept between chunks is
//! bounded.

/// The longest line, in bytes: a request with its pictures.
pub const LINE_BYTES_MAX: usize = 16 << 20;

/// A line was longer than [`LINE_BYTES_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooLong;

/// Cuts chunks into lines.
#[derive(Debug, Default)]
pub(super) struct Lines {
    begun: Vec<u8>,
}

impl Lines {
    /// Takes a chunk; gives each line that ends in it, without its end.
    pub(super) fn feed(
        &mut self,
        chunk: &[u8],
        mut each: impl FnMut(&[u8]),
    ) -> Result<(), TooLong> {
        let mut rest = chunk;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let (line, after) = rest.split_at(end);
            if self.begun.is_empty() {
                each(line);
            } else {
                self.keep(line)?;
                each(&std::mem::take(&mut self.begun));
            }
            rest = after.get(1..).unwrap_or_default();
        }
        self.keep(rest)
    }

    /// The line that no line end follows.
    pub(super) fn finish(&mut self, mut each: impl FnMut(&[u8])) {
        let last = std::mem::take(&mut self.begun);
        if !last.is_empty() {
            each(&last);
        }
    }

    fn keep(&mut self, part: &[u8]) -> Result<(), TooLong> {
        if self.begun.len().saturating_add(part.len()) > LINE_BYTES_MAX {
            return Err(TooLong);
        }
        self.begun.extend_from_slice(part);
        Ok(())
    }
}
