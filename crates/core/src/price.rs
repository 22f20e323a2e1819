//! Prices: what a model's tokens, searches and seconds cost, and the cost of what was used.
//!
//! The [`PriceBook`] reads the `genai-prices` data (a snapshot is bundled) and finds a model's
//! [`ModelPricing`] by provider and model name. [`ProviderPrices`] is what the gateway asks: the
//! overrides of one configured provider before the book. [`TokenRates`] is the part needed for
//! holds: an upper bound by integer multiplication alone.
//!
//! Invariants: a rate is the decimal of the data, digit for digit; the cost of a request is summed
//! exactly and rounded half up to a nano-dollar once; a bound is never below the cost of any split
//! of its tokens; arithmetic past the range is an error (or, in a bound, the largest amount), never
//! a wrap. Nothing here reads a clock or a file.

mod book;
mod bound;
mod card;
mod cost;
mod data;
mod error;
mod lattice;
mod matching;
mod model;
mod of_provider;
mod rate;
mod repair;
mod routed;
#[cfg(test)]
mod tests;

pub use book::PriceBook;
pub use bound::{CacheWrite, InputKind, TokenRates};
pub use cost::Cost;
pub use error::{PriceDataError, PriceError};
pub use model::ModelPricing;
pub use of_provider::{CostSource, ListedModel, PricedReport, ProviderPrices};
