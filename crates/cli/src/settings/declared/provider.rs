//! `[[provider]]`: where it is, what we present to it, how it is reached, what it is asked to do.

mod connection;
mod credential;
mod site;

use super::Named;
use crate::settings::{limits::dollars, reader::Table, schema::Shape, value::Value};
use tollgate_core::{
    declared::DeclaredProvider,
    provider::{OnClientGone, PriceOverride, ProviderKind, ReportCost, Site, UnpricedPolicy},
    route,
};
use url::Url;

pub(super) fn read((table, slug): Named<'_>) -> Option<DeclaredProvider> {
    let kinds = ProviderKind::ALL.map(|kind| (kind.as_str(), kind));
    let kind = table.value("kind").and_then(|value| value.choice(&kinds));
    let credential = credential::read(&table, kind);
    let site = site::read(&table, kind, credential.as_ref());
    let base_url = site::base_url(&table, kind, &site);
    let connection = connection::read(&table);
    let unpriced = table.value("unpriced").and_then(|value| {
        value.choice(&[
            ("refuse", UnpricedPolicy::Refuse),
            ("allow", UnpricedPolicy::Allow),
            ("block_key", UnpricedPolicy::BlockKey),
        ])
    });
    let report_cost = table.value("report_cost").and_then(|value| {
        value.choice(&[
            ("header", ReportCost::Header),
            ("body", ReportCost::Body),
            ("off", ReportCost::Off),
        ])
    });
    let on_client_gone = table.value("on_client_gone");
    let on_client_gone = match on_client_gone {
        Some(value) => value.choice(&[
            ("cancel", OnClientGone::Cancel),
            ("drain", OnClientGone::Drain),
        ]),
        None => kind.map(|kind| kind.profile().on_client_gone()),
    };
    let cancel_stops_billing = match table.value("cancel_stops_billing") {
        Some(value) => value.boolean(),
        None => kind.map(|kind| kind.profile().cancel_stops_billing),
    };
    let flag = |name| table.value(name).as_ref().and_then(Value::boolean);
    let (allow_deferred, forward_trace) = (flag("allow_deferred"), flag("forward_trace"));
    let prices = prices(&table);
    warn_of_surprises(&table, slug.as_deref(), kind, &site);
    Some(DeclaredProvider {
        slug: slug?,
        kind: kind?,
        base_url: base_url?,
        site,
        credential,
        connection,
        allow_deferred: allow_deferred?,
        unpriced: unpriced?,
        report_cost: report_cost?,
        on_client_gone: on_client_gone?,
        prices,
        cancel_stops_billing: cancel_stops_billing?,
        forward_trace: forward_trace?,
    })
}

/// Whether the table is of the simulated provider, whatever else is wrong with it.
pub(super) fn is_simulated(table: &Table<'_>) -> bool {
    let kind = table.written("kind").and_then(|(_, kind)| kind.as_str());
    kind == Some(ProviderKind::Simulated.as_str())
}

fn prices(table: &Table<'_>) -> Vec<PriceOverride> {
    let entries = table.free_entries("prices").into_iter();
    entries
        .filter_map(|(model, value)| {
            let Shape::TableMap(section) = value.shape else {
                return None;
            };
            let rates = value.into_table(section)?;
            let rate = |name| rates.value(name).and_then(|value| dollars(&value));
            let (input, output) = (rate("input"), rate("output"));
            let (cache_read, cache_write) = (rate("cache_read"), rate("cache_write"));
            Some(PriceOverride {
                model,
                input: input?,
                output: output?,
                cache_read,
                cache_write,
            })
        })
        .collect()
}

fn warn_of_surprises(
    table: &Table<'_>,
    slug: Option<&str>,
    kind: Option<ProviderKind>,
    site: &Site,
) {
    let Some(kind) = kind else { return };
    let alias = slug.and_then(|slug| Some((slug, route::alias_formats(slug)?)));
    if let Some((slug, formats)) = alias
        && !formats.iter().any(|format| kind.formats().contains(format))
    {
        let format = formats.first().map_or("", |format| format.as_str());
        table.warn(
            format!("clients expect {format} under `{slug}`, which this kind does not speak"),
            "choose another slug",
        );
    }
    if table.written("credential").is_none() && wants_credential(table, kind, site) {
        let help = match kind {
            ProviderKind::Bedrock | ProviderKind::BedrockMantle => {
                "add `credential = { placement = \"aws-chain\" }`, or `aws-keys`, or a bearer key"
            }
            ProviderKind::GoogleVertex => {
                "add `credential = { placement = \"google-default\" }`, or \
                 `{ file = \"key.json\" }`"
            }
            _ => "add `credential = { env = \"NAME\" }`",
        };
        table.warn(
            "no credential: the provider will refuse every request",
            help,
        );
    }
}

/// Whether it is a public service at its own address. What the operator put somewhere else may be
/// anything; an Azure resource has no other address.
fn wants_credential(table: &Table<'_>, kind: ProviderKind, site: &Site) -> bool {
    let own = kind.default_base_url(site);
    let url = own.and_then(|url| Url::parse(&url).ok());
    let is_public = url.is_some_and(|url| url.scheme() == "https");
    let is_own_address = table.written("base_url").is_none();
    (is_own_address && is_public) || kind == ProviderKind::Azure
}
