//! Routes: what the first path segment names. A slug of a routing group, of a provider, or a
//! well-known alias.

use crate::{
    format::Format,
    id::{ProviderId, RoutingGroupId},
};

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
}

/// Well-known first path segments that need not be configured. Each resolves to the group or
/// provider of that very slug if there is one, else to the only provider that natively speaks one
/// of its formats.
///
/// The list is what real clients send: the OpenAI and Anthropic SDKs' documentation, pydantic-ai
/// (`google-vertex`, also for `google-cloud`), and the older documentation of the hosted gateway.
pub const ALIASES: &[(&str, &[Format])] = &[
    ("openai", OPENAI),
    ("openai-chat", OPENAI),
    ("openai-responses", OPENAI),
    ("chat", OPENAI),
    ("responses", OPENAI),
    ("anthropic", &[Format::AnthropicMessages]),
    ("google-vertex", &[Format::GeminiGenerate]),
    ("google-cloud", &[Format::GeminiGenerate]),
    ("gemini", &[Format::GeminiGenerate]),
];

const OPENAI: &[Format] = &[
    Format::OpenAiChat,
    Format::OpenAiResponses,
    Format::OpenAiEmbeddings,
];

/// The formats behind a well-known alias.
pub fn alias_formats(slug: &str) -> Option<&'static [Format]> {
    ALIASES
        .iter()
        .find(|(alias, _)| *alias == slug)
        .map(|(_, formats)| *formats)
}
