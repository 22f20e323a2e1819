//! The data plane's bounds as the settings have them. One place for all who talk to providers:
//! what a command finds out about one must be what the gateway would find out.

use crate::settings::{
    Settings,
    environment::Environment,
    process::{Estimate, UpstreamSettings},
};
use tollgate_gateway::{
    settings::{EstimatePolicy, GatewaySettings, HealthPolicy},
    upstream::GoogleDefaults,
};

/// The data plane's bounds.
pub fn bounds(settings: &Settings, environment: &Environment) -> GatewaySettings {
    let (server, upstream, ledger) = (&settings.server, &settings.upstream, &settings.ledger);
    GatewaySettings {
        body_limit: server.body_limit,
        upload_limit: server.upload_limit,
        public_url: server.public_url.clone(),
        serves_tls: server.tls.is_some(),
        body_idle_timeout: server.body_idle_timeout,
        head_timeout: server.head_timeout,
        connect_timeout: upstream.connect_timeout,
        upstream_head_timeout: upstream.head_timeout,
        upstream_idle_timeout: upstream.idle_timeout,
        request_deadline: server.request_deadline,
        hold_wait: ledger.hold_wait,
        drain_timeout: server.drain_timeout,
        estimates: EstimatePolicy {
            strict: ledger.estimate == Estimate::Strict,
            uncapped: ledger.uncapped,
        },
        proxy: upstream.proxy.clone(),
        no_proxy: upstream.no_proxy.clone(),
        allow_private_networks: upstream.allow_private_networks,
        google_defaults: GoogleDefaults::new(|name| environment.get(name).map(str::to_owned)),
        health: health(upstream),
        first_content_timeout: upstream.first_content_timeout,
    }
}

fn health(upstream: &UpstreamSettings) -> HealthPolicy {
    HealthPolicy {
        failures: upstream.unhealthy_after,
        probe_interval: upstream.probe_interval,
        retry_after_max: upstream.retry_after_max,
    }
}
