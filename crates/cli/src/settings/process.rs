//! The tables that say how the process runs: `data_dir`, `[server]`, `[upstream]`, `[storage]`,
//! `[prices]`, `[ledger]`, `[log]`.

mod upstream;

pub use upstream::UpstreamSettings;
pub(super) use upstream::upstream;

use super::{problem::Complaint, reader::Table, secret::reason, text, value::Value};
use std::{fs::File, net::SocketAddr, ops::RangeInclusive, path::PathBuf, time::Duration};
use tollgate_core::ledger::exposure::UncappedPolicy;

/// `[server]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerSettings {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Where clients reach us, without a trailing slash; `None` = derived from the address that is
    /// really bound.
    pub public_url: Option<String>,
    /// Serve HTTPS with this.
    pub tls: Option<TlsSettings>,
    /// Largest request body in bytes.
    pub body_limit: u64,
    /// Largest file that may be uploaded, in bytes.
    pub upload_limit: u64,
    /// Longest wait for a request's head.
    pub head_timeout: Duration,
    /// Longest silence while a request body arrives.
    pub body_idle_timeout: Duration,
    /// Longest life of a request.
    pub request_deadline: Duration,
    /// How long running requests may finish after a stop was asked for.
    pub drain_timeout: Duration,
}

/// `[server.tls]`: PEM files that could be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsSettings {
    /// The certificate chain.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// `data_dir` and `[storage]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorageSettings {
    /// The directory of everything kept.
    pub data_dir: PathBuf,
    /// The database file; in `data_dir` unless the URL has an absolute path.
    pub database: PathBuf,
}

/// Where price data comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PriceSource {
    /// The built-in snapshot.
    Bundled,
    /// A file that could be opened.
    File(PathBuf),
    /// A URL to fetch.
    Url(String),
}

/// `[prices]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PricesSettings {
    /// Where the data comes from.
    pub source: PriceSource,
    /// How often to look for new data.
    pub interval: Duration,
}

/// How much a request holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Estimate {
    /// What it will probably use.
    Normal,
    /// The most it can use.
    Strict,
}

/// `[ledger]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerSettings {
    /// How much a request holds.
    pub estimate: Estimate,
    /// What is held without an output cap. Never [`UncappedPolicy::Estimate`] with [`Estimate::Strict`].
    pub uncapped: UncappedPolicy,
    /// How long a request waits for other requests' holds.
    pub hold_wait: Duration,
}

/// Form of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

/// `[log]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogSettings {
    /// Form of the lines.
    pub format: LogFormat,
    /// Directives of `tracing_subscriber::EnvFilter` that parse.
    pub filter: String,
}

const TIMEOUT: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_hours(24);
const INTERVAL: RangeInclusive<Duration> = Duration::from_mins(1)..=Duration::from_hours(24 * 30);

/// Bodies are kept in memory whole, so that a failover can send them again.
const BODY_LIMIT: RangeInclusive<u64> = 1 << 10..=1 << 30;

/// Files are passed on while they come.
const UPLOAD_LIMIT: RangeInclusive<u64> = 1 << 10..=1 << 40;

pub(super) fn server(root: &Table<'_>) -> Option<ServerSettings> {
    let table = root.table("server");
    let listen = table.value("listen").and_then(|value| value.parse(address));
    let public_url = table.value("public_url").map(|v| v.parse(text::base_url));
    let tls = table.table("tls");
    let tls = tls.is_given().then(|| tls_files(&tls));
    let body_limit = table.value("body_limit");
    let body_limit = body_limit.and_then(|value| value.size(&BODY_LIMIT));
    let upload_limit = table.value("upload_limit");
    let upload_limit = upload_limit.and_then(|value| value.size(&UPLOAD_LIMIT));
    let head_timeout = timeout(&table, "head_timeout");
    let body_idle_timeout = timeout(&table, "body_idle_timeout");
    let request_deadline = timeout(&table, "request_deadline");
    let drain_timeout = timeout(&table, "drain_timeout");
    Some(ServerSettings {
        listen: listen?,
        public_url: match public_url {
            Some(url) => Some(text::url_text(&url?)),
            None => None,
        },
        tls: match tls {
            Some(tls) => Some(tls?),
            None => None,
        },
        body_limit: body_limit?,
        upload_limit: upload_limit?,
        head_timeout: head_timeout?,
        body_idle_timeout: body_idle_timeout?,
        request_deadline: request_deadline?,
        drain_timeout: drain_timeout?,
    })
}

/// A duration that somebody or something is waited for.
pub(super) fn timeout(table: &Table<'_>, name: &str) -> Option<Duration> {
    table.value(name)?.duration(&TIMEOUT)
}

