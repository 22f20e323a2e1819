//! Which headers cross the gateway. Everything not named here passes unchanged, in both
//! directions; what is named is dropped, for the reason beside it.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

/// The id of a request, on every answer.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("tollgate-request-id");
/// Slug of the provider that served.
pub(crate) const PROVIDER: HeaderName = HeaderName::from_static("tollgate-provider");
/// Exact cost of a non-streaming answer: `0.0123USD`.
pub(crate) const COST: HeaderName = HeaderName::from_static("tollgate-cost");
/// The same under the name that pydantic-ai reads.
pub(crate) const COST_COMPATIBLE: HeaderName = HeaderName::from_static("logfire-ai-gateway-cost");
/// The provider under the name that existing clients read.
pub(crate) const PROVIDER_COMPATIBLE: HeaderName =
    HeaderName::from_static("pydantic-ai-gateway-active-provider");

/// Never sent upstream.
const CLIENT_ONLY: &[&str] = &[
    // Hop by hop (RFC 9110 §7.6.1), and what is computed anew for the upstream's connection.
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "http2-settings",
    "host",
    "content-length",
    "expect",
    // The upstream's answer must be readable: it is asked for identity.
    "accept-encoding",
    // Credentials in every dialect: they are the caller's credentials *to us*.
    "authorization",
    "x-api-key",
    "api-key",
    "x-goog-api-key",
    "cookie",
    "x-amz-date",
    "x-amz-security-token",
    "x-amz-content-sha256",
    // Selectors that would move the bill or the scope inside the operator's account.
    "openai-organization",
    "openai-project",
    "anthropic-workspace-id",
    "anthropic-user-profile-id",
    "x-goog-user-project",
    "x-hf-bill-to",
    "ocp-apim-subscription-key",
    // Where the caller sits is nobody's business upstream.
    "forwarded",
    "via",
    "true-client-ip",
    "client-ip",
    "remote-addr",
    "x-real-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-remote-ip",
    "x-remote-addr",
    "x-originating-ip",
    "x-forwarded",
    "x-envoy-external-address",
    "x-azure-clientip",
    "x-azure-socketip",
    "x-nf-client-connection-ip",
    "fastly-client-ip",
    "cdn-loop",
    // Where the caller meant to go, which some upstreams obey before `host`.
    "x-host",
    "x-http-host-override",
    "x-original-host",
    "x-original-url",
    "x-rewrite-url",
    // What would make the upstream answer another request, or in a form that hides its usage.
    "x-ms-oai-image-generation-deployment",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-goog-fieldmask",
    "x-goog-encode-response-if-executable",
];

/// Prefixes of headers never sent upstream: client addresses, the edge's own and what it tells of
/// who the caller is (with tokens of theirs), ours.
const CLIENT_ONLY_PREFIXES: &[&str] = &[
    "x-forwarded-",
    "x-original-forwarded-",
    "x-appengine-",
    "x-vercel-",
    "cloudfront-viewer-",
    "fly-",
    "cf-",
    "x-amzn-oidc-",
    "x-ms-token-",
    "x-ms-client-principal",
    "x-goog-iap-",
    "x-goog-authenticated-user-",
    "x-auth-request-",
    "tollgate-",
    "x-tollgate-",
    "logfire-ai-gateway-",
    "pydantic-ai-gateway-",
];

/// Prefixes of headers never sent to a client: what they tell (the cost, the provider) holds for
/// this gateway only when this gateway says it.
const UPSTREAM_ONLY_PREFIXES: &[&str] = &[
    "tollgate-",
    "x-tollgate-",
    "logfire-ai-gateway-",
    "pydantic-ai-gateway-",
];

/// Never sent to a client.
const UPSTREAM_ONLY: &[&str] = &[
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    // Names of the operator's account, cookies for the provider's domain, and policies that would
    // be taken as ours.
    "openai-organization",
    "openai-project",
    "anthropic-organization-id",
    "anthropic-workspace-id",
    "set-cookie",
    "alt-svc",
    "strict-transport-security",
    "report-to",
    "nel",
];

/// The trace context of the caller (W3C): sent on only where the provider's settings say so.
const TRACE: &[&str] = &["traceparent", "tracestate", "baggage"];

/// What of a client's headers goes upstream.
pub(crate) fn to_upstream(client: &HeaderMap, forward_trace: bool) -> HeaderMap {
    let named = connection_names(client);
    let mut headers = HeaderMap::with_capacity(client.len() + 2);
    for (name, value) in client {
        let text = name.as_str();
        let dropped = CLIENT_ONLY.contains(&text)
            || starts_with_one_of(text, CLIENT_ONLY_PREFIXES)
            || (!forward_trace && TRACE.contains(&text))
            || named.iter().any(|hop| hop.eq_ignore_ascii_case(text));
        if !dropped {
            headers.append(name.clone(), value.clone());
        }
    }
    headers.insert(
        header::ACCEPT_ENCODING,
        HeaderValue::from_static("identity"),
    );
    headers
}

/// What of an upstream's headers goes to the client.
pub(crate) fn to_client(upstream: &HeaderMap) -> HeaderMap {
    let named = connection_names(upstream);
    let mut headers = HeaderMap::with_capacity(upstream.len() + 4);
    for (name, value) in upstream {
        let text = name.as_str();
        let dropped = UPSTREAM_ONLY.contains(&text)
            || text != "tollgate-simulated" && starts_with_one_of(text, UPSTREAM_ONLY_PREFIXES)
            || named.iter().any(|hop| hop.eq_ignore_ascii_case(text));
        if !dropped {
            headers.append(name.clone(), value.clone());
        }
    }
    headers
}

