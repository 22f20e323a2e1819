//! A page of objects: `{"data":[{"id":…},…],"first_id":…,"last_id":…,"has_more":…}`, the same at
//! OpenAI and at Anthropic. Elements are cut out by their spans.

use crate::{
    edit::Edit,
    json::{self, Text},
};
use bytes::Bytes;
use serde_json::value::RawValue;
use std::ops::Range;

const CUT: &str = "cut_foreign_objects";
const MORE: &str = "say_that_more_follows";
const RESULTS: &str = "rewrite_results_url";

/// One element of a page.
#[derive(Clone, Debug)]
struct Element {
    range: Range<usize>,
    /// Empty when it names none: such an element is nobody's.
    id: String,
}

/// A page of objects as an upstream answered it.
#[derive(Clone, Debug)]
pub struct List {
    elements: Vec<Element>,
    first_id: Option<Range<usize>>,
    last_id: Option<Range<usize>>,
    has_more: Option<Range<usize>>,
    goes_on: bool,
}

impl List {
    /// Reads a page; `None` when the body is none, and so cannot be cut.
    pub fn read(body: &[u8]) -> Option<Self> {
        let data = json::member(body, "data")?;
        let elements = json::parse::<Vec<&RawValue>>(data.get().as_bytes())?;
        let elements: Option<Vec<Element>> = elements
            .into_iter()
            .map(|raw| {
                Some(Element {
                    range: json::span(body, raw)?,
                    id: text(raw.get().as_bytes(), "id").unwrap_or_default(),
                })
            })
            .collect();
        let place = |key| json::span(body, json::member(body, key)?);
        Some(Self {
            elements: elements?,
            first_id: place("first_id"),
            last_id: place("last_id"),
            has_more: place("has_more"),
            goes_on: json::member(body, "has_more").is_some_and(|more| more.get() == "true"),
        })
    }

    /// The ids on it, in order.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.elements.iter().map(|element| element.id.as_str())
    }

    /// The id to go on after, or, where pages are read `backwards`, before, when more follow.
    pub fn goes_on_at(&self, backwards: bool) -> Option<&str> {
        let last = if backwards {
            self.elements.first()?
        } else {
            self.elements.last()?
        };
        (self.goes_on && !last.id.is_empty()).then_some(last.id.as_str())
    }

    /// The edit that has a page say that more follow, for one that will not show all of its own.
    pub fn say_more(&self) -> Option<Edit> {
        let range = self.has_more.clone().filter(|_| !self.goes_on)?;
        Some(Edit {
            rule: MORE,
            range,
            with: Bytes::from_static(b"true"),
        })
    }

    /// Whether anything is left when only what is `own` stays.
    pub fn shows_any(&self, own: impl Fn(&str) -> bool) -> bool {
        self.ids().any(own)
    }

    /// The edits that leave only what is `own`, and make the page's first and last id those of
    /// what remains. `body` is what the page was read from.
    pub fn keep(&self, body: &[u8], own: impl Fn(&str) -> bool) -> Vec<Edit> {
        let kept = |element: &&Element| own(&element.id);
        let (first, last) = (
            self.elements.iter().find(kept),
            self.elements.iter().rev().find(kept),
        );
        let mut edits: Vec<Edit> = self.cuts(&own).collect();
        for (place, element) in [(&self.first_id, first), (&self.last_id, last)] {
            let Some(place) = place else { continue };
            let id =
                element.and_then(|element| json::member(body.get(element.range.clone())?, "id"));
            let with = id.map_or("null", RawValue::get);
            if body.get(place.clone()) != Some(with.as_bytes()) {
                edits.push(Edit {
                    rule: CUT,
                    range: place.clone(),
                    with: Bytes::copy_from_slice(with.as_bytes()),
                });
            }
        }
        edits
    }

    /// One cut per foreign element, with the comma before it, or, as long as nothing was kept, with
    /// the one behind it.
    fn cuts(&self, own: impl Fn(&str) -> bool) -> impl Iterator<Item = Edit> {
        let mut before: Option<usize> = None;
        let mut kept_any = false;
        self.elements
            .iter()
            .enumerate()
            .filter_map(move |(index, element)| {
                let previous_end = before.replace(element.range.end);
                if own(&element.id) {
                    kept_any = true;
                    return None;
                }
                let next = self.elements.get(index + 1);
                let range = match (previous_end, kept_any, next) {
                    (Some(end), true, _) => end..element.range.end,
                    (_, _, Some(next)) => element.range.start..next.range.start,
                    (_, _, None) => element.range.clone(),
                };
                Some(Edit {
                    rule: CUT,
                    range,
                    with: Bytes::new(),
                })
            })
    }
}

/// The edits that replace the absolute `results_url` of an Anthropic batch, or of each batch on a
/// page: its client would follow it with the key it has for us. `url_of` gives the URL for an id;
/// a batch without an id loses its URL.
pub fn results_urls(body: &[u8], url_of: impl Fn(&str) -> String) -> Vec<Edit> {
    let batches: Vec<&RawValue> = match json::member(body, "data") {
        Some(data) => json::parse(data.get().as_bytes()).unwrap_or_default(),
        None => json::parse(body).into_iter().collect(),
    };
    let edit = |batch: &RawValue| {
        let place = json::member(batch.get().as_bytes(), "results_url")?;
        if place.get() == "null" {
            return None;
        }
        let url = text(batch.get().as_bytes(), "id").map(|id| url_of(&id));
        let url = serde_json::to_string(&url).ok()?;
        Some(Edit {
            rule: RESULTS,
            range: json::span(body, place)?,
            with: Bytes::from(url),
        })
    };
    batches.into_iter().filter_map(edit).collect()
}

/// The text at `key` of `object`.
fn text(object: &[u8], key: &str) -> Option<String> {
    let Text(text) = serde_json::from_str(json::member(object, key)?.get()).ok()?;
    Some(text.into_owned())
}
