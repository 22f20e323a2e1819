//! What a settings file declares, already checked: every name is valid and every reference
//! resolves. The store makes its rows equal to this; what was declared once and no longer is, is
//! disabled.

use crate::{
    clock::Timestamp,
    id::ProviderId,
    limit::{LimitAction, LimitUnit, WindowKind},
    member::Role,
    provider::{
        Connection, Credential, NetworkReach, OnClientGone, PriceOverride, Provider, ProviderKind,
        ReportCost, Site, UnpricedPolicy,
    },
    secret::Secret,
};
use std::time::Duration;

/// A limit before its scope has an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeclaredLimit {
    /// Over which period.
    pub window: WindowKind,
    /// Counting what.
    pub unit: LimitUnit,
    /// The cap in the unit.
    pub amount: i64,
    /// What happens there.
    pub action: LimitAction,
}

/// The whole declaration.
#[derive(Clone, Debug, Default)]
pub struct Declared {
    /// The organisation; `None` leaves what the store has (or makes one with defaults).
    pub organization: Option<DeclaredOrganization>,
    /// Projects by slug.
    pub projects: Vec<DeclaredProject>,
    /// Members by e-mail address.
    pub members: Vec<DeclaredMember>,
    /// Providers by slug.
    pub providers: Vec<DeclaredProvider>,
    /// Routing groups by slug.
    pub groups: Vec<DeclaredGroup>,
    /// API keys by project and name.
    pub api_keys: Vec<DeclaredApiKey>,
}

/// See [`crate::organization::Organization`].
#[derive(Clone, Debug)]
pub struct DeclaredOrganization {
    /// For people.
    pub name: String,
    /// IANA name, known to exist.
    pub time_zone: String,
    /// Its limits.
    pub limits: Vec<DeclaredLimit>,
}

/// See [`crate::project::Project`].
#[derive(Clone, Debug)]
pub struct DeclaredProject {
    /// Unique.
    pub slug: String,
    /// Its limits.
    pub limits: Vec<DeclaredLimit>,
}

/// See [`crate::member::Member`].
#[derive(Clone, Debug)]
pub struct DeclaredMember {
    /// Unique, lower-cased.
    pub email: String,
    /// What they may do.
    pub role: Role,
    /// Their limits.
    pub limits: Vec<DeclaredLimit>,
}

/// See [`crate::provider::Provider`].
#[derive(Clone, Debug)]
pub struct DeclaredProvider {
    /// Unique among providers and groups.
    pub slug: String,
    /// Its kind.
    pub kind: ProviderKind,
    /// Without a trailing slash.
    pub base_url: String,
    /// Where in its cloud it is.
    pub site: Site,
    /// `None` for upstreams that want none.
    pub credential: Option<Credential>,
    /// How it is reached; what may be dialled is the store's to say.
    pub connection: Connection,
    /// Models without a price.
    pub unpriced: UnpricedPolicy,
    /// Where cost is told.
    pub report_cost: ReportCost,
    /// What a vanished client means upstream.
    pub on_client_gone: OnClientGone,
    /// Rates that outrank the price data.
    pub prices: Vec<PriceOverride>,
    /// Whether cancelling stops the bill.
    pub cancel_stops_billing: bool,
    /// Whether work that is billed later may be asked for.
    pub allow_deferred: bool,
    /// Whether the caller's trace context is sent on.
    pub forward_trace: bool,
}

impl DeclaredProvider {
    /// The provider that is declared here: under this id, reaching no further than this.
    pub fn into_provider(self, id: ProviderId, reach: NetworkReach) -> Provider {
        Provider {
            id,
            slug: self.slug,
            kind: self.kind,
            base_url: self.base_url,
            site: self.site,
            credential: self.credential,
            connection: Connection {
                reach,
                ..self.connection
            },
            unpriced: self.unpriced,
            report_cost: self.report_cost,
            on_client_gone: self.on_client_gone,
            prices: self.prices,
            cancel_stops_billing: self.cancel_stops_billing,
            allow_deferred: self.allow_deferred,
            forward_trace: self.forward_trace,
        }
    }
}

/// See [`crate::route::RoutingGroup`].
#[derive(Clone, Debug)]
pub struct DeclaredGroup {
    /// Unique among providers and groups.
    pub slug: String,
    /// In order.
    pub targets: Vec<DeclaredTarget>,
    /// How long the search for a target that answers may take.
    pub time_budget: Option<Duration>,
}

/// See [`crate::route::Target`].
#[derive(Clone, Debug)]
pub struct DeclaredTarget {
    /// Slug of a declared provider.
    pub provider: String,
    /// Lower goes first.
    pub priority: u32,
    /// Share inside one priority.
    pub weight: u32,
    /// `(as asked, as sent)`.
    pub models: Vec<(String, String)>,
}

/// See [`crate::api_key::ApiKey`].
#[derive(Clone, Debug)]
pub struct DeclaredApiKey {
    /// Unique in its project.
    pub name: String,
    /// Slug of a declared project.
    pub project: String,
    /// E-mail address of a declared member: makes it a personal key.
    pub member: Option<String>,
    /// The secret; made (and shown once) when absent and the key is new.
    pub secret: Option<Secret>,
    /// When it stops working by itself.
    pub expires_at: Option<Timestamp>,
    /// Routes it may use; empty = all.
    pub allowed_routes: Vec<String>,
    /// Models it may use; empty = all.
    pub allowed_models: Vec<String>,
    /// Its limits.
    pub limits: Vec<DeclaredLimit>,
}
