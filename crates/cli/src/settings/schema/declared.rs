//! The tables of what the file declares: organisation, projects, members, routing groups, keys.

use super::{
    Default, Key, Section, Shape,
    secret::SECRET,
    shapes::{COUNT, DOLLARS, DURATION, EMPTY, SLUG, STRING, key},
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

pub(super) static ROUTING_GROUP: Section = Section {
    title: "`[[routing_group]]`",
    doc: "Several providers behind one slug: a request goes to the first that natively speaks its \
          format and answers.",
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
        key(
            "time_budget",
            DURATION,
            Default::None("as long as the request may live"),
            "How long the search for a target that answers may take, from the first attempt to \
             the first content.",
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
