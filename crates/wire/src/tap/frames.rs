//! The tap of an AWS event stream: frames pass as they came, and their events are read.
//!
//! One named edit may be made: the cost of a Converse stream is written where pydantic-ai looks
//! for it, into the event that stands before the one with the usage. So that one frame is held
//! back until the next is there, and is made anew around its edited payload; with that edit frames
//! pass one by one as they become whole.

use super::{Carries, Pricer, StreamReader, blame};
use crate::{
    edit,
    event_stream::{Frame, Message, Splitter},
};
use bytes::Bytes;

#[derive(Default)]
pub(super) struct Frames {
    splitter: Splitter,
    inserts_cost: bool,
    /// The frame that the cost is for, not passed on yet.
    held: Option<Bytes>,
    exception: Option<Exception>,
}

/// An exception or error came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Exception {
    /// It is about the request itself.
    pub(super) blames_request: bool,
}

impl Frames {
    pub(super) fn new(inserts_cost: bool) -> Self {
        Self {
            inserts_cost,
            ..Self::default()
        }
    }

    pub(super) fn feed(
        &mut self,
        chunk: Bytes,
        reader: &mut dyn StreamReader,
        price: Pricer<'_>,
        out: &mut Vec<Bytes>,
    ) {
        let Self {
            splitter,
            held,
            exception,
            ..
        } = self;
        if !self.inserts_cost || splitter.is_damaged() {
            splitter.feed(&chunk, |frame| {
                read(frame, reader, exception);
            });
            out.push(chunk);
            return;
        }
        splitter.feed(&chunk, |frame| {
            let carries = read(frame, reader, exception);
            let before = held.take().map(|held| match carries {
                Carries::Usage | Carries::UsageOnly => with_cost(held, reader, price),
                Carries::Content | Carries::CostPlace => held,
            });
            out.extend(before);
            let bytes = Bytes::copy_from_slice(frame.raw());
            if carries == Carries::CostPlace {
                *held = Some(bytes);
            } else {
                out.push(bytes);
            }
        });
        if splitter.is_damaged() {
            self.finish(out);
        }
    }

    pub(super) fn finish(&mut self, out: &mut Vec<Bytes>) {
        if !self.inserts_cost {
            return;
        }
        out.extend(self.held.take());
        let rest = self.splitter.take_rest();
        if !rest.is_empty() {
            out.push(Bytes::from(rest));
        }
    }

    /// The first exception that came.
    pub(super) fn exception(&self) -> Option<Exception> {
        self.exception
    }

    /// With the edit, whatever is not whole is not with the client.
    pub(super) fn is_between_frames(&self) -> bool {
        self.splitter.is_between_frames() || self.inserts_cost && !self.splitter.is_damaged()
    }
}

fn read(
    frame: Frame<'_>,
    reader: &mut dyn StreamReader,
    exception: &mut Option<Exception>,
) -> Carries {
    let blames_request = match frame.message() {
        Message::Event(name) => return reader.event(name, frame.payload()),
        Message::Exception(name) => blame::exception_blames_request(name),
        Message::Error { .. } => false,
    };
    exception.get_or_insert(Exception { blames_request });
    Carries::Content
}

/// The held frame with the cost in it; as it is when there is none, or no place for it.
fn with_cost(held: Bytes, reader: &dyn StreamReader, price: Pricer<'_>) -> Bytes {
    edited(&held, reader, price).unwrap_or(held)
}

fn edited(held: &Bytes, reader: &dyn StreamReader, price: Pricer<'_>) -> Option<Bytes> {
    let frame = Frame::parse(held)?;
    let cost = price(&reader.report())?;
    let edit = reader.cost_edit(frame.payload(), &cost)?;
    let payload = edit::apply(&held.slice_ref(frame.payload()), vec![edit]);
    Some(frame.with_payload(&payload.concat()))
}
