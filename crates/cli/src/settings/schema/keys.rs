//! The tables of keys. Texts are Markdown and end up in `docs/settings.md`.

use super::{Default, Key, Section, Shape};

const fn key(
    name: &'static str,
    shape: Shape,
    default: Default,
    doc: &'static str,
) -> Key {
    Key {
        name,
        shape,
        default,
        doc,
    }
}

const STRING: Shape = Shape::Scalar("string");
const URL: Shape = Shape::Scalar("URL");
const PATH: Shape = Shape::Scalar("path");
const DURATION: Shape = Shape::Scalar("duration");
const SLUG: Shape = Shape::Scalar("slug");
const DOLLARS: Shape = Shape::Scalar("decimal string of dollars");
const COUNT: Shape = Shape::Scalar("whole number");
const BOOLEAN: Shape = Shape::Scalar("boolean");

/// The whole file.
pub static ROOT: Section = Section {
    doc: "",
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

const EMPTY: Default = Default::None("none");

static SERVER: Section = Section {
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
    doc: "How long to wait for providers.",
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
    ],
};

static STORAGE: Section = Section {
    doc: "The database.",
    keys: &[key(
        "url",
        Shape::Scalar("`sqlite:` and a path"),
        Default::Text("sqlite:tollgate.db"),
        "The database file. A relative path is taken from `data_dir`.",
    )],
};

static PRICES: Section = Section {
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
        key(
            "on_ledger_outage",
            Shape::Word(&["block", "allow"]),
            Default::Text("block"),
            "What happens when the database has been away for longer than what is leased lasts: \
             refuse requests, or let them pass and book them later.",
        ),
    ],
};

