//! Randomness as an argument.

/// A source of random bytes.
pub trait Entropy: Send + Sync {
    /// Fills `bytes`. Whatever makes secrets must hand in a cryptographically secure source.
    fn fill(&self, bytes: &mut [u8]);
}

/// For tests: every byte is the given one.
#[derive(Debug, Clone, Copy)]
pub struct FixedEntropy(pub u8);

impl Entropy for FixedEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(self.0);
    }
}
