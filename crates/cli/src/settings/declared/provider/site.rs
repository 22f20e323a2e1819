//! Where a provider is: the parts of its cloud's addresses, and its base URL, which follows from
//! them unless the file names another.

use crate::settings::{problem::Complaint, reader::Table, text};
use tollgate_core::provider::{
    Credential, CredentialPlacement, ProviderKind, Site, profile::BaseUrl,
};

/// A key of [`Site`]: who has it, and what to write where it is missing.
struct Part {
    key: &'static str,
    kinds: &'static [ProviderKind],
    /// What may stand in it beside letters and digits.
    marks: &'static str,
    /// What it is needed for and an example, if it is needed.
    needed: Option<(&'static str, &'static str)>,
}

const REGION: Part = Part {
    key: "region",
    kinds: &[ProviderKind::Bedrock, ProviderKind::BedrockMantle],
    marks: "-",
    needed: Some(("the address and the signatures name it", "us-east-1")),
};
const PROJECT: Part = Part {
    key: "project",
    kinds: &[ProviderKind::GoogleVertex],
    // Projects of a domain are called `example.com:project`.
    marks: "-.:",
    needed: Some(("paths name it", "my-project")),
};
const LOCATION: Part = Part {
    key: "location",
    kinds: &[ProviderKind::GoogleVertex],
    marks: "-",
    needed: Some(("the address and paths name it", "us-central1")),
};
const API_VERSION: Part = Part {
    key: "api_version",
    kinds: &[ProviderKind::Azure],
    marks: "-.",
    needed: None,
};

/// The parts of its cloud's addresses. What is wrong with one is reported, and leaves it out.
pub(super) fn read(
    table: &Table<'_>,
    kind: Option<ProviderKind>,
    credential: Option<&Credential>,
) -> Site {
    let part = |part| read_part(table, &part, kind);
    // An API key of Vertex (its express mode) is a project's own.
    let names_project = matches!(
        credential,
        Some(Credential::Placed {
            placement: CredentialPlacement::Header(_) | CredentialPlacement::Query(_),
            ..
        })
    );
    let project = Part {
        needed: PROJECT.needed.filter(|_| !names_project),
        ..PROJECT
    };
    Site {
        region: part(REGION),
        project: part(project),
        location: part(LOCATION),
        api_version: part(API_VERSION),
    }
}

fn read_part(table: &Table<'_>, part: &Part, kind: Option<ProviderKind>) -> Option<String> {
    let value = table.value(part.key);
    let is_of_kind = kind.is_none_or(|kind| part.kinds.contains(&kind));
    match (value, part.needed) {
        (Some(value), _) if is_of_kind => value.parse(|text| text::plain(text, part.marks)),
        (Some(value), _) => {
            let kinds: Vec<_> = part.kinds.iter().map(|kind| kind.as_str()).collect();
            value.refuse(Complaint::new(
                "this kind of provider has no such key",
                format!("take it out: it is for `{}`", kinds.join("` and `")),
            ));
            None
        }
        (None, Some((why, example))) if is_of_kind && kind.is_some() => {
            let help = format!("add `{} = \"{example}\"`, or whichever is yours", part.key);
            let complaint = Complaint::new(format!("this key is missing: {why}"), help);
            table.refuse_absent(part.key, complaint);
            None
        }
        (None, _) => None,
    }
}

/// Where requests go.
pub(super) fn base_url(
    table: &Table<'_>,
    kind: Option<ProviderKind>,
    site: &Site,
) -> Option<String> {
    match (table.value("base_url"), kind) {
        (Some(value), Some(ProviderKind::Simulated)) => {
            value.refuse(Complaint::new(
                "the simulated provider sends nothing anywhere",
                "take the key out",
            ));
            None
        }
        (Some(value), _) => {
            let url = value.parse(text::base_url)?;
            if table.written("credential").is_some() && text::is_clear_text(&url) {
                value.warn(
                    "the credential goes over the network in the clear",
                    "use `https://`",
                );
            }
            Some(text::url_text(&url))
        }
        (None, Some(kind)) => {
            let own = kind.default_base_url(site);
            if own.is_none() && kind.profile().base_url == BaseUrl::Required {
                let complaint = Complaint::new(
                    "this key is missing: this kind of provider has no address of its own",
                    help_base_url(kind),
                );
                table.refuse_absent("base_url", complaint);
            }
            own
        }
        (None, None) => None,
    }
}

fn help_base_url(kind: ProviderKind) -> &'static str {
    if kind == ProviderKind::Azure {
        "add `base_url = \"https://RESOURCE.openai.azure.com\"`, or \
         `\"https://RESOURCE.services.ai.azure.com\"` for Microsoft Foundry"
    } else {
        "add `base_url = \"https://…\"`"
    }
}
