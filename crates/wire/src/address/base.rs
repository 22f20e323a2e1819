//! The root of a provider: its base URL without what the prefixes put there anyway.

use super::{At, prefix};
use std::borrow::Cow;
use tollgate_core::provider::{Provider, ProviderKind, profile::BaseUrl};

/// Where the prefixes of `provider` are appended: no slash at its end.
pub(super) fn root(provider: &Provider) -> Cow<'_, str> {
    let base = provider.base_url.trim_end_matches('/');
    // The kind's own base URL cut short (`https://api.openai.com`) means it whole.
    if let BaseUrl::Fixed(own) = provider.kind.profile().base_url
        && own
            .strip_prefix(base)
            .is_some_and(|rest| rest.starts_with('/'))
    {
        return Cow::Borrowed(own);
    }
    let path = path_of(base);
    if path.is_empty() {
        return Cow::Borrowed(base);
    }
    let at = At {
        kind: provider.kind,
        site: &provider.site,
        model: None,
    };
    let prefixes = provider.kind.formats().iter();
    let own = prefixes.filter_map(|format| prefix(at, *format).ok());
    let others = also_seen(provider.kind).iter().copied().map(Cow::Borrowed);
    let overlap = own.chain(others).map(|prefix| overlap(path, &prefix)).max();
    let kept = base.len().saturating_sub(overlap.unwrap_or(0));
    Cow::Borrowed(base.get(..kept).unwrap_or(base))
}

/// Endings of base URLs in circulation that are no prefix of ours: another version, or the bare
/// `/v1` that Amazon's guide and DeepSeek's offer besides.
fn also_seen(kind: ProviderKind) -> &'static [&'static str] {
    match kind {
        ProviderKind::GoogleGemini | ProviderKind::BedrockMantle | ProviderKind::DeepSeek => {
            &["/v1"]
        }
        _ => &[],
    }
}

/// What follows the host: empty, or with a slash in front.
fn path_of(base: &str) -> &str {
    let host = base.find("://").map_or(0, |colon| colon.saturating_add(3));
    let rest = base.get(host..).unwrap_or_default();
    rest.find('/')
        .and_then(|slash| rest.get(slash..))
        .unwrap_or_default()
}

/// How many bytes at the end of `path` are whole segments at the beginning of `prefix`.
fn overlap(path: &str, prefix: &str) -> usize {
    let ends = prefix.match_indices('/').map(|(at, _)| at).skip(1);
    let parts = ends
        .chain([prefix.len()])
        .filter_map(|end| prefix.get(..end));
    let shared = parts.filter(|part| path.ends_with(part));
    shared.map(str::len).max().unwrap_or(0)
}
