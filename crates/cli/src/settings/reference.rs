//! The reference of all settings as Markdown, printed from the [schema](super::schema) by
//! `tollgate config reference` and kept as `docs/settings.md`.

use super::{
    environment,
    schema::{self, Default, Key, ROOT, Section, Shape},
};
use std::fmt::Write as _;

const INTRODUCTION: &str = "\
# Settings

<!-- Printed by `tollgate config reference`; change the schema in crates/cli instead. -->

Tollgate reads `tollgate.toml` in the working directory, or the file that `--config` or
`TOLLGATE_CONFIG` names. `tollgate config check` reports everything that is wrong with it, and
`tollgate config show` prints every value in force and where it came from. Unknown keys are errors.
`tollgate.example.toml` shows every table in use.

A flag outranks an environment variable, which outranks the file. Money is a decimal string of
dollars (`\"20.00\"`), a duration a number and a unit (`500ms`, `30s`, `10m`, `1h`), a size a number
and a unit (`64MiB`). Slugs are made of `a-z`, `0-9`, `-` and `_`. Relative paths in the file are
taken from the file's directory.

What the file declares (organization, projects, members, providers, routing groups, API keys) is
put in force when Tollgate starts, and what it declared once and no longer names is disabled.
";

/// The whole page.
pub fn render() -> String {
    let mut page = String::from(INTRODUCTION);
    let mut seen: Vec<&'static Section> = Vec::new();
    section(&ROOT, &mut seen, &mut page);
    variables(&mut page);
    page
}

/// A section and, below it, those it introduces.
fn section(section: &'static Section, seen: &mut Vec<&'static Section>, page: &mut String) {
    if seen.iter().any(|other| std::ptr::eq(*other, section)) {
        return;
    }
    seen.push(section);
    push(
        page,
        format_args!("\n## {}\n\n{}\n\n", section.title, section.doc),
    );
    push(
        page,
        format_args!("| key | type | default | meaning |\n|---|---|---|---|\n"),
    );
    let is_root = std::ptr::eq(section, &raw const ROOT);
    let has_own_section = |key: &&Key| is_root && inner(key.shape).is_some();
    for key in section.keys.iter().filter(|key| !has_own_section(key)) {
        push(page, format_args!("{}\n", row(key)));
    }
    for inner in section.keys.iter().filter_map(|key| inner(key.shape)) {
        self::section(inner, seen, page);
    }
}

fn row(key: &Key) -> String {
    let is_string = !matches!(key.shape, Shape::Bare(_));
    let default = match key.default {
        Default::Text(text) if is_string => format!("`\"{text}\"`"),
        Default::Text(text) => format!("`{text}`"),
        Default::Required => "required".to_owned(),
        Default::None(words) => words.to_owned(),
    };
    format!(
        "| `{}` | {} | {default} | {} |",
        key.name,
        key.shape.describe(),
        key.doc
    )
}

const fn inner(shape: Shape) -> Option<&'static Section> {
    match shape {
        Shape::Table(section)
        | Shape::Tables(section)
        | Shape::Secret(section)
        | Shape::UrlOrSecret(section)
        | Shape::TableMap(section) => Some(section),
        Shape::Scalar(_) | Shape::Bare(_) | Shape::Word(_) | Shape::Strings | Shape::StringMap => {
            None
        }
    }
}

fn variables(page: &mut String) {
    page.push_str("\n## Environment variables\n\n");
    page.push_str("An empty variable counts as not set.\n\n");
    page.push_str("| variable | meaning |\n|---|---|\n");
    for variable in &environment::OTHERS {
        push(
            page,
            format_args!("| `{}` | {} |\n", variable.name, variable.doc),
        );
    }
    schema::each_scalar(&ROOT, "", &mut |path, _| {
        if let Some(name) = environment::variable_for(path) {
            push(page, format_args!("| `{name}` | `{path}` |\n"));
        }
    });
}

fn push(page: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = page.write_fmt(text);
}
