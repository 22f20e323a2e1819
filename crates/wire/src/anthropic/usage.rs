//! What a Messages answer used: the usage object, how the one at the end of a stream is merged into
//! the one at its start, and what becomes of its iterations.

use crate::json::{self, Count};
use serde::Deserialize;
use serde_json::value::RawValue;
use tollgate_core::{
    unit::Unit,
    usage::{ExtraUsage, Usage, UsageReport},
};

/// Usage of a whole answer.
pub(crate) fn usage(body: &[u8]) -> UsageReport {
    #[derive(Deserialize)]
    struct Message<'a> {
        #[serde(default)]
        model: Option<String>,
        #[serde(default, borrow)]
        usage: Option<Reported<'a>>,
    }
    let Ok(message) = serde_json::from_slice::<Message<'_>>(body) else {
        return UsageReport::default();
    };
    let mut tally = Tally { model: message.model, ..Tally::default() };
    if let Some(usage) = message.usage {
        tally.merge(usage);
    }
    tally.report(true)
}

/// A usage object as it stands on the wire; every field may be absent or null.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Reported<'a> {
    #[serde(flatten)]
    counts: Counts,
    #[serde(borrow)]
    output_tokens_details: Option<&'a RawValue>,
    server_tool_use: Option<ServerToolUse>,
    service_tier: Option<String>,
    speed: Option<String>,
    inference_geo: Option<String>,
    iterations: Option<Vec<Iteration>>,
    cost: Option<&'a RawValue>,
}
