//! `docs/formats.md` is written by the code that decides: which kind of provider takes which
//! format, unchanged or with which edits.
//!
//! `UPDATE_DOCS=1 cargo nextest run -p tollgate-wire --test formats_page` brings it up to date.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helping functions too"
)]

use std::{collections::BTreeMap, env, fmt::Write, fs};
use tollgate_core::{
    format::{Dialect, Format, Operation},
    provider::ProviderKind,
};
use tollgate_wire::{
    envelope::rule,
    offer::{Offer, offer, operations},
};

mod paths;

use paths::PATHS;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/formats.md");

const HEAD: &str = "\
# Formats and providers

<!-- Written by crates/wire/tests/formats_page; do not edit. To bring it up to date:
     UPDATE_DOCS=1 cargo nextest run -p tollgate-wire --test formats_page -->

A client speaks one wire format, and Tollgate never translates it into another: a request goes to a
provider that takes its format. A target of a routing group that does not is skipped, and the
refusal says so when none is left.

* **native**: the request goes out as it came. Address and credential are the provider's, and the
  model's name where a routing group maps it.
* **edit**: small splices are made by the rules named below the table, each only where a request
  needs it.
* **–**: not offered.
* An asterisk: not everything that can be asked in the format is offered; see below the table.

Paths are below `/proxy/<route>`, each in one way to write it. `/v1` may be missing, and what the
clients of Groq (`/openai/v1`), Azure (`/openai`, `/openai/deployments/{model}`), Gemini
(`/v1beta/openai`), Vertex (`/v1/projects/…`) and Foundry (`/anthropic`) put there is understood.
`GET /v1/models`, `/v1beta/models` and `/api/tags` are answered by Tollgate. A path that is not here
does not exist.
";

const FOOT: &str = "\
Two rules are not in the tables, because they follow from the request and not from the provider:
`model` replaces the model's name in the body where a routing group's target maps it, and
`model_from_path` writes it there where only the path of Azure's client has it.
";

/// What the rules of the tables do.
const RULES: &[(&str, &str)] = &[
    (
        rule::ASK_FOR_USAGE,
        "a stream that would not report its usage is asked to (`stream_options.include_usage`); a \
         client that did not ask does not see the extra chunk",
    ),
    (
        rule::MODEL_TO_PATH,
        "`model` leaves the body: the path has it",
    ),
    (
        rule::STREAM_TO_PATH,
        "`stream` leaves the body: the path says it",
    ),
    (
        rule::ANTHROPIC_VERSION,
        "the version of Anthropic's API, elsewhere a header, is written into a body without one",
    ),
    (
        rule::ANTHROPIC_BETA,
        "the flags of the header `anthropic-beta` are written into the body, but for those of \
         Anthropic's own platform",
    ),
    (
        rule::UNFRAME_EVENTS,
        "the events of a stream are taken out of Bedrock's frames, unchanged",
    ),
];

const FAMILIES: &[(&str, Dialect)] = &[
    ("OpenAI and its imitators", Dialect::OpenAi),
    ("Anthropic", Dialect::Anthropic),
    ("Google", Dialect::Google),
    ("Amazon Bedrock", Dialect::Bedrock),
    ("Ollama", Dialect::Ollama),
];

/// What a kind offers of a format: each offer with all that can be asked on its terms.
fn offers(kind: ProviderKind, format: Format) -> Vec<(Offer, Vec<Operation>)> {
    let mut offers: Vec<(Offer, Vec<Operation>)> = Vec::new();
    for operation in operations(format) {
        let made = offer(kind, format, *operation);
        match offers.iter_mut().find(|(other, _)| *other == made) {
            Some((_, operations)) => operations.push(*operation),
            None => offers.push((made, vec![*operation])),
        }
    }
    offers
}

/// One cell: by the format's first operation, which is what it is for.
fn cell(kind: ProviderKind, format: Format) -> String {
    let offers = offers(kind, format);
    let is_partial = offers.iter().any(|(offer, _)| offer.is_made())
        && offers.iter().any(|(offer, _)| !offer.is_made());
    let word = match offers.first() {
        Some((Offer::Native, _)) => "native",
        Some((Offer::Edited(_), _)) => "edit",
        Some((Offer::NotOffered, _)) | None => "–",
    };
    format!("{word}{}", if is_partial { "\\*" } else { "" })
}

