//! What a Converse answer used, and which model and tier it came from. The whole answer and the
//! `metadata` event of a stream tell it in the same members.

use super::super::counts::TokenUsage;
use crate::json::{self, Text};
use serde::Deserialize;
use serde_json::value::RawValue;
use tollgate_core::usage::UsageReport;

/// Usage of a whole answer.
pub(crate) fn usage(body: &[u8]) -> UsageReport {
    let metadata: Option<Metadata<'_>> = json::parse(body);
    metadata.map(Metadata::report).unwrap_or_default()
}

/// The members are read one by one: an odd one does not hide the others.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Metadata<'a> {
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
    #[serde(borrow)]
    service_tier: Option<&'a RawValue>,
    #[serde(borrow)]
    performance_config: Option<&'a RawValue>,
    #[serde(borrow)]
    trace: Option<&'a RawValue>,
}

/// `{"type":"flex"}`.
#[derive(Deserialize)]
pub(super) struct Tier<'a> {
    #[serde(borrow)]
    pub(super) r#type: Text<'a>,
}

/// `{"latency":"optimized"}`.
#[derive(Deserialize)]
pub(super) struct Performance<'a> {
    #[serde(borrow)]
    pub(super) latency: Text<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Trace<'a> {
    #[serde(borrow)]
    prompt_router: PromptRouter<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PromptRouter<'a> {
    #[serde(borrow)]
    invoked_model_id: Text<'a>,
}

impl Metadata<'_> {
    /// The report: complete, when there is any usage.
    pub(super) fn report(self) -> UsageReport {
        let counts: Option<TokenUsage> = read(self.usage);
        let usage = counts.and_then(|counts| counts.tokens().usage());
        let tier = read::<Tier<'_>>(self.service_tier).map(|tier| tier.r#type);
        let performance = read::<Performance<'_>>(self.performance_config);
        let latency = performance.map(|performance| performance.latency);
        let trace = read::<Trace<'_>>(self.trace);
        UsageReport {
            model: trace.map(|trace| named_by(&trace.prompt_router.invoked_model_id.0)),
            complete: usage.is_some(),
            usage,
            context: [("service_tier", tier), ("latency", latency)]
                .into_iter()
                .filter_map(|(what, word)| Some((what, word?.0.into_owned())))
                .collect(),
            ..UsageReport::default()
        }
    }
}

/// The model that a prompt router chose: its ARN ends in the id that prices know.
fn named_by(arn: &str) -> String {
    arn.rsplit_once('/').map_or(arn, |(_, id)| id).to_owned()
}

fn read<'a, T: Deserialize<'a>>(raw: Option<&'a RawValue>) -> Option<T> {
    serde_json::from_str(raw?.get()).ok()
}
