//! Just enough Rust to find functions: text without comments and literals, and braces that match.

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Function {
    pub(super) name: String,
    /// Where it starts, from 1.
    pub(super) line: usize,
    /// Lines of its body with code on them.
    pub(super) lines: usize,
}

/// The text with every comment and every string or character literal blanked out; line ends stay.
pub(super) fn code_of(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let skipped = literal_or_comment(rest, out.chars().next_back());
        if skipped > 0 {
            let (gone, left) = rest.split_at(skipped);
            out.extend(gone.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
            rest = left;
        } else {
            out.push(first);
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
        }
    }
    out
}

/// Bytes of the literal or comment that `rest` starts with; 0 when it starts with code.
fn literal_or_comment(rest: &str, before: Option<char>) -> usize {
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return block_comment(rest);
    }
    if rest.starts_with('"') {
        return quoted(rest, '"');
    }
    if rest.starts_with('\'') {
        return character(rest);
    }
    let in_a_word = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    if !in_a_word && (rest.starts_with('r') || rest.starts_with("br")) {
        return raw_string(rest);
    }
    0
}

fn block_comment(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(tail) = rest.get(at..) {
        if tail.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if tail.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            let Some(next) = tail.chars().next() else {
                break;
            };
            at += next.len_utf8();
        }
    }
    rest.len()
}

fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// A character literal; 0 for a lifetime.
fn character(rest: &str) -> usize {
    let mut chars = rest.chars().skip(1);
    match (chars.next(), chars.next()) {
        (Some('\\'), _) | (Some(_), Some('\'')) => quoted(rest, '\''),
        _ => 0,
    }
}

fn raw_string(rest: &str) -> usize {
    let after = rest.trim_start_matches('b');
    let Some(after) = after.strip_prefix('r') else {
        return 0;
    };
    let hashes = after.chars().take_while(|c| *c == '#').count();
    if !after.trim_start_matches('#').starts_with('"') {
        return 0;
    }
    let end = format!("\"{}", "#".repeat(hashes));
    let start = rest.len() - after.len() + hashes + 1;
    let body = rest.get(start..).unwrap_or_default();
    body.find(&end)
        .map_or(rest.len(), |found| start + found + end.len())
}

/// The functions in code without comments and literals.
pub(super) fn functions(code: &str) -> Vec<Function> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("fn ") {
        let before = code.get(..at).unwrap_or_default();
        if before.ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let rest = code.get(at + 3..).unwrap_or_default();
        let Some(body) = body(rest) else { continue };
        let name = rest
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_');
        found.push(Function {
            name: name.collect(),
            line: before.matches('\n').count() + 1,
            lines: body.lines().filter(|line| !line.trim().is_empty()).count(),
        });
    }
    found
}

/// What stands between the braces of the function whose signature `rest` starts in; `None` for a
/// declaration without a body.
fn body(rest: &str) -> Option<&str> {
    let mut brackets = 0_usize;
    let open = rest.find(|c| {
        match c {
            '(' | '[' => brackets += 1,
            ')' | ']' => brackets = brackets.saturating_sub(1),
            _ => {}
        }
        brackets == 0 && matches!(c, '{' | ';')
    })?;
    let inside = rest.get(open..)?.strip_prefix('{')?;
    let mut depth = 1_usize;
    let close = inside.find(|c| {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        depth == 0
    })?;
    inside.get(..close)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_and_comments_are_blanked_and_lines_stay() {
        let text = "let a = \"{ \\\" }\"; // }\nlet b = r#\"{ \" \"#; /* { /* } */ */\nlet c: &'a \
                    str = x('{', '\\'');\nlet for_x = 1;\n";
        let code = code_of(text);
        assert!(!code.contains(['{', '}']), "{code}");
        assert!(code.contains("&'a str") && code.contains("let for_x = 1;"));
        assert_eq!(code.lines().count(), 4);
    }

    #[test]
    fn functions_are_found_with_their_bodies() {
        let text = "
            trait T { fn declared(&self); }
            type F = fn(u8) -> u8;
            impl X {
                pub async fn first(&self) -> [u8; 2] { 1 }
                fn second() {
                    // a comment

                    if x {
                        y
                    }
                }
            }";
        let found = functions(&code_of(text));
        let names: Vec<_> = found
            .iter()
            .map(|f| (f.name.as_str(), f.line, f.lines))
            .collect();
        assert_eq!(names, [("first", 5, 1), ("second", 6, 3)]);
    }
}
