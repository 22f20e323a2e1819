//! What the tests of this crate share: a store in a directory of its own, a clock moved by hand,
//! declarations and requests to start from.

use crate::{BootId, HOLD_FILE, HoldFile, ManagedBy, MasterKey, Provisioned, Scan, Store};
use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use tollgate_core::{
    amount::Amount,
    clock::{Clock, ManualClock, Timestamp},
    declared::{
        Declared, DeclaredApiKey, DeclaredGroup, DeclaredLimit, DeclaredMember,
        DeclaredOrganization, DeclaredProject, DeclaredProvider, DeclaredTarget,
    },
    entropy::Entropy,
    format::{Format, Operation},
    id::{NodeId, RequestId},
    ledger::{Fact, FactKind, Flags},
    limit::{LimitAction, LimitUnit, WindowKind},
    member::Role,
    money::NanoUsd,
    principal::Ids,
    provider::{
        Connection, Credential, CredentialPlacement, OnClientGone, ProviderKind, ReportCost, Site,
        UnpricedPolicy,
    },
    record::{RecordFlags, UsageRecord},
    secret::Secret,
    usage::Usage,
};

/// A secret that must be found nowhere on disk.
pub(crate) const CANARY: &str = "sk-canary-5f0c2d7e9b";
/// The secret of the declared key.
pub(crate) const KEY: &str = "a-key-of-my-own-making";

/// Different bytes each time, the same in each run.
#[derive(Debug, Default)]
pub(crate) struct SeededEntropy(AtomicU64);

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let mut z = self.0.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
            z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            let random = (z ^ (z >> 31)).to_le_bytes();
            chunk.copy_from_slice(&random[..chunk.len()]);
        }
    }
}

/// A data directory, and what one process has open in it.
pub(crate) struct World {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) entropy: Arc<SeededEntropy>,
}

impl World {
    pub(crate) fn new() -> Self {
        let start = "2026-11-21T12:00:00Z".parse().unwrap();
        Self {
            dir: tempfile::tempdir().unwrap(),
            clock: Arc::new(ManualClock::new(start)),
            entropy: Arc::default(),
        }
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.dir.path().join("tollgate.db")
    }

    pub(crate) fn master_key() -> MasterKey {
        MasterKey::parse(&Secret::new("42".repeat(32)), "test").unwrap()
    }

    /// Opens the store, as another process or a later one would.
    pub(crate) async fn store(&self) -> Arc<Store> {
        let clock: Arc<dyn Clock> = self.clock.clone();
        let entropy: Arc<dyn Entropy> = self.entropy.clone();
        let store = Store::open(&self.database(), &Self::master_key(), clock, entropy).await;
        Arc::new(store.unwrap())
    }

    pub(crate) fn hold_file(&self) -> (Arc<HoldFile>, Scan) {
        let path = self.dir.path().join(HOLD_FILE);
        let (file, scan) = HoldFile::open(&path, self.node(), BootId([1; 16])).unwrap();
        (Arc::new(file), scan)
    }

    pub(crate) fn node(&self) -> NodeId {
        NodeId::new(self.clock.now(), &*self.entropy)
    }

