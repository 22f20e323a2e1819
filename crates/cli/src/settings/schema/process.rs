//! The tables of how the process itself runs: listener, upstream, storage, prices, ledger, log.

use super::{
    Default, Section, Shape,
    declared::{API_KEY, MEMBER, ORGANIZATION, PROJECT, ROUTING_GROUP},
    provider::PROVIDER,
    secret::SECRET,
    shapes::{BOOLEAN, COUNT, DURATION, EMPTY, PATH, STRING, URL, key},
};

/// The whole file.
pub static ROOT: Section = Section {
    title: "Top of the file",
    doc: "Keys before the first table.",
    keys: &[
        key(
            "data_dir",
            PATH,
            Default::Text("tollgate-data"),
            "Directory of everything Tollgate keeps: database, hold file, key file. Stands before \
             the first table of the file. Flag: `--data-dir`.",
        ),
        key("server", Shape::Table(&SERVER), EMPTY, ""),
        key("upstream", Shape::Table(&UPSTREAM), EMPTY, ""),
        key("storage", Shape::Table(&STORAGE), EMPTY, ""),
        key("prices", Shape::Table(&PRICES), EMPTY, ""),
        key("ledger", Shape::Table(&LEDGER), EMPTY, ""),
        key("log", Shape::Table(&LOG), EMPTY, ""),
        key("organization", Shape::Table(&ORGANIZATION), EMPTY, ""),
        key("project", Shape::Tables(&PROJECT), EMPTY, ""),
        key("member", Shape::Tables(&MEMBER), EMPTY, ""),
        key("provider", Shape::Tables(&PROVIDER), EMPTY, ""),
        key("routing_group", Shape::Tables(&ROUTING_GROUP), EMPTY, ""),
        key("api_key", Shape::Tables(&API_KEY), EMPTY, ""),
    ],
};

static SERVER: Section = Section {
    title: "`[server]`",
    doc: "The listener.",
    keys: &[
        key(
            "listen",
            Shape::Scalar("IP address and port"),
            Default::Text("127.0.0.1:8787"),
            "Where to listen. `0.0.0.0:8787` for every interface; port 0 picks a free one. \
             Flag: `--listen`.",
        ),
        key(
            "public_url",
            URL,
            Default::None("from `listen`"),
            "Where clients reach this gateway: shown to people and put into links.",
        ),
        key(
            "tls",
            Shape::Table(&TLS),
            Default::None("plain HTTP"),
            "Serve HTTPS with this certificate.",
        ),
        key(
            "body_limit",
            Shape::Scalar("size"),
            Default::Text("64MiB"),
            "Largest request body; larger ones get 413. At most 1GiB.",
        ),
        key(
            "upload_limit",
            Shape::Scalar("size"),
            Default::Text("512MiB"),
            "Largest file that may be uploaded; larger ones get 413. It is passed on while it \
             comes, and never kept.",
        ),
        key(
            "head_timeout",
            DURATION,
            Default::Text("30s"),
            "Longest wait for the head of a request on an open connection.",
        ),
        key(
            "body_idle_timeout",
            DURATION,
            Default::Text("30s"),
            "Longest silence while a request body arrives.",
        ),
        key(
            "request_deadline",
            DURATION,
            Default::Text("1h"),
            "Longest life of a request, streams included. It is also the term of its hold.",
        ),
        key(
            "drain_timeout",
            DURATION,
            Default::Text("30s"),
            "How long running requests may finish after a stop was asked for.",
        ),
    ],
};

static TLS: Section = Section {
    title: "`tls` of `[server]`",
    doc: "A certificate and its key, both PEM files.",
    keys: &[
        key(
            "certificate",
            PATH,
            Default::Required,
            "The certificate chain.",
        ),
        key("key", PATH, Default::Required, "The private key."),
    ],
};