fn words(operations: &[Operation]) -> String {
    let words: Vec<&str> = operations
        .iter()
        .map(|operation| operation.as_str())
        .collect();
    words.join(", ")
}

/// What a cell does not say: the rules of each format, and what is left out, with the kinds.
fn details(formats: &[Format]) -> String {
    let mut details = String::new();
    for format in formats {
        let mut said: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for kind in ProviderKind::ALL
            .into_iter()
            .filter(|kind| kind.formats().contains(format))
        {
            for (offer, operations) in offers(kind, *format) {
                let asked = words(&operations);
                let sentence = match offer {
                    Offer::Native => continue,
                    Offer::Edited(rules) => format!("{asked}: `{}`", rules.join("`, `")),
                    Offer::NotOffered => format!("{asked}: not offered"),
                };
                said.entry(sentence).or_default().push(kind.as_str());
            }
        }
        for (sentence, kinds) in said {
            let name = format.as_str();
            writeln!(details, "* `{name}` at {}: {sentence}", kinds.join(", ")).unwrap();
        }
    }
    details
}

fn family(page: &mut String, title: &str, formats: &[Format]) {
    write!(page, "\n## {title}\n\n| format | paths |\n|---|---|\n").unwrap();
    for (format, paths) in PATHS.iter().filter(|(format, _)| formats.contains(format)) {
        let paths = paths.join("`<br>`");
        writeln!(page, "| `{}` | `{paths}` |", format.as_str()).unwrap();
    }
    let takes = |kind: &ProviderKind| kind.formats().iter().any(|format| formats.contains(format));
    let (kinds, others): (Vec<_>, Vec<_>) = ProviderKind::ALL.into_iter().partition(takes);
    page.push_str("\n| |");
    for format in formats {
        let (_, short) = format.as_str().split_once('.').unwrap();
        write!(page, " {short} |").unwrap();
    }
    writeln!(page, "\n|---|{}", "---|".repeat(formats.len())).unwrap();
    for kind in kinds {
        write!(page, "| **{}** |", kind.as_str()).unwrap();
        for format in formats {
            write!(page, " {} |", cell(kind, *format)).unwrap();
        }
        page.push('\n');
    }
    if !others.is_empty() {
        let others: Vec<&str> = others.iter().map(|kind| kind.as_str()).collect();
        write!(page, "\nNot offered at: {}.\n", others.join(", ")).unwrap();
    }
    let details = details(formats);
    if !details.is_empty() {
        write!(page, "\n{details}").unwrap();
    }
}

fn page() -> String {
    let mut page = HEAD.to_owned();
    for (title, dialect) in FAMILIES {
        let formats = Format::ALL
            .into_iter()
            .filter(|format| format.dialect() == *dialect);
        family(&mut page, title, &formats.collect::<Vec<_>>());
    }
    page.push_str("\n## Rules\n\n");
    for (rule, meaning) in RULES {
        writeln!(page, "* `{rule}`: {meaning}.").unwrap();
    }
    write!(page, "\n{FOOT}").unwrap();
    page
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "no setting: a wish of who runs the test"
)]
fn the_page_on_formats_is_up_to_date() {
    let page = page();
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(PAGE, &page).unwrap();
    }
    let kept = fs::read_to_string(PAGE).unwrap_or_default();
    assert!(
        kept == page,
        "docs/formats.md is out of date: run this test with UPDATE_DOCS=1"
    );
}

#[test]
fn the_page_explains_every_rule_that_an_offer_names() {
    for kind in ProviderKind::ALL {
        for format in Format::ALL {
            for operation in operations(format) {
                let Offer::Edited(named) = offer(kind, format, *operation) else {
                    continue;
                };
                for name in named {
                    let is_explained = RULES.iter().any(|(rule, _)| rule == name);
                    assert!(is_explained, "`{name}` is not on the page");
                }
            }
        }
    }
}