    pub(crate) fn request(&self) -> RequestId {
        RequestId::new(self.clock.now(), &*self.entropy)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A settled request of these callers.
    pub(crate) fn settled(&self, ids: Ids, cost: i64) -> Fact {
        Fact {
            request: self.request(),
            ids,
            reserved_at: self.now(),
            kind: FactKind::Settle,
            amount: amount(cost),
            flags: Flags::NONE,
        }
    }
}

/// This much money in nano-dollars, one request, ten tokens.
pub(crate) const fn amount(cost: i64) -> Amount {
    Amount {
        cost: NanoUsd::from_nano(cost),
        requests: 1,
        tokens: 10,
    }
}

/// The record that goes with a fact.
pub(crate) fn record(fact: &Fact) -> UsageRecord {
    UsageRecord {
        request: fact.request,
        ids: fact.ids,
        received_at: fact.reserved_at,
        first_byte_at: None,
        ended_at: fact.reserved_at,
        route: "openai".into(),
        provider: Some("openai".into()),
        format: Format::OpenAiChat,
        operation: Operation::Generate,
        model_asked: "gpt-5.2".into(),
        model_answered: Some("gpt-5.2-2026-09-01".into()),
        stream: true,
        status: 200,
        error: None,
        usage: Usage::NONE,
        cost: fact.amount.cost,
        abandoned_cost: NanoUsd::ZERO,
        provider_cost: None,
        held: fact.amount,
        attempts: 1,
        flags: RecordFlags::NONE,
        price_version: "2026-11-01".into(),
        upstream_request_id: Some("req-of-theirs".into()),
    }
}

/// The ids a request with the first key of the snapshot has.
pub(crate) async fn ids_of_key(store: &Store, name: &str) -> Ids {
    let snapshot = store.snapshot().await.unwrap();
    let entry = snapshot.keys.values().find(|entry| entry.key.name == name);
    entry.unwrap().principal.ids
}

pub(crate) async fn provision(store: &Store, declared: &Declared) -> Provisioned {
    store.provision(declared, ManagedBy::File).await.unwrap()
}

/// One of everything.
pub(crate) fn declared() -> Declared {
    Declared {
        organization: Some(DeclaredOrganization {
            name: "Acme".into(),
            time_zone: "Europe/Berlin".into(),
            limits: vec![limit(WindowKind::Month, 2_000)],
        }),
        projects: vec![DeclaredProject {
            slug: "support-bot".into(),
            limits: vec![limit(WindowKind::Month, 500)],
        }],
        members: vec![DeclaredMember {
            email: "dev@example.com".into(),
            role: Role::Admin,
            limits: Vec::new(),
        }],
        providers: vec![provider("openai")],
        groups: vec![DeclaredGroup {
            slug: "fast".into(),
            targets: vec![DeclaredTarget {
                provider: "openai".into(),
                priority: 0,
                weight: 3,
                models: vec![("gpt-5.2".into(), "gpt-5.2-mini".into())],
            }],
            time_budget: None,
        }],
        api_keys: vec![api_key("Quick Start")],
    }
}

pub(crate) fn provider(slug: &str) -> DeclaredProvider {
    DeclaredProvider {
        slug: slug.into(),
        kind: ProviderKind::OpenAi,
        base_url: "https://api.openai.com/v1".into(),
        site: Site::default(),
        connection: Connection::default(),
        allow_deferred: false,
        credential: Some(Credential::Placed {
            placement: CredentialPlacement::Bearer,
            secret: Secret::new(CANARY),
        }),
        unpriced: UnpricedPolicy::Refuse,
        report_cost: ReportCost::Header,
        on_client_gone: OnClientGone::Cancel,
        prices: Vec::new(),
        cancel_stops_billing: true,
        forward_trace: false,
    }
}

pub(crate) fn api_key(name: &str) -> DeclaredApiKey {
    DeclaredApiKey {
        name: name.into(),
        project: "support-bot".into(),
        member: Some("dev@example.com".into()),
        secret: Some(Secret::new(KEY)),
        expires_at: None,
        allowed_routes: vec!["fast".into()],
        allowed_models: Vec::new(),
        limits: vec![limit(WindowKind::Day, 5)],
    }
}

pub(crate) fn limit(window: WindowKind, dollars: i64) -> DeclaredLimit {
    DeclaredLimit {
        window,
        unit: LimitUnit::Cost,
        amount: NanoUsd::from_dollars(dollars).unwrap().as_nano(),
        action: LimitAction::Block,
    }
}

/// Keys made by hand.
pub(crate) struct DeclaredKey;

impl DeclaredKey {
    /// A project key with a secret made by the store.
    pub(crate) fn own(name: &str) -> DeclaredApiKey {
        DeclaredApiKey {
            member: None,
            secret: None,
            ..api_key(name)
        }
    }
}
