//! Test tools: the world around the gateway, on real sockets.
//!
//! - [`upstream::Upstream`] is a provider that does what a test tells it: exact bytes, chunk
//!   timing, resets, stalls, lies about lengths. It records what it was sent and keeps a bill.
//! - [`provider`] makes it a plausible provider: it speaks the real wire formats, so official SDKs
//!   and coding agents parse its answers, and its usage figures are a function of the request.
//! - [`demand`] makes it insist on a credential: a secret, a signature it computes again, a token
//!   that its own token endpoint issued.
//! - [`client`] is the other end: a polite client on hyper and a raw one for hostile requests.
//! - [`gateway::Gateway`] runs the real binary and kills it when asked.
//!
//! Everything here panics with a sentence when the world is not as a test needs it: a broken tool
//! must fail the test, not pass through it.

pub mod answer;
pub mod certificates;
pub mod client;
pub mod demand;
pub mod gateway;
pub mod provider;
pub mod upstream;

pub use answer::{Answer, Chunk, End, Length};
pub use certificates::Certificates;
pub use client::Client;
pub use demand::Demand;
pub use gateway::Gateway;
pub use upstream::{Ended, Received, Upstream};
