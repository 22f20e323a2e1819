//! The query: what of it may travel upstream.

use super::segment;

/// Names under which SDKs and people put credentials into a query; compared without case, decoded.
const CREDENTIALS: &[&str] = &[
    "key",
    "$key",
    "access_token",
    "$access_token",
    "oauth_token",
    "bearer_token",
    "token",
    "auth_token",
    "authorization",
    "api_key",
    "api-key",
    "apikey",
    "x-api-key",
    "x-goog-api-key",
    "subscription-key",
];

/// `query` without the pairs that carry credentials, and without pairs that could not stand in a
/// URL as they are. The rest keeps its bytes and order.
pub(super) fn without_credentials(query: &str) -> String {
    let kept: Vec<&str> = query.split('&').filter(|pair| may_travel(pair)).collect();
    kept.join("&")
}

/// Whether `query` holds `name=value`.
pub(super) fn has(query: &str, name: &str, value: &str) -> bool {
    query.split('&').any(|pair| {
        pair.split_once('=').is_some_and(|(key, found)| {
            segment::decode(key).is_some_and(|key| key == name)
                && segment::decode(found).is_some_and(|found| found == value)
        })
    })
}

fn may_travel(pair: &str) -> bool {
    if pair.is_empty()
        || !pair
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'#')
    {
        return false;
    }
    let name = pair.split('=').next().unwrap_or(pair);
    // A name that cannot be decoded might be read as a credential by somebody else.
    segment::decode(name).is_some_and(|name| {
        let name = name.trim().trim_matches('+');
        !CREDENTIALS
            .iter()
            .any(|credential| name.eq_ignore_ascii_case(credential))
    })
}
