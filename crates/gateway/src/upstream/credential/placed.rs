//! A secret that stands on a request as it is.

use crate::upstream::{body::RequestBody, failure::SendError};
use http::{HeaderName, HeaderValue, Request, Uri, header, uri::PathAndQuery};
use tollgate_core::{
    provider::{CredentialPlacement, Provider},
    secret::Secret,
};
use tollgate_wire::endpoint::{encode_query_value, query_without};

/// Puts the secret where the provider wants it.
///
/// # Errors
/// When it has characters that may not stand there.
pub(super) fn put(
    provider: &Provider,
    placement: &CredentialPlacement,
    secret: &Secret,
    request: &mut Request<RequestBody>,
) -> Result<(), SendError> {
    let put = match placement {
        CredentialPlacement::Bearer => {
            let value = format!("Bearer {}", secret.expose());
            put_header(header::AUTHORIZATION, &value, request)
        }
        CredentialPlacement::Header(name) => HeaderName::try_from(name.as_str())
            .ok()
            .and_then(|name| put_header(name, secret.expose(), request)),
        CredentialPlacement::Query(name) => put_query(name, secret, request),
    };
    put.ok_or_else(|| {
        SendError::misconfigured(&provider.slug, "its credential cannot stand on a request")
    })
}

fn put_header(name: HeaderName, value: &str, request: &mut Request<RequestBody>) -> Option<()> {
    let mut value = HeaderValue::try_from(value).ok()?;
    value.set_sensitive(true);
    request.headers_mut().insert(name, value);
    Some(())
}

fn put_query(name: &str, secret: &Secret, request: &mut Request<RequestBody>) -> Option<()> {
    let uri = request.uri();
    let path = uri.path_and_query().map_or("/", PathAndQuery::path);
    // A pair of the caller's with this name might be the one that the provider reads.
    let theirs = query_without(uri.query().unwrap_or_default(), &[name]);
    let sign = if theirs.is_empty() { "" } else { "&" };
    let value = encode_query_value(secret.expose());
    let target = format!("{path}?{theirs}{sign}{name}={value}");
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(target).ok()?);
    *request.uri_mut() = Uri::from_parts(parts).ok()?;
    Some(())
}
