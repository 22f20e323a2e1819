//! API keys: the secret clients present to us. Only a keyed hash is stored.

use crate::{
    clock::Timestamp,
    entropy::Entropy,
    id::{ApiKeyId, MemberId, ProjectId},
    secret::Secret,
};

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const PREFIX: &str = "tgk_";
const RANDOM_CHARS: usize = 36;
const CHECK_CHARS: usize = 6;

/// The shortest secret accepted for a key that was not made by us.
pub const SECRET_CHARS_MIN: usize = 16;
/// The longest secret looked up at all.
pub const SECRET_CHARS_MAX: usize = 512;

/// A new key: `tgk_`, 36 random characters (over 210 bits), 6 check characters.
pub fn generate(entropy: &dyn Entropy) -> Secret {
    let mut text = String::with_capacity(PREFIX.len() + RANDOM_CHARS + CHECK_CHARS);
    text.push_str(PREFIX);
    while text.len() < PREFIX.len() + RANDOM_CHARS {
        let mut bytes = [0_u8; 64];
        entropy.fill(&mut bytes);
        // 248 is the largest multiple of 62 in a byte: what lies above would favour some letters.
        let fair = bytes.iter().filter(|byte| **byte < 248);
        for byte in fair.take(PREFIX.len() + RANDOM_CHARS - text.len()) {
            text.push(letter(u32::from(*byte)));
        }
    }
    let check = checksum(&text);
    text.push_str(&check);
    Secret::new(text)
}

/// Whether a secret that looks like ours is intact. Others (`tgk_` missing) are taken as they are.
///
/// Rejects a mistyped key before any look-up, and lets scanners tell real keys from noise.
pub fn is_well_formed(secret: &str) -> bool {
    if secret.len() < SECRET_CHARS_MIN || secret.len() > SECRET_CHARS_MAX {
        return false;
    }
    if !secret.starts_with(PREFIX) {
        return true;
    }
    let full = PREFIX.len() + RANDOM_CHARS + CHECK_CHARS;
    secret.len() == full
        && secret.is_char_boundary(full - CHECK_CHARS)
        && secret.split_at(full - CHECK_CHARS).1 == checksum(secret.split_at(full - CHECK_CHARS).0)
}

/// What may be shown of a key for recognising it: `tgk_3fQz…`.
pub fn display_prefix(secret: &str) -> String {
    let shown: String = secret.chars().take(8).collect();
    format!("{shown}…")
}

fn letter(value: u32) -> char {
    let index = usize::try_from(value % 62).unwrap_or(0);
    char::from(ALPHABET.get(index).copied().unwrap_or(b'0'))
}

/// CRC-32 (IEEE 802.3, reflected) in base 62.
fn checksum(text: &str) -> String {
    let mut crc = u32::MAX;
    for byte in text.bytes() {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            let carry = crc & 1;
            crc >>= 1;
            if carry == 1 {
                crc ^= 0xEDB8_8320;
            }
        }
    }
    let mut rest = !crc;
    let mut out = String::new();
    for _ in 0..CHECK_CHARS {
        out.push(letter(rest));
        rest /= 62;
    }
    out
}

/// The keyed hash under which a key is stored and found (HMAC-SHA-256 with a key of the
/// deployment).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyHash(pub [u8; 32]);

/// Whether a key works, as stored. Expiry is computed from `expires_at`, never stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ApiKeyState {
    /// Works.
    Active,
    /// Switched off by an admin, can be switched on again.
    Disabled,
    /// Blocked by the gateway (an unpriced model under `block_key`) until an admin clears it.
    Blocked,
    /// Gone for ever.
    Revoked,
}

impl ApiKeyState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Active, Self::Disabled, Self::Blocked, Self::Revoked];

    /// The word used in storage and output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
            Self::Blocked => "blocked",
            Self::Revoked => "revoked",
        }
    }

    /// The state with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// An API key as it is known: everything but the secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Its id.
    pub id: ApiKeyId,
    /// For people; unique among the keys of a project that are not revoked.
    pub name: String,
    /// What may be shown of the secret.
    pub display_prefix: String,
    /// The project it belongs to.
    pub project: ProjectId,
    /// The person it belongs to: makes it a personal key.
    pub member: Option<MemberId>,
    /// Its state.
    pub state: ApiKeyState,
    /// When it stops working by itself.
    pub expires_at: Option<Timestamp>,
    /// Routes it may use; empty = all.
    pub allowed_routes: Vec<String>,
    /// Models it may use; empty = all.
    pub allowed_models: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_made_key_is_well_formed_and_one_wrong_letter_shows() {
        struct Counting;
        impl Entropy for Counting {
            fn fill(&self, bytes: &mut [u8]) {
                for (index, byte) in bytes.iter_mut().enumerate() {
                    *byte = u8::try_from((index * 37) % 256).unwrap();
                }
            }
        }
        let key = generate(&Counting);
        assert!(is_well_formed(key.expose()));
        let mut wrong = key.expose().to_owned();
        let last = wrong.pop().unwrap();
        wrong.push(if last == 'A' { 'B' } else { 'A' });
        assert!(!is_well_formed(&wrong));
        assert!(!is_well_formed("tgk_short"));
        assert!(is_well_formed("a-key-of-your-own-making"));
        assert_eq!(checksum("123456789").len(), CHECK_CHARS);
    }
}
