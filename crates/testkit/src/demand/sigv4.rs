//! AWS Signature Version 4, computed again from the request as it came off the socket. Written from
//! the published steps (canonical request, string to sign, derived key) with nothing but HMAC and
//! SHA-256, so that it agrees with a signing library only if both are right.

use super::Refusal;
use crate::{provider::ask::percent_decoded, upstream::Received};
use aws_lc_rs::{
    digest::{SHA256, digest},
    hmac,
};
use jiff::{civil::DateTime, tz::TimeZone};
use serde::Deserialize;
use std::fmt::Write as _;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// Signatures older or newer than this are refused.
const SKEW_SECONDS: i64 = 300;

/// Whose signatures hold, and for what.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signer {
    /// Names the keys.
    pub access_key_id: String,
    /// Signs.
    pub secret_access_key: String,
    /// Short-lived keys come with one.
    pub session_token: Option<String>,
    /// Part of what is signed.
    pub region: String,
    /// Part of what is signed: `bedrock`.
    pub service: String,
}

/// The parts of an `Authorization` header.
struct Claim<'a> {
    credential: &'a str,
    signed_headers: &'a str,
    signature: &'a str,
}

impl Signer {
    pub(super) fn check(&self, request: &Received) -> Result<(), Refusal> {
        self.check_at(request, super::now())
    }

    /// The same at a time, in seconds since 1970.
    pub(super) fn check_at(&self, request: &Received, now: i64) -> Result<(), Refusal> {
        let refuse = |message: &str| Refusal::new(403, message);
        let claim = Claim::of(request).ok_or_else(|| refuse("there is no signature"))?;
        let date = request.header("x-amz-date").unwrap_or_default();
        let day = date.get(..8).unwrap_or_default();
        let scope = format!("{day}/{}/{}/aws4_request", self.region, self.service);
        if claim.credential != format!("{}/{scope}", self.access_key_id) {
            return Err(refuse(&format!("the scope is {}", claim.credential)));
        }
        if !is_about(date, now) {
            return Err(refuse(&format!("the signature is of {date:?}")));
        }
        if request.header("x-amz-security-token") != self.session_token.as_deref() {
            return Err(refuse(
                "the security token included in the request is invalid",
            ));
        }
        let mut must = vec!["host", "x-amz-date"];
        must.extend(self.session_token.as_ref().map(|_| "x-amz-security-token"));
        let signed: Vec<_> = claim.signed_headers.split(';').collect();
        if let Some(missing) = must.iter().find(|name| !signed.contains(name)) {
            return Err(refuse(&format!("{missing} is not signed")));
        }
        let body = hex(digest(&SHA256, &request.body).as_ref());
        if request
            .header("x-amz-content-sha256")
            .is_some_and(|told| told != body)
        {
            return Err(refuse("x-amz-content-sha256 is not the body's digest"));
        }
        let canonical = canonical_request(request, claim.signed_headers, &body);
        let canonical_digest = hex(digest(&SHA256, canonical.as_bytes()).as_ref());
        let to_sign = format!("{ALGORITHM}\n{date}\n{scope}\n{canonical_digest}");
        let expected = hex(&mac(&self.key(day), &to_sign));
        if expected != claim.signature {
            let message = format!(
                "the request signature we calculated does not match the signature you provided; \
                 the canonical request should have been {canonical:?}"
            );
            return Err(refuse(&message));
        }
        Ok(())
    }

    fn key(&self, day: &str) -> Vec<u8> {
        let secret = format!("AWS4{}", self.secret_access_key);
        [day, &self.region, &self.service, "aws4_request"]
            .iter()
            .fold(secret.into_bytes(), |key, part| mac(&key, part))
    }
}

impl<'a> Claim<'a> {
    fn of(request: &'a Received) -> Option<Self> {
        let header = request.header("authorization")?.strip_prefix(ALGORITHM)?;
        let part = |name: &str| {
            let mut parts = header.split(',').map(str::trim);
            parts.find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
        };
        Some(Self {
            credential: part("Credential")?,
            signed_headers: part("SignedHeaders")?,
            signature: part("Signature")?,
        })
    }
}

fn canonical_request(request: &Received, signed_headers: &str, body: &str) -> String {
    // Every service but S3 encodes the path as sent once more.
    let path: Vec<_> = request.path().split('/').map(encoded).collect();
    let (_, query) = request.target.split_once('?').unwrap_or_default();
    let mut pairs: Vec<_> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let plain = |text| encoded(&percent_decoded(text));
            format!("{}={}", plain(name), plain(value))
        })
        .collect();
    pairs.sort_unstable();
    let mut headers = String::new();
    for name in signed_headers.split(';') {
        let all = request
            .headers
            .iter()
            .filter(|(key, _)| key.eq_ignore_ascii_case(name));
        let values: Vec<_> = all.map(|(_, value)| one_space(value)).collect();
        writeln!(headers, "{name}:{}", values.join(",")).expect("a string takes all");
    }
    let (method, path, query) = (&request.method, path.join("/"), pairs.join("&"));
    format!("{method}\n{path}\n{query}\n{headers}\n{signed_headers}\n{body}")
}

fn one_space(value: &str) -> String {
    value.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Everything but letters, digits and `-._~` percent-encoded.
fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").expect("a string takes all");
        }
    }
    out
}

fn is_about(date: &str, now: i64) -> bool {
    let Ok(told) = DateTime::strptime("%Y%m%dT%H%M%SZ", date) else {
        return false;
    };
    let told = told.to_zoned(TimeZone::UTC).expect("UTC has no gaps");
    (told.timestamp().as_second() - now).abs() <= SKEW_SECONDS
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes all");
        text
    })
}
