//! One frame: lengths, headers, payload, and the two checksums that guard them.
//!
//! ```text
//! total u32 | headers u32 | crc of these 8 bytes u32 | headers | payload | crc of all before u32
//! ```
//!
//! All numbers are big-endian, the checksum is the CRC-32 of zip files. A header is its name and
//! its value, each with its length before it and the value with its type.

use bytes::Bytes;

/// The most bytes of headers in a frame.
pub const HEADERS_BYTES_MAX: usize = 128 * 1024;

/// The most bytes of payload in a frame.
pub const PAYLOAD_BYTES_MAX: usize = 24 * 1024 * 1024;

/// The two lengths and their checksum.
pub(super) const PRELUDE_BYTES: usize = 12;
/// What a frame is longer than its headers and payload.
const FRAME_BYTES: usize = PRELUDE_BYTES + CRC_BYTES;
const CRC_BYTES: usize = 4;

/// The type of a header's value that is text.
const STRING: u8 = 7;

/// One frame, as it stands in the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    raw: &'a [u8],
    headers: &'a [u8],
    payload: &'a [u8],
}

/// What a frame is, by its headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message<'a> {
    /// An event of this type.
    Event(&'a [u8]),
    /// An error that the service's model knows, by its member's name (`throttlingException`); the
    /// payload tells more.
    Exception(&'a [u8]),
    /// Any other error. There is no payload.
    Error {
        /// A short name.
        code: &'a [u8],
        /// For people.
        message: &'a [u8],
    },
}

/// What the beginning of some bytes is.
pub(super) enum Cut<'a> {
    /// A frame, and what follows it.
    Whole(Frame<'a>, &'a [u8]),
    /// Part of a frame: this many bytes must be there before more can be said.
    Wants(usize),
    /// No frame.
    Damaged,
}

impl<'a> Frame<'a> {
    /// Cuts the first frame off `bytes`.
    pub(super) fn cut(bytes: &'a [u8]) -> Cut<'a> {
        let Some(prelude) = bytes.first_chunk::<PRELUDE_BYTES>() else {
            return Cut::Wants(PRELUDE_BYTES);
        };
        let Some((headers, total)) = lengths(prelude) else {
            return Cut::Damaged;
        };
        let Some((raw, after)) = bytes.split_at_checked(total) else {
            return Cut::Wants(total);
        };
        match Self::checked(raw, headers) {
            Some(frame) => Cut::Whole(frame, after),
            None => Cut::Damaged,
        }
    }

    /// The frame that `raw` is, all of it.
    pub(crate) fn parse(raw: &'a [u8]) -> Option<Self> {
        match Self::cut(raw) {
            Cut::Whole(frame, []) => Some(frame),
            Cut::Whole(..) | Cut::Wants(_) | Cut::Damaged => None,
        }
    }

    fn checked(raw: &'a [u8], headers: usize) -> Option<Self> {
        let (guarded, crc) = raw.split_last_chunk::<CRC_BYTES>()?;
        if crc32fast::hash(guarded) != u32::from_be_bytes(*crc) {
            return None;
        }
        let (headers, payload) = guarded.get(PRELUDE_BYTES..)?.split_at_checked(headers)?;
        Some(Self {
            raw,
            headers,
            payload,
        })
    }

    /// All bytes of the frame.
    pub fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// What it carries.
    pub fn payload(&self) -> &'a [u8] {
        self.payload
    }

    /// The header of this name, when it is text.
    pub fn header(&self, name: &str) -> Option<&'a [u8]> {
        let mut rest = self.headers;
        while let Some((header, after)) = next_header(rest) {
            if header.name == name.as_bytes() {
                return (header.kind == STRING).then_some(header.value);
            }
            rest = after;
        }
        None
    }

    /// What it is.
    pub fn message(&self) -> Message<'a> {
        let text = |name| self.header(name).unwrap_or_default();
        match text(":message-type") {
            b"exception" => Message::Exception(text(":exception-type")),
            b"error" => Message::Error {
                code: text(":error-code"),
                message: text(":error-message"),
            },
            _ => Message::Event(text(":event-type")),
        }
    }

    /// The same frame with another payload, which must be within [`PAYLOAD_BYTES_MAX`].
    pub(crate) fn with_payload(&self, payload: &[u8]) -> Bytes {
        assemble(self.headers, payload)
    }
}

