//! Counts in buckets, and quantiles of them. A quantile answers with the upper edge of its bucket,
//! so it is never below the true one. Old samples fade: at [`FULL`] all counts are halved.

/// Samples after which old ones count half.
const FULL: u32 = 2_048;

/// `N` buckets, whose edges the user of it knows.
#[derive(Clone, Debug)]
pub(super) struct Histogram<const N: usize> {
    counts: [u16; N],
    total: u32,
}

impl<const N: usize> Histogram<N> {
    pub(super) const EMPTY: Self = Self {
        counts: [0; N],
        total: 0,
    };

    /// Counts one sample; what is past the last bucket counts in it.
    pub(super) fn add(&mut self, bucket: usize) {
        if let Some(count) = self.counts.get_mut(bucket.min(N.saturating_sub(1))) {
            *count = count.saturating_add(1);
            self.total += 1;
        }
        if self.total >= FULL {
            for count in &mut self.counts {
                *count /= 2;
            }
            self.total = self.counts.iter().copied().map(u32::from).sum();
        }
    }

    pub(super) fn total(&self) -> u32 {
        self.total
    }

    /// The first bucket with which at least `percent` of the samples are covered; `None` without
    /// samples.
    pub(super) fn quantile(&self, percent: u32) -> Option<usize> {
        let needed = (self.total * percent).div_ceil(100).max(1);
        let mut covered = 0;
        self.counts.iter().position(|count| {
            covered += u32::from(*count);
            covered >= needed
        })
    }
}

/// Half-octave buckets for counts: bucket 0 is 0 and 1, then each is √2 times as wide.
pub(super) mod half_octave {
    /// Up to 2^24 tokens.
    pub(in super::super) const BUCKETS: usize = 50;

    /// The bucket of a value.
    pub(in super::super) fn bucket(value: u64) -> usize {
        (0..BUCKETS)
            .position(|at| value <= edge(at))
            .unwrap_or(BUCKETS - 1)
    }

    /// The largest value in a bucket: 2^(at/2), rounded down.
    pub(in super::super) fn edge(at: usize) -> u64 {
        let octave = 1_u64 << (at / 2).min(62);
        if at.is_multiple_of(2) {
            octave
        } else {
            // √2 to nine digits; octave ≤ 2^24 for every bucket there is.
            octave.saturating_mul(1_414_213_562) / 1_000_000_000
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_never_below_the_true_one_nor_an_octave_above() {
        let mut histogram = Histogram::<{ half_octave::BUCKETS }>::EMPTY;
        for value in 1..=1_000 {
            histogram.add(half_octave::bucket(value));
        }
        for (percent, truth) in [(50, 500), (90, 900), (99, 990)] {
            let answer = half_octave::edge(histogram.quantile(percent).unwrap());
            assert!(
                (truth..truth * 2).contains(&answer),
                "p{percent} is {answer}"
            );
        }
        assert_eq!(Histogram::<4>::EMPTY.quantile(99), None);
    }

    #[test]
    fn edges_grow_and_bound_their_buckets() {
        for at in 1..half_octave::BUCKETS {
            assert!(half_octave::edge(at) >= half_octave::edge(at - 1));
            let bucket = half_octave::bucket(half_octave::edge(at));
            assert_eq!(half_octave::edge(bucket), half_octave::edge(at));
        }
        assert_eq!(half_octave::bucket(u64::MAX), half_octave::BUCKETS - 1);
    }

    #[test]
    fn old_samples_fade() {
        let mut histogram = Histogram::<8>::EMPTY;
        for _ in 0..2_000 {
            histogram.add(1);
        }
        for _ in 0..4_000 {
            histogram.add(6);
        }
        assert!(histogram.total() < FULL);
        assert_eq!(histogram.quantile(50), Some(6));
    }
}
