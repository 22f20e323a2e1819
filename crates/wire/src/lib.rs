//! Wire formats. Bytes in, facts out: which endpoint is this, what does the request ask for, what
//! did the answer use, how does an error look in this dialect. No sockets, no clock.
//!
//! Nothing here builds a JSON tree or re-serialises a body: what is read is borrowed, what is
//! changed is spliced ([`edit`]).
//!
//! To add a format: its rows in [`endpoint`], [`address`] and [`offer`], a folder with `request.rs` and `usage.rs`, its arms in
//! [`facts::read`], [`tap::Tap::new`] and [`tap::read_body`], fixtures in the golden test.

pub mod address;
pub mod anthropic;
mod bedrock;
pub mod edit;
pub mod endpoint;
pub mod envelope;
pub mod error;
pub mod event_stream;
pub mod facts;
pub mod gemini;
mod json;
mod measure;
mod media;
mod mistral;
mod model_choice;
pub mod models;
pub mod multipart;
mod ndjson;
pub mod objects;
pub mod offer;
mod ollama;
pub mod openai;
pub mod simulated;
pub mod socket;
pub mod sse;
pub mod tap;
