//! Sealing: credentials lie in the database encrypted with AES-256-GCM under a random *data key*,
//! which lies beside them sealed by the master key. So the master key can change without touching
//! a single credential, and a copy of the database alone is worth nothing.
//!
//! Layout of a sealed value: version (1 byte), data key id (16), nonce (12), ciphertext, tag (16).
//! Version, data key id, what is sealed and the id of the record it belongs to are associated data:
//! a sealed value copied to another row does not open.

use crate::{
    database::Transaction,
    error::{Result, StoreError},
    master_key::MasterKey,
    sql::{hex, query},
};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use std::sync::Arc;
use tollgate_core::{clock::Timestamp, entropy::Entropy, secret::Secret};
use zeroize::Zeroizing;

const VERSION: u8 = 1;
const KEY_BYTES: usize = 32;
const ID_BYTES: usize = 16;
const MASTER_PURPOSE: &str = "seal data keys v1";
const CREDENTIAL: &str = "credential";
const DATA_KEY: &str = "data key";

/// Seals and opens the secrets of a database.
#[derive(Clone)]
pub(crate) struct Keyring {
    id: [u8; ID_BYTES],
    key: Arc<LessSafeKey>,
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keyring(…)")
    }
}

impl Keyring {
    /// The database's data key, made when there is none.
    ///
    /// Fails with [`StoreError::WrongMasterKey`] when the master key does not open it: the check
    /// that keeps a server with the wrong key from starting.
    pub(crate) async fn load_or_create(
        tx: &mut Transaction,
        master: &MasterKey,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<Self> {
        let wrapping = aead_key(master.derive(MASTER_PURPOSE)?.as_ref())?;
        let stored = query(
            "data_key",
            "SELECT id, sealed FROM data_key ORDER BY created_at DESC LIMIT 1",
        );
        if let Some(row) = stored.optional(tx).await? {
            let id = row.array("id")?;
            let sealed = row.bytes("sealed")?;
            let bytes = open(&wrapping, &sealed, DATA_KEY, &id);
            let bytes = bytes.ok_or(StoreError::WrongMasterKey)?;
            return Self::new(id, &bytes);
        }
        let mut id = [0; ID_BYTES];
        entropy.fill(&mut id);
        let mut bytes = Zeroizing::new([0_u8; KEY_BYTES]);
        entropy.fill(bytes.as_mut());
        let sealed = Sealing {
            key: &wrapping,
            key_id: [0; ID_BYTES],
            entropy,
        }
        .seal(bytes.as_ref(), DATA_KEY, &id)?;
        query(
            "data_key",
            "INSERT INTO data_key (id, sealed, created_at) VALUES ($1, $2, $3)",
        )
        .bind(id)
        .bind(sealed)
        .bind(now)
        .execute(tx)
        .await?;
        Self::new(id, bytes.as_ref())
    }

    fn new(id: [u8; ID_BYTES], bytes: &[u8]) -> Result<Self> {
        let key = Arc::new(aead_key(bytes)?);
        Ok(Self { id, key })
    }

    /// Seals the credential of the record with this id.
    pub(crate) fn seal(
        &self,
        secret: &Secret,
        record: [u8; 16],
        entropy: &dyn Entropy,
    ) -> Result<Vec<u8>> {
        Sealing {
            key: &self.key,
            key_id: self.id,
            entropy,
        }
        .seal(secret.expose().as_bytes(), CREDENTIAL, &record)
    }

    /// Opens what [`seal`](Self::seal) made for the same record.
    pub(crate) fn open(&self, sealed: &[u8], record: [u8; 16]) -> Result<Secret> {
        open(&self.key, sealed, CREDENTIAL, &record)
            .and_then(|bytes| std::str::from_utf8(&bytes).ok().map(Secret::new))
            .ok_or_else(|| StoreError::BrokenSeal {
                what: CREDENTIAL,
                id: hex(&record),
            })
    }
}

struct Sealing<'a> {
    key: &'a LessSafeKey,
    key_id: [u8; ID_BYTES],
    entropy: &'a dyn Entropy,
}

impl Sealing<'_> {
    fn seal(&self, plain: &[u8], what: &str, record: &[u8]) -> Result<Vec<u8>> {
        let mut nonce = [0; NONCE_LEN];
        self.entropy.fill(&mut nonce);
        let mut sealed = vec![VERSION];
        sealed.extend_from_slice(&self.key_id);
        let associated = associated(&sealed, what, record);
        sealed.extend_from_slice(&nonce);
        let mut body = Zeroizing::new(plain.to_vec());
        let tag = self.key.seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(nonce),
            associated,
            body.as_mut_slice(),
        );
        let tag = tag.map_err(|_| StoreError::Seal)?;
        sealed.extend_from_slice(&body);
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }
}

fn open(key: &LessSafeKey, sealed: &[u8], what: &str, record: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (head, rest) = sealed.split_at_checked(1 + ID_BYTES)?;
    let (nonce, body) = rest.split_at_checked(NONCE_LEN)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let mut body = Zeroizing::new(body.to_vec());
    let plain = key.open_in_place(nonce, associated(head, what, record), body.as_mut_slice());
    let length = plain.ok()?.len();
    body.truncate(length);
    (head.first() == Some(&VERSION)).then_some(body)
}

fn associated(head: &[u8], what: &str, record: &[u8]) -> Aad<Vec<u8>> {
    Aad::from([head, what.as_bytes(), b"/", record].concat())
}

fn aead_key(bytes: &[u8]) -> Result<LessSafeKey> {
    let unbound = UnboundKey::new(&AES_256_GCM, bytes).map_err(|_| StoreError::Seal)?;
    Ok(LessSafeKey::new(unbound))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tollgate_core::entropy::FixedEntropy;

    fn keyring() -> Keyring {
        Keyring::new([1; 16], &[2; 32]).unwrap()
    }

    #[test]
    fn a_sealed_credential_opens_only_in_its_own_row_and_unaltered() {
        let keyring = keyring();
        let secret = Secret::new("sk-canary");
        let sealed = keyring.seal(&secret, [7; 16], &FixedEntropy(3)).unwrap();
        assert_eq!(keyring.open(&sealed, [7; 16]).unwrap(), secret);
        assert!(matches!(
            keyring.open(&sealed, [8; 16]),
            Err(StoreError::BrokenSeal { .. })
        ));
        for place in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[place] ^= 1;
            assert!(keyring.open(&altered, [7; 16]).is_err(), "byte {place}");
        }
        for length in 0..sealed.len() {
            assert!(keyring.open(&sealed[..length], [7; 16]).is_err());
        }
    }
}
