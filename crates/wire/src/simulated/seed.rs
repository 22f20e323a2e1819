//! Where everything that looks random comes from: a hash of the request, so that the same request
//! gets the same answer on every machine and in every version of the standard library.

/// A number that depends on the request alone. Not for secrets: anyone can compute it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seed(u64);

impl Seed {
    /// The seed of byte strings; where one ends and the next begins matters.
    pub(super) fn of(parts: &[&[u8]]) -> Self {
        let mut hash = 0x746f_6c6c_6761_7465;
        for part in parts {
            let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
            hash = mix(hash ^ length);
            let mut words = part.chunks_exact(8);
            for word in words.by_ref() {
                hash = mix(hash ^ word_of(word));
            }
            hash = mix(hash ^ word_of(words.remainder()));
        }
        Self(hash)
    }

    /// The seed of one of several choices.
    pub(super) fn of_choice(self, index: u64) -> Self {
        Self(mix(self.0 ^ index))
    }

    /// An id with the given prefix; the prefix is part of the seed.
    pub(super) fn id(self, prefix: &str) -> String {
        let mut numbers = Self::of(&[&self.0.to_le_bytes(), prefix.as_bytes()]).numbers();
        let mut next = || numbers.next().unwrap_or_default();
        format!("{prefix}{:016x}{:08x}", next(), next() >> 32)
    }

    /// An endless sequence of numbers.
    pub(super) fn numbers(self) -> impl Iterator<Item = u64> + Send + use<> {
        (1_u64..).map(move |index| mix(self.0.wrapping_add(index.wrapping_mul(GOLDEN))))
    }
}

/// 2^64 divided by the golden ratio: the step of the SplitMix64 generator.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// The finaliser of SplitMix64: every bit of the input moves every bit of the output.
fn mix(mut value: u64) -> u64 {
    value = value.wrapping_add(GOLDEN);
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

fn word_of(bytes: &[u8]) -> u64 {
    let mut word = [0; 8];
    for (slot, byte) in word.iter_mut().zip(bytes) {
        *slot = *byte;
    }
    u64::from_le_bytes(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_the_same_on_every_machine() {
        let seed = Seed::of(&[b"gpt-5.2", b"{}"]);
        assert_eq!(seed.id("req_"), Seed::of(&[b"gpt-5.2", b"{}"]).id("req_"));
        assert_eq!(seed.id("req_").len(), "req_".len() + 24);
        assert_ne!(seed.id("req_"), seed.id("msg_").replace("msg_", "req_"));
    }

    #[test]
    fn every_byte_and_every_border_counts() {
        let of = |parts: &[&[u8]]| Seed::of(parts);
        assert_ne!(of(&[b"12345678a"]), of(&[b"12345678b"]));
        assert_ne!(of(&[b"ab", b"c"]), of(&[b"a", b"bc"]));
        assert_ne!(of(&[b"a"]), of(&[b"a\0"]));
    }
}
