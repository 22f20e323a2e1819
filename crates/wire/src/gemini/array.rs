//! A streamed JSON array, taken apart into its elements whatever the chunks.

use crate::sse::EVENT_BYTES_MAX;
use memchr::memchr2;

/// A buffer above this size is given back once its element is whole.
const BUFFER_BYTES_KEPT: usize = 64 * 1024;

/// Splits a streamed JSON array (a stream asked for without `alt=sse`) into its elements. Only
/// objects and arrays are elements here; what is not JSON yields nothing, or elements that nobody
/// can read. An element longer than [`EVENT_BYTES_MAX`] passes by unread.
#[derive(Debug, Default)]
pub(crate) struct ArraySplitter {
    /// Open brackets; 1 is between the elements.
    depth: u64,
    place: Place,
    /// The element so far.
    element: Vec<u8>,
    overlong: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Structure,
    Text,
    Escape,
}

impl ArraySplitter {
    /// Whether the array stands between two elements, so that another one may begin.
    pub(crate) fn is_between_elements(&self) -> bool {
        self.depth <= 1 && self.element.is_empty() && !self.overlong
    }

    /// Takes the next chunk, and gives each element to `each` once it is whole.
    pub(crate) fn feed(&mut self, chunk: &[u8], each: &mut dyn FnMut(&[u8])) {
        let mut rest = chunk;
        while let Some((byte, tail)) = rest.split_first() {
            if self.place == Place::Text {
                // Most of an answer is text: pass over it at once.
                let plain = memchr2(b'"', b'\\', rest).unwrap_or(rest.len());
                if let Some((text, tail)) = rest.split_at_checked(plain).filter(|_| plain > 0) {
                    if self.depth > 1 {
                        self.keep(text);
                    }
                    rest = tail;
                    continue;
                }
            }
            self.byte(*byte, each);
            rest = tail;
        }
    }

    fn byte(&mut self, byte: u8, each: &mut dyn FnMut(&[u8])) {
        let was_inside = self.depth > 1;
        let mut closed = false;
        match (self.place, byte) {
            (Place::Structure, b'[' | b'{') => self.depth = self.depth.saturating_add(1),
            (Place::Structure, b']' | b'}') => {
                self.depth = self.depth.saturating_sub(1);
                closed = was_inside && self.depth == 1;
            }
            (Place::Structure, b'"') | (Place::Escape, _) => self.place = Place::Text,
            (Place::Text, b'\\') => self.place = Place::Escape,
            (Place::Text, b'"') => self.place = Place::Structure,
            (Place::Structure | Place::Text, _) => {}
        }
        if was_inside || self.depth > 1 {
            self.keep(&[byte]);
        }
        if closed {
            if !self.overlong {
                each(&self.element);
            }
            if self.element.capacity() > BUFFER_BYTES_KEPT {
                self.element = Vec::new();
            }
            self.element.clear();
            self.overlong = false;
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        self.overlong |= bytes.len() > EVENT_BYTES_MAX.saturating_sub(self.element.len());
        if self.overlong {
            self.element = Vec::new();
        } else {
            self.element.extend_from_slice(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn split(chunks: &[&[u8]]) -> Vec<String> {
        let mut splitter = ArraySplitter::default();
        let mut elements = Vec::new();
        for chunk in chunks {
            splitter.feed(chunk, &mut |element| {
                elements.push(String::from_utf8_lossy(element).into_owned());
            });
        }
        elements
    }

    #[test]
    fn brackets_and_quotes_in_text_do_not_split() {
        let json = br#" [ {"a":"]},\"{ \\"} ,
            {"b":[[1],{}]} ,[2], 3, "x{"] "#;
        assert_eq!(
            split(&[json]),
            [r#"{"a":"]},\"{ \\"}"#, r#"{"b":[[1],{}]}"#, "[2]"]
        );
    }

    #[test]
    fn an_element_that_is_not_whole_is_not_given() {
        assert_eq!(split(&[b"[{\"a\":1},{\"b\""]), [r#"{"a":1}"#]);
        assert!(split(&[b"not json"]).is_empty());
        assert!(split(&[b"]]}}"]).is_empty());
    }

    #[test]
    fn an_element_over_the_limit_passes_unread_and_the_next_is_read() {
        let filler = vec![b'x'; EVENT_BYTES_MAX];
        assert_eq!(
            split(&[b"[{\"a\":\"", &filler, b"\"},{\"b\":2}]"]),
            [r#"{"b":2}"#]
        );
    }

    proptest! {
        #[test]
        fn elements_do_not_depend_on_the_chunks(
            texts in prop::collection::vec(r#"[a-z\[\]{}",\\é]{0,20}"#, 0..6),
            cuts in prop::collection::vec(0_usize..400, 0..12),
        ) {
            let objects: Vec<String> =
                texts.iter().map(|text| serde_json::json!({ "text": text }).to_string()).collect();
            let json = format!("[{}]", objects.join(",\r\n"));
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(json.len())).collect();
            cuts.extend([0, json.len()]);
            cuts.sort_unstable();
            let chunks: Vec<&[u8]> =
                cuts.windows(2).map(|cut| &json.as_bytes()[cut[0]..cut[1]]).collect();
            prop_assert_eq!(split(&chunks), objects);
        }
    }
}
