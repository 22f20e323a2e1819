//! Turns the secret of an API key into the hash it is stored and found under.
//!
//! A keyed hash: who copies the database cannot test guesses without the master key, and because
//! our secrets carry over 200 random bits a slow hash would buy nothing.

use crate::{error::Result, master_key::MasterKey};
use aws_lc_rs::hmac;
use tollgate_core::{api_key::KeyHash, secret::Secret};

/// HMAC-SHA-256 under a key of the deployment. Made once; hashing takes well under a microsecond.
#[derive(Clone)]
pub struct KeyHasher(hmac::Key);

impl std::fmt::Debug for KeyHasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyHasher(…)")
    }
}

impl KeyHasher {
    /// The hasher of the deployment with this master key.
    pub fn new(master: &MasterKey) -> Result<Self> {
        let key = master.derive("hash api keys v1")?;
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, key.as_ref())))
    }

    /// The hash of a secret a caller presents.
    pub fn hash(&self, secret: &str) -> KeyHash {
        let mut hash = [0; 32];
        let tag = hmac::sign(&self.0, secret.as_bytes());
        for (to, from) in hash.iter_mut().zip(tag.as_ref()) {
            *to = *from;
        }
        KeyHash(hash)
    }

    /// The hash of a secret being stored.
    pub(crate) fn hash_secret(&self, secret: &Secret) -> KeyHash {
        self.hash(secret.expose())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_hashes_the_same_under_one_master_key_and_differently_under_another() {
        let hasher = |byte: &str| {
            let key = MasterKey::parse(&Secret::new(byte.repeat(32)), "test").unwrap();
            KeyHasher::new(&key).unwrap()
        };
        let (one, other) = (hasher("01"), hasher("02"));
        assert_eq!(one.hash("tgk_a"), hasher("01").hash("tgk_a"));
        assert_ne!(one.hash("tgk_a"), one.hash("tgk_b"));
        assert_ne!(one.hash("tgk_a"), other.hash("tgk_a"));
    }
}
