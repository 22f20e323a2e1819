//! Placeholder for sse.
