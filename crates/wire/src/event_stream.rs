//! AWS event streams (`application/vnd.amazon.eventstream`), cut out of a byte stream that may be
//! split anywhere.
//!
//! Both checksums of every frame are verified, and its lengths are bounded before anything is kept
//! for them. What cannot be a frame ends the reading for good: behind a wrong length there is no
//! place to start again. The common case is a chunk of whole frames: those are read where they
//! lie; only an unfinished one is copied, once.
//!
//! Amazon's own crate for this format (`aws-smithy-eventstream`) takes the stream into a buffer of
//! its own and makes owned messages of it; what is needed here is to look at frames as they pass
//! and to write one now and then, bytes unchanged. Format and bounds are those of botocore's
//! `eventstream.py`.

mod frame;

pub use frame::{Frame, HEADERS_BYTES_MAX, Message, PAYLOAD_BYTES_MAX, event, exception};

use frame::{Cut, PRELUDE_BYTES};

/// A tail buffer above this size is given back once its frame is whole.
const TAIL_BYTES_KEPT: usize = 64 * 1024;

/// Cuts a stream into frames.
#[derive(Debug, Default)]
pub struct Splitter {
    /// What has come of the current frame; once the stream is damaged, what was not read.
    tail: Vec<u8>,
    /// How long `tail` must be before more can be said of it.
    wanted: usize,
    damaged: bool,
}

impl Splitter {
    /// Takes the next chunk and hands every frame that is now whole to `each`.
    pub fn feed(&mut self, chunk: &[u8], mut each: impl FnMut(Frame<'_>)) {
        let mut rest = chunk;
        while !self.damaged {
            rest = if self.tail.is_empty() {
                match Frame::cut(rest) {
                    Cut::Whole(frame, after) => {
                        each(frame);
                        after
                    }
                    Cut::Wants(bytes) => {
                        self.keep(rest, bytes);
                        return;
                    }
                    Cut::Damaged => return self.stop(rest),
                }
            } else {
                let missing = self.wanted.saturating_sub(self.tail.len());
                let Some((more, after)) = rest.split_at_checked(missing) else {
                    self.tail.extend_from_slice(rest);
                    return;
                };
                self.tail.extend_from_slice(more);
                match Frame::cut(&self.tail) {
                    Cut::Whole(frame, _) => {
                        each(frame);
                        self.clear();
                    }
                    Cut::Wants(bytes) => self.wanted = bytes,
                    Cut::Damaged => return self.stop(after),
                }
                after
            };
        }
    }

    /// Whether the stream stands between two frames, so that another one may begin.
    pub fn is_between_frames(&self) -> bool {
        self.tail.is_empty() && !self.damaged
    }

    /// Whether something came that is no frame: nothing more is read.
    pub fn is_damaged(&self) -> bool {
        self.damaged
    }

    /// The bytes that have come and were not handed out: of the frame that is not whole, or from
    /// where the damage begins to the end of the chunk it was found in.
    pub(crate) fn take_rest(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.tail)
    }

    fn keep(&mut self, bytes: &[u8], wanted: usize) {
        self.tail.extend_from_slice(bytes);
        self.wanted = wanted;
    }

    fn clear(&mut self) {
        if self.tail.capacity() > TAIL_BYTES_KEPT {
            self.tail = Vec::new();
        } else {
            self.tail.clear();
        }
        self.wanted = PRELUDE_BYTES;
    }

    fn stop(&mut self, rest: &[u8]) {
        self.tail.extend_from_slice(rest);
        self.damaged = true;
    }
}

#[cfg(test)]
mod tests;
