//! The tables of what the file declares: organisation, projects, members, providers, routes, keys.

use super::{
    Default, Key, Section, Shape,
    shapes::{BOOLEAN, COUNT, DOLLARS, EMPTY, PATH, SLUG, STRING, URL, key},
};

pub(super) static ORGANIZATION: Section = Section {
    title: "`[organization]`",
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
    title: "`limits`",
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
    title: "`requests` and `tokens` of `limits`",
    doc: "The windows of `requests` and `tokens`.",
    keys: &[
        key("daily", COUNT, EMPTY, "A day."),
        key("weekly", COUNT, EMPTY, "A week."),
        key("monthly", COUNT, EMPTY, "A month."),
        key("total", COUNT, EMPTY, "In all."),
    ],
};

pub(super) static PROJECT: Section = Section {
    title: "`[[project]]`",
    doc: "A project: what API keys belong to.",
    keys: &[
        key(
            "slug",
            SLUG,
            Default::Required,
            "Its name in settings and reports.",
        ),
        limits("Limits on everything done with the project's keys."),
    ],
};

pub(super) static MEMBER: Section = Section {
    title: "`[[member]]`",
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

pub(super) static PROVIDER: Section = Section {
    title: "`[[provider]]`",
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
    title: "`credential` of a provider",
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
    title: "`key` of an API key",
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
    title: "An entry of `prices`",
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

pub(super) static ROUTING_GROUP: Section = Section {
    title: "`[[routing_group]]`",
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
    title: "An element of `targets`",
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

pub(super) static API_KEY: Section = Section {
    title: "`[[api_key]]`",
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
            Default::None("made at the next start, and printed once"),
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
        key(
            "models",
            Shape::Strings,
            Default::None("all"),
            "Models it may use.",
        ),
        limits("Limits on this key alone."),
    ],
};
