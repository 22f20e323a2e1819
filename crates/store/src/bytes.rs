//! Fixed layouts of bytes, written and read by hand.

/// Fills a block of `N` bytes from the front; what is not written stays zero.
pub(crate) struct Writer<const N: usize> {
    bytes: [u8; N],
    at: usize,
}

impl<const N: usize> Writer<N> {
    pub(crate) const fn new() -> Self {
        Self {
            bytes: [0; N],
            at: 0,
        }
    }

    /// Appends; what does not fit is cut off, which the layouts' round-trip tests would show.
    pub(crate) fn put<const M: usize>(&mut self, part: [u8; M]) {
        if let Some(place) = self.bytes.get_mut(self.at..self.at + M) {
            place.copy_from_slice(&part);
        }
        self.at += M;
    }

    /// What was written so far.
    pub(crate) fn written(&self) -> &[u8] {
        self.bytes.get(..self.at).unwrap_or(&self.bytes)
    }

    /// The block.
    pub(crate) const fn bytes(self) -> [u8; N] {
        self.bytes
    }
}

/// Reads a block from the front.
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The next `M` bytes.
    pub(crate) fn take<const M: usize>(&mut self) -> Option<[u8; M]> {
        let part = self.bytes.get(self.at..self.at + M)?;
        self.at += M;
        part.try_into().ok()
    }

    /// What was read so far.
    pub(crate) fn taken(&self) -> &'a [u8] {
        self.bytes.get(..self.at).unwrap_or(self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_the_rest_is_zero() {
        let mut writer = Writer::<8>::new();
        writer.put([1, 2]);
        writer.put([3]);
        assert_eq!(writer.written(), [1, 2, 3]);
        let bytes = writer.bytes();
        let mut reader = Reader::new(&bytes);
        assert_eq!(reader.take(), Some([1, 2, 3]));
        assert_eq!(reader.taken(), [1, 2, 3]);
        assert_eq!(reader.take(), Some([0; 5]));
        assert_eq!(reader.take::<1>(), None);
    }
}
