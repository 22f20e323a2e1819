//! Anthropic's feature flags at other clouds.
//!
//! A cloud refuses a whole request over one flag that it does not know, though its clients send
//! flags that only say who they are or concern features of Anthropic's own platform. Those are
//! left out, and a flag that has another name there gets it; all others pass, known to us or not.
//!
//! Sources: the flags that Claude Code sends, reports of `invalid beta flag`, and the lists that
//! other gateways keep (LiteLLM's is the most complete).

use super::{ANTHROPIC_BETA, Envelope};
use http::{HeaderMap, HeaderValue};
use tollgate_core::provider::ProviderKind;

/// Flags of Anthropic's own platform: its login, files, skills, tools that it runs itself, tiers.
const OF_ANTHROPIC: &[&str] = &[
    "advisor-tool-2026-03-01",
    "claude-code-20250219",
    "code-execution-2025-08-25",
    "fast-mode-2026-02-01",
    "files-api-2025-04-14",
    "mcp-client-2025-04-04",
    "mcp-client-2025-11-20",
    "mcp-servers-2025-12-04",
    "oauth-2025-04-20",
    "prompt-caching-scope-2026-01-05",
    "redact-thinking-2026-02-12",
    "skills-2025-10-02",
    "thinking-token-count-2026-05-13",
    "web-fetch-2025-09-10",
];

/// Others that Bedrock's runtime refuses.
const NOT_AT_BEDROCK: &[&str] = &["per-turn-control-2026-07-01", "web-search-2025-03-05"];

/// Others that Vertex refuses; the features themselves need no flag there.
const NOT_AT_VERTEX: &[&str] = &[
    "effort-2025-11-24",
    "fine-grained-tool-streaming-2025-05-14",
    "token-efficient-tools-2025-02-19",
];

/// What Anthropic's own name stands for at the clouds.
const RENAMED: (&str, &str) = (
    "advanced-tool-use-2025-11-20",
    "tool-search-tool-2025-10-19",
);

/// The flags that `kind` gets of those in the client's headers, each once, in their order.
pub(super) fn flags(kind: ProviderKind, headers: &HeaderMap) -> Vec<&str> {
    let mut flags: Vec<&str> = Vec::new();
    let values = headers.get_all(ANTHROPIC_BETA).iter();
    let sent = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    for flag in sent.map(str::trim).filter(|flag| !flag.is_empty()) {
        if let Some(flag) = taken(kind, flag).filter(|flag| !flags.contains(flag)) {
            flags.push(flag);
        }
    }
    flags
}

fn taken(kind: ProviderKind, flag: &str) -> Option<&str> {
    let others: &[&str] = match kind {
        ProviderKind::Bedrock => NOT_AT_BEDROCK,
        ProviderKind::GoogleVertex => NOT_AT_VERTEX,
        ProviderKind::BedrockMantle => &[],
        _ => return Some(flag),
    };
    let (name, name_there) = RENAMED;
    let is_refused = OF_ANTHROPIC.contains(&flag) || others.contains(&flag);
    (!is_refused).then_some(if flag == name { name_there } else { flag })
}

/// Puts the flags that `kind` gets into its header.
pub(super) fn edit_header(kind: ProviderKind, headers: &HeaderMap, envelope: &mut Envelope) {
    let is_edited = matches!(
        kind,
        ProviderKind::GoogleVertex | ProviderKind::BedrockMantle
    );
    if !is_edited || !headers.contains_key(ANTHROPIC_BETA) {
        return;
    }
    match HeaderValue::try_from(flags(kind, headers).join(",")) {
        Ok(value) if !value.is_empty() => envelope.set.push((ANTHROPIC_BETA, value)),
        Ok(_) | Err(_) => envelope.remove.push(ANTHROPIC_BETA),
    }
}
