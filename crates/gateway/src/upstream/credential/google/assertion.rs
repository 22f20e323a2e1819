//! The assertion of a service account: a JSON web token that says who asks for what, signed with
//! the account's key (RS256).

use super::{Account, SCOPE};
use aws_lc_rs::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rustls::pki_types::{PrivatePkcs8KeyDer, pem::PemObject as _};
use serde::Serialize;
use tollgate_core::{clock::Timestamp, secret::Secret};

/// How long an assertion is good for, in seconds; the longest that Google takes.
const GOOD_FOR: i64 = 3600;

#[derive(Serialize)]
struct Header<'a> {
    alg: &'static str,
    typ: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<&'a str>,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    scope: &'static str,
    aud: &'a str,
    iat: i64,
    exp: i64,
}

/// Signs an assertion.
///
/// # Errors
/// When the account's private key is none.
pub(super) fn sign(account: &Account, now: Timestamp) -> Result<Secret, &'static str> {
    let unusable = "its service account's private key is unusable";
    let pem = account.private_key.expose().as_bytes();
    let der = PrivatePkcs8KeyDer::from_pem_slice(pem).map_err(|_| unusable)?;
    let key = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).map_err(|_| unusable)?;
    let iat = now.as_second();
    let header = Header {
        alg: "RS256",
        typ: "JWT",
        kid: account.key_id.as_deref(),
    };
    let claims = Claims {
        iss: &account.email,
        scope: SCOPE,
        aud: &account.token_uri,
        iat,
        exp: iat + GOOD_FOR,
    };
    let mut token = encode(&header)?;
    token.push('.');
    token.push_str(&encode(&claims)?);
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        token.as_bytes(),
        &mut signature,
    )
    .map_err(|_| unusable)?;
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut token);
    Ok(Secret::new(token))
}

fn encode(part: &impl Serialize) -> Result<String, &'static str> {
    let json = serde_json::to_vec(part).map_err(|_| "its assertion cannot be written")?;
    Ok(URL_SAFE_NO_PAD.encode(json))
}
