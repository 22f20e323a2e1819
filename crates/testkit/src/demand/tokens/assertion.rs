//! A Google service account and the check of what it signs (RFC 7523): the signature against its
//! public key, and every claim.

use crate::demand::now;
use aws_lc_rs::{
    encoding::AsDer as _,
    rsa::{KeyPair, KeySize},
    signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey},
};
use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use serde_json::{Value, json};

const EMAIL: &str = "tollgate@scripted-project.iam.gserviceaccount.com";
const KEY_ID: &str = "0123456789abcdef0123456789abcdef01234567";
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
/// Google issues nothing for assertions that hold longer.
const LONGEST_SECONDS: i64 = 3600;
/// How far a clock may be ahead.
const SKEW_SECONDS: i64 = 60;

pub(super) struct ServiceAccount {
    key: KeyPair,
    pub(super) token_uri: String,
}

impl ServiceAccount {
    /// A new one: no private key lies in this repository.
    pub(super) fn generate(token_uri: &str) -> Self {
        Self {
            key: KeyPair::generate(KeySize::Rsa2048).expect("a key can be made"),
            token_uri: token_uri.to_owned(),
        }
    }

    /// As the console hands it out.
    pub(super) fn key_file(&self) -> String {
        let der = self.key.as_der().expect("a key made here can be written");
        let text = BASE64_STANDARD.encode(der.as_ref());
        let mut pem = String::from("-----BEGIN PRIVATE KEY-----\n");
        for line in text.as_bytes().chunks(64) {
            pem.extend(line.iter().copied().map(char::from));
            pem.push('\n');
        }
        pem.push_str("-----END PRIVATE KEY-----\n");
        let file = json!({
            "type": "service_account",
            "project_id": "scripted-project",
            "private_key_id": KEY_ID,
            "private_key": pem,
            "client_email": EMAIL,
            "client_id": "100000000000000000000",
            "token_uri": self.token_uri,
        });
        file.to_string()
    }

    /// Whether an assertion is worth a token; what is wrong with it otherwise.
    pub(super) fn check(&self, assertion: &str) -> Result<(), String> {
        let parts: Vec<_> = assertion.split('.').collect();
        let [header, claims, signature] = parts[..] else {
            return Err("the assertion has not three parts".to_owned());
        };
        let decoded = |part: &str| {
            let bytes = BASE64_URL_SAFE_NO_PAD.decode(part);
            bytes.map_err(|_| "the assertion is not base64url".to_owned())
        };
        let document = |part: &str| -> Result<Value, String> {
            serde_json::from_slice(&decoded(part)?).map_err(|error| error.to_string())
        };
        let (head, told) = (document(header)?, document(claims)?);
        if head.get("alg") != Some(&json!("RS256")) {
            return Err(format!("the header is {head}"));
        }
        if head.get("kid").is_some_and(|kid| kid != KEY_ID) {
            return Err(format!("no key {head}"));
        }
        let public = self.key.public_key().as_ref();
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public)
            .verify(
                format!("{header}.{claims}").as_bytes(),
                &decoded(signature)?,
            )
            .map_err(|_| "invalid JWT signature".to_owned())?;
        self.check_claims(&told)
    }

    fn check_claims(&self, told: &Value) -> Result<(), String> {
        let text = |name: &str| told.get(name).and_then(Value::as_str).unwrap_or_default();
        let second = |name: &str| told.get(name).and_then(Value::as_i64).unwrap_or_default();
        let now = now();
        let (made, ends) = (second("iat"), second("exp"));
        let wrong = [
            ("iss", text("iss") != EMAIL),
            ("aud", text("aud") != self.token_uri),
            (
                "scope",
                !text("scope").split(' ').any(|scope| scope == SCOPE),
            ),
            (
                "iat",
                made > now + SKEW_SECONDS || made < now - LONGEST_SECONDS,
            ),
            ("exp", ends <= now || ends > made + LONGEST_SECONDS),
        ];
        match wrong.iter().find(|(_, wrong)| *wrong) {
            Some((claim, _)) => Err(format!("invalid JWT: {claim} in {told}")),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::{
        rand::SystemRandom,
        signature::{RSA_PKCS1_SHA256, RsaKeyPair},
    };

    const URI: &str = "https://127.0.0.1/token";

    /// What a client makes of the key file.
    fn signed(file: &Value, claims: &Value) -> String {
        let pem = file["private_key"].as_str().unwrap();
        let text: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let key = RsaKeyPair::from_pkcs8(&BASE64_STANDARD.decode(text).unwrap()).unwrap();
        let header = json!({ "alg": "RS256", "typ": "JWT", "kid": file["private_key_id"] });
        let [header, claims] =
            [header, claims.clone()].map(|part| BASE64_URL_SAFE_NO_PAD.encode(part.to_string()));
        let message = format!("{header}.{claims}");
        let mut signature = vec![0; key.public_modulus_len()];
        let random = SystemRandom::new();
        key.sign(
            &RSA_PKCS1_SHA256,
            &random,
            message.as_bytes(),
            &mut signature,
        )
        .unwrap();
        format!("{message}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    }

    fn claims(changed: &str, value: Value) -> Value {
        let now = now();
        let mut claims = json!({
            "iss": EMAIL, "aud": URI, "scope": SCOPE, "iat": now, "exp": now + 3600,
        });
        claims[changed] = value;
        claims
    }

    #[test]
    fn only_a_true_signature_over_true_claims_is_worth_a_token() {
        let account = ServiceAccount::generate(URI);
        let file: Value = serde_json::from_str(&account.key_file()).unwrap();
        let good = signed(&file, &claims("sub", Value::Null));
        account.check(&good).unwrap();
        let stranger = ServiceAccount::generate(URI);
        assert!(stranger.check(&good).unwrap_err().contains("signature"));
        let now = now();
        for (claim, value) in [
            ("iss", json!("somebody@else")),
            ("aud", json!("https://oauth2.googleapis.com/token")),
            ("scope", json!("openid")),
            ("iat", json!(now + 600)),
            ("exp", json!(now - 1)),
            ("exp", json!(now + 7200)),
        ] {
            let wrong = account
                .check(&signed(&file, &claims(claim, value)))
                .unwrap_err();
            assert!(wrong.contains(&format!("{claim} in")), "{wrong}");
        }
    }
}