static UPSTREAM: Section = Section {
    title: "`[upstream]`",
    doc: "How providers are reached, how long they are waited for, and when one counts as down.",
    keys: &[
        key(
            "connect_timeout",
            DURATION,
            Default::Text("10s"),
            "Longest wait for a TCP and TLS connection.",
        ),
        key(
            "head_timeout",
            DURATION,
            Default::Text("10m"),
            "Longest wait for the head of an answer. Reasoning models that do not stream are \
             silent for minutes.",
        ),
        key(
            "idle_timeout",
            DURATION,
            Default::Text("10m"),
            "Longest silence inside an answer.",
        ),
        key(
            "first_content_timeout",
            DURATION,
            Default::None("the head is passed on after `15s`"),
            "Longest wait for the first content of a stream once its head is there, as long as \
             there is another target to try.",
        ),
        key(
            "unhealthy_after",
            COUNT,
            Default::Text("3"),
            "So many failures one after the other, and a provider counts as down: routing groups \
             pass it over.",
        ),
        key(
            "probe_interval",
            DURATION,
            Default::Text("10s"),
            "How long it is passed over; after that one request at a time finds out whether it is \
             back.",
        ),
        key(
            "retry_after_max",
            DURATION,
            Default::Text("5m"),
            "The longest `retry-after` of a provider that is obeyed.",
        ),
        key(
            "proxy",
            Shape::UrlOrSecret(&SECRET),
            Default::None("connections are direct"),
            "Proxy for every connection to a provider: `http://proxy.example.com:3128`. One with \
             a password is a secret.",
        ),
        key(
            "no_proxy",
            Shape::Strings,
            EMPTY,
            "Hosts that are reached without the proxy: names (with what is below them), addresses, \
             networks (`10.0.0.0/8`). This machine and cloud metadata always are.",
        ),
        key(
            "allow_private_networks",
            BOOLEAN,
            Default::Text("false"),
            "Whether providers made through the API may be at private, loopback or link-local \
             addresses. Those of this file always may.",
        ),
    ],
};

static STORAGE: Section = Section {
    title: "`[storage]`",
    doc: "The database.",
    keys: &[key(
        "url",
        Shape::Scalar("`sqlite:` and a path"),
        Default::Text("sqlite:tollgate.db"),
        "The database file. A relative path is taken from `data_dir`.",
    )],
};

static PRICES: Section = Section {
    title: "`[prices]`",
    doc: "Where the price data comes from: a snapshot is built in, and `file` or `url` replaces \
          it. The data has the form of the `genai-prices` project's `data.json`.",
    keys: &[
        key(
            "file",
            PATH,
            Default::None("built-in snapshot"),
            "Read the data from this file.",
        ),
        key(
            "url",
            URL,
            Default::None("built-in snapshot"),
            "Fetch the data from here. Not together with `file`.",
        ),
        key(
            "interval",
            DURATION,
            Default::Text("1h"),
            "How often to look for new data. At least `1m`.",
        ),
    ],
};

static LEDGER: Section = Section {
    title: "`[ledger]`",
    doc: "How spending is held and what happens when it cannot be booked.",
    keys: &[
        key(
            "estimate",
            Shape::Word(&["normal", "strict"]),
            Default::Text("normal"),
            "`normal` holds what a request will probably use; `strict` holds the most it can use: \
             nothing slips past a limit, and requests are refused earlier.",
        ),
        key(
            "uncapped",
            Shape::Word(&["estimate", "hold_max", "refuse"]),
            Default::None("`\"estimate\"`; `\"hold_max\"` under `estimate = \"strict\"`"),
            "What to hold for a request that is not streamed and states no output cap: the learned \
             estimate, the model's maximum, or refuse it.",
        ),
        key(
            "hold_wait",
            DURATION,
            Default::Text("2s"),
            "How long a request waits for other requests' holds before it is refused.",
        ),
    ],
};

static LOG: Section = Section {
    title: "`[log]`",
    doc: "The log, on standard error.",
    keys: &[
        key(
            "format",
            Shape::Word(&["text", "json"]),
            Default::Text("text"),
            "Lines for people or for machines. Flag: `--log-format`.",
        ),
        key(
            "filter",
            STRING,
            Default::Text("info"),
            "What is logged: a level, or directives such as `warn,tollgate_gateway=debug`.",
        ),
    ],
};
