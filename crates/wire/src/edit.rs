//! Named edits of a body: bytes are spliced, never re-serialised, and what is not edited is not
//! copied.

use bytes::Bytes;
use std::ops::Range;

/// Replaces one range of a body (an empty range inserts).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The rule that made it: recorded with the request.
    pub rule: &'static str,
    /// What is replaced.
    pub range: Range<usize>,
    /// By what.
    pub with: Bytes,
}

/// The body with the edits made, as segments that share the original's memory.
///
/// Edits may come in any order and must not overlap; one that reaches past the body's end is
/// dropped.
pub fn apply(body: &Bytes, mut edits: Vec<Edit>) -> Vec<Bytes> {
    // At one place, what is inserted comes before what is replaced.
    edits.sort_by_key(|edit| (edit.range.start, edit.range.end));
    let mut segments = Vec::with_capacity(edits.len() * 2 + 1);
    let mut at = 0;
    for edit in edits {
        if edit.range.start < at || edit.range.end > body.len() || edit.range.start > edit.range.end
        {
            debug_assert!(
                false,
                "edit `{}` overlaps another or passes the end",
                edit.rule
            );
            continue;
        }
        if edit.range.start > at {
            segments.push(body.slice(at..edit.range.start));
        }
        at = edit.range.end;
        if !edit.with.is_empty() {
            segments.push(edit.with);
        }
    }
    if at < body.len() {
        segments.push(body.slice(at..));
    }
    segments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splices_without_copying_the_rest() {
        let body = Bytes::from_static(br#"{"model":"a","n":1}"#);
        let edits = vec![
            Edit {
                rule: "flag",
                range: 1..1,
                with: Bytes::from_static(b"\"x\":1,"),
            },
            Edit {
                rule: "model",
                range: 9..12,
                with: Bytes::from_static(b"\"bb\""),
            },
        ];
        let segments = apply(&body, edits);
        assert_eq!(segments.concat(), br#"{"x":1,"model":"bb","n":1}"#);
        assert_eq!(segments.last().unwrap().as_ptr(), body.slice(12..).as_ptr());
        assert_eq!(apply(&body, Vec::new()), vec![body]);
    }
}
