//! Placeholder docs; final text follows.

use http::Method;
use tollgate_core::{
    format::{Format, Operation},
    provider::ProviderKind,
};

/// What a method and a path ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The dialect of request and answer.
    pub format: Format,
    /// What is asked in it.
    pub operation: Operation,
    /// The model as the path names it, percent-decoded once; `None` when the body names it.
    pub model: Option<String>,
    /// Whether the path alone asks for a stream (`:streamGenerateContent`).
    pub stream: bool,
    /// The client's query without `?` and without credentials; empty when nothing remains.
    pub query: String,
}

impl Endpoint {
    /// The endpoint behind what follows `/proxy/{route}`.
    pub fn of(_method: &Method, _path: &str, _query: Option<&str>) -> Option<Self> {
        None
    }

    /// Path and query to append to the provider's base URL.
    pub fn upstream_path(&self, _kind: ProviderKind, _model: &str) -> String {
        String::new()
    }
}
