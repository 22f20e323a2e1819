//! The built binary between a scripted upstream and a client, on real sockets.
//!
//! One test target for all of it, because linking the binary's crates takes longer than most of the
//! tests. A file is a theme; what they share is in [`support`]. Each test tells one story with four
//! nouns: the upstream and what it says, the gateway, the client and what it asks, and what must
//! have come of it: at the client, at the upstream, in the books.
//!
//! A new theme is a file beside this one and a `mod` line below.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod bytes;
mod client_gone;
mod crash;
mod exactness;
mod failover;
mod first_run;
mod http;
mod limits;
mod objects;
mod outcome;
mod priced;
mod refusals;
mod reload;
mod secrets;
mod sockets;
mod support;
mod tables;
mod upstream_failures;
