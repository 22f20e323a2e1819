//! The real randomness.

use tollgate_core::entropy::Entropy;

/// The cryptographic library's generator, seeded by the operating system.
#[derive(Clone, Copy, Debug)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[expect(
        clippy::expect_used,
        reason = "keys made without randomness would be guessable: better none at all"
    )]
    fn fill(&self, bytes: &mut [u8]) {
        aws_lc_rs::rand::fill(bytes).expect("the operating system gives randomness");
    }
}
