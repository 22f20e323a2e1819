//! Server-sent events, cut out of a byte stream that may be split anywhere.
//!
//! The grammar is that of the WHATWG HTML standard: lines end in LF, CRLF or CR, an empty line
//! ends an event, an event that the stream's end cuts off never happened. The common case is a
//! chunk of whole events: those are read where they lie; only an unfinished tail is copied, and
//! never more than [`EVENT_BYTES_MAX`] of it.

use memchr::memchr2;
use std::borrow::Cow;

/// The largest event that is read, in bytes (image and final Responses events reach tens of
/// megabytes). A larger one is left unread; the stream itself is not touched by that.
pub const EVENT_BYTES_MAX: usize = 32 * 1024 * 1024;

/// A tail buffer above this size is given back once its event is whole.
const TAIL_BYTES_KEPT: usize = 64 * 1024;

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event<'a> {
    /// What `event:` says; empty when it says nothing.
    pub name: &'a [u8],
    /// The data lines, joined by LF.
    pub data: Cow<'a, [u8]>,
    /// Where `data` stands in the event's bytes, when it is one line.
    pub data_at: Option<usize>,
}

impl<'a> Event<'a> {
    /// Reads the lines of one event; `None` when it has no data (comments, `retry:` alone).
    pub fn parse(raw: &'a [u8]) -> Option<Self> {
        let mut name: &[u8] = b"";
        let mut data: Option<(Cow<'a, [u8]>, Option<usize>)> = None;
        let mut rest = raw.strip_prefix(b"\xef\xbb\xbf").unwrap_or(raw);
        while !rest.is_empty() {
            let end = memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
            let (line, after) = rest.split_at_checked(end)?;
            rest = after.get(1..).unwrap_or_default();
            if let Some(value) = field(line, b"data") {
                data = Some(match data {
                    None => {
                        let at = value.as_ptr().addr().checked_sub(raw.as_ptr().addr());
                        (Cow::Borrowed(value), at)
                    }
                    Some((first, _)) => {
                        let mut joined = first.into_owned();
                        joined.push(b'\n');
                        joined.extend_from_slice(value);
                        (Cow::Owned(joined), None)
                    }
                });
            } else if let Some(value) = field(line, b"event") {
                name = value;
            }
        }
        data.map(|(data, data_at)| Self {
            name,
            data,
            data_at,
        })
    }
}

/// The value of `line` if its field is `name`: what follows the colon and one optional space.
fn field<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let rest = line.strip_prefix(name)?;
    if rest.is_empty() {
        return Some(rest);
    }
    let value = rest.strip_prefix(b":")?;
    Some(value.strip_prefix(b" ").unwrap_or(value))
}

/// Finds where events end. Holds no bytes, only what kind of place the stream is at.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Boundaries {
    /// The current line has bytes in it.
    in_line: bool,
    /// The last byte was a CR: an LF that follows belongs to it.
    after_cr: bool,
}

impl Boundaries {
    /// How many of `bytes`, which continue the stream, belong to the current event; `None` when it
    /// goes on behind them.
    pub(crate) fn next_end(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = usize::from(self.take_lf(bytes));
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            let Some(line) = memchr2(b'\n', b'\r', rest) else {
                self.in_line = true;
                return None;
            };
            let blank = line == 0 && !self.in_line;
            self.in_line = false;
            self.after_cr = rest.get(line) == Some(&b'\r');
            at += line + 1;
            at += usize::from(self.take_lf(bytes.get(at..).unwrap_or_default()));
            if blank {
                return Some(at);
            }
        }
        None
    }

    /// Whether `bytes` begin with the LF of a CRLF whose CR has been seen; forgets that CR.
    pub(crate) fn take_lf(&mut self, bytes: &[u8]) -> bool {
        let Some(first) = bytes.first() else {
            return false;
        };
        std::mem::take(&mut self.after_cr) && *first == b'\n'
    }
}

/// Cuts a stream into events.
#[derive(Debug, Default)]
pub struct Splitter {
    boundaries: Boundaries,
    tail: Vec<u8>,
    /// The current event is over the bound and is left unread.
    skipping: bool,
}

impl Splitter {
    /// Takes the next chunk and hands every event that is now whole to `each`.
    pub fn feed(&mut self, chunk: &[u8], mut each: impl FnMut(Event<'_>)) {
        let mut rest = chunk;
        while let Some(end) = self.boundaries.next_end(rest) {
            let Some((event, after)) = rest.split_at_checked(end) else {
                return;
            };
            rest = after;
            if self.tail.is_empty() {
                if !std::mem::take(&mut self.skipping) {
                    Event::parse(event).into_iter().for_each(&mut each);
                }
                continue;
            }
            self.keep(event);
            if !std::mem::take(&mut self.skipping) {
                Event::parse(&self.tail).into_iter().for_each(&mut each);
            }
            if self.tail.capacity() > TAIL_BYTES_KEPT {
                self.tail = Vec::new();
            } else {
                self.tail.clear();
            }
        }
        self.keep(rest);
    }

    /// Whether the stream stands between two events, so that another one may begin.
    pub(crate) fn is_between_events(&self) -> bool {
        self.tail.is_empty() && !self.skipping
    }

    fn keep(&mut self, bytes: &[u8]) {
        if self.skipping {
            return;
        }
        if bytes.len() > EVENT_BYTES_MAX.saturating_sub(self.tail.len()) {
            self.skipping = true;
            self.tail = Vec::new();
            return;
        }
        self.tail.extend_from_slice(bytes);
    }
}

#[cfg(test)]
mod tests;
