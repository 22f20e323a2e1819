//! Everything about talking to an upstream: the only HTTP client, what a request to it looks like,
//! the credential on it, how it is reached, what its answer is made of.

mod answer;
mod body;
mod client;
mod connect;
mod credential;
mod failure;
mod guard;
mod proxy;
mod request;
#[cfg(test)]
mod scene;
pub(crate) mod simulated;
mod transport;
mod trust;
mod turn;

pub use client::Client;
pub use credential::GoogleDefaults;
pub use transport::ClientError;

pub(crate) use answer::{Answer, AnswerBody, BodyError};
pub(crate) use body::RequestBody;
pub(crate) use client::Upgrade;
pub(crate) use failure::{FailureClass, SendError};
pub(crate) use request::{Inbound, Prepared, build};
