//! Reading JSON in place: top-level members one by one, spans of values, splices into objects.
//!
//! Nothing here builds a tree. Requests are read strictly (one object, no key twice, nothing
//! behind it); answers are read leniently by the formats themselves with derived structs.

mod reshape;

pub(crate) use reshape::{Insertion, Reshape};

use crate::{edit::Edit, facts::unreadable};
use bytes::Bytes;
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor},
};
use serde_json::value::RawValue;
use std::{borrow::Cow, collections::HashSet, fmt, ops::Range};
use tollgate_core::error::{Error, Kind};

/// A JSON string, borrowed from the body unless it holds escapes.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(transparent)]
pub(crate) struct Text<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

/// Takes the members of one JSON object as they come.
pub(crate) trait Members<'de> {
    /// Reads the value of the member `key`; must take exactly one value from `map`.
    fn member<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error>;
}

/// Most members a request may have at its top level (real ones have below fifty).
const MEMBERS_MAX: usize = 256;

/// Reads `body`, which must be one JSON object, into `members`.
///
/// # Errors
/// [`Kind::BadRequest`] with the place: not JSON, not an object, something behind it, nested too
/// deep, or a key that stands there twice. Keys that differ only in ASCII case count as the same:
/// some upstreams (those written in Go) read them so.
pub(crate) fn read_object<'de, M: Members<'de>>(
    body: &'de [u8],
    members: &mut M,
) -> Result<(), Error> {
    // Validated once: the parser would else validate every string by itself.
    let body = std::str::from_utf8(body).map_err(|error| {
        let place = error.valid_up_to();
        let message = format!("the request body cannot be read: byte {place} is not UTF-8");
        Error::new(Kind::BadRequest, message)
    })?;
    let mut json = serde_json::Deserializer::from_str(body);
    json.deserialize_map(ObjectVisitor(members))
        .and_then(|()| json.end())
        .map_err(|error| unreadable(&error))
}

struct ObjectVisitor<'m, M>(&'m mut M);

impl<'de, M: Members<'de>> Visitor<'de> for ObjectVisitor<'_, M> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = HashSet::with_capacity(16);
        while let Some(Text(key)) = map.next_key::<Text<'de>>()? {
            if !seen.insert(key.to_ascii_lowercase()) {
                return Err(de::Error::custom(format_args!(
                    "`{key}` is named twice: name it once"
                )));
            }
            if seen.len() > MEMBERS_MAX {
                return Err(de::Error::custom("too many members"));
            }
            self.0.member(&key, &mut map)?;
        }
        Ok(())
    }
}

/// The refusal of a request that names no model, with where it belongs.
pub(crate) fn no_model(place: &str) -> Error {
    Error::new(
        Kind::BadRequest,
        format!("the request names no model: {place}"),
    )
}

/// Reads what `data` says, leniently: `None` when it is not what was expected.
pub(crate) fn parse<'de, T: Deserialize<'de>>(data: &'de [u8]) -> Option<T> {
    // Validated once: the parser would else validate every string by itself.
    serde_json::from_str(std::str::from_utf8(data).ok()?).ok()
}

/// Where `raw`, which must be borrowed from `body`, stands in it.
pub(crate) fn span(body: &[u8], raw: &RawValue) -> Option<Range<usize>> {
    let start = raw
        .get()
        .as_ptr()
        .addr()
        .checked_sub(body.as_ptr().addr())?;
    let end = start.checked_add(raw.get().len())?;
    (end <= body.len()).then_some(start..end)
}

/// The value of `key` in the object `object`; the last one when it stands there twice, as most
/// parsers have it. `None` when there is none or this is no object.
pub(crate) fn member<'de>(object: &'de [u8], key: &str) -> Option<&'de RawValue> {
    struct Find<'k, 'de>(&'k str, Option<&'de RawValue>);
    impl<'de> Visitor<'de> for Find<'_, 'de> {
        type Value = Option<&'de RawValue>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a JSON object")
        }

        fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Self::Value, A::Error> {
            while let Some(Text(key)) = map.next_key::<Text<'de>>()? {
                if key == self.0 {
                    self.1 = Some(map.next_value()?);
                } else {
                    map.next_value::<de::IgnoredAny>()?;
                }
            }
            Ok(self.1)
        }
    }
    serde_json::Deserializer::from_slice(object)
        .deserialize_map(Find(key, None))
        .ok()
        .flatten()
}

/// The object found by following `path` from the top of `data`: its range, braces included.
pub(crate) fn object_at(data: &[u8], path: &[&str]) -> Option<Range<usize>> {
    let mut object = data;
    let mut range = None;
    for key in path {
        let raw = member(object, key)?;
        range = Some(span(data, raw)?);
        object = raw.get().as_bytes();
    }
    object.starts_with(b"{").then_some(range).flatten()
}

/// The insertion of `member` (`"key":value`, without a comma) as the first member of the object at
/// `object` (as from [`object_at`]).
pub(crate) fn insert_member(
    rule: &'static str,
    data: &[u8],
    object: Range<usize>,
    member: &str,
) -> Option<Edit> {
    let inside = data.get(object.clone())?.strip_prefix(b"{")?;
    let first = inside.iter().find(|byte| !byte.is_ascii_whitespace())?;
    let comma = if *first == b'}' { "" } else { "," };
    let at = object.start.checked_add(1)?;
    Some(Edit {
        rule,
        range: at..at,
        with: Bytes::from(format!("{member}{comma}")),
    })
}

/// The rule of edits that write the cost into an answer.
pub(crate) const COST_RULE: &str = "insert_cost";

/// The insertion of the cost as `logfire_ai_gateway` into the usage object at `path`, the place
/// where pydantic-ai looks for it. `cost` is in decimal dollars.
pub(crate) fn cost_edit(data: &[u8], path: &[&str], cost: &str) -> Option<Edit> {
    insert_member(COST_RULE, data, object_at(data, path)?, &cost_member(cost))
}

/// The member that tells the cost.
pub(crate) fn cost_member(cost: &str) -> String {
    format!(r#""logfire_ai_gateway":{{"cost":"{cost}"}}"#)
}

/// The range of the object that `data` is, white space around it left out.
pub(crate) fn top(data: &[u8]) -> Option<Range<usize>> {
    let start = data.iter().position(|byte| !byte.is_ascii_whitespace())?;
    data.get(start..)?
        .starts_with(b"{")
        .then_some(start..data.len())
}

/// A whole number as clients write it: `4096`, `4096.0`, `null`. A negative one means "no bound"
/// (llama.cpp, Ollama) and is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count(pub(crate) Option<u64>);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct CountVisitor;
        impl Visitor<'_> for CountVisitor {
            type Value = Count;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number")
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Count, E> {
                Ok(Count(Some(number)))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Count, E> {
                Ok(Count(u64::try_from(number).ok()))
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Count, E> {
                // Whole floats print without a fraction; the rest is no whole number.
                number
                    .to_string()
                    .parse::<i64>()
                    .map(|whole| Count(u64::try_from(whole).ok()))
                    .map_err(|_| E::invalid_value(de::Unexpected::Float(number), &self))
            }

            fn visit_unit<E: de::Error>(self) -> Result<Count, E> {
                Ok(Count(None))
            }
        }
        deserializer.deserialize_any(CountVisitor)
    }
}
