//! Placeholder
use crate::{edit::Edit, facts::RequestFacts};
use tollgate_core::{error::Error, usage::UsageReport};
pub(crate) fn chat_facts(_body: &[u8]) -> Result<RequestFacts, Error> { Ok(RequestFacts::default()) }
pub(crate) fn responses_facts(_body: &[u8]) -> Result<RequestFacts, Error> { Ok(RequestFacts::default()) }
pub(crate) fn embeddings_facts(_body: &[u8]) -> Result<RequestFacts, Error> { Ok(RequestFacts::default()) }
pub(crate) fn chat_usage(_body: &[u8]) -> UsageReport { UsageReport::default() }
pub(crate) fn responses_usage(_body: &[u8]) -> UsageReport { UsageReport::default() }
pub(crate) fn embeddings_usage(_body: &[u8]) -> UsageReport { UsageReport::default() }
pub(crate) fn cost_edit(_body: &[u8], _cost: &str) -> Option<Edit> { None }
