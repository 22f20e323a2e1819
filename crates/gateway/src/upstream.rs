//! Everything about talking to an upstream: the only HTTP client, what a request to it looks like,
//! what its answer is made of.

mod answer;
mod client;
mod connect;
mod request;
pub(crate) mod simulated;

pub use client::Client;

pub(crate) use answer::{Answer, AnswerBody, BodyError};
pub(crate) use request::{Inbound, Prepared, build};
