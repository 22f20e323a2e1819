//! The opening of a WebSocket (RFC 6455 §4), on both sides.
//!
//! Browsers cannot set headers, so a credential may stand among the subprotocols; those never go
//! upstream. Extensions are not negotiated: a compressed frame could not be read as it passes.

use crate::headers;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};
use tokio_tungstenite::tungstenite::handshake::{client::generate_key, derive_accept_key};
use tollgate_core::error::{Error, Kind};

/// Subprotocols that begin so carry a credential.
const CREDENTIALS: [&str; 3] = [
    "openai-insecure-api-key.",
    "openai-organization.",
    "openai-project.",
];

/// The accept key that answers a client's handshake.
///
/// # Errors
/// [`Kind::BadRequest`] for a request that is no handshake, saying what is missing.
pub(super) fn accept_key(method: &Method, headers: &HeaderMap) -> Result<String, Error> {
    let has = |name: HeaderName, token: &str| {
        let values = headers.get_all(name).into_iter();
        let values = values.filter_map(|value| value.to_str().ok());
        values
            .flat_map(|value| value.split(','))
            .any(|word| word.trim().eq_ignore_ascii_case(token))
    };
    let missing = |what: &str| {
        Error::new(
            Kind::BadRequest,
            format!("this endpoint is a WebSocket: {what}"),
        )
    };
    if method != Method::GET || !has(header::UPGRADE, "websocket") {
        return Err(missing("connect to it with a WebSocket client"));
    }
    if !has(header::CONNECTION, "upgrade") {
        return Err(missing("`connection: upgrade` is missing"));
    }
    if !has(header::SEC_WEBSOCKET_VERSION, "13") {
        return Err(missing("only version 13 of the protocol is spoken"));
    }
    let key = headers
        .get(header::SEC_WEBSOCKET_KEY)
        .ok_or_else(|| missing("`sec-websocket-key` is missing"))?;
    Ok(derive_accept_key(key.as_bytes()))
}

/// The headers of the handshake with the upstream, from those of the client's; the key that the
/// upstream must have answered to comes with them.
pub(super) fn to_upstream(client: &HeaderMap, upstream: &mut HeaderMap) -> String {
    let stale: Vec<HeaderName> = upstream
        .keys()
        .filter(|name| name.as_str().starts_with("sec-websocket-"))
        .cloned()
        .collect();
    for name in stale {
        upstream.remove(name);
    }
    let protocols: Vec<&str> = client
        .get_all(header::SEC_WEBSOCKET_PROTOCOL)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|word| !CREDENTIALS.iter().any(|start| word.starts_with(start)))
        .collect();
    if let Ok(value) = HeaderValue::try_from(protocols.join(", "))
        && !value.is_empty()
    {
        upstream.insert(header::SEC_WEBSOCKET_PROTOCOL, value);
    }
    let key = generate_key();
    upstream.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    upstream.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    upstream.insert(
        header::SEC_WEBSOCKET_VERSION,
        HeaderValue::from_static("13"),
    );
    if let Ok(value) = HeaderValue::try_from(key.as_str()) {
        upstream.insert(header::SEC_WEBSOCKET_KEY, value);
    }
    key
}

/// Whether an upstream's 101 answers the handshake with `key`.
pub(super) fn is_accepted(upstream: &HeaderMap, key: &str) -> bool {
    let wanted = derive_accept_key(key.as_bytes());
    upstream
        .get(header::SEC_WEBSOCKET_ACCEPT)
        .is_some_and(|value| value.as_bytes() == wanted.as_bytes())
}

/// The 101 to the client.
pub(super) fn switching(accept_key: &str, upstream: &HeaderMap) -> Response<()> {
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let mut to_client = headers::to_client(upstream);
    for name in [
        header::SEC_WEBSOCKET_ACCEPT,
        header::SEC_WEBSOCKET_EXTENSIONS,
    ] {
        to_client.remove(name);
    }
    to_client.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    to_client.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    if let Ok(value) = HeaderValue::try_from(accept_key) {
        to_client.insert(header::SEC_WEBSOCKET_ACCEPT, value);
    }
    *response.headers_mut() = to_client;
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handshake() -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("connection", "keep-alive, Upgrade"),
            ("upgrade", "WebSocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
            (
                "sec-websocket-protocol",
                "realtime, openai-insecure-api-key.tgk_canary",
            ),
            ("sec-websocket-extensions", "permessage-deflate"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn the_accept_key_is_that_of_the_rfc() {
        let key = accept_key(&Method::GET, &handshake()).unwrap();
        assert_eq!(key, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn what_is_no_handshake_is_refused_with_what_is_missing() {
        for (name, said) in [
            ("upgrade", "WebSocket client"),
            ("connection", "connection: upgrade"),
            ("sec-websocket-version", "version 13"),
            ("sec-websocket-key", "sec-websocket-key"),
        ] {
            let mut headers = handshake();
            headers.remove(name);
            let error = accept_key(&Method::GET, &headers).unwrap_err();
            assert!(error.message().contains(said), "{}", error.message());
        }
    }

    #[test]
    fn neither_credentials_nor_extensions_go_upstream() {
        let client = handshake();
        let mut upstream = client.clone();
        let key = to_upstream(&client, &mut upstream);
        assert_eq!(upstream[header::SEC_WEBSOCKET_PROTOCOL], "realtime");
        assert!(!upstream.contains_key(header::SEC_WEBSOCKET_EXTENSIONS));
        assert_eq!(upstream[header::SEC_WEBSOCKET_KEY], key.as_str());
        assert_ne!(key, "dGhlIHNhbXBsZSBub25jZQ==");
        let answered = switching("abc", &HeaderMap::new());
        assert_eq!(answered.headers()[header::SEC_WEBSOCKET_ACCEPT], "abc");
        assert!(!is_accepted(answered.headers(), &key));
    }
}
