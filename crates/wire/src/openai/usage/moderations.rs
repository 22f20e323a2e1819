//! Moderations: free. The model is noted, for reports.

use super::About;
use crate::json::{self, Text};
use serde::Deserialize;
use tollgate_core::usage::UsageReport;

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    model: Option<Text<'a>>,
}

/// What a moderation answer says of itself.
pub(crate) fn moderations_usage(body: &[u8]) -> UsageReport {
    let mut about = About::default();
    if let Some(answer) = json::parse::<Answer<'_>>(body) {
        about.note(answer.model.as_ref(), None);
    }
    UsageReport {
        model: about.model,
        complete: true,
        ..UsageReport::default()
    }
}
