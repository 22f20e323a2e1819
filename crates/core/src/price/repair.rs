//! Readings of counts that contradict each other.
//!
//! Tokens are split two ways at once: by type (cached, reasoning) and by modality (text, audio). A
//! provider that reports both splits but not how they overlap (Gemini: audio input, cached input,
//! but not cached audio) leaves the cost undetermined. Each split alone is a tree and can be
//! priced; the whole of a part that was left out, or is smaller than its parts, is raised to them.

use super::lattice::{MOST_SPECIFIC_FIRST, Node, UnitSet};
use crate::usage::Usage;

/// The usage split by token type only, and by modality only. Both are free of contradictions.
pub(super) fn readings(usage: &Usage) -> [Usage; 2] {
    [
        consistent(usage, |node| node.modality.is_none()),
        consistent(usage, |node| node.token_type.is_none()),
    ]
}

/// The counts of the units to keep, every whole at least the sum of its parts.
fn consistent(usage: &Usage, keep: fn(&Node) -> bool) -> Usage {
    let kept: UnitSet = MOST_SPECIFIC_FIRST
        .iter()
        .filter(|node| keep(node))
        .map(|node| node.unit)
        .collect();
    let mut repaired = Usage::NONE;
    for Node { unit, children, .. } in MOST_SPECIFIC_FIRST.iter() {
        if kept.contains(*unit) {
            let parts = children
                .iter()
                .filter(|part| kept.contains(*part))
                .map(|part| repaired.get(part))
                .fold(0_u64, u64::saturating_add);
            repaired.set(*unit, usage.get(*unit).max(parts));
        }
    }
    repaired
}
