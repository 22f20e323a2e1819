//! Why there is no price, and why price data was refused.

use std::fmt;

/// Why a usage has no cost.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PriceError {
    /// Neither the overrides nor the book know the model.
    #[error("no price is known for model `{0}`: add one to the provider's `prices`")]
    Unpriced(String),
    /// The answer reported no usage at all; what it cost must be estimated.
    #[error("the answer reported no usage")]
    NoUsage,
    /// The counts contradict each other: a part is reported without its whole, or exceeds it.
    #[error("the reported usage contradicts itself at `{unit}`: {problem}")]
    Inconsistent {
        /// Usage key of the unit that cannot be determined.
        unit: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// More than 9.2 billion dollars.
    #[error("the cost is outside the range of money")]
    OutOfRange,
}

/// Price data that cannot be loaded. The data in use stays in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceDataError {
    place: Vec<String>,
    problem: String,
}

impl PriceDataError {
    pub(super) fn new(problem: impl Into<String>) -> Self {
        Self {
            place: Vec::new(),
            problem: problem.into(),
        }
    }

    /// The same error, one level further out: a field is in a model, a model in a provider.
    pub(super) fn within(mut self, place: impl Into<String>) -> Self {
        self.place.insert(0, place.into());
        self
    }
}

impl fmt::Display for PriceDataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("price data: ")?;
        for place in &self.place {
            write!(f, "{place}: ")?;
        }
        f.write_str(&self.problem)
    }
}

impl std::error::Error for PriceDataError {}
