//! What ties the requests of one conversation together, so that they find their prompt cached.

use http::HeaderMap;
use std::borrow::Cow;
use tollgate_core::principal::Principal;
use tollgate_wire::facts::RequestFacts;

/// Headers in which coding agents name their conversation: Claude Code, Codex (now and before),
/// OpenCode.
const SESSION_HEADERS: [&str; 5] = [
    "x-claude-code-session-id",
    "session-id",
    "session_id",
    "x-session-affinity",
    "x-session-id",
];

/// The conversation that a request is part of: its launched agent session, else what the request
/// says of itself. `None` when nothing tells.
///
/// Never the API key: one application behind one key would send everything to one target, and
/// weights would mean nothing (`docs/decisions/0009-affinity.md`).
pub(crate) fn affinity<'r>(
    principal: &Principal,
    facts: &'r RequestFacts,
    headers: &'r HeaderMap,
) -> Option<Cow<'r, [u8]>> {
    if let Some(session) = principal.ids.session {
        return Some(Cow::Owned(session.to_bytes().to_vec()));
    }
    if let Some(key) = facts.affinity.as_deref().filter(|key| !key.is_empty()) {
        return Some(Cow::Borrowed(key.as_bytes()));
    }
    SESSION_HEADERS
        .iter()
        .filter_map(|name| headers.get(*name))
        .map(|value| Cow::Borrowed(value.as_bytes()))
        .find(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::select::tests::caller;
    use http::HeaderValue;

    #[test]
    fn a_request_tells_its_conversation_in_the_body_or_as_agents_do() {
        let anybody = caller(&[], &[]);
        let mut headers = HeaderMap::new();
        let mut facts = RequestFacts::default();
        assert_eq!(affinity(&anybody, &facts, &headers), None);
        for name in SESSION_HEADERS.into_iter().rev() {
            headers.insert(name, HeaderValue::from_static(name));
            let told = affinity(&anybody, &facts, &headers);
            assert_eq!(told.as_deref(), Some(name.as_bytes()), "the first counts");
        }
        facts.affinity = Some("cache-key".to_owned());
        let told = affinity(&anybody, &facts, &headers);
        assert_eq!(told.as_deref(), Some(&b"cache-key"[..]));
    }
}
