//! The words under which a provider's choices are stored: the same as in settings.

use tollgate_core::provider::{OnClientGone, ReportCost, UnpricedPolicy};

pub(super) const fn unpriced_word(policy: UnpricedPolicy) -> &'static str {
    match policy {
        UnpricedPolicy::Refuse => "refuse",
        UnpricedPolicy::Allow => "allow",
        UnpricedPolicy::BlockKey => "block_key",
    }
}

pub(super) fn unpriced_from_word(word: &str) -> Option<UnpricedPolicy> {
    match word {
        "refuse" => Some(UnpricedPolicy::Refuse),
        "allow" => Some(UnpricedPolicy::Allow),
        "block_key" => Some(UnpricedPolicy::BlockKey),
        _ => None,
    }
}

pub(super) const fn report_cost_word(report: ReportCost) -> &'static str {
    match report {
        ReportCost::Header => "header",
        ReportCost::Body => "body",
        ReportCost::Off => "off",
    }
}

pub(super) fn report_cost_from_word(word: &str) -> Option<ReportCost> {
    match word {
        "header" => Some(ReportCost::Header),
        "body" => Some(ReportCost::Body),
        "off" => Some(ReportCost::Off),
        _ => None,
    }
}

pub(super) const fn on_client_gone_word(choice: OnClientGone) -> &'static str {
    match choice {
        OnClientGone::Cancel => "cancel",
        OnClientGone::Drain => "drain",
    }
}

pub(super) fn on_client_gone_from_word(word: &str) -> Option<OnClientGone> {
    match word {
        "cancel" => Some(OnClientGone::Cancel),
        "drain" => Some(OnClientGone::Drain),
        _ => None,
    }
}
