//! The master key: 32 bytes outside the database from which everything secret inside it hangs.
//!
//! It comes from the operator (`TOLLGATE_MASTER_KEY`) or from a key file made on the first run. It
//! is never used itself: each purpose derives its own key from it (HKDF, RFC 5869), so no use can
//! weaken another.

use crate::error::{Result, StoreError};
use aws_lc_rs::hkdf;
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};
use tollgate_core::{entropy::Entropy, secret::Secret};
use zeroize::Zeroizing;

/// Name of the key file in the data directory.
pub const KEY_FILE: &str = "master.key";

const BYTES: usize = 32;

/// The deployment's master key.
#[derive(Clone)]
pub struct MasterKey(Zeroizing<[u8; BYTES]>);

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

impl MasterKey {
    /// Reads 32 bytes written in base64 (either alphabet) or hexadecimal. `origin` is what the
    /// error names: the variable or the file.
    pub fn parse(text: &Secret, origin: &str) -> Result<Self> {
        let text = text.expose().trim();
        let bytes = from_hex(text)
            .or_else(|| STANDARD.decode(text).ok())
            .or_else(|| URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok())
            .map(Zeroizing::new);
        bytes
            .and_then(|bytes| <[u8; BYTES]>::try_from(bytes.as_slice()).ok())
            .map(|bytes| Self(Zeroizing::new(bytes)))
            .ok_or_else(|| StoreError::BadMasterKey(origin.to_owned()))
    }

    /// The key in this file; a new one, in a new file only its owner may read, when there is none.
    pub fn load_or_create(path: &Path, entropy: &dyn Entropy) -> Result<Self> {
        let mut text = Zeroizing::new(String::new());
        match File::open(path).and_then(|mut file| file.read_to_string(&mut text)) {
            Ok(_) => Self::parse(&Secret::new(text.as_str()), &path.display().to_string()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::create(path, entropy),
            Err(error) => Err(StoreError::file("read the master key", path)(error)),
        }
    }

    fn create(path: &Path, entropy: &dyn Entropy) -> Result<Self> {
        let mut bytes = Zeroizing::new([0_u8; BYTES]);
        entropy.fill(bytes.as_mut());
        let text = Zeroizing::new(format!("{}\n", STANDARD.encode(bytes.as_ref())));
        let written = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .and_then(|mut file| {
                file.write_all(text.as_bytes())?;
                file.sync_all()
            });
        written.map_err(StoreError::file("write the master key", path))?;
        Ok(Self(bytes))
    }

    /// A key for one purpose. `purpose` must be unlike every other in this crate.
    pub(crate) fn derive(&self, purpose: &'static str) -> Result<Zeroizing<[u8; BYTES]>> {
        let mut derived = Zeroizing::new([0_u8; BYTES]);
        let extracted = hkdf::Salt::new(hkdf::HKDF_SHA256, b"tollgate").extract(self.0.as_ref());
        extracted
            .expand(&[purpose.as_bytes()], hkdf::HKDF_SHA256)
            .and_then(|okm| okm.fill(derived.as_mut()))
            .map_err(|_| StoreError::Seal)?;
        Ok(derived)
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if digits.len() != 2 * BYTES {
        return None;
    }
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|d| u8::try_from(d).ok())
    };
    digits
        .chunks_exact(2)
        .map(|pair| match pair {
            [high, low] => Some((digit(*high)? << 4) | digit(*low)?),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;
    use tollgate_core::entropy::FixedEntropy;

    fn derived(key: &MasterKey) -> [u8; 32] {
        *key.derive("test").unwrap()
    }

    #[test]
    fn base64_and_hexadecimal_are_the_same_key() {
        let hex = MasterKey::parse(&Secret::new("2a".repeat(32)), "X").unwrap();
        let base64 = MasterKey::parse(&Secret::new(STANDARD.encode([0x2a; 32])), "X").unwrap();
        assert_eq!(derived(&hex), derived(&base64));
        assert_ne!(derived(&hex), *hex.derive("another purpose").unwrap());
    }

    #[test]
    fn a_bad_key_names_where_it_came_from_and_how_to_make_one_but_not_itself() {
        for bad in [
            "",
            "hunter2hunter2",
            &"zz".repeat(32),
            &STANDARD.encode([1; 31]),
        ] {
            let error = MasterKey::parse(&Secret::new(bad), "TOLLGATE_MASTER_KEY").unwrap_err();
            let text = error.to_string();
            assert!(text.contains("TOLLGATE_MASTER_KEY") && text.contains("openssl rand"));
            assert!(bad.is_empty() || !text.contains(bad));
        }
    }

    #[test]
    fn the_key_file_is_made_once_and_only_its_owner_reads_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(KEY_FILE);
        let made = MasterKey::load_or_create(&path, &FixedEntropy(9)).unwrap();
        let again = MasterKey::load_or_create(&path, &FixedEntropy(1)).unwrap();
        assert_eq!(derived(&made), derived(&again));
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
