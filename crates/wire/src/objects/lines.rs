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
    /// The line that has begun is too long: its end is waited for.
    skips: bool,
}

impl Lines {
    /// Takes a chunk; gives each line that ends in it, without its end, and tells once of each line
    /// that is too long. What is behind such a line is read like everything else.
    pub(super) fn feed(&mut self, chunk: &[u8], mut each: impl FnMut(Result<&[u8], TooLong>)) {
        let mut rest = chunk;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let (line, after) = rest.split_at(end);
            if std::mem::take(&mut self.skips) {
                // It was told of.
            } else if self.begun.is_empty() {
                each(bounded(line));
            } else {
                let begun = self.keep(line).map(|()| std::mem::take(&mut self.begun));
                each(begun.as_deref().map_err(|too_long| *too_long));
            }
            rest = after.get(1..).unwrap_or_default();
        }
        if !self.skips
            && let Err(too_long) = self.keep(rest)
        {
            self.skips = true;
            each(Err(too_long));
        }
    }

    /// The line that no line end follows.
    pub(super) fn finish(&mut self, mut each: impl FnMut(Result<&[u8], TooLong>)) {
        let last = std::mem::take(&mut self.begun);
        if !last.is_empty() {
            each(Ok(&last));
        }
    }

    /// Keeps more of the line that has begun, or lets go of it.
    fn keep(&mut self, part: &[u8]) -> Result<(), TooLong> {
        if self.begun.len().saturating_add(part.len()) > LINE_BYTES_MAX {
            self.begun = Vec::new();
            return Err(TooLong);
        }
        self.begun.extend_from_slice(part);
        Ok(())
    }
}

fn bounded(line: &[u8]) -> Result<&[u8], TooLong> {
    if line.len() > LINE_BYTES_MAX {
        return Err(TooLong);
    }
    Ok(line)
}
