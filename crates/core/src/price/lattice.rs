//! How units contain each other: cached audio tokens are cached tokens and audio tokens, both of
//! which are input tokens. Worked out once from the dimensions of [`Unit::ALL`].

use crate::{unit::Unit, usage::Usage};
use std::sync::LazyLock;

/// A set of units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct UnitSet(u64);

impl UnitSet {
    pub(super) const EMPTY: Self = Self(0);

    pub(super) const fn insert(&mut self, unit: Unit) {
        self.0 |= 1 << unit as u8;
    }

    pub(super) const fn contains(self, unit: Unit) -> bool {
        self.0 & (1 << unit as u8) != 0
    }

    pub(super) const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The members, in the order of [`Unit::ALL`].
    pub(super) fn iter(self) -> impl Iterator<Item = Unit> {
        Unit::ALL
            .iter()
            .map(|info| info.unit)
            .filter(move |unit| self.contains(*unit))
    }
}

impl FromIterator<Unit> for UnitSet {
    fn from_iter<I: IntoIterator<Item = Unit>>(units: I) -> Self {
        let mut set = Self::EMPTY;
        for unit in units {
            set.insert(unit);
        }
        set
    }
}

/// What one unit is, as bits and sets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    pub(super) unit: Unit,
    /// One bit per dimension value.
    dimensions: u32,
    /// The units strictly within this one.
    pub(super) parts: UnitSet,
    /// Those of them that differ in one dimension only.
    pub(super) children: UnitSet,
    /// The units this one is strictly within.
    pub(super) wholes: UnitSet,
    /// Counts tokens.
    pub(super) is_token: bool,
    /// Counts tokens written to a cache.
    pub(super) is_cache_write: bool,
    /// Counts tokens written to a cache for an hour.
    pub(super) is_long_cache_write: bool,
    /// The only modality it counts tokens of.
    pub(super) modality: Option<&'static str>,
    /// The only type of tokens it counts (cached, reasoning, …).
    pub(super) token_type: Option<&'static str>,
}

impl Node {
    /// Counts tokens of audio, images or video only.
    pub(super) fn is_media(&self) -> bool {
        self.modality.is_some_and(|modality| modality != "text")
    }
}

/// How two units overlap when neither contains the other.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Overlap {
    /// Nothing is counted by both.
    None,
    /// What both count is counted by this one.
    In(Unit),
    /// There is no unit for what both count.
    Unnamed,
}

/// All units, the most specific first.
pub(super) static MOST_SPECIFIC_FIRST: LazyLock<Vec<Node>> = LazyLock::new(nodes);
static BY_UNIT: LazyLock<Vec<Node>> = LazyLock::new(|| {
    let mut nodes = nodes();
    nodes.sort_by_key(|node| node.unit);
    nodes
});

/// The node of `unit`.
#[expect(clippy::indexing_slicing, reason = "there is one node for every unit")]
pub(super) fn node(unit: Unit) -> &'static Node {
    &BY_UNIT[unit as usize]
}

/// The units with a count in `usage`.
pub(super) fn reported(usage: &Usage) -> UnitSet {
    usage.iter().map(|(unit, _)| unit).collect()
}

/// Whether two members of `units` together are all that `unit` is (cached and audio together are
/// cached audio), so that zero of it cannot be told from "not reported".
pub(super) fn is_join_of(unit: Unit, units: UnitSet) -> bool {
    let wanted = node(unit).dimensions;
    let wholes = UnitSet(units.0 & node(unit).wholes.0);
    wholes.iter().any(|left| {
        wholes
            .iter()
            .any(|right| node(left).dimensions | node(right).dimensions == wanted)
    })
}

/// How two units overlap.
pub(super) fn overlap(left: Unit, right: Unit) -> Overlap {
    let (left, right) = (node(left), node(right));
    let both = left.dimensions | right.dimensions;
    if both == left.dimensions || both == right.dimensions || conflict(left, right) {
        return Overlap::None;
    }
    let mut nodes = MOST_SPECIFIC_FIRST.iter();
    let named = nodes.find(|node| node.dimensions == both);
    named.map_or(Overlap::Unnamed, |node| Overlap::In(node.unit))
}