fn starts_with_one_of(name: &str, prefixes: &[&str]) -> bool {
    prefixes.iter().any(|prefix| name.starts_with(prefix))
}

/// Further hop-by-hop headers that `Connection` names.
fn connection_names(headers: &HeaderMap) -> Vec<String> {
    headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty() && !name.eq_ignore_ascii_case("keep-alive"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect()
    }

    #[test]
    fn no_credential_address_or_hop_header_goes_upstream_and_the_rest_does() {
        let client = map(&[
            ("authorization", "Bearer tgk_canary"),
            ("x-api-key", "tgk_canary"),
            ("x-goog-api-key", "tgk_canary"),
            ("api-key", "tgk_canary"),
            ("cookie", "session=canary"),
            ("x-forwarded-for", "203.0.113.7"),
            ("cf-connecting-ip", "203.0.113.7"),
            ("connection", "keep-alive, x-hop"),
            ("x-hop", "1"),
            ("openai-organization", "org-x"),
            ("traceparent", "00-0-0-01"),
            ("anthropic-beta", "a,b"),
            ("x-stainless-lang", "python"),
        ]);
        let sent = to_upstream(&client, false);
        let names: Vec<_> = sent.keys().map(HeaderName::as_str).collect();
        assert_eq!(names.len(), 3, "{names:?}");
        assert_eq!(sent.get("anthropic-beta").unwrap(), "a,b");
        assert_eq!(sent.get("x-stainless-lang").unwrap(), "python");
        assert_eq!(sent.get("accept-encoding").unwrap(), "identity");
        assert!(to_upstream(&client, true).contains_key("traceparent"));
    }

    #[test]
    fn no_header_of_any_edge_tells_the_upstream_where_the_caller_sits_or_wanted_to_go() {
        for name in [
            "x-forwarded-host",
            "x-original-forwarded-for",
            "x-cluster-client-ip",
            "x-envoy-external-address",
            "x-azure-clientip",
            "x-azure-socketip",
            "fastly-client-ip",
            "fly-client-ip",
            "x-appengine-user-ip",
            "x-vercel-forwarded-for",
            "x-originating-ip",
            "x-remote-ip",
            "x-remote-addr",
            "x-host",
            "x-original-host",
        ] {
            let sent = to_upstream(&map(&[(name, "203.0.113.7")]), true);
            assert!(!sent.contains_key(name), "{name}");
        }
    }

    #[test]
    fn no_header_of_an_edge_tells_the_upstream_who_the_caller_is() {
        for name in [
            "x-amzn-oidc-data",
            "x-amzn-oidc-accesstoken",
            "x-ms-token-aad-access-token",
            "x-ms-client-principal",
            "x-ms-client-principal-name",
            "x-goog-iap-jwt-assertion",
            "x-goog-authenticated-user-email",
            "x-auth-request-access-token",
            "ocp-apim-subscription-key",
        ] {
            let sent = to_upstream(&map(&[(name, "somebody")]), true);
            assert!(!sent.contains_key(name), "{name}");
        }
    }

    #[test]
    fn no_header_chooses_a_deployment_beside_the_model() {
        let name = "x-ms-oai-image-generation-deployment";
        let sent = to_upstream(
            &map(&[(name, "dear"), ("x-ms-client-request-id", "1")]),
            false,
        );
        assert!(!sent.contains_key(name) && sent.contains_key("x-ms-client-request-id"));
    }

    #[test]
    fn no_header_selects_what_the_upstream_tells_of_its_answer() {
        let client = map(&[
            ("x-goog-fieldmask", "candidates"),
            ("x-http-method-override", "GET"),
            ("x-goog-api-client", "genai-js/1"),
        ]);
        let sent = to_upstream(&client, false);
        assert!(!sent.contains_key("x-goog-fieldmask"));
        assert!(!sent.contains_key("x-http-method-override"));
        assert!(sent.contains_key("x-goog-api-client"));
    }

    #[test]
    fn what_only_this_gateway_may_say_is_not_taken_from_an_upstream() {
        let upstream = map(&[
            ("logfire-ai-gateway-cost", "0USD"),
            ("pydantic-ai-gateway-active-provider", "theirs"),
            ("tollgate-cost", "0USD"),
            ("tollgate-simulated", "true"),
            ("x-request-id", "req_1"),
        ]);
        let sent = to_client(&upstream);
        assert_eq!(sent.len(), 2, "{sent:?}");
        assert!(sent.contains_key("tollgate-simulated") && sent.contains_key("x-request-id"));
    }

    #[test]
    fn the_operators_account_stays_hidden_and_rate_headers_pass() {
        let upstream = map(&[
            ("openai-organization", "org-x"),
            ("set-cookie", "a=b"),
            ("x-ratelimit-remaining-requests", "9"),
            ("request-id", "req_1"),
            ("retry-after", "3"),
        ]);
        let sent = to_client(&upstream);
        assert_eq!(sent.len(), 3);
        assert!(sent.contains_key("retry-after"));
    }
}
