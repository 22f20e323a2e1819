//! Step 1, receive: a request id, the endpoint from method and path, the bounded body.
//!
//! The body's original bytes are kept: what goes upstream later is these bytes with named edits.

mod body;
mod client_body;
mod rest;

pub(crate) use body::{Received, body};
pub(crate) use client_body::ClientBody;
pub(crate) use rest::Rest;

use crate::settings::GatewaySettings;
use http::{Request, header};
use std::time::Duration;
use tollgate_core::{
    error::{Error, Kind},
    format::Dialect,
};
use tollgate_wire::endpoint::Endpoint;

/// The longest route: slugs are shorter, and it stands in rows and log lines.
const ROUTE_BYTES_MAX: usize = 64;

/// How much of an unknown path is repeated in a message.
const SHOWN_CHARS_MAX: usize = 128;

/// Where under `/proxy/` a request goes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Address<'p> {
    /// `/proxy/models`: every model of every route.
    AllModels,
    /// `/proxy/{route}/{rest}`.
    Route {
        /// The first path segment.
        route: &'p str,
        /// What follows it, with its leading slash.
        rest: &'p str,
    },
}

/// Splits a path under `/proxy`; `None` for a path that is not the data plane's.
pub(crate) fn address(path: &str) -> Option<Address<'_>> {
    let below = path.strip_prefix("/proxy/")?;
    if below == "models" {
        return Some(Address::AllModels);
    }
    let slash = below.find('/')?;
    let (route, rest) = below.split_at_checked(slash)?;
    let named = !route.is_empty() && route.len() <= ROUTE_BYTES_MAX;
    named.then_some(Address::Route { route, rest })
}

/// Finds the endpoint of a path on a route.
pub(crate) fn endpoint<B>(request: &Request<B>, rest: &str) -> Result<Endpoint, Error> {
    let (method, query) = (request.method(), request.uri().query());
    Endpoint::of(method, rest, query, request.headers()).ok_or_else(|| {
        let rest = shown(rest);
        Error::new(
            Kind::UnknownEndpoint,
            format!("`{method} {rest}` is not an endpoint of this gateway: see the endpoint table in its documentation"),
        )
    })
}

/// The dialect to refuse an unknown path in: what the path looks like it wanted.
pub(crate) fn dialect_of(rest: &str) -> Dialect {
    let is_of_google = ["/v1beta", "/v1alpha", "/models/", "/interactions", "/ws/"];
    if rest.contains("/messages") || rest.contains("/anthropic/") {
        Dialect::Anthropic
    } else if rest.starts_with("/model/") || rest.starts_with("/inference-profiles") {
        Dialect::Bedrock
    } else if rest.starts_with("/api/") {
        Dialect::Ollama
    } else if is_of_google.iter().any(|part| rest.contains(part)) {
        Dialect::Google
    } else {
        Dialect::OpenAi
    }
}

/// As much of a path as is repeated to the caller and in the log.
fn shown(path: &str) -> String {
    path.chars().take(SHOWN_CHARS_MAX).collect()
}

/// The refusal of a path outside the data plane.
pub(crate) fn nothing_here(path: &str) -> Error {
    let path = shown(path);
    Error::new(
        Kind::UnknownEndpoint,
        format!("nothing is served at `{path}`: requests go to /proxy/<route>/…"),
    )
}

/// Reads on after a refusal, for a moment, and throws away what comes. Many clients write all of a
/// body before they look: closing on them would reset the connection, and they would try again what
/// they were told not to.
pub(crate) fn read_away(request: Request<ClientBody>) {
    let (head, body) = request.into_parts();
    // Who asks before sending has been answered.
    if !head.headers.contains_key(header::EXPECT) {
        body.read_away();
    }
}

/// Where the client reaches a route: scheme, host, `/proxy/{route}`. As the settings say, else as
/// the client itself found us.
pub(crate) fn here<B>(request: &Request<B>, settings: &GatewaySettings, route: &str) -> String {
    if let Some(public) = &settings.public_url {
        return format!("{public}/proxy/{route}");
    }
    let uri = request.uri();
    let scheme = match uri.scheme_str() {
        Some(scheme) => scheme,
        None if settings.serves_tls => "https",
        None => "http",
    };
    let host = uri.authority().map(http::uri::Authority::as_str);
    let named = request.headers().get(header::HOST);
    let host = host.or_else(|| named.and_then(|host| host.to_str().ok()));
    format!("{scheme}://{}/proxy/{route}", host.unwrap_or("localhost"))
}

fn too_large(limit: u64) -> Error {
    Error::new(
        Kind::TooLarge,
        format!(
            "the request body is larger than {limit} bytes, the limit of this gateway (server.body_limit, for files server.upload_limit)"
        ),
    )
}

fn slow(idle: Duration) -> Error {
    Error::new(
        Kind::RequestTimeout,
        format!("no byte of the request body came for {} s", idle.as_secs()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_path_is_refused_in_the_dialect_it_looks_like() {
        for (rest, dialect) in [
            ("/v1/nothing", Dialect::OpenAi),
            ("/openai/deployments/gpt/assistants", Dialect::OpenAi),
            ("/v1/messages/x", Dialect::Anthropic),
            (
                "/v1/projects/p/locations/l/publishers/anthropic/models/m:x",
                Dialect::Anthropic,
            ),
            ("/v1beta/models/m:predictLongRunning", Dialect::Google),
            ("/v1/models/m:asyncBatch", Dialect::Google),
            (
                "/ws/google.ai.generativelanguage.v1beta.Other",
                Dialect::Google,
            ),
            ("/model/m/async-invoke", Dialect::Bedrock),
            ("/inference-profiles", Dialect::Bedrock),
            ("/api/pull", Dialect::Ollama),
        ] {
            assert_eq!(dialect_of(rest), dialect, "{rest}");
        }
    }

    #[test]
    fn the_first_segment_is_the_route() {
        assert_eq!(address("/proxy/models"), Some(Address::AllModels));
        assert_eq!(
            address("/proxy/openai/v1/chat/completions"),
            Some(Address::Route {
                route: "openai",
                rest: "/v1/chat/completions"
            })
        );
        for outside in [
            "/",
            "/proxy",
            "/proxy/",
            "/proxy/openai",
            "/proxy//x",
            "/metrics",
        ] {
            assert_eq!(address(outside), None, "{outside}");
        }
    }
}
