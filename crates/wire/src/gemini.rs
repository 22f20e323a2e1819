//! Placeholder for gemini.
// Temporary contract: replace the bodies.
use crate::{edit::Edit, endpoint::Endpoint, facts::RequestFacts, tap::StreamReader};
use tollgate_core::{error::Error, usage::UsageReport};

/// Facts of a request; the model and whether it streams are in `endpoint`.
pub(crate) fn facts(_endpoint: &Endpoint, _body: &[u8]) -> Result<RequestFacts, Error> {
    Ok(RequestFacts::default())
}

/// Usage of a whole answer.
pub(crate) fn usage(_body: &[u8]) -> UsageReport {
    UsageReport::default()
}

/// The insertion of the cost into a whole answer: Gemini's is told in a header.
pub(crate) fn cost_edit(_body: &[u8], _cost: &str) -> Option<Edit> {
    None
}

/// A reader of a stream of events; of the elements of a JSON array as well.
pub(crate) fn reader() -> Box<dyn StreamReader> {
    Box::new(Nothing)
}

struct Nothing;

impl StreamReader for Nothing {
    fn event(&mut self, _name: &[u8], _data: &[u8]) -> crate::tap::Carries {
        crate::tap::Carries::Content
    }

    fn progress(&self) -> crate::tap::Progress {
        crate::tap::Progress::default()
    }

    fn report(&self) -> UsageReport {
        UsageReport::default()
    }

    fn cost_edit(&self, _data: &[u8], _cost: &str) -> Option<Edit> {
        None
    }
}

/// Splits a streamed JSON array (a stream asked for without `alt=sse`) into its elements, whatever
/// the chunks; bounded like [`crate::sse`]. Each element goes to `each` once it is whole.
#[derive(Debug, Default)]
pub(crate) struct ArraySplitter {}

impl ArraySplitter {
    /// Takes the next chunk.
    pub(crate) fn feed(&mut self, _chunk: &[u8], _each: &mut dyn FnMut(&[u8])) {}
}
