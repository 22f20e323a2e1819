//! The request path has nine steps; the pipeline labels them (`// 3 inspect`) and the documentation
//! tells them, in the same order. Whoever adds or moves one has to do it in both places, and here.

use super::{Finding, Tree};

const STEPS: [&str; 9] = [
    "receive", "identify", "inspect", "select", "reserve", "attempt", "relay", "settle", "record",
];
const PIPELINE: &str = "crates/gateway/src/pipeline.rs";
const PAGE: &str = "docs/life-of-a-request.md";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(text) = tree.text(PIPELINE) {
        findings.extend(order(PIPELINE, &labelled(text)));
    }
    if let Some(text) = tree.text(PAGE) {
        findings.extend(order(PAGE, &told(text)));
    }
    findings
}

/// For each step, the first comment that holds its number and its name.
fn labelled(text: &str) -> Vec<Option<usize>> {
    let labels = |line: &str, number: usize, step: &str| {
        line.trim_start().starts_with("//") && has_word(line, &format!("{number} {step}"))
    };
    first_lines(text, labels)
}

/// For each step, the first heading, table row or list item that names it.
fn told(text: &str) -> Vec<Option<usize>> {
    let names = |line: &str, _: usize, step: &str| {
        let structural = line.starts_with(['#', '|', '-', '*'])
            || line.starts_with(|first: char| first.is_ascii_digit());
        structural && has_word(&line.to_lowercase(), step)
    };
    first_lines(text, names)
}

fn first_lines(text: &str, hits: impl Fn(&str, usize, &str) -> bool) -> Vec<Option<usize>> {
    let first = |(number, step): (usize, &&str)| {
        let mut lines = (1..).zip(text.lines());
        lines.find_map(|(at, line)| hits(line, number, step).then_some(at))
    };
    (1..).zip(&STEPS).map(first).collect()
}

fn has_word(line: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line.get(..at).unwrap_or_default();
        let after = line.get(at + word.len()..).unwrap_or_default();
        !before.ends_with(part) && !after.starts_with(part)
    })
}

fn order(path: &str, lines: &[Option<usize>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut last = (0, "the beginning");
    for (step, line) in STEPS.iter().zip(lines) {
        match line {
            None => findings.push(Finding::new(
                path,
                0,
                format!("the step `{step}` is missing"),
            )),
            Some(line) if *line < last.0 => {
                let message = format!("the step `{step}` comes before `{}`", last.1);
                findings.push(Finding::new(path, *line, message));
            }
            Some(line) => last = (*line, step),
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The last two steps share a comment, as they share a place.
    fn pipeline(steps: [&str; 9]) -> String {
        let label = |number: usize| format!("    // {number} {}\n    x();\n", steps[number - 1]);
        let labels: String = (1..=7).map(label).collect();
        let end = format!("/// 8 {} and 9 {}: at the end.\n", steps[7], steps[8]);
        format!("mod settle;\nfn run() {{\n{labels}}}\n{end}")
    }

    #[test]
    fn both_places_name_the_steps_in_order() {
        let rows: String = STEPS.map(|step| format!("| {step} | x |\n")).concat();
        let page = format!("To settle, and record, is not a row.\n{rows}");
        let tree = Tree::of(&[(PIPELINE, &pipeline(STEPS)), (PAGE, &page)]);
        assert_eq!(check(&tree), []);
    }

    #[test]
    fn a_moved_or_missing_step_is_found() {
        let text = pipeline(STEPS).replace("9 record", "9 note");
        let text = text
            .replace("// 4 select", "")
            .replacen("mod", "// 4 select\nmod", 1);
        let found = check(&Tree::of(&[(PIPELINE, &text)]));
        let messages: Vec<_> = found.iter().map(|found| found.message.as_str()).collect();
        assert_eq!(
            messages,
            [
                "the step `select` comes before `inspect`",
                "the step `record` is missing"
            ]
        );
    }

    #[test]
    fn a_project_without_a_pipeline_is_not_judged() {
        assert_eq!(check(&Tree::of(&[])), []);
    }
}