/// The dimensions of the feed and their values; a unit has at most one value of each.
const DIMENSIONS: [&[&str]; 7] = [
    &[
        "tokens",
        "characters",
        "messages",
        "durations",
        "pixels",
        "document_pages",
        "rerank",
        "tool_calls",
        "requests",
    ],
    &["input", "output"],
    &MODALITIES,
    &TOKEN_TYPES,
    &["5m", "1h"],
    &[
        "web_search",
        "social_search",
        "storage_search",
        "code_execution",
    ],
    &["annotated"],
];
const MODALITIES: [&str; 4] = ["text", "audio", "image", "video"];
const TOKEN_TYPES: [&str; 5] = ["cache_read", "cache_write", "tool", "reasoning", "citation"];

fn has(unit: Unit, value: &str) -> bool {
    unit.info().dimensions.split(' ').any(|own| own == value)
}

/// Whether the units differ in a dimension that both have: nothing can be counted by both.
fn conflict(left: &Node, right: &Node) -> bool {
    let mut shift = 0;
    DIMENSIONS.iter().any(|values| {
        let mask = ((1_u32 << values.len()) - 1) << shift;
        shift += values.len();
        let (left, right) = (left.dimensions & mask, right.dimensions & mask);
        left != 0 && right != 0 && left != right
    })
}

fn nodes() -> Vec<Node> {
    let all = || Unit::ALL.iter().map(|info| info.unit);
    let size = |unit: Unit| unit.info().dimensions.split(' ').count();
    let mut nodes: Vec<Node> = all()
        .map(|unit| {
            let values = DIMENSIONS.iter().copied().flatten();
            let bits = values.enumerate().filter(|(_, value)| has(unit, value));
            let parts: UnitSet = all()
                .filter(|part| *part != unit && part.is_within(unit))
                .collect();
            let is_token = has(unit, "tokens");
            let of = |values: &[&'static str]| {
                let mut own = values
                    .iter()
                    .copied()
                    .filter(|value| is_token && has(unit, value));
                own.next()
            };
            Node {
                unit,
                dimensions: bits.fold(0, |mask, (bit, _)| mask | (1 << bit)),
                parts,
                children: parts
                    .iter()
                    .filter(|part| size(*part) == size(unit) + 1)
                    .collect(),
                wholes: all()
                    .filter(|whole| *whole != unit && unit.is_within(*whole))
                    .collect(),
                is_token,
                is_cache_write: unit.is_within(Unit::CacheWriteTokens),
                is_long_cache_write: unit.is_within(Unit::CacheWrite1hTokens),
                modality: of(&MODALITIES),
                token_type: of(&TOKEN_TYPES),
            }
        })
        .collect();
    nodes.sort_by_key(|node| std::cmp::Reverse(size(node.unit)));
    nodes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dimension_value_is_known_and_has_a_bit_of_its_own() {
        for info in Unit::ALL {
            for value in info.dimensions.split(' ') {
                let known = DIMENSIONS.iter().copied().flatten();
                assert_eq!(known.filter(|known| **known == value).count(), 1, "{value}");
            }
            let size = info.dimensions.split(' ').count();
            assert_eq!(node(info.unit).dimensions.count_ones() as usize, size);
        }
    }

    #[test]
    fn cached_and_audio_meet_in_cached_audio() {
        let audio = overlap(Unit::CacheReadTokens, Unit::InputAudioTokens);
        assert_eq!(audio, Overlap::In(Unit::CacheAudioReadTokens));
        assert_eq!(
            overlap(Unit::CacheReadTokens, Unit::InputTokens),
            Overlap::None,
            "part of it"
        );
        assert_eq!(
            overlap(Unit::CacheReadTokens, Unit::CacheWriteTokens),
            Overlap::None,
            "disjoint"
        );
        assert_eq!(
            overlap(Unit::InputTokens, Unit::WebSearches),
            Overlap::None,
            "unrelated"
        );
        let both = [Unit::CacheReadTokens, Unit::InputAudioTokens]
            .into_iter()
            .collect();
        assert!(is_join_of(Unit::CacheAudioReadTokens, both));
        assert!(!is_join_of(Unit::CacheTextReadTokens, both));
    }

    #[test]
    fn parts_come_before_their_wholes() {
        let mut seen = UnitSet::EMPTY;
        for node in MOST_SPECIFIC_FIRST.iter() {
            assert!(!seen.meets(node.wholes), "{:?}", node.unit);
            seen.insert(node.unit);
        }
        assert_eq!(seen.iter().count(), Unit::COUNT);
    }
}
