//! Providers: configured upstreams. A provider natively speaks a set of formats; a request in one
//! of them can go to it unchanged, or with the small named edits of its kind's envelope.
//!
//! What is true of every provider of a kind stands in its [`profile`]; the rest is settings.

mod connection;
mod credential;
mod kind;
pub mod profile;
mod site;

pub use connection::{Connection, NetworkReach};
pub use credential::{Credential, CredentialPlacement, Entra, ServiceAccount, SigningKeys};
pub use kind::ProviderKind;
pub use site::Site;

use crate::{id::ProviderId, money::NanoUsd};

/// What happens to a request for a model without a price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnpricedPolicy {
    /// 400 before anything is sent.
    #[default]
    Refuse,
    /// Let it through, cost zero, flagged.
    Allow,
    /// 400, and the API key is blocked until an admin clears it.
    BlockKey,
}

/// Where the cost of a request is told to the client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReportCost {
    /// Response headers of non-streaming answers.
    #[default]
    Header,
    /// Also inside the answer's usage object, streams included (pydantic-ai reads it there).
    Body,
    /// Nowhere.
    Off,
}

/// What happens upstream when the client hangs up in mid-stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnClientGone {
    /// Cancel: the provider stops billing.
    #[default]
    Cancel,
    /// Read on to the usage, bounded: the provider bills the whole anyway.
    Drain,
}

/// A rate override of one model: dollars per million tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceOverride {
    /// The model as requests name it.
    pub model: String,
    /// Input tokens, nano-dollars per million.
    pub input: NanoUsd,
    /// Output tokens, nano-dollars per million.
    pub output: NanoUsd,
    /// Cache reads, when they differ from input.
    pub cache_read: Option<NanoUsd>,
    /// Cache writes, when they differ from input.
    pub cache_write: Option<NanoUsd>,
}

/// A configured upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// Its id.
    pub id: ProviderId,
    /// Its name in URLs and settings.
    pub slug: String,
    /// Its kind.
    pub kind: ProviderKind,
    /// Where it is: scheme, host and a path prefix without a trailing slash.
    pub base_url: String,
    /// Where in its cloud it is: what its paths and signatures name.
    pub site: Site,
    /// What we present to it.
    pub credential: Option<Credential>,
    /// How it is reached.
    pub connection: Connection,
    /// Models without a price.
    pub unpriced: UnpricedPolicy,
    /// Where cost is told.
    pub report_cost: ReportCost,
    /// What a vanished client means upstream.
    pub on_client_gone: OnClientGone,
    /// Rates that outrank the price data.
    pub prices: Vec<PriceOverride>,
    /// Whether the upstream stops billing when we cancel (ledger: cuttable streams).
    pub cancel_stops_billing: bool,
    /// Work that is billed after its answer (batches, background responses) may be asked for.
    pub allow_deferred: bool,
    /// The caller's `traceparent` and `baggage` are sent on.
    pub forward_trace: bool,
}
