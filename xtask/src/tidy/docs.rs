//! Every link in a Markdown file leads somewhere: the file exists, and so does the heading.

use super::{Finding, Tree};
use std::collections::HashSet;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.texts("md") {
        for (line, target) in links(text) {
            if let Some(message) = problem(tree, path, text, target) {
                findings.push(Finding::new(path, line, message));
            }
        }
    }
    findings
}

/// Targets of `[text](target)` outside fenced code, with their lines.
fn links(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut fenced = false;
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if fenced {
            continue;
        }
        let targets = line.split("](").skip(1);
        let targets = targets.filter_map(|rest| Some(rest.split_once(')')?.0));
        found.extend(targets.map(|target| (number, target)));
    }
    found
}

fn problem(tree: &Tree, path: &str, text: &str, target: &str) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (file, heading) = target.split_once('#').unwrap_or((target, ""));
    let (place, text) = if file.is_empty() {
        (path.to_owned(), Some(text))
    } else {
        let place = resolve(path, file);
        let text = tree.text(&place);
        (place, text)
    };
    let folder = format!("{}/", place.trim_end_matches('/'));
    let exists = tree
        .files
        .iter()
        .any(|file| file.path == place || file.path.starts_with(&folder));
    if !exists {
        return Some(format!("the link leads nowhere: no {place}"));
    }
    let known = || text.is_some_and(|text| headings(text).contains(heading));
    if heading.is_empty() || super::extension(&place) != "md" || known() {
        return None;
    }
    Some(format!(
        "the link leads nowhere: no heading #{heading} in {place}"
    ))
}

/// `target` as seen from the folder of `path`.
fn resolve(path: &str, target: &str) -> String {
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    parts.join("/")
}

/// The anchors of a page's headings, made as Git forges make them.
fn headings(text: &str) -> HashSet<String> {
    text.lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| {
            let title = line.trim_start_matches('#').trim().to_lowercase();
            title
                .chars()
                .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
                .map(|c| if c == ' ' { '-' } else { c })
                .collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_files_folders_and_headings() {
        let page = "# Life of a request\n[a](ledger.md#holds-and-slots) [b](../README.md)\n\
                    [c](#life-of-a-request) [d](https://example.com/x) [e](decisions)\n\
                    [f](gone.md)\n[g](ledger.md#gone)\n```\n[h](code.md)\n```\n";
        let tree = Tree::of(&[
            ("docs/life.md", page),
            ("docs/ledger.md", "## Holds, and slots\n"),
            ("docs/decisions/0001-x.md", ""),
            ("README.md", ""),
        ]);
        let found: Vec<_> = check(&tree).iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            [
                "docs/life.md:4: the link leads nowhere: no docs/gone.md",
                "docs/life.md:5: the link leads nowhere: no heading #gone in docs/ledger.md",
            ]
        );
    }
}
