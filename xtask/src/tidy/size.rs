//! Files and functions that fit into a head, and no blobs in the history.
//!
//! A function's lines are counted as clippy does: the body without blank lines and comments. The
//! count here also covers what clippy skips (code behind a `cfg`, macros' insides).

use super::{Finding, Tree, source};

const MAX_FILE_LINES: usize = 400;
const MAX_FUNCTION_LINES: usize = 70;
const MAX_BYTES: u64 = 1_500_000;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let blobs = tree
        .files
        .iter()
        .filter(|file| file.bytes > MAX_BYTES)
        .map(|file| {
            let message = format!("{} bytes; more than {MAX_BYTES} is a blob", file.bytes);
            Finding::new(&file.path, 0, message)
        });
    let mut findings: Vec<_> = blobs.collect();
    for (path, text) in tree.texts("rs") {
        let lines = text.lines().count();
        if lines > MAX_FILE_LINES {
            let message = format!("{lines} lines; more than {MAX_FILE_LINES} needs a better seam");
            findings.push(Finding::new(path, 0, message));
        }
        for function in source::functions(&source::code_of(text)) {
            if function.lines > MAX_FUNCTION_LINES {
                let message = format!(
                    "`{}` has {} lines; at most {MAX_FUNCTION_LINES}",
                    function.name, function.lines
                );
                findings.push(Finding::new(path, function.line, message));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_files_long_functions_and_blobs_are_found() {
        let long = "let x = 1;\n".repeat(71);
        let function = format!("\nfn long() {{\n{long}}}\n");
        let mut tree = Tree::of(&[
            ("a.rs", &function),
            ("b.rs", &"// x\n".repeat(401)),
            ("c.md", &"x\n".repeat(500)),
            ("d.bin", ""),
        ]);
        tree.files[3].bytes = MAX_BYTES + 1;
        let found: Vec<_> = check(&tree).iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            [
                "d.bin: 1500001 bytes; more than 1500000 is a blob",
                "a.rs:2: `long` has 71 lines; at most 70",
                "b.rs: 401 lines; more than 400 needs a better seam",
            ]
        );
    }
}
