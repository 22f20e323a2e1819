//! The tap: reads usage from an answer while its bytes pass by unchanged.
//!
//! Two named edits may be made to a stream, each on whole events only: the usage chunk that we
//! asked for and the client did not is withheld, and the cost is written into the final usage
//! where `report_cost = "body"`. Without them every chunk passes as it came, and is not copied.

mod body;

pub use body::{insert_cost_in_body, read_body};

use crate::edit::Edit;
use bytes::Bytes;
use tollgate_core::usage::UsageReport;

/// What is known of an answer while it streams.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Input tokens as the upstream counted them (cached included), once it has said so.
    pub input_tokens: Option<u64>,
    /// Bytes of answer content seen (visible text and tool arguments; not thinking summaries, not
    /// pings). An estimate of tokens follows from it.
    pub content_bytes: u64,
    /// The first content event was seen: from here on no failover.
    pub started: bool,
    /// The format's own end marker was seen: the stream is whole.
    pub terminal: bool,
    /// The upstream reported an error inside the stream.
    pub failed: bool,
}

/// How a stream is to be edited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StreamEdits {
    /// Withhold the usage chunk of a chat stream.
    pub withhold_usage: bool,
    /// Write the cost into the final usage.
    pub insert_cost: bool,
}

/// Gives the cost of a finished usage as a decimal string in dollars; `None` when it has none.
pub type Pricer<'a> = &'a mut dyn FnMut(&UsageReport) -> Option<String>;

/// What one event is to the edits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carries {
    /// Nothing the edits care for.
    Content,
    /// The final (or latest cumulative) usage beside other things: the cost may be written here.
    Usage,
    /// Usage and nothing else (the chat chunk with `choices: []`): may be withheld, or be given
    /// the cost.
    UsageOnly,
}

/// A reader of one format's stream.
///
/// Implemented per format; used through [`Tap`].
pub(crate) trait StreamReader: Send {
    /// Takes one complete event: its `event:` name (empty when unnamed) and its joined data.
    /// Malformed data is ignored here: the client's SDK is the judge of it.
    fn event(&mut self, name: &[u8], data: &[u8]) -> Carries;

    /// What is known so far.
    fn progress(&self) -> Progress;

    /// The usage so far; `complete` says whether it is final.
    fn report(&self) -> UsageReport;

    /// The insertion of `cost` (decimal dollars) into the data of an event that carries usage;
    /// ranges are in `data`. `None` when there is no place for it.
    fn cost_edit(&self, data: &[u8], cost: &str) -> Option<Edit>;
}

/// Holds back nothing, reads everything.
pub struct Tap {
    _reader: Box<dyn StreamReader>,
}

impl Tap {
    /// Feeds one chunk as it came from the upstream; pushes to `out` what the client gets.
    pub fn feed(&mut self, chunk: Bytes, _price: Pricer<'_>, out: &mut Vec<Bytes>) {
        out.push(chunk);
    }
}
