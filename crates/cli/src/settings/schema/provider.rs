//! `[[provider]]`.

use super::{
    Default, Section, Shape,
    secret::CREDENTIAL,
    shapes::{BOOLEAN, COUNT, DOLLARS, DURATION, EMPTY, PATH, SLUG, URL, key},
};
use tollgate_core::provider::ProviderKind;

/// The words of all kinds.
static KINDS: [&str; ProviderKind::ALL.len()] = kinds();

#[expect(
    clippy::indexing_slicing,
    reason = "the compiler runs it, and would not accept an index out of bounds"
)]
const fn kinds() -> [&'static str; ProviderKind::ALL.len()] {
    let mut words = [""; ProviderKind::ALL.len()];
    let mut index = 0;
    while index < words.len() {
        words[index] = ProviderKind::ALL[index].as_str();
        index += 1;
    }
    words
}

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
            Shape::Word(&KINDS),
            Default::Required,
            "What it is: decides formats, addresses and where usage is reported. `simulated` is \
             built in and sends nothing anywhere.",
        ),
        key(
            "base_url",
            URL,
            Default::None("the provider's own; `azure` and the compatible kinds have none"),
            "Where its API is: scheme, host, and the path that its endpoints follow.",
        ),
        key(
            "region",
            Shape::Scalar("AWS region"),
            EMPTY,
            "Bedrock: `us-east-1`. Part of host and signature.",
        ),
        key(
            "project",
            Shape::Scalar("Google Cloud project"),
            EMPTY,
            "Vertex: the project that is billed. Not with an API key, which is a project's own.",
        ),
        key(
            "location",
            Shape::Scalar("Google Cloud location"),
            EMPTY,
            "Vertex: `us-central1`, `global`, `us` or `eu`. Part of host and path.",
        ),
        key(
            "api_version",
            Shape::Scalar("version"),
            Default::None("the v1 paths are used"),
            "Azure: asks for the older deployments paths with this `api-version`.",
        ),
        key(
            "credential",
            Shape::Secret(&CREDENTIAL),
            Default::None("nothing is presented"),
            "What we present to it.",
        ),
        key(
            "connect_timeout",
            DURATION,
            Default::None("`upstream.connect_timeout`"),
            "Longest wait for a TCP and TLS connection.",
        ),
        key(
            "head_timeout",
            DURATION,
            Default::None("`upstream.head_timeout`"),
            "Longest wait for the head of an answer.",
        ),
        key(
            "idle_timeout",
            DURATION,
            Default::None("`upstream.idle_timeout`"),
            "Longest silence inside an answer.",
        ),
        key(
            "max_concurrency",
            COUNT,
            Default::None("no bound"),
            "The most requests at once. More go to another target of the group, or get 503.",
        ),
        key(
            "ca_file",
            PATH,
            EMPTY,
            "PEM file of certificate authorities to trust besides the platform's.",
        ),
        key(
            "allow_deferred",
            BOOLEAN,
            Default::Text("false"),
            "Whether work that is billed after its answer may be asked for: batches, background \
             responses. It is held like any other.",
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
            Default::None("`cancel`; Bedrock: `drain`"),
            "A client that hangs up in mid-stream: cancel upstream, or read on to the usage.",
        ),
        key(
            "cancel_stops_billing",
            BOOLEAN,
            Default::None("`true`; Bedrock: `false`"),
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
