//! Members taken out of an object and put into it, by splices: what stays keeps its bytes.

use crate::edit::Edit;
use bytes::Bytes;
use serde::{
    Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;
use std::{fmt, ops::Range};

/// What is to happen to the members of one object.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reshape {
    /// Rules, each with the key it takes out.
    pub(crate) remove: Vec<(&'static str, &'static str)>,
    /// What is put in before the others, in this order; a key that stays keeps its own value.
    pub(crate) insert: Vec<Insertion>,
}

/// A member to be put in.
#[derive(Clone, Debug)]
pub(crate) struct Insertion {
    /// The rule that does it.
    pub(crate) rule: &'static str,
    /// Its key: without characters that JSON escapes.
    pub(crate) key: &'static str,
    /// Its value, as JSON.
    pub(crate) value: String,
}

impl Reshape {
    /// The edits of `body`, which is one JSON object; of a key that is not there, none. `None`
    /// when `body` is no object.
    pub(crate) fn edits(self, body: &[u8]) -> Option<Vec<Edit>> {
        let members = members(body)?;
        let is_removed = |member: &Member<'_>| self.rule_of(member);
        let rules: Vec<Option<&'static str>> = members.iter().map(is_removed).collect();
        let kept = rules.iter().rposition(Option::is_none);
        let mut edits = Vec::with_capacity(self.insert.len() + self.remove.len());
        for (index, (member, rule)) in members.iter().zip(&rules).enumerate() {
            let Some(rule) = *rule else { continue };
            // With it goes what stands before its successor. Where no member stays behind it, the
            // comma in front of the first such one goes instead.
            let next = members.get(index.saturating_add(1));
            let end = next.map_or(member.value.end, |next| next.key.start);
            let last_kept = kept.filter(|kept| kept.checked_add(1) == Some(index));
            let last_kept = last_kept.and_then(|kept| members.get(kept));
            let start = last_kept.map_or(member.key.start, |kept| kept.value.end);
            let range = start..end;
            let with = Bytes::new();
            edits.push(Edit { rule, range, with });
        }
        let start = body.iter().position(|byte| *byte == b'{')?.checked_add(1)?;
        let stays = |key: &str| {
            let mut members = members.iter().zip(&rules);
            members.any(|(member, rule)| rule.is_none() && member.is_named(key))
        };
        let is_new = |new: &Insertion| !stays(new.key);
        let mut new = self.insert.into_iter().filter(is_new).peekable();
        while let Some(Insertion { rule, key, value }) = new.next() {
            let last = kept.is_none() && new.peek().is_none();
            let comma = if last { "" } else { "," };
            let range = start..start;
            let with = Bytes::from(format!("\"{key}\":{value}{comma}"));
            edits.push(Edit { rule, range, with });
        }
        Some(edits)
    }

    fn rule_of(&self, member: &Member<'_>) -> Option<&'static str> {
        let mut removals = self.remove.iter();
        let found = removals.find(|(_, key)| member.is_named(key));
        found.map(|(rule, _)| *rule)
    }
}

/// One member and where its key (quotes included) and value stand.
struct Member<'b> {
    raw_key: &'b str,
    key: Range<usize>,
    value: Range<usize>,
}

impl Member<'_> {
    fn is_named(&self, key: &str) -> bool {
        let own: Option<super::Text<'_>> = serde_json::from_str(self.raw_key).ok();
        own.is_some_and(|super::Text(own)| own == key)
    }
}

/// The members of the object that `body` is, in order.
fn members(body: &[u8]) -> Option<Vec<Member<'_>>> {
    struct Collect<'b>(&'b [u8]);
    impl<'b> Visitor<'b> for Collect<'b> {
        type Value = Option<Vec<Member<'b>>>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a JSON object")
        }

        fn visit_map<A: MapAccess<'b>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut members = Vec::with_capacity(16);
            while let Some((key, value)) = map.next_entry::<&'b RawValue, &'b RawValue>()? {
                let spans = super::span(self.0, key).zip(super::span(self.0, value));
                let Some((key_span, value_span)) = spans else {
                    return Ok(None);
                };
                members.push(Member {
                    raw_key: key.get(),
                    key: key_span,
                    value: value_span,
                });
            }
            Ok(Some(members))
        }
    }
    serde_json::Deserializer::from_slice(body)
        .deserialize_map(Collect(body))
        .ok()
        .flatten()
}

#[cfg(test)]
mod tests;
