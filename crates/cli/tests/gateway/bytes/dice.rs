//! Chance that falls the same way for the same seed.

/// A 64-bit linear congruential generator (Knuth's constants), its upper half used.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    /// A number below `below`, which is not zero.
    pub(super) fn below(&mut self, below: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or(0) % below
    }

    /// Nothing, or white space.
    pub(super) fn space(&mut self) -> &'static str {
        ["", "", " ", "\n", "\r\n\t", "  "]
            .get(self.below(6))
            .copied()
            .unwrap_or_default()
    }

    /// Another order.
    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}
