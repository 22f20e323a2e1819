//! One path segment or query value: percent-decoding and -encoding.

use std::borrow::Cow;

/// The text behind a percent-encoded segment, decoded once; `None` when an escape is broken or the
/// bytes are not UTF-8.
pub(crate) fn decode(segment: &str) -> Option<Cow<'_, str>> {
    if !segment.contains('%') {
        return Some(Cow::Borrowed(segment));
    }
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => hex(rest.next()?)? << 4 | hex(rest.next()?)?,
            other => other,
        });
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

/// Appends `text` as one segment: all but unreserved characters (RFC 3986 §2.3) are encoded.
///
/// A segment of dots alone would still mean a parent to many parsers however it is encoded: `text`
/// must be checked for that ([`climbs`]).
pub(crate) fn encode_into(path: &mut String, text: &str) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |nibble: u8| {
        DIGITS
            .get(usize::from(nibble))
            .map_or('0', |digit| char::from(*digit))
    };
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            path.push(char::from(byte));
        } else {
            path.push('%');
            path.push(digit(byte >> 4));
            path.push(digit(byte & 15));
        }
    }
}

/// Whether a part of `text` means a directory or its parent, for whoever takes its slashes for those
/// of a path, however they are encoded. (More dots are a name.)
pub(crate) fn climbs(text: &str) -> bool {
    text.split(['/', '\\'])
        .any(|part| matches!(part, "." | ".."))
}

fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}
