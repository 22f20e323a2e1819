//! `[upstream]`.

use super::timeout;
use crate::settings::{
    problem::Complaint,
    reader::Table,
    secret, text,
    value::{Given, Value},
};
use std::{ops::RangeInclusive, time::Duration};
use tollgate_core::secret::Secret;
use toml::de::DeValue;
use url::Url;

/// `[upstream]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamSettings {
    /// Longest wait for a connection.
    pub connect_timeout: Duration,
    /// Longest wait for an answer's head.
    pub head_timeout: Duration,
    /// Longest silence inside an answer.
    pub idle_timeout: Duration,
    /// Longest silence before an answer's first content; `None` = as inside it.
    pub first_content_timeout: Option<Duration>,
    /// Failures in a row after which a provider counts as down.
    pub unhealthy_after: u32,
    /// How long after a failure a provider that is down is probed.
    pub probe_interval: Duration,
    /// The longest `retry-after` that is believed.
    pub retry_after_max: Duration,
    /// URL of the proxy, perhaps with user and password.
    pub proxy: Option<Secret>,
    /// Hosts that are reached without it.
    pub no_proxy: Vec<String>,
    /// Whether URLs set through an API may lead into private networks.
    pub allow_private_networks: bool,
}

const FAILURES: RangeInclusive<i64> = 1..=1_000;

pub(in crate::settings) fn upstream(root: &Table<'_>) -> Option<UpstreamSettings> {
    let table = root.table("upstream");
    let connect_timeout = timeout(&table, "connect_timeout");
    let head_timeout = timeout(&table, "head_timeout");
    let idle_timeout = timeout(&table, "idle_timeout");
    let first_content_timeout = timeout(&table, "first_content_timeout");
    let unhealthy_after = table.value("unhealthy_after");
    let unhealthy_after = unhealthy_after.and_then(|value| value.integer(&FAILURES));
    let probe_interval = timeout(&table, "probe_interval");
    let retry_after_max = timeout(&table, "retry_after_max");
    let allow_private_networks = table.value("allow_private_networks");
    let allow_private_networks = allow_private_networks.and_then(|value| value.boolean());
    let proxy = proxy(&table);
    let no_proxy = no_proxy(&table);
    if !no_proxy.is_empty() && table.peek("proxy").is_none() {
        table.warn("`no_proxy` has no effect without `proxy`", "take it out");
    }
    Some(UpstreamSettings {
        connect_timeout: connect_timeout?,
        head_timeout: head_timeout?,
        idle_timeout: idle_timeout?,
        first_content_timeout,
        unhealthy_after: u32::try_from(unhealthy_after?).ok()?,
        probe_interval: probe_interval?,
        retry_after_max: retry_after_max?,
        proxy,
        no_proxy,
        allow_private_networks: allow_private_networks?,
    })
}

/// A URL in the clear, or a secret that holds one.
fn proxy(table: &Table<'_>) -> Option<Secret> {
    let value = table.peek("proxy")?;
    if let Given::Toml(DeValue::Table(_)) = value.given {
        let url = secret::read(table, "proxy")?;
        return match check_proxy(url.expose()) {
            Ok(()) => Some(url),
            Err(complaint) => {
                value.refuse(complaint);
                None
            }
        };
    }
    value.remember();
    let url = value.parse(|text| {
        let has_user = Url::parse(text)
            .is_ok_and(|url| !url.username().is_empty() || url.password().is_some());
        if has_user {
            return Err(Complaint::new(
                "this URL holds a user or a password",
                "name where it is instead: `proxy = { env = \"NAME\" }`",
            ));
        }
        check_proxy(text).map(|()| text.to_owned())
    });
    url.map(Secret::new)
}

/// What is wrong with the URL of a proxy, without repeating it: it may hold a password.
fn check_proxy(text: &str) -> Result<(), Complaint> {
    let help = "write it as in `http://proxy.example.com:3128`";
    let url = Url::parse(text)
        .map_err(|error| Complaint::new(format!("this is not a URL: {error}"), help))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Complaint::new(
            "a proxy is spoken to over `http` or `https`",
            help,
        ));
    }
    if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
        return Err(Complaint::new(
            "the URL of a proxy ends with its host and port",
            help,
        ));
    }
    Ok(())
}

fn no_proxy(table: &Table<'_>) -> Vec<String> {
    let Some(value) = table.value("no_proxy") else {
        return Vec::new();
    };
    let host = |element: &Value<'_>| element.parse(text::host_pattern);
    value.elements().iter().filter_map(host).collect()
}
