//! Module names that say nothing about what is inside collect everything; they are not used. Nor is
//! `mod.rs`: `name.rs` beside `name/` shows its name in every editor tab.

use super::{Finding, Tree};

const MEANINGLESS: &[&str] = &[
    "util", "utils", "helper", "helpers", "common", "misc", "manager", "service", "services",
];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.texts("rs")
        .filter_map(|(path, _)| {
            let parts = path.trim_end_matches(".rs").split('/');
            let mut bad = parts.filter(|part| MEANINGLESS.contains(part) || *part == "mod");
            let name = bad.next_back()?;
            let message = format!("`{name}` is no name for a module: say what is inside");
            Some(Finding::new(path, 0, message))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_without_meaning_are_found_as_files_and_as_folders() {
        let tree = Tree::of(&[
            ("crates/core/src/utils.rs", ""),
            ("crates/core/src/helpers/money.rs", ""),
            ("crates/core/src/ledger/mod.rs", ""),
            ("crates/core/src/money.rs", ""),
            ("docs/common.md", ""),
        ]);
        let paths: Vec<_> = check(&tree).into_iter().map(|found| found.path).collect();
        assert_eq!(
            paths,
            [
                "crates/core/src/utils.rs",
                "crates/core/src/helpers/money.rs",
                "crates/core/src/ledger/mod.rs"
            ]
        );
    }
}
