//! `[[provider]]`.

use super::Named;
use crate::settings::{
    limits::dollars, problem::Complaint, reader::Table, schema::Shape, secret, text,
};
use tollgate_core::{
    declared::DeclaredProvider,
    provider::{
        Connection, OnClientGone, PriceOverride, ProviderKind, ReportCost, Site, UnpricedPolicy,
    },
    route,
};
use url::Url;

pub(super) fn read((table, slug): Named<'_>) -> Option<DeclaredProvider> {
    let kinds = ProviderKind::ALL.map(|kind| (kind.as_str(), kind));
    let kind = table.value("kind").and_then(|value| value.choice(&kinds));
    let base_url = base_url(&table, kind);
    let credential = secret::read_credential(&table, "credential", kind);
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
    let on_client_gone = table.value("on_client_gone").and_then(|value| {
        value.choice(&[
            ("cancel", OnClientGone::Cancel),
            ("drain", OnClientGone::Drain),
        ])
    });
    let cancel_stops_billing = table
        .value("cancel_stops_billing")
        .and_then(|v| v.boolean());
    let forward_trace = table.value("forward_trace").and_then(|v| v.boolean());
    let prices = prices(&table);
    warn_of_surprises(&table, slug.as_deref(), kind);
    Some(DeclaredProvider {
        slug: slug?,
        kind: kind?,
        base_url: base_url?,
        site: Site::default(),
        credential,
        connection: Connection::default(),
        allow_deferred: false,
        unpriced: unpriced?,
        report_cost: report_cost?,
        on_client_gone: on_client_gone?,
        prices,
        cancel_stops_billing: cancel_stops_billing?,
        forward_trace: forward_trace?,
    })
}

fn base_url(table: &Table<'_>, kind: Option<ProviderKind>) -> Option<String> {
    let value = table.value("base_url");
    let own = kind.map(|kind| kind.default_base_url(&Site::default()));
    match (value, own) {
        (Some(value), Some(_)) if kind == Some(ProviderKind::Simulated) => {
            value.refuse(Complaint::new(
                "the simulated provider sends nothing anywhere",
                "take the key out",
            ));
            None
        }
        (Some(value), _) => {
            let url = value.parse(text::base_url)?;
            if table.written("credential").is_some() && text::is_clear_text(&url) {
                value.warn(
                    "the credential goes over the network in the clear",
                    "use `https://`",
                );
            }
            Some(text::url_text(&url))
        }
        (None, Some(Some(own))) => Some(own),
        (None, Some(None)) => {
            let complaint = Complaint::new(
                "this key is missing: this kind of provider has no address of its own",
                "add `base_url = \"https://…\"`",
            );
            table.refuse_absent("base_url", complaint);
            None
        }
        (None, None) => None,
    }
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

fn warn_of_surprises(table: &Table<'_>, slug: Option<&str>, kind: Option<ProviderKind>) {
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
    let own = kind.default_base_url(&Site::default());
    let url = own.and_then(|url| Url::parse(&url).ok());
    let is_own_address = table.written("base_url").is_none();
    let is_public = url.is_some_and(|url| url.scheme() == "https");
    if is_own_address && is_public && table.written("credential").is_none() {
        table.warn(
            "no credential: the provider will refuse every request",
            "add `credential = { env = \"NAME\" }`",
        );
    }
}
