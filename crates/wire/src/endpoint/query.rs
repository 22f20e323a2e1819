//! The query: what of it may travel upstream.

use super::segment;

/// Names under which SDKs and people put credentials into a query; compared without case, decoded.
const CREDENTIALS: &[&str] = &[
    "key",
    "access_token",
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

/// What the parameters of a request begin with that is signed by its query, at AWS: a signature, and
/// a token, that are not ours. Compared like [`CREDENTIALS`].
const SIGNED: &str = "x-amz-";

/// Parameters by which Google's front ends reshape an answer: a selection of its members, and a
/// wrapping of it in a function call. The usage could not be read from the rest.
const RESHAPING: &[&str] = &["fields", "callback"];

/// `query` without the pairs that carry credentials or would reshape the answer, and without those
/// that could not stand in a URL as they are. The rest keeps its bytes and order. Of several forms
/// of an answer (`alt`) the first one stays, so that none is left to choose.
pub(super) fn for_upstream(query: &str) -> String {
    let mut formed = false;
    let kept: Vec<&str> = query
        .split('&')
        .filter(|pair| match means(pair) {
            Pair::Passes => true,
            Pair::Form(_) => !std::mem::replace(&mut formed, true),
            Pair::Stays => false,
        })
        .collect();
    kept.join("&")
}

/// Whether `query`, as [`for_upstream`] left it, asks for an answer as server-sent events.
pub(super) fn asks_for_sse(query: &str) -> bool {
    query
        .split('&')
        .any(|pair| means(pair) == Pair::Form(Form::Sse))
}

/// The value of the first pair of this name, still encoded.
pub(super) fn value<'q>(query: &'q str, name: &str) -> Option<&'q str> {
    values(query, name).next()
}

/// The values of all pairs of this name, still encoded.
pub(super) fn values<'q>(query: &'q str, name: &str) -> impl Iterator<Item = &'q str> {
    query
        .split('&')
        .filter(move |pair| is_named(pair, name))
        .map(|pair| pair.split_once('=').map_or("", |(_, value)| value))
}

/// Whether the pair of this name says yes, as OpenAI's and Google's SDKs write it.
pub(super) fn is_true(query: &str, name: &str) -> bool {
    value(query, name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

/// `query` without any pair of these names.
pub(super) fn without(query: &str, names: &[&str]) -> String {
    let pairs = query.split('&');
    let kept: Vec<&str> = pairs
        .filter(|pair| !names.iter().any(|name| is_named(pair, name)))
        .collect();
    kept.join("&")
}

fn is_named(pair: &str, name: &str) -> bool {
    let own = pair.split_once('=').map_or(pair, |(own, _)| own);
    segment::decode(own).is_some_and(|own| own == name)
}

/// What one `name=value` is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pair {
    /// Goes upstream.
    Passes,
    /// Goes upstream if it is the first: the form of the answer.
    Form(Form),
    /// Does not go upstream.
    Stays,
}

/// A form of an answer that we can read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Sse,
    Json,
}

fn means(pair: &str) -> Pair {
    let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'#';
    if pair.is_empty() || !pair.bytes().all(plain) {
        return Pair::Stays;
    }
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    // A name that cannot be decoded might be read as one of ours by somebody else.
    let Some(decoded) = segment::decode(name) else {
        return Pair::Stays;
    };
    if let "alt" | "$alt" = decoded.as_ref() {
        return match segment::decode(value).as_deref() {
            Some("sse") => Pair::Form(Form::Sse),
            Some("json") => Pair::Form(Form::Json),
            Some(_) | None => Pair::Stays,
        };
    }
    let bare = decoded.trim().trim_matches('+');
    let among = |names: &[&str]| names.iter().any(|name| bare.eq_ignore_ascii_case(name));
    // Google's parameters of the system are named `$...` (and some without): they choose other
    // forms, other headers, even another body.
    let system = bare.starts_with('$') || bare.eq_ignore_ascii_case("alt");
    let head = bare.as_bytes().get(..SIGNED.len());
    let signed = head.is_some_and(|head| head.eq_ignore_ascii_case(SIGNED.as_bytes()));
    if system || signed || among(CREDENTIALS) || among(RESHAPING) {
        Pair::Stays
    } else {
        Pair::Passes
    }
}