static LOG: Section = Section {
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

static ORGANIZATION: Section = Section {
    doc: "The organisation that owns everything below.",
    keys: &[
        key(
            "name",
            STRING,
            Default::Text("Default"),
            "Its name, for people.",
        ),
        key(
            "time_zone",
            Shape::Scalar("IANA time zone"),
            Default::Text("UTC"),
            "Days, weeks and months of all its limits begin in this time zone.",
        ),
        limits("Limits on everything the organisation does."),
    ],
};

const fn limits(doc: &'static str) -> Key {
    key("limits", Shape::Table(&LIMITS), EMPTY, doc)
}

static LIMITS: Section = Section {
    doc: "Caps on spending, requests and tokens. Every limit in force counts, and the first one \
          that is reached refuses the request. Weeks begin on Monday; `total` never resets.",
    keys: &[
        key("daily", DOLLARS, EMPTY, "Dollars a day."),
        key("weekly", DOLLARS, EMPTY, "Dollars a week."),
        key("monthly", DOLLARS, EMPTY, "Dollars a month."),
        key("total", DOLLARS, EMPTY, "Dollars in all."),
        key(
            "requests",
            Shape::Table(&COUNTS),
            EMPTY,
            "Requests accepted from clients.",
        ),
        key(
            "tokens",
            Shape::Table(&COUNTS),
            EMPTY,
            "Input (cached included) plus output tokens.",
        ),
    ],
};

static COUNTS: Section = Section {
    doc: "The windows of `requests` and `tokens`.",
    keys: &[
        key("daily", COUNT, EMPTY, "A day."),
        key("weekly", COUNT, EMPTY, "A week."),
        key("monthly", COUNT, EMPTY, "A month."),
        key("total", COUNT, EMPTY, "In all."),
    ],
};

static PROJECT: Section = Section {
    doc: "A project: what API keys belong to.",
    keys: &[
        key("slug", SLUG, Default::Required, "Its name in settings and reports."),
        limits("Limits on everything done with the project's keys."),
    ],
};

static MEMBER: Section = Section {
    doc: "A person of the organisation.",
    keys: &[
        key(
            "email",
            Shape::Scalar("e-mail address"),
            Default::Required,
            "Who it is. Upper and lower case are the same.",
        ),
        key(
            "role",
            Shape::Word(&["owner", "admin", "member", "viewer"]),
            Default::Text("member"),
            "What they may do.",
        ),
        limits("Limits on everything they do, with whichever key."),
    ],
};

static PROVIDER: Section = Section {
    doc: "An upstream that requests can be sent to.",
    keys: &[
        key(
            "slug",
            SLUG,
            Default::Required,
            "Its name in paths: `/proxy/{slug}/…`. Unique among providers and routing groups.",
        ),
        key(
            "kind",
            Shape::Word(&[
                "openai",
                "anthropic",
                "google-gemini",
                "openai-compatible",
                "anthropic-compatible",
                "simulated",
            ]),
            Default::Required,
            "What it speaks. `simulated` is built in and sends nothing anywhere.",
        ),
        key(
            "base_url",
            URL,
            Default::None("the provider's own; the compatible kinds have none"),
            "Where its API is: scheme, host, and the path that its endpoints follow.",
        ),
        key(
            "credential",
            Shape::Secret(&CREDENTIAL),
            Default::None("nothing is presented"),
            "What we present to it.",
        ),
        key(
            "unpriced",
            Shape::Word(&["refuse", "allow", "block_key"]),
            Default::Text("refuse"),
            "A model without a price: refuse the request, let it pass at no cost, or refuse it and \
             block the API key until an admin clears it.",
        ),
        key(
            "report_cost",
            Shape::Word(&["header", "body", "off"]),
            Default::Text("header"),
            "Where a client is told the cost: in a response header, also inside the answer's usage \
             object, or nowhere.",
        ),
        key(
            "on_client_gone",
            Shape::Word(&["cancel", "drain"]),
            Default::Text("cancel"),
            "A client that hangs up in mid-stream: cancel upstream, or read on to the usage.",
        ),
        key(
            "cancel_stops_billing",
            BOOLEAN,
            Default::Text("true"),
            "Whether the provider stops billing when a stream is cancelled. With `false` the whole \
             output cap is held from the start.",
        ),
        key(
            "forward_trace",
            BOOLEAN,
            Default::Text("false"),
            "Whether the caller's `traceparent` and `baggage` are sent on.",
        ),
        key(
            "prices",
            Shape::TableMap(&PRICE),
            EMPTY,
            "Rates by model name that outrank the price data.",
        ),
    ],
};

static CREDENTIAL: Section = Section {
    doc: "A secret and where it goes on a request.",
    keys: &[
        ENV,
        FILE,
        VALUE,
        key(
            "placement",
            Shape::Scalar("`bearer`, `header:NAME` or `query:NAME`"),
            Default::None("what the kind of provider wants"),
            "Where the secret stands: `Authorization: Bearer`, a header, or a query parameter.",
        ),
    ],
};

static SECRET: Section = Section {
    doc: "A secret: exactly one of these keys.",
    keys: &[ENV, FILE, VALUE],
};

const ENV: Key = key(
    "env",
    STRING,
    EMPTY,
    "Name of the environment variable that holds the secret.",
);
const FILE: Key = key(
    "file",
    PATH,
    EMPTY,
    "File that holds the secret; white space around it is dropped.",
);
const VALUE: Key = key(
    "value",
    STRING,
    EMPTY,
    "The secret itself. Prefer the others: settings files get copied.",
);

static PRICE: Section = Section {
    doc: "Dollars per million tokens of one model.",
    keys: &[
        key("input", DOLLARS, Default::Required, "Input tokens."),
        key("output", DOLLARS, Default::Required, "Output tokens."),
        key(
            "cache_read",
            DOLLARS,
            Default::None("`input`"),
            "Input tokens read from a cache.",
        ),
        key(
            "cache_write",
            DOLLARS,
            Default::None("`input`"),
            "Input tokens written to a cache.",
        ),
    ],
};

static ROUTING_GROUP: Section = Section {
    doc: "Several providers behind one slug.",
    keys: &[
        key(
            "slug",
            SLUG,
            Default::Required,
            "Its name in paths: `/proxy/{slug}/…`. Unique among providers and routing groups.",
        ),
        key(
            "targets",
            Shape::Tables(&TARGET),
            Default::Required,
            "Where requests go; at least one.",
        ),
    ],
};

static TARGET: Section = Section {
    doc: "One element of a routing group.",
    keys: &[
        key("provider", SLUG, Default::Required, "Slug of a provider."),
        key(
            "priority",
            COUNT,
            Default::Text("0"),
            "Lower goes first; higher ones are for when those are out.",
        ),
        key(
            "weight",
            COUNT,
            Default::Text("1"),
            "Share inside one priority; 0 is used only when the others are out.",
        ),
        key(
            "models",
            Shape::StringMap,
            EMPTY,
            "Model names to replace for this target: `{ \"as asked\" = \"as sent\" }`.",
        ),
    ],
};

static API_KEY: Section = Section {
    doc: "A key that clients present to Tollgate.",
    keys: &[
        key(
            "name",
            STRING,
            Default::Required,
            "Its name, for people; unique in its project.",
        ),
        key("project", SLUG, Default::Required, "Slug of its project."),
        key(
            "member",
            Shape::Scalar("e-mail address"),
            EMPTY,
            "The person it belongs to: their limits count too.",
        ),
        key(
            "key",
            Shape::Secret(&SECRET),
            Default::None("made, and printed once"),
            "The key itself: at least 16 visible ASCII characters.",
        ),
        key(
            "expires_at",
            Shape::Scalar("date and time"),
            Default::None("never"),
            "When it stops working: RFC 3339 with an offset, `2027-01-01T00:00:00Z`.",
        ),
        key(
            "routes",
            Shape::Strings,
            Default::None("all"),
            "Providers and routing groups it may use, by slug.",
        ),
        key("models", Shape::Strings, Default::None("all"), "Models it may use."),
        limits("Limits on this key alone."),
    ],
};
