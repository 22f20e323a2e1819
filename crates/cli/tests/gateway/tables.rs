//! The ledger as it lies in the database, read without our own code: what the checks here find
//! cannot be the same mistake twice.

use crate::support::Stage;
use sqlx::{
    Connection as _, Row as _,
    sqlite::{SqliteConnectOptions, SqliteConnection, SqliteRow},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    time::Duration,
};

/// How long entries are waited for; only a failing test waits that long.
const PATIENCE: Duration = Duration::from_secs(20);

/// The flag of an entry that charges the hold of a process that died.
pub(crate) const UNSETTLED: i64 = 4;

/// A line of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) request: Vec<u8>,
    pub(crate) kind: String,
    /// By kind of scope.
    scopes: BTreeMap<&'static str, Vec<u8>>,
    reserved_at: i64,
    pub(crate) cost: i64,
    pub(crate) requests: i64,
    pub(crate) tokens: i64,
    pub(crate) flags: i64,
}

/// What one limit has counted in one window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    scope_kind: String,
    scope_id: Vec<u8>,
    unit: String,
    window: String,
    opens_at: i64,
    closes_at: i64,
    pub(crate) cap: Option<i64>,
    pub(crate) posted: i64,
}

/// One state of all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tables {
    pub(crate) entries: Vec<Entry>,
    pub(crate) accounts: Vec<Account>,
    /// Cost by request, from the usage rows.
    pub(crate) usage: BTreeMap<Vec<u8>, i64>,
}

impl Tables {
    /// Reads them, beside a running gateway or after it.
    pub(crate) async fn read(data_dir: &Path) -> Self {
        let options = SqliteConnectOptions::new().filename(data_dir.join("tollgate.db"));
        let mut connection = SqliteConnection::connect_with(&options)
            .await
            .expect("the database can be opened");
        let mut state = connection.begin().await.expect("a read can begin");
        let entries = sqlx::query("SELECT * FROM entry ORDER BY position")
            .fetch_all(&mut *state)
            .await;
        let accounts = sqlx::query("SELECT * FROM account ORDER BY scope_id, unit, window_start")
            .fetch_all(&mut *state)
            .await;
        let usage = sqlx::query("SELECT request_id, cost FROM usage")
            .fetch_all(&mut *state)
            .await;
        drop(state);
        connection
            .close()
            .await
            .expect("the database can be closed");
        let (entries, accounts) = (entries.expect("entries"), accounts.expect("accounts"));
        let usage = usage.expect("usage rows");
        Self {
            entries: entries.iter().map(entry).collect(),
            accounts: accounts.iter().map(account).collect(),
            usage: usage
                .iter()
                .map(|row| (row.get("request_id"), row.get("cost")))
                .collect(),
        }
    }

    /// Stops the gateway, which must end cleanly, and reads.
    pub(crate) async fn of(stage: Stage) -> Self {
        let directory = stage.launch.clone();
        stage.books().await;
        Self::read(&directory.data_dir()).await
    }

    /// Waits until so many entries are written, and reads.
    pub(crate) async fn after(data_dir: &Path, entries: usize) -> Self {
        let written = async {
            loop {
                let tables = Self::read(data_dir).await;
                if tables.entries.len() >= entries {
                    return tables;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let written = tokio::time::timeout(PATIENCE, written).await;
        written.expect("the entries are written")
    }

    /// Fails unless every request ended once, its usage row says the same, and every account is
    /// the sum of its entries. How many requests that are.
    pub(crate) fn assert_sound(&self) -> usize {
        let mut ended = BTreeSet::new();
        for entry in &self.entries {
            let is_end = ["settle", "expire"].contains(&entry.kind.as_str());
            assert!(is_end, "nothing else is written on one node: {entry:?}");
            assert!(ended.insert(&entry.request), "ended twice: {entry:?}");
            assert_eq!(entry.requests, 1, "{entry:?}");
            let row = self.usage.get(&entry.request);
            assert_eq!(row, Some(&entry.cost), "its usage row says so: {entry:?}");
        }
        for account in &self.accounts {
            let covered = self.entries.iter().filter(|entry| account.covers(entry));
            let sum: i64 = covered.map(|entry| account.component(entry)).sum();
            assert_eq!(account.posted, sum, "the sum of its entries: {account:?}");
        }
        ended.len()
    }

    /// What was spent, in nano-dollars.
    pub(crate) fn spent(&self) -> i64 {
        self.entries.iter().map(|entry| entry.cost).sum()
    }

    /// The entries of one kind.
    pub(crate) fn of_kind(&self, kind: &str) -> Vec<&Entry> {
        let same = |entry: &&Entry| entry.kind == kind;
        self.entries.iter().filter(same).collect()
    }
}

impl Account {
    fn covers(&self, entry: &Entry) -> bool {
        let in_window =
            self.window == "total" || (self.opens_at..self.closes_at).contains(&entry.reserved_at);
        in_window && entry.scopes.get(self.scope_kind.as_str()) == Some(&self.scope_id)
    }

    fn component(&self, entry: &Entry) -> i64 {
        match self.unit.as_str() {
            "cost" => entry.cost,
            "requests" => entry.requests,
            "tokens" => entry.tokens,
            other => unreachable!("no such unit: {other}"),
        }
    }
}

fn entry(row: &SqliteRow) -> Entry {
    let columns = [
        ("organization", "organization_id"),
        ("project", "project_id"),
        ("member", "member_id"),
        ("key", "api_key_id"),
    ];
    let scope = |(kind, column)| Some((kind, row.get::<Option<Vec<u8>>, _>(column)?));
    Entry {
        request: row.get("request_id"),
        kind: row.get("kind"),
        scopes: columns.into_iter().filter_map(scope).collect(),
        reserved_at: row.get("reserved_at"),
        cost: row.get("cost"),
        requests: row.get("requests"),
        tokens: row.get("tokens"),
        flags: row.get("flags"),
    }
}

fn account(row: &SqliteRow) -> Account {
    Account {
        scope_kind: row.get("scope_kind"),
        scope_id: row.get("scope_id"),
        unit: row.get("unit"),
        window: row.get("window_kind"),
        opens_at: row.get("opens_at"),
        closes_at: row.get("closes_at"),
        cap: row.get("cap"),
        posted: row.get("posted"),
    }
}
