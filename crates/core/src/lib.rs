//! The domain of Tollgate: money, usage, prices, limits, the ledger's state machine, routes,
//! principals, errors.
//!
//! Nothing in here performs I/O, runs a task or reads a clock: time and randomness are arguments.
//! That is what makes the ledger testable by models and the rest testable in microseconds.

pub mod amount;
pub mod api_key;
pub mod clock;
pub mod declared;
pub mod entropy;
pub mod error;
pub mod format;
pub mod id;
pub mod ledger;
pub mod limit;
pub mod member;
pub mod money;
pub mod object;
pub mod organization;
pub mod price;
pub mod principal;
pub mod project;
pub mod provider;
pub mod record;
pub mod route;
pub mod secret;
pub mod snapshot;
pub mod unit;
pub mod usage;
