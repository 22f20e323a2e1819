//! Words that have no place in the project's files: they mean something only on one machine or in
//! one tracker, and a reader elsewhere cannot follow them.

use super::{Finding, Tree};

/// Split, so that this file does not find itself.
const FORBIDDEN: &[(&str, &str)] = &[
    (concat!("/wo", "rk/"), "a path of one machine"),
    (concat!("/ro", "ot/"), "a path of one machine"),
    (concat!("index.cra", "tes.io"), "a registry's host"),
    (concat!("static.cra", "tes.io"), "a registry's host"),
    (concat!("registry.npm", "js.org"), "a registry's host"),
    (concat!("files.python", "hosted.org"), "a registry's host"),
    (concat!("deb.deb", "ian.org"), "a registry's host"),
    (
        concat!("issue", " #"),
        "a number in a tracker: give the reason itself",
    ),
    (
        concat!("FIX", "ME"),
        "mend it, or say what is missing and why",
    ),
];

/// Followed by what is missing and why, in at least so many words.
const LATER: &str = concat!("TO", "DO");
const WORDS_OF_REASON: usize = 4;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.all_texts().filter(|(path, _)| !is_data(path)) {
        for (number, line) in (1..).zip(text.lines()) {
            let lower = line.to_lowercase();
            let hits = FORBIDDEN
                .iter()
                .filter(|(word, _)| lower.contains(&word.to_lowercase()));
            findings.extend(
                hits.map(|(word, why)| Finding::new(path, number, format!("`{word}`: {why}"))),
            );
            if let Some((_, reason)) = line.split_once(LATER)
                && reason.split_whitespace().count() < WORDS_OF_REASON
            {
                let message = format!("a {LATER} says on its line what is missing and why");
                findings.push(Finding::new(path, number, message));
            }
        }
    }
    findings
}

/// Files whose words are not ours.
fn is_data(path: &str) -> bool {
    path.contains("/fixtures/") || matches!(super::extension(path), "lock" | "json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_one_machine_are_found_with_their_line() {
        let text = format!("fine\nsee {}x and Issue{}12\n", FORBIDDEN[0].0, " #");
        let tree = Tree::of(&[("docs/a.md", &text), ("Cargo.lock", FORBIDDEN[2].0)]);
        let found: Vec<_> = check(&tree).iter().map(ToString::to_string).collect();
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("docs/a.md:2: "));
    }

    #[test]
    fn a_later_needs_a_reason() {
        let with = format!("// {LATER}: batches wait for the job runner\n");
        let without = format!("// {LATER}: later\n");
        let tree = Tree::of(&[("a.rs", &with), ("b.rs", &without)]);
        let paths: Vec<_> = check(&tree).into_iter().map(|found| found.path).collect();
        assert_eq!(paths, ["b.rs"]);
    }
}
