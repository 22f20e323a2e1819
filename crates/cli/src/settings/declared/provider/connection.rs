//! How a provider is reached, where that differs from `[upstream]`.

use crate::settings::{certificates, process::timeout, reader::Table};
use tollgate_core::provider::{Connection, NetworkReach};

/// The most requests at once that can be asked for: more than one process holds open.
const CONCURRENCY_MAX: i64 = 1_000_000;

/// What of the connection is set here. Problems are reported, and leave their key out.
pub(super) fn read(table: &Table<'_>) -> Connection {
    let concurrency = table.value("max_concurrency");
    let concurrency = concurrency.and_then(|value| value.integer(&(1..=CONCURRENCY_MAX)));
    let ca_file = table.value("ca_file");
    Connection {
        connect_timeout: timeout(table, "connect_timeout"),
        head_timeout: timeout(table, "head_timeout"),
        idle_timeout: timeout(table, "idle_timeout"),
        max_concurrency: concurrency.and_then(|count| u32::try_from(count).ok()),
        ca_pem: ca_file.and_then(|value| certificates::read(&value)),
        // The store says: it knows who declared the provider.
        reach: NetworkReach::default(),
    }
}
