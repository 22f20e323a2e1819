//! Counting what passed and what failed, from what the tools write. A tool that fails without
//! naming a failed test (it did not compile, it crashed) counts as one failure.

use std::{fmt, ops::AddAssign};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) passed: u64,
    pub(super) failed: u64,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

impl Tally {
    /// A step that passes or fails as a whole.
    pub(super) fn one(passed: bool) -> Self {
        Self {
            passed: u64::from(passed),
            failed: u64::from(!passed),
        }
    }

    /// From nextest's summary, or from the result line of each test binary.
    pub(super) fn of_tests(text: &str, success: bool) -> Self {
        let mut tally = Self::default();
        for line in text.lines() {
            let line = line.trim();
            if line.starts_with("Summary [") || line.starts_with("test result:") {
                tally.passed += number_before(line, "passed");
                tally.failed += ["failed", "timed out", "exec failed"]
                    .map(|word| number_before(line, word))
                    .iter()
                    .sum::<u64>();
            }
        }
        tally.explained(success)
    }

    /// From the last line of the conformance runner.
    pub(super) fn of_conformance(text: &str, success: bool) -> Self {
        let last = text.lines().next_back().unwrap_or_default();
        let tally = Self {
            passed: number_before(last, "passed"),
            failed: number_before(last, "failed"),
        };
        tally.explained(success)
    }

    fn explained(mut self, success: bool) -> Self {
        if !success && self.failed == 0 {
            self.failed = 1;
        }
        self
    }
}

/// The number in front of the first ` word`; 0 without one.
fn number_before(line: &str, word: &str) -> u64 {
    let found = line.split_once(&format!(" {word}"));
    found
        .and_then(|(before, _)| before.rsplit(' ').next()?.parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(passed: u64, failed: u64) -> Tally {
        Tally { passed, failed }
    }

    #[test]
    fn nextest_summaries_are_counted() {
        let text = "     Summary [   0.1s] 22 tests run: 20 passed (1 slow), 1 failed, 1 timed \
                    out, 3 skipped\n";
        assert_eq!(Tally::of_tests(text, false), tally(20, 2));
    }

    #[test]
    fn results_of_cargo_test_are_added_up() {
        let text = "test result: ok. 3 passed; 0 failed; 0 ignored\n\
                    test result: FAILED. 1 passed; 2 failed; 0 ignored\n";
        assert_eq!(Tally::of_tests(text, false), tally(4, 2));
    }

    #[test]
    fn a_tool_that_fails_without_a_word_counts_as_a_failure() {
        assert_eq!(Tally::of_tests("error[E0432]", false), tally(0, 1));
        assert_eq!(Tally::of_conformance("", false), tally(0, 1));
        assert_eq!(
            Tally::of_conformance("x\n41 passed, 1 failed\n", false),
            tally(41, 1)
        );
    }
}
