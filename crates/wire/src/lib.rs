//! Wire formats. Bytes in, facts out: which endpoint is this, what does the request ask for, what
//! did the answer use, how does an error look in this dialect. No sockets, no clock.
//!
//! To add a format: a row in [`endpoint`], a folder with `request.rs` and `usage.rs`, its arm in
//! [`facts::read`] and [`tap::Tap::new`], fixtures in the golden test.

pub mod anthropic;
pub mod edit;
pub mod endpoint;
pub mod error;
pub mod facts;
pub mod gemini;
mod json;
mod measure;
mod media;
pub mod openai;
pub mod simulated;
pub mod sse;
pub mod tap;
