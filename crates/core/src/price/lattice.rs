//! How units contain each other: cached audio tokens are cached tokens and audio tokens, both of
//! which are input tokens. Worked out once from the dimensions of [`Unit::ALL`].

use crate::{
    unit::Unit,
    usage::Usage,
};
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
    /// Counts one modality only.
    pub(super) has_modality: bool,
    /// Counts audio, image or video only.
    pub(super) is_media: bool,
    /// Counts one token type only (cached, reasoning, …).
    pub(super) has_token_type: bool,
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

/// The unit that two overlapping units have in common, when neither contains the other.
///
/// `Some(None)`: they overlap in something that has no unit.
pub(super) fn join(left: Unit, right: Unit) -> Option<Option<Unit>> {
    let (left, right) = (node(left), node(right));
    let both = left.dimensions | right.dimensions;
    if both == left.dimensions || both == right.dimensions || conflict(left.unit, right.unit) {
        return None;
    }
    Some(
        MOST_SPECIFIC_FIRST
            .iter()
            .find(|node| node.dimensions == both)
            .map(|node| node.unit),
    )
}

/// The dimensions of the feed and their values; a unit has at most one value of each.
const DIMENSIONS: [&[&str]; 7] = [
    &[
        "tokens", "characters", "messages", "durations", "pixels", "document_pages", "rerank",
        "tool_calls", "requests",
    ],
    &["input", "output"],
    &MODALITIES,
    &TOKEN_TYPES,
    &["5m", "1h"],
    &["web_search", "social_search", "storage_search", "code_execution"],
    &["annotated"],
];
const MODALITIES: [&str; 4] = ["text", "audio", "image", "video"];
const TOKEN_TYPES: [&str; 5] = ["cache_read", "cache_write", "tool", "reasoning", "citation"];

fn has(unit: Unit, value: &str) -> bool {
    unit.info().dimensions.split(' ').any(|own| own == value)
}

/// Whether the units differ in a dimension that both have: nothing can be counted by both.
fn conflict(left: Unit, right: Unit) -> bool {
    DIMENSIONS.iter().any(|values| {
        let value_of = |unit| values.iter().find(|value| has(unit, value));
        matches!((value_of(left), value_of(right)), (Some(l), Some(r)) if l != r)
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
            let any = |values: &[&str]| values.iter().any(|value| has(unit, value));
            let is_token = has(unit, "tokens");
            Node {
                unit,
                dimensions: bits.fold(0, |mask, (bit, _)| mask | (1 << bit)),
                parts,
                children: parts.iter().filter(|part| size(*part) == size(unit) + 1).collect(),
                wholes: all()
                    .filter(|whole| *whole != unit && unit.is_within(*whole))
                    .collect(),
                is_token,
                has_modality: is_token && any(&MODALITIES),
                is_media: is_token && any(&["audio", "image", "video"]),
                has_token_type: is_token && any(&TOKEN_TYPES),
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
        let audio = join(Unit::CacheReadTokens, Unit::InputAudioTokens);
        assert_eq!(audio, Some(Some(Unit::CacheAudioReadTokens)));
        assert_eq!(join(Unit::CacheReadTokens, Unit::InputTokens), None, "part of it");
        assert_eq!(join(Unit::CacheReadTokens, Unit::CacheWriteTokens), None, "disjoint");
        assert_eq!(join(Unit::InputTokens, Unit::WebSearches), None, "unrelated");
        let both = [Unit::CacheReadTokens, Unit::InputAudioTokens].into_iter().collect();
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
