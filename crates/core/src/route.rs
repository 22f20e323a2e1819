//! Routes: what the first path segment names. A slug of a routing group, of a provider, or a
//! well-known alias.

use crate::{
    format::Format,
    id::{ProviderId, RoutingGroupId},
};
use std::time::Duration;

/// One element of a routing group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The provider it sends to.
    pub provider: ProviderId,
    /// Lower goes first.
    pub priority: u32,
    /// Share inside one priority; 0 = only when the others are out.
    pub weight: u32,
    /// Model names replaced for this target: `(as asked, as sent)`.
    pub models: Vec<(String, String)>,
}

/// Several providers behind one slug.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoutingGroup {
    /// Its id.
    pub id: RoutingGroupId,
    /// Its name in URLs and settings.
    pub slug: String,
    /// In the order of the settings.
    pub targets: Vec<Target>,
    /// How long the search for a target that answers may take, from the first attempt to the first
    /// content; `None` = as long as the request may live.
    pub time_budget: Option<Duration>,
}

/// Well-known first path segments that need not be configured. Each resolves to the group or
/// provider of that very slug if there is one, else to the only provider that natively speaks one
/// of its formats.
///
/// The list is what real clients send: the OpenAI and Anthropic SDKs' documentation, pydantic-ai
/// (`google-vertex`, also for `google-cloud`), and the older documentation of the hosted gateway.
pub const ALIASES: &[(&str, &[Format])] = &[
    ("openai", Format::OF_OPENAI),
    ("openai-chat", Format::OF_OPENAI),
    ("openai-responses", Format::OF_OPENAI),
    ("chat", Format::OF_OPENAI),
    ("responses", Format::OF_OPENAI),
    ("anthropic", Format::OF_ANTHROPIC),
    ("google-vertex", GOOGLE),
    ("google-cloud", GOOGLE),
    ("gemini", GOOGLE),
    ("groq", &[Format::OpenAiChat]),
    ("bedrock", BEDROCK),
    ("converse", BEDROCK),
];

const GOOGLE: &[Format] = &[
    Format::GeminiGenerate,
    Format::GeminiEmbed,
    Format::GeminiInteractions,
    Format::GeminiLive,
    Format::VertexRawPredict,
];

const BEDROCK: &[Format] = &[Format::BedrockConverse, Format::BedrockInvoke];

/// The formats behind a well-known alias.
pub fn alias_formats(slug: &str) -> Option<&'static [Format]> {
    ALIASES
        .iter()
        .find(|(alias, _)| *alias == slug)
        .map(|(_, formats)| *formats)
}