/// Lengths of the headers and of the whole frame, when they are sound.
fn lengths(prelude: &[u8; PRELUDE_BYTES]) -> Option<(usize, usize)> {
    let (guarded, crc) = prelude.split_last_chunk::<CRC_BYTES>()?;
    if crc32fast::hash(guarded) != u32::from_be_bytes(*crc) {
        return None;
    }
    let (total, headers) = (guarded.first_chunk()?, guarded.last_chunk()?);
    let total = usize::try_from(u32::from_be_bytes(*total)).ok()?;
    let headers = usize::try_from(u32::from_be_bytes(*headers)).ok()?;
    let payload = total.checked_sub(FRAME_BYTES)?.checked_sub(headers)?;
    let within = headers <= HEADERS_BYTES_MAX && payload <= PAYLOAD_BYTES_MAX;
    within.then_some((headers, total))
}

struct Header<'a> {
    name: &'a [u8],
    kind: u8,
    value: &'a [u8],
}

/// The first header and what follows it.
fn next_header(bytes: &[u8]) -> Option<(Header<'_>, &[u8])> {
    let (length, rest) = bytes.split_first()?;
    let (name, rest) = rest.split_at_checked(usize::from(*length))?;
    let (kind, rest) = rest.split_first()?;
    let (length, rest) = match *kind {
        // True and false.
        0 | 1 => (0, rest),
        // Numbers of 1, 2, 4 and 8 bytes.
        2 => (1, rest),
        3 => (2, rest),
        4 => (4, rest),
        5 => (8, rest),
        // Bytes and text, with their length before them.
        6 | STRING => {
            let (length, rest) = rest.split_first_chunk::<2>()?;
            (usize::from(u16::from_be_bytes(*length)), rest)
        }
        // A moment; an id.
        8 => (8, rest),
        9 => (16, rest),
        _ => return None,
    };
    let (value, rest) = rest.split_at_checked(length)?;
    let kind = *kind;
    Some((Header { name, kind, value }, rest))
}

/// The frame that tells of an exception: `name` is the member of the service's model
/// (`throttlingException`), `payload` its JSON, within [`PAYLOAD_BYTES_MAX`].
pub fn exception(name: &str, payload: &[u8]) -> Bytes {
    of_kind("exception", ":exception-type", name, payload)
}

/// The frame of the event `name` (`contentBlockDelta`, `chunk`); `payload` is its JSON, within
/// [`PAYLOAD_BYTES_MAX`].
pub fn event(name: &str, payload: &[u8]) -> Bytes {
    of_kind("event", ":event-type", name, payload)
}

fn of_kind(kind: &str, type_header: &str, name: &str, payload: &[u8]) -> Bytes {
    let mut headers = Vec::with_capacity(96 + name.len());
    push_header(&mut headers, type_header, name);
    push_header(&mut headers, ":content-type", "application/json");
    push_header(&mut headers, ":message-type", kind);
    assemble(&headers, payload)
}

/// Appends a header of text. Names reach 255 bytes and values 65,535: one that is longer is left
/// out, for a length that does not fit would spoil the frame.
pub(super) fn push_header(headers: &mut Vec<u8>, name: &str, value: &str) {
    let (Ok(name_length), Ok(value_length)) =
        (u8::try_from(name.len()), u16::try_from(value.len()))
    else {
        return;
    };
    headers.push(name_length);
    headers.extend_from_slice(name.as_bytes());
    headers.push(STRING);
    headers.extend_from_slice(&value_length.to_be_bytes());
    headers.extend_from_slice(value.as_bytes());
}

pub(super) fn assemble(headers: &[u8], payload: &[u8]) -> Bytes {
    let length = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX).to_be_bytes();
    let total = FRAME_BYTES + headers.len() + payload.len();
    let mut raw = Vec::with_capacity(total);
    raw.extend_from_slice(&length(total));
    raw.extend_from_slice(&length(headers.len()));
    raw.extend_from_slice(&crc32fast::hash(&raw).to_be_bytes());
    raw.extend_from_slice(headers);
    raw.extend_from_slice(payload);
    raw.extend_from_slice(&crc32fast::hash(&raw).to_be_bytes());
    Bytes::from(raw)
}
