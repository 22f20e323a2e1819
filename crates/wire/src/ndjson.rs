//! Newline-delimited JSON, cut out of a byte stream that may be split anywhere: each line that is
//! not blank is an event. Only an unfinished line is copied, up to [`LINE_BYTES_MAX`].

use memchr::memchr;

/// The longest line that is read, in bytes. A longer one is left unread.
const LINE_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Cuts a stream into lines.
#[derive(Debug, Default)]
pub(crate) struct Splitter {
    tail: Vec<u8>,
    /// The current line is over the bound and is left unread.
    skipping: bool,
    /// The last line was handed on.
    finished: bool,
}

impl Splitter {
    /// Takes the next chunk and hands every line that is now whole to `each`.
    pub(crate) fn feed(&mut self, chunk: &[u8], each: &mut dyn FnMut(&[u8])) {
        let mut rest = chunk;
        while let Some(end) = memchr(b'\n', rest) {
            let (line, after) = rest.split_at(end);
            rest = after.get(1..).unwrap_or_default();
            if self.tail.is_empty() && !self.skipping {
                hand(line, each);
                continue;
            }
            self.keep(line);
            if !std::mem::take(&mut self.skipping) {
                hand(&self.tail, each);
            }
            self.tail.clear();
        }
        self.keep(rest);
    }

    /// The stream has ended: a last line needs no line end. It is handed on once, and still stands
    /// where another would have to begin.
    pub(crate) fn finish(&mut self, each: &mut dyn FnMut(&[u8])) {
        if !std::mem::replace(&mut self.finished, true) {
            hand(&self.tail, each);
        }
    }

    /// Whether another line may begin here.
    pub(crate) fn is_between_lines(&self) -> bool {
        self.tail.is_empty() && !self.skipping
    }

    fn keep(&mut self, bytes: &[u8]) {
        if self.skipping || bytes.len() > LINE_BYTES_MAX.saturating_sub(self.tail.len()) {
            self.skipping = true;
            self.tail = Vec::new();
            return;
        }
        self.tail.extend_from_slice(bytes);
    }
}

fn hand(line: &[u8], each: &mut dyn FnMut(&[u8])) {
    let line = line.trim_ascii();
    if !line.is_empty() {
        each(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lines(chunks: impl IntoIterator<Item = Vec<u8>>) -> Vec<Vec<u8>> {
        let mut splitter = Splitter::default();
        let mut lines = Vec::new();
        let mut each = |line: &[u8]| lines.push(line.to_vec());
        for chunk in chunks {
            splitter.feed(&chunk, &mut each);
        }
        splitter.finish(&mut each);
        lines
    }

    proptest! {
        #[test]
        fn lines_are_the_same_however_the_bytes_come(
            text in "[a-c\r\n]{0,40}",
            cuts in prop::collection::vec(0_usize..41, 0..6),
        ) {
            let bytes = text.as_bytes();
            let mut places: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            places.extend([0, bytes.len()]);
            places.sort_unstable();
            let chunks = places.windows(2).map(|pair| bytes[pair[0]..pair[1]].to_vec());
            prop_assert_eq!(lines(chunks), lines([bytes.to_vec()]));
        }
    }

    #[test]
    fn a_line_is_handed_on_without_its_end_and_blank_ones_not_at_all() {
        let whole = lines([b"{\"a\":1}\r\n\n{\"b\":2}".to_vec()]);
        assert_eq!(whole, [b"{\"a\":1}".to_vec(), b"{\"b\":2}".to_vec()]);
        let mut splitter = Splitter::default();
        splitter.feed(b"{\"a\"", &mut |_| {});
        assert!(!splitter.is_between_lines());
        splitter.feed(b":1}\n", &mut |_| {});
        assert!(splitter.is_between_lines());
        splitter.feed(b"{}", &mut |_| {});
        let mut ends = 0;
        for _ in 0..2 {
            splitter.finish(&mut |_| ends += 1);
        }
        assert_eq!(ends, 1, "the last line is handed on once");
        assert!(!splitter.is_between_lines(), "it has no end all the same");
    }
}