fn tls_files(table: &Table<'_>) -> Option<TlsSettings> {
    let certificate = table.value("certificate").and_then(|v| readable_file(&v));
    let key = table.value("key").and_then(|v| readable_file(&v));
    Some(TlsSettings {
        certificate: certificate?,
        key: key?,
    })
}

/// The path of a file that this process can open.
fn readable_file(value: &Value<'_>) -> Option<PathBuf> {
    let path = value.path()?;
    let opened = File::open(&path).and_then(|file| file.metadata());
    let problem = match opened {
        Ok(metadata) if metadata.is_file() => return Some(path),
        Ok(_) => "it is not a file".to_owned(),
        Err(error) => reason(&error),
    };
    value.refuse(Complaint::new(
        format!("cannot read `{}`: {problem}", path.display()),
        "name a file that the user running Tollgate may read",
    ));
    None
}

fn address(text: &str) -> Result<SocketAddr, Complaint> {
    text.parse().map_err(|_| {
        let help = match text.strip_prefix(':').or_else(|| text.strip_prefix("*:")) {
            Some(port) => format!("write `0.0.0.0:{port}` for every interface"),
            None => "write an IP address and a port: `127.0.0.1:8787`, `[::1]:8787`".to_owned(),
        };
        Complaint::new(format!("`{text}` is not an IP address and a port"), help)
    })
}

pub(super) fn storage(root: &Table<'_>) -> Option<StorageSettings> {
    let data_dir = root.value("data_dir").and_then(|value| value.path());
    let url = root.table("storage").value("url");
    let data_dir = data_dir?;
    let database = url?.parse(|url| {
        // The URL is not shown: one of another engine may hold a password.
        tollgate_store::sqlite_path(url, &data_dir).map_err(|_| {
            Complaint::new(
                "this is not the URL of an SQLite file",
                "write `sqlite:` and a path: `sqlite:tollgate.db`",
            )
        })
    });
    Some(StorageSettings {
        database: database?,
        data_dir,
    })
}

pub(super) fn prices(root: &Table<'_>) -> Option<PricesSettings> {
    let table = root.table("prices");
    let interval = table.value("interval").and_then(|v| v.duration(&INTERVAL));
    let source = match (table.value("file"), table.value("url")) {
        (None, None) => Some(PriceSource::Bundled),
        (Some(file), None) => readable_file(&file).map(PriceSource::File),
        (None, Some(url)) => url
            .parse(text::base_url)
            .map(|url| PriceSource::Url(url.to_string())),
        (Some(_), Some(url)) => {
            url.refuse(Complaint::new(
                "`file` and `url` exclude each other",
                "take one of them out",
            ));
            None
        }
    };
    Some(PricesSettings {
        source: source?,
        interval: interval?,
    })
}

pub(super) fn ledger(root: &Table<'_>) -> Option<LedgerSettings> {
    let table = root.table("ledger");
    let estimate = table.value("estimate").and_then(|value| {
        value.choice(&[("normal", Estimate::Normal), ("strict", Estimate::Strict)])
    });
    let given = table.value("uncapped");
    let uncapped = match (&given, estimate) {
        (Some(value), _) => value.choice(&[
            ("estimate", UncappedPolicy::Estimate),
            ("hold_max", UncappedPolicy::HoldMax),
            ("refuse", UncappedPolicy::Refuse),
        ]),
        (None, Some(Estimate::Strict)) => Some(UncappedPolicy::HoldMax),
        (None, _) => Some(UncappedPolicy::Estimate),
    };
    let strict_but_guessing =
        (estimate, uncapped) == (Some(Estimate::Strict), Some(UncappedPolicy::Estimate));
    if let (true, Some(value)) = (strict_but_guessing, given) {
        value.refuse(Complaint::new(
            "`estimate` contradicts `ledger.estimate = \"strict\"`",
            "write `hold_max` or `refuse`, or take the key out",
        ));
    }
    let hold_wait = table
        .value("hold_wait")
        .and_then(|value| value.duration(&(Duration::ZERO..=Duration::from_mins(1))));
    Some(LedgerSettings {
        estimate: estimate?,
        uncapped: uncapped?,
        hold_wait: hold_wait?,
    })
}

pub(super) fn log(root: &Table<'_>) -> Option<LogSettings> {
    let table = root.table("log");
    let format = table
        .value("format")
        .and_then(|value| value.choice(&[("text", LogFormat::Text), ("json", LogFormat::Json)]));
    let filter = table.value("filter").and_then(|value| {
        value.parse(|text| match text.parse::<tracing_subscriber::EnvFilter>() {
            Ok(_) => Ok(text.to_owned()),
            Err(error) => Err(Complaint::new(
                format!("`{text}` is not a log filter: {error}"),
                "write a level (`error`, `warn`, `info`, `debug`, `trace`) or directives",
            )),
        })
    });
    Some(LogSettings {
        format: format?,
        filter: filter?,
    })
}
