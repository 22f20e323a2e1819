//! Objects that live at a provider: which ones an answer names, what a list shows of them, what
//! work handed in at once asks for and what it used in the end.
//!
//! Whose an object is, the caller knows; here are bytes. Lists are cut by spans ([`List`]), absolute
//! URLs are replaced by spans ([`results_urls`]); nothing is re-serialised.

mod batch;
mod file_scan;
mod lines;
mod list;
mod made;
mod outcome;
mod request;
mod results;

pub use batch::{BatchWork, MODELS_MAX, ModelWork};
pub use file_scan::FileScan;
pub use lines::LINE_BYTES_MAX;
pub use list::{List, results_urls};
pub use made::{Made, made, made_in_frame, made_in_list};
pub(crate) use made::{of_interaction, of_message, of_response};
pub use outcome::{Bill, Outcome, outcome};
pub(crate) use request::facts;
pub use results::Results;

use crate::endpoint::Endpoint;
use tollgate_core::format::Operation;

/// What the answer to a request about objects is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shows {
    /// One object, as JSON.
    Object,
    /// A page of objects, as JSON, those of strangers among them.
    List,
    /// What an object holds: bytes of any kind and length.
    Content,
}

impl Shows {
    /// What the answer of `endpoint` is; `None` when it is not about objects.
    pub fn of(endpoint: &Endpoint) -> Option<Self> {
        let content = ["/content", "/results", "/input_items"];
        match endpoint.operation {
            Operation::ListObjects => Some(Self::List),
            Operation::ReadObject if content.iter().any(|end| endpoint.tail.ends_with(end)) => {
                Some(Self::Content)
            }
            Operation::CreateObject
            | Operation::Defer
            | Operation::ReadObject
            | Operation::ChangeObject
            | Operation::DeleteObject => Some(Self::Object),
            Operation::Generate
            | Operation::Embed
            | Operation::CountTokens
            | Operation::Moderate
            | Operation::ListModels
            | Operation::DescribeModel
            | Operation::Converse => None,
        }
    }
}

#[cfg(test)]
mod tests;
